"""Bulk writes by column: a million rows without a dictionary per row.

A column is a sequence of values or one constant for all rows. Values are converted by the column's
type, equal values mostly once. PostgreSQL takes plain inserts through COPY. Only for handlers: the caller's
transaction must be the gate's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from itertools import repeat
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, ColumnDefault, Connection, Date, Integer, String, Table, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.types import TypeEngine

from erp_core.storage.copying import copy_rows, driver_of, spelled
from erp_core.storage.engine import require_gate
from erp_core.storage.ids import hexadecimal
from erp_core.storage.types import Id, Json, UtcDateTime, utc_text


class _Converted(dict[Any, Any]):
    """Values as the driver wants them, converted at first sight."""

    def __init__(self, convert: Callable[[Any], Any]) -> None:
        super().__init__()
        self._convert = convert

    def __missing__(self, value: Any) -> Any:
        converted = self[value] = self._convert(value)
        return converted


def _hexadecimal(values: Sequence[UUID | None]) -> list[str | None]:
    return list(map(hexadecimal, values))


def _days(values: Sequence[date | None]) -> list[str | None]:
    texts: dict[date | None, str | None] = _Converted(date.isoformat)
    texts[None] = None
    return [texts[value] for value in values]


def _moments(values: Sequence[datetime | None]) -> list[str | None]:
    texts: list[str | None] = []
    before, text = None, None
    for value in values:
        if value is not before:
            before, text = value, None if value is None else utc_text(value)
        texts.append(text)
    return texts


_SQLITE_TEXTS: Mapping[type[TypeEngine[Any]], Callable[[Sequence[Any]], list[str | None]]] = {
    Id: _hexadecimal,
    Date: _days,
    UtcDateTime: _moments,
}
"""What the types' own conversions give, several times faster: these columns are most of a bulk write."""


def _given(table: Table, columns: Mapping[str, Any]) -> dict[str, Any]:
    """The columns to write, in the table's order, with the defaults of those left out."""
    given: dict[str, Any] = {}
    for column in table.columns:
        if column.name in columns:
            given[column.name] = columns[column.name]
        elif column.nullable or column.server_default is not None:
            continue
        elif isinstance(column.default, ColumnDefault) and column.default.is_scalar:
            given[column.name] = column.default.arg
        else:
            raise ValueError(f"{table.name}.{column.name} needs a value")
    return given


def _rows(dialect: Dialect, table: Table, columns: Mapping[str, Any]) -> Iterable[tuple[Any, ...]]:
    return zip(*_converted(dialect, table, columns, list(columns)), strict=False)


def _converted(
    dialect: Dialect, table: Table, columns: Mapping[str, Any], names: Sequence[str]
) -> list[Iterable[Any]]:
    """The columns of these names as streams of values that the driver takes."""
    streams: list[Iterable[Any]] = []
    for name in names:
        kind, values = table.c[name].type, columns[name]
        constant = isinstance(values, str) or not isinstance(values, Sequence)
        texts = _SQLITE_TEXTS.get(type(kind)) if dialect.name == "sqlite" and not constant else None
        convert = kind.dialect_impl(dialect).bind_processor(dialect) if texts is None else None
        if texts is not None:
            values = texts(values)
        elif convert is not None and constant:
            values = convert(values)
        elif convert is not None:
            values = map(convert if isinstance(kind, Json) else _Converted(convert).__getitem__, values)
        streams.append(repeat(values) if constant else values)
    return streams


def insert_columns(connection: Connection, table: Table, columns: Mapping[str, Any]) -> None:
    """Insert the rows that the columns spell; at least one column is a sequence.

    Columns that are left out are NULL or take their default. Raises `ValueError` where a value is needed.
    """
    require_gate(connection, table)
    given = _given(table, columns)
    listed = ", ".join(given)
    if connection.dialect.name == "postgresql" and not in_pipeline(connection):
        statement, lines = f"COPY {table.name} ({listed}) FROM STDIN", spelled(table, given)
        if lines is not None:
            copy_rows(connection, statement, lines)
        else:
            _copy(connection, statement, _rows(connection.dialect, table, given))
        return
    marks = ", ".join([_mark(connection)] * len(given))
    rows = _rows(connection.dialect, table, given)
    _for_each(connection, f"INSERT INTO {table.name} ({listed}) VALUES ({marks})", rows)


