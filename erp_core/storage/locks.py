"""Locks on names, for records that are not there yet: two writers of one code follow each other."""

from __future__ import annotations

from collections.abc import Iterable
from zlib import crc32

from sqlalchemy import Connection, Table, text

_NAME_SLOTS = 1024
_LOCK = text(
    "SELECT pg_advisory_xact_lock(slot) FROM"
    " (SELECT slot FROM unnest(CAST(:slots AS bigint[])) AS slot ORDER BY slot) AS ordered"
)


def locks_rows(connection: Connection) -> bool:
    """Whether this database needs locks: on SQLite `BEGIN IMMEDIATE` lets one writer in at a time."""
    return connection.dialect.name == "postgresql"


def lock_names(connection: Connection, names: Iterable[str]) -> None:
    """Let one transaction at a time create a record under each of these names (an external reference, say)."""
    if locks_rows(connection):
        slots = sorted({crc32(name.encode()) % _NAME_SLOTS for name in names})
        if slots:
            connection.execute(_LOCK, {"slots": slots})


def lock_table(connection: Connection, table: Table) -> None:
    """Wait for every transaction that wrote the table or holds a row of it, and hold off others until the end of this one.

    Reading goes on.
    """
    if locks_rows(connection):
        connection.execute(text(f"LOCK TABLE {table.name} IN EXCLUSIVE MODE"))
