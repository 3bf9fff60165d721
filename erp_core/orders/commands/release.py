"""Taking orders off hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from erp_core.gate.contract import Command, DomainError, Done, IllegalTransition, Task, Transaction
from erp_core.master.rules.restrictions import forbidden
from erp_core.orders.allocation import fill, load_buckets
from erp_core.orders.book import OrderBook
from erp_core.orders.events import LinesBackordered
from erp_core.orders.restrictions import forbidden_lines
from erp_core.orders.rules import HELD
from erp_core.orders.shares import Shares
from erp_core.orders.trade import SalesTrade


class ReleaseOrder(Command):
    """Take an order off hold, once it is paid or cleared: what is available is reserved now."""

    order_id: UUID
    promised_on: date | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The order."""
        return ("order", self.order_id)


def release_orders(tasks: Sequence[Task[ReleaseOrder]], tx: Transaction) -> Sequence[Done | DomainError]:
    """Reserve for the orders, one after the other."""
    book = OrderBook.of(tx)
    order_ids = {task.command.order_id for task in tasks}
    book.load(order_ids)
    load_buckets(tx, (line for id_ in order_ids if book.loaded(id_) for line in book.get(id_).lines.values()))
    restricted = forbidden_lines(
        tx, [line for id_ in order_ids if book.loaded(id_) for line in book.get(id_).lines]
    )
    items = {line.item_id for id_ in order_ids if book.loaded(id_) for line in book.get(id_).lines.values()}
    shares, trade = Shares(tx, items), SalesTrade(tx, items)
    outcomes: list[Done | DomainError] = []
    short: set[tuple[UUID, UUID]] = set()
    short_ids: set[UUID] = set()
    for task in tasks:
        try:
            order = book.get(task.command.order_id)
            if order.status not in HELD:
                raise IllegalTransition(
                    f"order {order.number} is {order.status}, not on hold",
                    field="order_id",
                    remedy="only an order on hold is released",
                )
            for line_id in order.lines.keys() & restricted.keys():
                raise forbidden(restricted[line_id])
            goods = {line.item_id for line in order.lines.values() if line.parts.unfilled}
            trade.check_allowed(order.channel_id, order.customer_country, goods, task.occurred_on)
        except DomainError as error:
            outcomes.append(error)
            continue
        before = {"status": order.status, "hold_reason": order.hold_reason}
        if task.command.promised_on is not None:
            order.promised_on = task.command.promised_on
            for line in order.lines.values():
                line.promised_on, line.changed = task.command.promised_on, True
        reserved = fill(tx, order, order.lines.values(), shares, task.occurred_at, task.audit_id)
        order.advance(task.occurred_at)
        missing = {(line.item_id, line.location_id) for line in order.lines.values() if line.parts.unfilled}
        if missing:
            short |= missing
            short_ids.add(order.id)
        outcomes.append(
            Done(
                {"order_id": str(order.id), "status": order.status, "reserved": reserved},
                (order.event("OrderReleased"),),
                before=before,
                after={"status": order.status},
            )
        )
    if short:
        last = tasks[-1]
        event = LinesBackordered(frozenset(short), frozenset(short_ids), last.occurred_at, last.audit_id)
        tx.publish(event)
    return outcomes
