"""Set-based writes that read the same on both databases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from erp_core.storage.columnar import (
    add_columns,
    add_missing,
    insert_columns,
    replace_columns,
    update_columns,
)

Rows = Sequence[Mapping[str, Any]]
MANY = 20
"""From so many rows on they are written by column, on PostgreSQL through COPY."""
PIECE = 250
"""So many rows are worth sending before the rest of a batch is known: the database writes while we go on."""


def insert_or(connection: Connection, table: Table) -> Any:
    """An INSERT that may say what happens on conflict, in the connection's dialect."""
    return _insert(table, connection.dialect.name)


def _insert(table: Table, dialect: str) -> Any:
    return (postgresql if dialect == "postgresql" else sqlite).insert(table)


@lru_cache(maxsize=256)
def _adding(table: Table, dialect: str, add: tuple[str, ...]) -> Any:
    statement = _insert(table, dialect)
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={name: table.c[name] + statement.excluded[name] for name in add},
    )


@lru_cache(maxsize=256)
def _replacing(table: Table, dialect: str, replace: tuple[str, ...]) -> Any:
    statement = _insert(table, dialect)
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={name: statement.excluded[name] for name in replace},
    )


def _by_column(rows: Rows) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def insert_rows(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert all rows, which share their keys, with one statement; nothing happens for none."""
    if len(rows) >= MANY:
        insert_columns(connection, table, _by_column(rows))
    elif rows:
        connection.execute(table.insert(), list(rows))


def insert_missing(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert the rows whose primary or unique key is not there yet; leave the others as they are."""
    if len(rows) >= MANY:
        add_missing(connection, table, _by_column(rows))
    elif rows:
        connection.execute(insert_or(connection, table).on_conflict_do_nothing(), list(rows))


def upsert_add(connection: Connection, table: Table, rows: Rows, add: Sequence[str]) -> None:
    """Insert rows, or add the `add` columns to those already there under the same primary key.

    No key may stand twice in one call.
    """
    if len(rows) >= MANY:
        add_columns(connection, table, _by_column(rows), add)
    elif rows:
        connection.execute(_adding(table, connection.dialect.name, tuple(add)), list(rows))


def upsert_replace(connection: Connection, table: Table, rows: Rows, replace: Sequence[str]) -> None:
    """Insert rows, or replace the `replace` columns of those already there under the same primary key."""
    if len(rows) >= MANY:
        replace_columns(connection, table, _by_column(rows), replace)
    elif rows:
        connection.execute(_replacing(table, connection.dialect.name, tuple(replace)), list(rows))


def update_rows(connection: Connection, table: Table, rows: Rows) -> None:
    """Write the rows' other columns to the rows that their primary key names; all rows share their keys."""
    if rows:
        update_columns(connection, table, _by_column(rows))


def insert_records(
    connection: Connection, table: Table, records: Iterable[Any], names: Sequence[str]
) -> None:
    """Insert a row for each record from its attributes `names`."""
    insert_rows(connection, table, [{name: getattr(one, name) for name in names} for one in records])


def update_records(
    connection: Connection, table: Table, records: Iterable[Any], names: Sequence[str]
) -> None:
    """Write the attributes `names` of each record to the row of its `id`."""
    update_rows(connection, table, [{name: getattr(one, name) for name in ("id", *names)} for one in records])
