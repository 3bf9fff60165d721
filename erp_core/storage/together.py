"""Writes that travel together: several statements in one round trip, or several tables in one statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table, TextClause, bindparam, text
from sqlalchemy.exc import DBAPIError

from erp_core.storage.bulk import MANY, Rows, insert_rows
from erp_core.storage.copying import driver_of
from erp_core.storage.engine import require_gate

_FEW = 4


@contextmanager
def together(connection: Connection, rows: int = 0) -> Iterator[None]:
    """On PostgreSQL, send the block's writes in one pipeline; elsewhere, and for many `rows` a table, as ever.

    For writes only: what a read in the block finds comes too late to be seen. Raises what each write would raise, at
    the latest when the block ends.
    """
    if connection.dialect.name != "postgresql" or rows >= MANY:
        yield
        return
    from psycopg import Connection as Driver
    from psycopg import Error

    driver = driver_of(connection)
    assert isinstance(driver, Driver)
    try:
        with driver.pipeline():
            yield
    except Error as error:
        raise DBAPIError.instance(None, None, error, Error, dialect=connection.dialect) from error


def insert_at_once(connection: Connection, parts: Sequence[tuple[Table, Rows]]) -> None:
    """Insert the rows of several tables, as `insert_rows` would one table after the other.

    On PostgreSQL one statement does it where no table gets more than a few rows.
    """
    parts = [(table, rows) for table, rows in parts if rows]
    if connection.dialect.name != "postgresql" or any(len(rows) > _FEW for _, rows in parts):
        for table, rows in parts:
            insert_rows(connection, table, rows)
    elif parts:
        for table, _ in parts:
            require_gate(connection, table)
        statement = _at_once(tuple((table, tuple(rows[0]), len(rows)) for table, rows in parts))
        values = {
            f"{table.name}_{number}_{name}": value
            for table, rows in parts
            for number, row in enumerate(rows)
            for name, value in row.items()
        }
        connection.execute(statement, values)


@lru_cache(maxsize=64)
def _at_once(shape: tuple[tuple[Table, tuple[str, ...], int], ...]) -> TextClause:
    inserts = []
    for table, names, count in shape:
        rows = ", ".join(
            f"({', '.join(f':{table.name}_{number}_{name}' for name in names)})" for number in range(count)
        )
        inserts.append(f"INSERT INTO {table.name} ({', '.join(names)}) VALUES {rows}")
    *first, last = inserts
    with_ = ", ".join(f"part_{number} AS ({insert})" for number, insert in enumerate(first))
    binds: list[Any] = [
        bindparam(f"{table.name}_{number}_{name}", type_=table.c[name].type)
        for table, names, count in shape
        for number in range(count)
        for name in names
    ]
    return text(f"WITH {with_} {last}" if first else last).bindparams(*binds)
