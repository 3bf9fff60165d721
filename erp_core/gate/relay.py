"""The outbox on its way out: the events of each aggregate in the order of their versions, each at least once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, bindparam, select, update

from erp_core.gate.model import outbox
from erp_core.storage.engine import gate_writing, reading


@dataclass(frozen=True, slots=True)
class OutboxEvent:
    """A committed business event. (aggregate_kind, aggregate_id, version) gives the order of an aggregate."""

    id: UUID
    kind: str
    aggregate_kind: str
    aggregate_id: UUID
    version: int
    data: dict[str, Any]
    recorded_at: datetime


def relay(
    engine: Engine, deliver: Callable[[list[OutboxEvent]], None], now: datetime, *, limit: int = 2_000
) -> int:
    """Hand the oldest waiting events to `deliver` and mark them; returns how many.

    Nothing is marked when `deliver` raises, so an event may come twice and is never lost. No
    transaction is open while `deliver` works. One relay runs at a time (the jobs runner sees to it).
    """
    names = OutboxEvent.__slots__
    with reading(engine) as connection:
        rows = connection.execute(
            select(*(outbox.c[name] for name in names))
            .where(outbox.c.relayed_at.is_(None))
            .order_by(
                outbox.c.recorded_at,
                outbox.c.aggregate_kind,
                outbox.c.aggregate_id,
                outbox.c.version,
                outbox.c.kind,
            )
            .limit(limit)
        ).all()
    if not rows:
        return 0
    deliver([OutboxEvent(*row) for row in rows])
    with gate_writing(engine) as connection:
        connection.execute(
            update(outbox).where(outbox.c.id == bindparam("event_id")).values(relayed_at=now),
            [{"event_id": row.id} for row in rows],
        )
    return len(rows)
