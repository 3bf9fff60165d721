"""Lock-out: after too many failed log-ins a login or an address is closed for a while, in every process.

An attempt counts when it is made, before the password is looked at, so that guesses sent at once count one by
one; a success takes it back. An unknown login locks like a known one: the answer tells nobody which exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import Connection, case, delete, or_, select, update

from erp_core.gate.model import login_attempts
from erp_core.storage.bulk import insert_or

FORGET_AFTER = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Limit:
    """So many failures `within` a time close the door for `first`, twice as long each further time, up to `longest`."""

    failures: int
    within: timedelta = timedelta(minutes=15)
    first: timedelta = timedelta(minutes=1)
    longest: timedelta = timedelta(hours=1)

    def lock_after(self, failures: int) -> timedelta | None:
        """How long the door closes after this many failures; None while it stays open."""
        if failures < self.failures:
            return None
        doublings = min(failures - self.failures, 16)
        factor: int = 2**doublings
        return min(self.first * factor, self.longest)


LIMITS = {"login": Limit(10), "address": Limit(50)}


def subject_hash(kind: str, value: str) -> str:
    """What is kept of a login or an address that was tried."""
    return sha256(f"{kind}:{value}".encode()).hexdigest()


def attempt(connection: Connection, kind: str, value: str, now: datetime) -> datetime | None:
    """Count an attempt; gives the moment until which the door is closed, in which case nothing was counted."""
    limit, key, table = LIMITS[kind], subject_hash(kind, value), login_attempts
    counted = connection.execute(
        insert_or(connection, table)
        .values(subject_hash=key, failures=1, last_at=now, locked_until=None)
        .on_conflict_do_update(
            index_elements=[table.c.subject_hash],
            set_={
                "failures": case((table.c.last_at < now - limit.within, 1), else_=table.c.failures + 1),
                "last_at": now,
            },
            where=or_(table.c.locked_until.is_(None), table.c.locked_until <= now),
        )
        .returning(table.c.failures)
    ).scalar_one_or_none()
    if counted is None:
        closed: datetime | None = connection.scalar(
            select(table.c.locked_until).where(table.c.subject_hash == key)
        )
        return closed
    if counted == 1:
        connection.execute(delete(table).where(table.c.last_at < now - FORGET_AFTER))
    lock = limit.lock_after(counted)
    if lock is not None:
        connection.execute(update(table).where(table.c.subject_hash == key).values(locked_until=now + lock))
    return None


def succeeded(connection: Connection, login: str, address: str) -> None:
    """Forget a login's failures, and take this attempt back from its address."""
    forget(connection, login)
    table = login_attempts
    connection.execute(
        update(table)
        .where(table.c.subject_hash == subject_hash("address", address), table.c.failures > 0)
        .values(failures=table.c.failures - 1, locked_until=None)
    )


def forget(connection: Connection, login: str) -> bool:
    """Open a login's door again; whether there was anything to forget."""
    found = connection.execute(
        delete(login_attempts).where(login_attempts.c.subject_hash == subject_hash("login", login))
    )
    return bool(found.rowcount)
