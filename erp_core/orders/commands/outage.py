"""Beginning and ending outages of places."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from erp_core.gate.contract import Command, Done, Event, Registration, Registry, Task, Transaction, each
from erp_core.master.commands.fallbacks import OutageState, switch_off, switch_on
from erp_core.master.queries.reasons import Reasons
from erp_core.master.values import ReasonCode
from erp_core.orders.allocation import fill, load_buckets
from erp_core.orders.book import BookLine, OrderBook
from erp_core.orders.demand import DemandChanges
from erp_core.orders.model import order_lines, orders
from erp_core.orders.model_outages import outages, rerouted_lines
from erp_core.orders.rules import HELD, WAITING
from erp_core.orders.shares import Shares
from erp_core.storage.bulk import insert_rows, update_rows
from erp_core.storage.lookup import AnyRow

REASONS = "outage"


class _OnOutage(Command):
    outage_id: UUID

    @property
    def subject(self) -> tuple[str, UUID]:
        """The outage."""
        return ("outage", self.outage_id)


class StartOutage(_OnOutage):
    """A place cannot work or be heard of: its fallback takes new orders, and channels are told the set share.

    What was placed before stays where it is.
    """

    location_id: UUID
    reason_code: ReasonCode


class EndOutage(_OnOutage):
    """The place works again. Lines that still wait at the fallback without any stock come back to it."""


def start_outage(task: Task[StartOutage], tx: Transaction) -> Done:
    """Switch the fallback on."""
    command = task.command
    Reasons.of(tx).require(REASONS, command.reason_code)
    fallback = switch_on(tx, command.location_id)
    insert_rows(
        tx.connection,
        outages,
        [
            {
                "id": command.outage_id,
                "location_id": command.location_id,
                "reason": command.reason_code,
                "started_at": task.occurred_at,
                "ended_at": None,
                "audit_id": task.audit_id,
            }
        ],
    )
    told = {"location_id": str(command.location_id), "fallback_id": str(fallback)}
    return Done(told, (Event("OutageStarted", "outage", command.outage_id, 1, told),), after=told)


def end_outage(task: Task[EndOutage], tx: Transaction) -> Done:
    """Switch the fallback off, bring back what waits, and ask for the full stock to be published anew."""
    command = task.command
    row = tx.connection.execute(
        select(outages.c.location_id, outages.c.ended_at).where(outages.c.id == command.outage_id)
    ).one_or_none()
    if row is None or row.ended_at is not None:
        raise OutageState(
            "there is no such outage, or it is over",
            field="outage_id",
            remedy="give the id of one that stands",
        )
    switch_off(tx, row.location_id)
    update_rows(tx.connection, outages, [{"id": command.outage_id, "ended_at": task.occurred_at}])
    rerouted = _rerouted(tx, command.outage_id)
    back = _bring_back(tx, task, rerouted)
    told = {
        "location_id": str(row.location_id),
        "returned": back,
        "kept": len(rerouted) - back,
        "publish_again": True,
    }
    return Done(told, (Event("OutageEnded", "outage", command.outage_id, 2, told),), after=told)


def _rerouted(tx: Transaction, outage_id: UUID) -> Sequence[AnyRow]:
    line = order_lines.c
    return tx.connection.execute(
        select(
            line.id,
            line.order_id,
            line.item_id,
            line.location_id,
            line.channel_id,
            line.ordered_on,
            line.quantity,
            line.unit_price,
            line.list_price,
            rerouted_lines.c.from_location_id,
        )
        .join(rerouted_lines, rerouted_lines.c.line_id == line.id)
        .join(orders, orders.c.id == line.order_id)
        .where(rerouted_lines.c.outage_id == outage_id)
        .order_by(orders.c.ordered_at, line.order_id, line.line_no)
    ).all()


def _bring_back(tx: Transaction, task: Task[EndOutage], rerouted: Sequence[AnyRow]) -> int:
    """Move lines of which nothing happened yet, with their demand, and let them have what lies there."""
    book, demand = OrderBook.of(tx), DemandChanges.of(tx)
    book.load(row.order_id for row in rerouted)
    moved = [row for row in rerouted if _untouched(book, row)]
    update_rows(
        tx.connection,
        order_lines,
        [
            {"id": row.id, "location_id": row.from_location_id, "location_reason": "outage_over"}
            for row in moved
        ],
    )
    update_rows(tx.connection, rerouted_lines, [{"line_id": row.id, "returned": True} for row in moved])
    lines: dict[UUID, list[BookLine]] = {}
    for row in moved:
        line = book.get(row.order_id).lines[row.id]
        for place, sign in ((row.location_id, -1), (row.from_location_id, 1)):
            demand.add(
                row.item_id,
                place,
                row.channel_id,
                row.ordered_on,
                sign * row.quantity,
                row.unit_price,
                row.list_price,
                sign,
            )
        line.location_id = row.from_location_id
        lines.setdefault(row.order_id, []).append(line)
    waiting = {id_: own for id_, own in lines.items() if book.get(id_).status in WAITING}
    load_buckets(tx, [line for own in waiting.values() for line in own])
    shares = Shares(tx, {line.item_id for own in waiting.values() for line in own}, none=not waiting)
    for order_id, own in waiting.items():
        order = book.get(order_id)
        fill(tx, order, own, shares, task.occurred_at, task.audit_id)
        order.advance(task.occurred_at)
    return len(moved)


def _untouched(book: OrderBook, row: AnyRow) -> bool:
    order = book.get(row.order_id)
    line = order.lines[row.id]
    return (
        order.status in (*WAITING, *HELD)
        and line.parts.unfilled == row.quantity
        and line.kit_line_id is None
        and line.location_id == row.location_id
    )


def register(registry: Registry) -> None:
    """Add the commands."""
    registry.register(Registration(StartOutage, each(start_outage)))
    registry.register(Registration(EndOutage, each(end_outage)))