def in_pipeline(connection: Connection) -> bool:
    """Whether statements of this PostgreSQL connection wait to be sent together; COPY cannot be among them."""
    from psycopg.pq import PipelineStatus

    driver: Any = connection.connection.driver_connection
    return bool(driver.pgconn.pipeline_status != PipelineStatus.OFF)


def _for_each(connection: Connection, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Run the driver's statement for each row, straight from the stream; SQLAlchemy would copy all rows twice."""
    cursor = driver_of(connection).cursor()
    try:
        cursor.executemany(statement, rows)
    except connection.dialect.loaded_dbapi.IntegrityError as error:
        raise IntegrityError(statement, None, error) from error
    except connection.dialect.loaded_dbapi.OperationalError as error:
        raise OperationalError(statement, None, error) from error
    finally:
        cursor.close()


def _copy(connection: Connection, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    try:
        with driver_of(connection).cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except connection.dialect.loaded_dbapi.IntegrityError as error:
        raise IntegrityError(statement, None, error) from error


def add_columns(connection: Connection, table: Table, columns: Mapping[str, Any], add: Sequence[str]) -> None:
    """Insert rows, or add the `add` columns to the row already there under the same primary key.

    No key may stand twice in one call.
    """
    _upsert(connection, table, columns, [f"{name} = {table.name}.{name} + excluded.{name}" for name in add])


def replace_columns(
    connection: Connection, table: Table, columns: Mapping[str, Any], replace: Sequence[str]
) -> None:
    """Insert rows, or replace the `replace` columns of the row already there under the same primary key.

    No key may stand twice in one call.
    """
    _upsert(connection, table, columns, [f"{name} = excluded.{name}" for name in replace])


def add_missing(connection: Connection, table: Table, columns: Mapping[str, Any]) -> None:
    """Insert the rows whose primary or unique key is not there yet; leave the others as they are."""
    _insert_or(connection, table, columns, "ON CONFLICT DO NOTHING")


def _upsert(connection: Connection, table: Table, columns: Mapping[str, Any], changes: Sequence[str]) -> None:
    keys = ", ".join(table.primary_key.columns.keys())
    _insert_or(connection, table, columns, f"ON CONFLICT ({keys}) DO UPDATE SET {', '.join(changes)}")


def _insert_or(connection: Connection, table: Table, columns: Mapping[str, Any], conflict: str) -> None:
    require_gate(connection, table)
    given = _given(table, columns)
    rows, into = _rows(connection.dialect, table, given), f"INSERT INTO {table.name} ({', '.join(given)})"
    arrays = _arrays(table, given) if connection.dialect.name == "postgresql" else None
    if arrays is not None:
        values = tuple(list(column) for column in zip(*rows, strict=True))
        _for_each(connection, f"{into} SELECT * FROM unnest({arrays}) {conflict}", [values] if values else [])
    else:
        marks = ", ".join([_mark(connection)] * len(given))
        _for_each(connection, f"{into} VALUES ({marks}) {conflict}", rows)


_ARRAYS: Mapping[type[TypeEngine[Any]], str] = {
    Id: "uuid",
    Integer: "bigint",
    BigInteger: "bigint",
    String: "text",
    Text: "text",
    Json: "text",
    Date: "date",
    UtcDateTime: "timestamptz",
    Boolean: "boolean",
}


def _arrays(table: Table, names: Iterable[str]) -> str | None:
    """Marks for an array of each of these columns; None where one has a type that no array is made of."""
    kinds = [_ARRAYS.get(type(table.c[name].type)) for name in names]
    return None if None in kinds else ", ".join(f"%s::{kind}[]" for kind in kinds)


def update_columns(connection: Connection, table: Table, columns: Mapping[str, Any]) -> None:
    """Write the columns to the rows that their primary key names; rows that are not there stay away."""
    require_gate(connection, table)
    keys = list(table.primary_key.columns.keys())
    changed = [name for name in columns if name not in keys]
    streams = _converted(connection.dialect, table, columns, [*changed, *keys])
    mark = _mark(connection)
    _for_each(
        connection,
        f"UPDATE {table.name} SET {', '.join(f'{name} = {mark}' for name in changed)}"
        f" WHERE {' AND '.join(f'{name} = {mark}' for name in keys)}",
        zip(*streams, strict=False),
    )


def _mark(connection: Connection) -> str:
    return "%s" if connection.dialect.name == "postgresql" else "?"
