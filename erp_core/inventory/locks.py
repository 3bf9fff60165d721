"""Row locks of the core, in one place and one order, so that writers wait for each other and never in a circle.

The order is: document rows by id, then stock buckets by key, then cost balances by item. SQLite needs
none of it: `BEGIN IMMEDIATE` lets one writer in at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID
from zlib import crc32

from sqlalchemy import Column, Connection, Select, Table, column, func, select
from sqlalchemy.dialects.postgresql import BIGINT, array

from erp_core.storage.bulk import insert_missing
from erp_core.storage.lookup import AnyRow, fetch_in, fetch_in_pairs

_NAME_SLOTS = 1024


def locks_rows(connection: Connection) -> bool:
    """Whether this database needs row locks."""
    return connection.dialect.name == "postgresql"


def lock_documents(
    connection: Connection,
    statement: Select[Any],
    key: Column[Any],
    ids: Iterable[UUID],
    *,
    skip_busy: bool = False,
) -> list[AnyRow]:
    """The statement's rows with these ids, locked in the order of their ids.

    `skip_busy` leaves out rows that another writer holds instead of waiting for it.
    """
    if locks_rows(connection):
        statement = statement.order_by(key).with_for_update(of=key.table, skip_locked=skip_busy)
    return fetch_in(connection, statement, key, sorted(set(ids)))


def lock_balances(
    connection: Connection, table: Table, keys: Iterable[tuple[Any, ...]], zero: dict[str, Any]
) -> list[AnyRow]:
    """The rows of a balance table with these primary keys, locked in key order.

    Where rows can be locked, one that is missing is made first with the values of `zero`: otherwise two
    writers could both find nothing and both go on. Elsewhere a missing row is simply not returned.
    """
    columns = list(table.primary_key.columns)
    wanted = sorted(set(keys))
    if locks_rows(connection):
        there = {tuple(row) for row in _by_key(connection, select(*columns), columns, wanted)}
        names = [part.name for part in columns]
        missing = [dict(zip(names, key, strict=True)) | zero for key in wanted if key not in there]
        insert_missing(connection, table, missing)
        return _by_key(connection, select(table).order_by(*columns).with_for_update(), columns, wanted)
    return _by_key(connection, select(table), columns, wanted)


def _by_key(
    connection: Connection,
    statement: Select[Any],
    columns: Sequence[Column[Any]],
    keys: list[tuple[Any, ...]],
) -> list[AnyRow]:
    if len(columns) == 1:
        return fetch_in(connection, statement, columns[0], (key[0] for key in keys))
    return fetch_in_pairs(connection, statement, columns, keys)


def lock_names(connection: Connection, names: Iterable[str]) -> None:
    """Let one transaction at a time create a record under each of these names (an external reference, say)."""
    if locks_rows(connection):
        slots = sorted({crc32(name.encode()) % _NAME_SLOTS for name in names})
        if slots:
            slot = func.unnest(array(slots, type_=BIGINT)).table_valued(column("slot")).render_derived()
            ordered = select(slot.c.slot).order_by(slot.c.slot).subquery()
            connection.execute(select(func.pg_advisory_xact_lock(ordered.c.slot)))
