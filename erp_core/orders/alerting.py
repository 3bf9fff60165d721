"""Alerts of orders brought in line with what is so, in the transaction that changed it, and what customers then read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, select, update

from erp_core.gate.contract import Event, Transaction
from erp_core.master.model import items
from erp_core.orders.book import OrderBook
from erp_core.orders.events import OrdersAlerted
from erp_core.orders.messages import Message
from erp_core.orders.model import order_lines, orders
from erp_core.orders.model_alerts import customer_messages, order_alerts
from erp_core.orders.queries.alerts import affected, open_alerts, texts
from erp_core.orders.rules.alerts import Alert, Changes, changes, render, text_for
from erp_core.storage.bulk import insert_rows
from erp_core.storage.lookup import AnyRow, fetch_in

_ORDERS = select(
    orders.c.id, orders.c.external_ref, orders.c.channel_id, orders.c.customer_id, orders.c.customer_country
)


@dataclass(frozen=True, slots=True)
class Alerted:
    """How many alerts were raised, replaced by a new one and ended, and the messages by the audit entry that caused them."""

    raised: int = 0
    replaced: int = 0
    ended: int = 0
    messages: Mapping[UUID, tuple[Message, ...]] = field(default_factory=dict)

    def events(self, audit_id: UUID) -> tuple[Event, ...]:
        """What the outbox hands on for this entry."""
        return tuple(one.event() for one in self.messages.get(audit_id, ()))


def alert(tx: Transaction, causes: Mapping[UUID, UUID], at: datetime) -> Alerted:
    """Bring the alerts of these orders in line with this day, each under its audit entry, and write to their customers.

    A customer reads what is new of an order in one message, and once. The caller holds the orders' locks. Whoever
    answers for the goods that they wait for is told by `OrdersAlerted`.
    """
    if not causes:
        return Alerted()
    OrderBook.of(tx).flush()
    on = at.date()
    found = changes(open_alerts(tx.connection, causes), affected(tx.connection, on, causes))
    _write(tx, found, causes, on)
    lines = _lines(tx, {one.line_id for one in (*found.new, *found.over)})
    messages: dict[UUID, tuple[Message, ...]] = {}
    for one in _messages(tx, found, lines):
        audit_id = causes[one.order_id]
        messages[audit_id] = (*messages.get(audit_id, ()), one)
    insert_rows(
        tx.connection,
        customer_messages,
        [one.row(on, audit_id) for audit_id, written in messages.items() for one in written],
    )
    if lines:
        pairs = {(line.item_id, line.location_id): causes[line.order_id] for line in lines.values()}
        tx.publish(OrdersAlerted(pairs, at))
    return Alerted(len(found.new), len(found.replaced), len(found.over), messages)


def _write(tx: Transaction, found: Changes, causes: Mapping[UUID, UUID], on: date) -> None:
    ended = [*found.replaced, *found.over]
    if ended:
        alert = order_alerts.c
        tx.connection.execute(
            update(order_alerts)
            .where(and_(alert.line_id == bindparam("of_line"), alert.ended_on.is_(None)))
            .values(ended_on=on),
            [{"of_line": one.line_id} for one in ended],
        )
    rows: list[dict[str, Any]] = [
        {
            "id": tx.new_id(),
            "order_id": one.order_id,
            "line_id": one.line_id,
            "kind": one.kind,
            "units": one.units,
            "promised_on": one.promised_on,
            "expected_on": one.expected_on,
            "raised_on": on,
            "ended_on": None,
            "audit_id": causes[one.order_id],
        }
        for one in found.new
    ]
    insert_rows(tx.connection, order_alerts, rows)


def _messages(tx: Transaction, found: Changes, lines: Mapping[UUID, AnyRow]) -> list[Message]:
    """One for each order and template; lines that ended because they left or were cancelled are no good news."""
    by_order: dict[tuple[UUID, str, date | None], list[Alert]] = {}
    for one in found.new:
        by_order.setdefault((one.order_id, one.kind, one.expected_on), []).append(one)
    for one in found.over:
        if lines[one.line_id].open > 0:
            by_order.setdefault((one.order_id, "resolved", None), []).append(one)
    if not by_order:
        return []
    known = texts(tx.connection)
    rows = {
        row.id: row for row in fetch_in(tx.connection, _ORDERS, orders.c.id, (key[0] for key in by_order))
    }
    written: list[Message] = []
    for (order_id, template, expected_on), alerts in by_order.items():
        order = rows[order_id]
        text = text_for(known, template, order.customer_country)
        assert text is not None
        goods = [f"{one.units} × {lines[one.line_id].name}" for one in alerts]
        about = tuple((one.line_id, one.units, one.expected_on) for one in alerts)
        told = render(text, order.external_ref, goods, expected_on)
        written.append(
            Message(tx.new_id(), order_id, order.channel_id, order.customer_id, template, told, about)
        )
    return written


def _lines(tx: Transaction, ids: Iterable[UUID]) -> dict[UUID, AnyRow]:
    line = order_lines.c
    owed = line.quantity - line.shipped_quantity - line.cancelled_quantity
    statement = select(
        line.id, line.order_id, line.item_id, line.location_id, items.c.name, owed.label("open")
    ).join(items, items.c.id == line.item_id)
    return {row.id: row for row in fetch_in(tx.connection, statement, line.id, ids)}
