"""Letting an order leave in more parcels than the rules allow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlalchemy import Connection, func, select

from erp_core.gate.contract import (
    Command,
    Done,
    Facts,
    IllegalTransition,
    NotFound,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
    facts_each,
)
from erp_core.master.queries.reasons import Reasons
from erp_core.master.values import ReasonCode
from erp_core.orders.book import OrderBook
from erp_core.orders.model import order_lines, orders
from erp_core.orders.rules import OPEN

SPLIT_REASONS = "order_split"


class AllowSplit(Command):
    """Let an order leave in up to so many parcels, whatever the fulfilment rules say. Governed.

    It counts the parcels that left. The last word counts; what the rules allow is never taken away by it.
    """

    order_id: UUID
    parcels: Annotated[int, Field(ge=2, le=100)]
    reason_code: ReasonCode

    @property
    def subject(self) -> tuple[str, UUID]:
        """The order."""
        return ("order", self.order_id)


def allow_split(task: Task[AllowSplit], tx: Transaction) -> Done:
    """Write it on the order. Raises `IllegalTransition` for an order of which nothing is open."""
    command, book = task.command, OrderBook.of(tx)
    Reasons.of(tx).require(SPLIT_REASONS, command.reason_code)
    book.load([command.order_id])
    order = book.get(command.order_id)
    if order.status not in OPEN:
        raise IllegalTransition(
            f"order {order.number} is {order.status}",
            field="order_id",
            remedy="only an order that still has something to send is split",
        )
    before = {"parcels_allowed": order.parcels_allowed}
    order.parcels_allowed = command.parcels
    order.step_to(order.status, task.occurred_at)
    after = {"parcels_allowed": command.parcels, "reason": command.reason_code}
    return Done(
        {"order_id": str(order.id), "parcels_allowed": command.parcels},
        (order.event("OrderSplitAllowed", parcels=command.parcels, reason=command.reason_code),),
        before=before,
        after=after,
    )


def split_facts(command: AllowSplit, preceding: Sequence[Command], connection: Connection) -> Facts:
    """Parcels, and the charged value of the order."""
    line = order_lines.c
    value = connection.scalar(
        select(func.sum((line.quantity - line.cancelled_quantity) * line.unit_price))
        .join(orders, orders.c.id == line.order_id)
        .where(orders.c.id == command.order_id)
    )
    if value is None:
        raise NotFound(
            f"there is no order {command.order_id}", field="order_id", remedy="give the id of an order"
        )
    return {"parcels": command.parcels, "amount": int(value)}


def register(registry: Registry) -> None:
    """Add the command."""
    registry.register(
        Registration(
            AllowSplit,
            each(allow_split),
            governed=True,
            facts=facts_each(split_facts),
            compensation="AllowSplit with the former number, while the parcels have not left",
        )
    )
