"""Customers' promises follow what suppliers confirm: dated supply by item and place, and when it changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, case, func, select

from erp_core.gate.contract import DomainError, Done, Event, Handler, Task, Transaction
from erp_core.orders.alerting import Alerted, alert
from erp_core.orders.book import OrderBook
from erp_core.orders.events import LinesBackordered
from erp_core.orders.promising import Cause, Pair, misdated, promise
from erp_core.orders.rules.promises import Supply
from erp_core.procurement.model import po_lines, purchase_orders
from erp_core.procurement.ordering.purchase_orders import PurchaseOrder, PurchaseOrders
from erp_core.procurement.rules import INBOUND
from erp_core.storage.lookup import AnyRow, fetch_in

_EXPECTED = func.coalesce(po_lines.c.expected_on, po_lines.c.promised_on)
_CONFIRMED_UNITS = func.coalesce(po_lines.c.confirmed_quantity, po_lines.c.quantity)
_WANTED = po_lines.c.quantity - po_lines.c.cancelled_quantity
CONFIRMED_LEFT = (
    case((_CONFIRMED_UNITS < _WANTED, _CONFIRMED_UNITS), else_=_WANTED) - po_lines.c.accepted_quantity
)
_CONFIRMED = (
    select(po_lines.c.item_id, purchase_orders.c.location_id, _EXPECTED, func.sum(CONFIRMED_LEFT))
    .join(purchase_orders, purchase_orders.c.id == po_lines.c.po_id)
    .where(
        purchase_orders.c.status.in_(INBOUND),
        purchase_orders.c.import_id.is_(None),
        po_lines.c.promised_on.is_not(None),
        CONFIRMED_LEFT > 0,
    )
    .group_by(po_lines.c.item_id, purchase_orders.c.location_id, _EXPECTED)
)


def confirmed_supply(tx: Transaction, pairs: Collection[Pair]) -> Mapping[Pair, Sequence[Supply]]:
    """What suppliers confirmed and did not deliver yet, by (item, place); what nobody confirmed is none."""
    PurchaseOrders.of(tx).flush()
    return _supply(tx.connection, pairs)


def _supply(connection: Connection, pairs: Collection[Pair]) -> Mapping[Pair, Sequence[Supply]]:
    supply: dict[Pair, list[Supply]] = {}
    rows = fetch_in(connection, _CONFIRMED, po_lines.c.item_id, {item_id for item_id, _ in pairs})
    for item_id, place, due_on, units in rows:
        supply.setdefault((item_id, place), []).append(Supply(due_on, int(units)))
    return supply


def with_promises(handler: Handler) -> Handler:
    """The handler of commands on purchase orders, after which the promises that rest on them are dated anew.

    Service and customers are alerted by the same event: those whose goods now come too late, or in time again.
    """

    def handle(tasks: Sequence[Task[Any]], tx: Transaction) -> Sequence[Done | DomainError]:
        outcomes, orders = handler(tasks, tx), PurchaseOrders.of(tx)
        causes: dict[Pair, Cause] = {}
        for task, outcome in zip(tasks, outcomes, strict=True):
            if isinstance(outcome, Done):
                causes |= _causes(orders.get(task.command.po_id), task.occurred_at, task.audit_id)
        alerted = _repromise(tx, causes)
        return [
            replace(outcome, events=(*outcome.events, *alerted.events(task.audit_id)))
            if isinstance(outcome, Done)
            else outcome
            for task, outcome in zip(tasks, outcomes, strict=True)
        ]

    return handle


def redate(
    tx: Transaction, orders: Iterable[PurchaseOrder], occurred_at: datetime, audit_id: UUID
) -> tuple[Event, ...]:
    """Date the promises anew that rest on these orders. Gives what customers are told of it."""
    causes: dict[Pair, Cause] = {}
    for order in orders:
        causes |= _causes(order, occurred_at, audit_id)
    return _repromise(tx, causes).events(audit_id)


def to_redate(connection: Connection, today: date) -> list[AnyRow]:
    """Customers' lines that are expected on another day than supply gives: passed over as their order was busy, or since moved up.

    What waits for supply that is merely overdue is not among them.
    """
    return misdated(connection, lambda pairs: _supply(connection, pairs), today)


def redate_left(tx: Transaction, occurred_at: datetime, audit_id: UUID) -> tuple[int, tuple[Event, ...]]:
    """Date these lines anew. Gives how many orders moved, and what customers are told of it.

    An order is locked before supply is read, so that no change of supply in between is undone.
    """
    tx.flush()
    rows = to_redate(tx.connection, occurred_at.date())
    OrderBook.of(tx).load({row.order_id for row in rows}, skip_busy=True)
    causes = _last_causes(tx.connection, rows, occurred_at, audit_id)
    moved = promise(tx, causes, lambda pairs: confirmed_supply(tx, pairs), overdue=False)
    return len(moved), alert(tx, moved, occurred_at).events(audit_id)


_LAST_CHANGED = (
    select(po_lines.c.item_id, purchase_orders.c.location_id, purchase_orders.c.id)
    .join(purchase_orders, purchase_orders.c.id == po_lines.c.po_id)
    .where(purchase_orders.c.import_id.is_(None), po_lines.c.promised_on.is_not(None))
    .order_by(purchase_orders.c.audit_id)
)


def _last_causes(
    connection: Connection, rows: Iterable[AnyRow], occurred_at: datetime, audit_id: UUID
) -> dict[Pair, Cause]:
    """For each pair the purchase order that changed last of those that were confirmed; else each line's own order."""
    own = Cause("order", None, occurred_at, audit_id)
    causes = {(row.item_id, row.location_id): own for row in rows}
    items = {item_id for item_id, _ in causes}
    for item_id, place, po_id in fetch_in(connection, _LAST_CHANGED, po_lines.c.item_id, items):
        if (item_id, place) in causes:
            causes[item_id, place] = Cause("purchase_order", po_id, occurred_at, audit_id)
    return causes


def _repromise(tx: Transaction, causes: Mapping[Pair, Cause]) -> Alerted:
    if not causes:
        return Alerted()
    moved = promise(tx, causes, lambda pairs: confirmed_supply(tx, pairs))
    return alert(tx, moved, max(one.occurred_at for one in causes.values()))


def _causes(order: PurchaseOrder, occurred_at: datetime, audit_id: UUID) -> dict[Pair, Cause]:
    cause = Cause("purchase_order", order.id, occurred_at, audit_id)
    return {(line.item_id, order.location_id): cause for line in order.lines.values()}


def promise_backorders(event: LinesBackordered, tx: Transaction) -> None:
    """Give lines that found no stock the day on which confirmed supply covers them."""
    cause = Cause("order", None, event.occurred_at, event.audit_id)
    promise(tx, dict.fromkeys(event.pairs, cause), lambda pairs: confirmed_supply(tx, pairs))
