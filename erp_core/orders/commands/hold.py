"""Putting orders on hold."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from erp_core.gate.contract import Command, DomainError, Done, Task, Transaction
from erp_core.gate.statuses import require_step
from erp_core.inventory.ledger import Ledger
from erp_core.inventory.reservations import Reservations
from erp_core.master.queries.reasons import Reasons
from erp_core.master.values import Comment, ReasonCode
from erp_core.orders.allocation import give_back
from erp_core.orders.book import OrderBook
from erp_core.orders.picking import withdraw
from erp_core.orders.rules import HOLD_REASONS, ORDER_STATUSES


class HoldOrder(Command):
    """Keep an order from being shipped until it is released: its stock is given back, its pick list withdrawn.

    The reason is the order's exception code. What is picked already must be put back first.
    """

    order_id: UUID
    reason_code: ReasonCode
    comment: Comment | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The order."""
        return ("order", self.order_id)


def hold_orders(tasks: Sequence[Task[HoldOrder]], tx: Transaction) -> Sequence[Done | DomainError]:
    """Hold one after the other, then give what was released to waiting orders."""
    book, reservations = OrderBook.of(tx), Reservations.of(tx)
    order_ids = {task.command.order_id for task in tasks}
    book.load(order_ids)
    reservations.load(order_ids)
    Ledger.of(tx).load(reservations.buckets(order_ids))
    outcomes: list[Done | DomainError] = []
    for task in tasks:
        try:
            order = book.get(task.command.order_id)
            reason = Reasons.of(tx).require(HOLD_REASONS, task.command.reason_code)
            if order.status != "on_hold":
                require_step(ORDER_STATUSES, order.status, "on_hold", f"order {order.number}")
        except DomainError as error:
            outcomes.append(error)
            continue
        before = {"status": order.status, "hold_reason": order.hold_reason}
        for pick in order.open_picks:
            withdraw(tx, order, pick, task.occurred_at, task.audit_id)
        give_back(tx, order, task.occurred_at, task.audit_id)
        order.step_to("on_hold", task.occurred_at)
        order.hold_reason = reason.code
        outcomes.append(
            Done(
                {"order_id": str(order.id), "status": order.status},
                (order.event("OrderHeld", reason=reason.code),),
                before=before,
                after={"status": order.status, "hold_reason": reason.code},
            )
        )
    Ledger.of(tx).announce()
    return outcomes
