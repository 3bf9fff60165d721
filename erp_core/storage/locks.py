"""Locks on names, for records that are not there yet: two writers of one code follow each other."""

from __future__ import annotations

from collections.abc import Iterable
from zlib import crc32

from sqlalchemy import Connection, column, func, select
from sqlalchemy.dialects.postgresql import BIGINT, array

_NAME_SLOTS = 1024


def locks_rows(connection: Connection) -> bool:
    """Whether this database needs locks: on SQLite `BEGIN IMMEDIATE` lets one writer in at a time."""
    return connection.dialect.name == "postgresql"


def lock_names(connection: Connection, names: Iterable[str]) -> None:
    """Let one transaction at a time create a record under each of these names (an external reference, say)."""
    if locks_rows(connection):
        slots = sorted({crc32(name.encode()) % _NAME_SLOTS for name in names})
        if slots:
            slot = func.unnest(array(slots, type_=BIGINT)).table_valued(column("slot")).render_derived()
            ordered = select(slot.c.slot).order_by(slot.c.slot).subquery()
            connection.execute(select(func.pg_advisory_xact_lock(ordered.c.slot)))
