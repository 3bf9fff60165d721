"""Bulk writes by column: a million rows without a dictionary per row.

A column is a sequence of values or one constant for all rows. Values are converted by the column's
type, equal values mostly once. PostgreSQL takes plain inserts through COPY. Only for handlers: the caller's
transaction must be the gate's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnDefault, Connection, Table, Uuid
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import IntegrityError

from erp_core.storage.engine import require_gate
from erp_core.storage.types import Json


class _Converted(dict[Any, Any]):
    """Values as the driver wants them, converted at first sight."""

    def __init__(self, convert: Callable[[Any], Any]) -> None:
        super().__init__()
        self._convert = convert

    def __missing__(self, value: Any) -> Any:
        converted = self[value] = self._convert(value)
        return converted


def _hexadecimal(values: Sequence[UUID | None]) -> list[str | None]:
    """Ids as SQLite keeps them; a column mostly repeats the same few objects."""
    texts: dict[int, str | None] = {}
    for value in values:
        if id(value) not in texts:
            texts[id(value)] = None if value is None else value.hex
    return [texts[id(value)] for value in values]


def _rows(
    dialect: Dialect, table: Table, columns: Mapping[str, Any]
) -> tuple[list[str], Iterable[tuple[Any, ...]]]:
    names, streams = [], []
    for column in table.columns:
        if column.name in columns:
            values = columns[column.name]
        elif column.nullable:
            continue
        elif isinstance(column.default, ColumnDefault) and column.default.is_scalar:
            values = column.default.arg
        else:
            raise ValueError(f"{table.name}.{column.name} needs a value")
        convert = column.type.dialect_impl(dialect).bind_processor(dialect)
        constant = isinstance(values, str) or not isinstance(values, Sequence)
        if convert is not None and constant:
            values = convert(values)
        elif convert is not None and isinstance(column.type, Uuid):
            values = _hexadecimal(values)
        elif convert is not None:
            values = map(
                convert if isinstance(column.type, Json) else _Converted(convert).__getitem__, values
            )
        names.append(column.name)
        streams.append(repeat(values) if constant else values)
    return names, zip(*streams, strict=False)


def insert_columns(connection: Connection, table: Table, columns: Mapping[str, Any]) -> None:
    """Insert the rows that the columns spell; at least one column is a sequence.

    Columns that are left out are NULL or take their scalar default. Raises `ValueError` where one is needed.
    """
    require_gate(connection, table)
    names, rows = _rows(connection.dialect, table, columns)
    listed = ", ".join(names)
    if connection.dialect.name == "postgresql":
        _copy(connection, f"COPY {table.name} ({listed}) FROM STDIN", rows)
        return
    values = list(rows)
    if values:
        marks = ", ".join("?" * len(names))
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({listed}) VALUES ({marks})", values)


def _copy(connection: Connection, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except connection.dialect.loaded_dbapi.IntegrityError as error:
        raise IntegrityError(statement, None, error) from error


def add_columns(connection: Connection, table: Table, columns: Mapping[str, Any], add: Sequence[str]) -> None:
    """Insert rows, or add the `add` columns to the row already there under the same primary key.

    No key may stand twice in one call.
    """
    require_gate(connection, table)
    names, rows = _rows(connection.dialect, table, columns)
    values = list(rows)
    if not values:
        return
    mark = "%s" if connection.dialect.name == "postgresql" else "?"
    connection.exec_driver_sql(
        f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join([mark] * len(names))})"
        f" ON CONFLICT ({', '.join(table.primary_key.columns.keys())}) DO UPDATE SET "
        + ", ".join(f"{name} = {table.name}.{name} + excluded.{name}" for name in add),
        values,
    )
