"""Outages of places: orders that name one go to its fallback meanwhile, and what waits there comes back afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from erp_core.gate.contract import Task, Transaction
from erp_core.inventory.checks import Places
from erp_core.master.model import locations
from erp_core.orders.commands.place import OrderLine, PlaceOrder
from erp_core.orders.model_outages import outages, rerouted_lines
from erp_core.storage.bulk import insert_rows
from erp_core.storage.lookup import fetch_in

REASON = "outage"


class Rerouting:
    """The orders of a batch as they are placed: lines that name a place that is out name its fallback.

    A sale over the counter stays: its goods are in somebody's hands. Costs nothing while no place is out.
    """

    def __init__(self, tx: Transaction, tasks: Sequence[Task[PlaceOrder]], places: Places) -> None:
        self._tx, self._to = tx, places.rerouted
        self._from: dict[UUID, UUID] = {}
        self._rows: list[dict[str, Any]] = []
        self._outages: dict[UUID, UUID] = {}
        self.tasks = list(tasks)
        if self._to:
            standing = select(outages.c.location_id, outages.c.id).where(outages.c.ended_at.is_(None))
            rows = fetch_in(tx.connection, standing, outages.c.location_id, self._to)
            self._outages = {location_id: id_ for location_id, id_ in rows}
            self.tasks = [self._rerouted(task) for task in tasks]

    def _rerouted(self, task: Task[PlaceOrder]) -> Task[PlaceOrder]:
        command = task.command
        if command.ship_now or not any(line.location_id in self._to for line in command.lines):
            return task
        lines = tuple(self._line(line) for line in command.lines)
        command = command.model_copy(update={"lines": lines})
        return Task(
            command, task.principal, task.occurred_at, task.audit_id, task.proposal_id, task.approved_at
        )

    def _line(self, line: OrderLine) -> OrderLine:
        if line.location_id is None or line.location_id not in self._to:
            return line
        self._from[line.line_id] = line.location_id
        return line.model_copy(update={"location_id": self._to[line.location_id]})

    def accept(self, line: OrderLine, audit_id: UUID) -> str | None:
        """Note a line of an order that is placed. Gives why its place is another, None where it is not."""
        origin = self._from.get(line.line_id)
        if origin is None:
            return None
        self._rows.append(
            {
                "line_id": line.line_id,
                "outage_id": self._outages[origin],
                "from_location_id": origin,
                "returned": False,
                "audit_id": audit_id,
            }
        )
        return REASON

    def write(self) -> None:
        """Write what was noted."""
        insert_rows(self._tx.connection, rerouted_lines, self._rows)


@dataclass(frozen=True, slots=True)
class Outage:
    """An outage with the lines that went elsewhere, and how many of them came back. `ended_at` None: it stands."""

    id: UUID
    location_id: UUID
    location: str
    rerouted_to: UUID | None
    reason: str
    started_at: datetime
    ended_at: datetime | None
    rerouted: int
    returned: int


def list_outages(connection: Connection, limit: int = 100) -> list[Outage]:
    """Outages, the latest first."""
    counts = (
        select(
            rerouted_lines.c.outage_id,
            func.count().label("lines"),
            func.count().filter(rerouted_lines.c.returned).label("back"),
        )
        .group_by(rerouted_lines.c.outage_id)
        .subquery()
    )
    rows = connection.execute(
        select(
            outages.c.id,
            outages.c.location_id,
            locations.c.code,
            locations.c.rerouted_to,
            outages.c.reason,
            outages.c.started_at,
            outages.c.ended_at,
            func.coalesce(counts.c.lines, 0),
            func.coalesce(counts.c.back, 0),
        )
        .join(locations, locations.c.id == outages.c.location_id)
        .outerjoin(counts, counts.c.outage_id == outages.c.id)
        .order_by(outages.c.started_at.desc(), outages.c.id)
        .limit(limit)
    )
    return [Outage(*tuple(row)) for row in rows]
