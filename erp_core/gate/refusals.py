"""The log of refusals: who was turned away where, counted by window so that nobody can flood it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, delete, select

from erp_core.gate.model import refusals, users
from erp_core.storage.bulk import insert_or

WINDOW = timedelta(minutes=5)
KEEP = timedelta(days=90)
NOBODY = UUID(int=0)


def window_of(moment: datetime) -> datetime:
    """The start of the five minutes in which a moment lies."""
    return moment.replace(minute=moment.minute - moment.minute % 5, second=0, microsecond=0)


def count(
    connection: Connection,
    kind: str,
    place: str,
    now: datetime,
    *,
    principal_id: UUID = NOBODY,
    times: int = 1,
) -> int:
    """Count refusals of one kind at one place; gives how many there are in this window by now."""
    table = refusals
    total: int = connection.execute(
        insert_or(connection, table)
        .values(
            window_start=window_of(now),
            kind=kind,
            principal_id=principal_id,
            place=place[:120],
            times=times,
            last_at=now,
        )
        .on_conflict_do_update(
            index_elements=list(table.primary_key.columns),
            set_={"times": table.c.times + times, "last_at": now},
        )
        .returning(table.c.times)
    ).scalar_one()
    if total == times:
        connection.execute(delete(table).where(table.c.window_start < now - KEEP))
    return total


@dataclass(frozen=True, slots=True)
class RefusalView:
    """So many refusals of one kind within five minutes. `login` is None where nobody was logged in."""

    window_start: datetime
    kind: str
    login: str | None
    place: str
    times: int
    last_at: datetime


def list_refusals(
    connection: Connection, *, since: datetime | None = None, limit: int = 100
) -> list[RefusalView]:
    """The newest refusals first."""
    query = (
        select(refusals, users.c.login)
        .outerjoin(users, users.c.id == refusals.c.principal_id)
        .order_by(refusals.c.last_at.desc(), refusals.c.place)
        .limit(limit)
    )
    if since is not None:
        query = query.where(refusals.c.last_at >= since)
    rows = connection.execute(query)
    return [RefusalView(**{name: getattr(row, name) for name in RefusalView.__slots__}) for row in rows]
