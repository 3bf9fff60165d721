"""Cancelling orders."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from erp_core.gate.contract import Command, DomainError, Done, NotFound, Task, Transaction
from erp_core.gate.statuses import require_step
from erp_core.inventory.ledger import Ledger
from erp_core.inventory.reservations import Reservations
from erp_core.master.queries.reasons import Reasons
from erp_core.master.rules.reasons import Reason
from erp_core.master.values import Comment, ReasonCode
from erp_core.orders.book import BookLine, BookOrder, OrderBook
from erp_core.orders.demand import DemandChanges
from erp_core.orders.kits import lines_of_kit, require_whole_kits
from erp_core.orders.picking import withdraw_unpacked
from erp_core.orders.rules import BY_COMPANY, CANCEL_REASONS, GONE, ORDER_STATUSES


class CancelOrder(Command):
    """Cancel all that is not shipped yet, or the lines given; a kit by the line it was ordered with.

    Reservations are released.
    What is picked goes back to its place; a parcel that is packed must be unpacked first (`CancelPick`).
    """

    order_id: UUID
    reason_code: ReasonCode
    line_ids: tuple[UUID, ...] | None = None
    comment: Comment | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The order."""
        return ("order", self.order_id)


class NothingOpen(DomainError):
    """All of it is shipped or cancelled already."""

    code = "nothing_open"


def cancel_orders(tasks: Sequence[Task[CancelOrder]], tx: Transaction) -> Sequence[Done | DomainError]:
    """Cancel one after the other, then give what was released to waiting orders."""
    book, reservations, demand = OrderBook.of(tx), Reservations.of(tx), DemandChanges.of(tx)
    order_ids = {task.command.order_id for task in tasks}
    book.load(order_ids)
    reservations.load(order_ids)
    Ledger.of(tx).load(reservations.buckets(order_ids))
    outcomes: list[Done | DomainError] = []
    for task in tasks:
        try:
            order = book.get(task.command.order_id)
            reason = Reasons.of(tx).require(CANCEL_REASONS, task.command.reason_code)
            lines = _open_lines(task.command, order)
            before = {"status": order.status}
            withdraw_unpacked(tx, order, {line.id for line in lines}, task.occurred_at, task.audit_id)
        except DomainError as error:
            outcomes.append(error)
            continue
        units = sum(line.parts.open for line in lines)
        promised = {line.id: line.parts.reserved for line in lines if line.parts.reserved}
        reservations.end(order.id, promised, "voided", task.occurred_at, task.audit_id)
        for line in lines:
            _cancel_line(order, line, reason, demand)
        order.cancel_reason = reason.code
        order.advance(task.occurred_at, order.hold_reason)
        outcomes.append(
            Done(
                {"order_id": str(order.id), "status": order.status, "units": units},
                (order.event("OrderCancelled", reason=reason.code, units=units),),
                before=before,
                after={"status": order.status, "reason": reason.code},
            )
        )
    Ledger.of(tx).announce()
    return outcomes


def _open_lines(command: CancelOrder, order: BookOrder) -> list[BookLine]:
    if order.status in (*GONE, "cancelled"):
        require_step(ORDER_STATUSES, order.status, "cancelled", f"order {order.number}")
    wanted = dict.fromkeys(order.lines if command.line_ids is None else ())
    for line_id in command.line_ids or ():
        parts = lines_of_kit(order, line_id)
        if not parts and line_id not in order.lines:
            raise NotFound(
                f"order {order.number} has no line {line_id}",
                field="line_ids",
                remedy="give ids of lines of this order",
            )
        wanted |= dict.fromkeys([part.id for part in parts] or [line_id])
    require_whole_kits(order, {line_id: order.lines[line_id].parts.open for line_id in wanted})
    lines = [order.lines[line_id] for line_id in wanted if order.lines[line_id].parts.open]
    if not lines:
        raise NothingOpen(
            f"nothing of these lines of order {order.number} is open",
            field="line_ids",
            remedy="name open lines",
        )
    return lines


def _cancel_line(order: BookOrder, line: BookLine, reason: Reason, demand: DemandChanges) -> None:
    units = line.parts.open
    line.parts.reserved = 0
    line.parts.cancelled += units
    line.changed = True
    if reason.effect != BY_COMPANY:
        gone = 0 if line.parts.shipped else 1
        place, day = line.location_id, order.ordered_on
        demand.add(
            line.item_id, place, order.channel_id, day, -units, line.unit_price, line.list_price, -gone
        )
