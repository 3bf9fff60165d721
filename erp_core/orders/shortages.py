"""Following the rules of shortages for orders that found no stock: substitute, reallocate, ship in part, escalate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from erp_core.gate.contract import Transaction
from erp_core.inventory.ledger import Ledger
from erp_core.inventory.reservations import Reservations
from erp_core.master.model import channels, items
from erp_core.orders.allocation import fill, free_units, load_buckets
from erp_core.orders.book import BookLine, BookOrder, OrderBook
from erp_core.orders.events import LinesBackordered
from erp_core.orders.model import order_lines, orders
from erp_core.orders.model_service import shortage_rules, shortages, substitution_rules
from erp_core.orders.restrictions import forbidden_sales
from erp_core.orders.rules import LineParts
from erp_core.orders.rules.shortages import EVERY_CHANNEL, Donor, actions_for, take_from
from erp_core.orders.shares import Shares
from erp_core.storage.bulk import insert_rows
from erp_core.storage.lookup import fetch_in

_LINE = order_lines.c
_HOLDING = (
    select(
        _LINE.id,
        _LINE.order_id,
        _LINE.item_id,
        _LINE.location_id,
        _LINE.reserved_quantity,
        channels.c.priority,
        orders.c.ordered_at,
    )
    .join(orders, orders.c.id == _LINE.order_id)
    .join(channels, channels.c.id == orders.c.channel_id)
    .where(
        _LINE.reserved_quantity > 0,
        _LINE.kit_line_id.is_(None),
        orders.c.status.in_(("reserved", "backordered")),
    )
)
_SUBSTITUTES = (
    select(substitution_rules.c.item_id, substitution_rules.c.substitute_id, substitution_rules.c.channel_id)
    .join(items, items.c.id == substitution_rules.c.substitute_id)
    .where(substitution_rules.c.active, items.c.status == "active", items.c.kit.is_(None))
    .order_by(substitution_rules.c.rank, items.c.sku)
)


def follow_shortage_rules(event: LinesBackordered, tx: Transaction) -> None:
    """Do what the channels' rules say about every line that found no stock. Without rules it costs one read."""
    rules: dict[UUID, list[str]] = {}
    for row in tx.connection.execute(
        select(shortage_rules.c.channel_id, shortage_rules.c.action).order_by(shortage_rules.c.step)
    ):
        rules.setdefault(row.channel_id, []).append(row.action)
    if rules:
        book = OrderBook.of(tx)
        book.load(event.order_ids)
        found = [book.get(order_id) for order_id in sorted(event.order_ids)]
        _Shortages(tx, rules, found, event.occurred_at, event.audit_id).resolve()


class _Shortages:
    """One batch of short orders, and what was decided about them."""

    def __init__(
        self,
        tx: Transaction,
        rules: Mapping[UUID, Sequence[str]],
        found: Sequence[BookOrder],
        at: datetime,
        audit_id: UUID,
    ) -> None:
        self._tx, self._rules, self._orders, self._at, self._audit_id = tx, rules, found, at, audit_id
        self._rows: list[dict[str, Any]] = []
        channel_ids = {order.channel_id for order in found}
        statement = select(channels.c.id, channels.c.priority)
        self._priorities = {
            row.id: row.priority for row in fetch_in(tx.connection, statement, channels.c.id, channel_ids)
        }

    def resolve(self) -> None:
        """Take each short line through its channel's actions until nothing is missing."""
        for order in self._orders:
            for line in [one for one in order.lines.values() if one.parts.unfilled]:
                for action in actions_for(self._rules, order.channel_id):
                    if action == "wait" or not line.parts.unfilled:
                        break
                    self._act(action, order, line)
            if any(line.changed for line in order.lines.values()):
                order.advance(self._at)
        OrderBook.of(self._tx).flush()
        insert_rows(self._tx.connection, shortages, self._rows)
        Ledger.of(self._tx).announce()

    def _act(self, action: str, order: BookOrder, line: BookLine) -> None:
        if action == "substitute":
            self._substitute(order, line)
        elif action == "reallocate":
            self._reallocate(order, line)
        else:
            self._note(action, order, line, line.parts.unfilled)

    def _substitute(self, order: BookOrder, line: BookLine) -> None:
        if line.kit_line_id is not None:
            return
        rows = fetch_in(self._tx.connection, _SUBSTITUTES, substitution_rules.c.item_id, [line.item_id])
        for row in rows:
            if line.parts.unfilled and row.channel_id in (order.channel_id, EVERY_CHANNEL):
                self._send_instead(order, line, row.substitute_id)

    def _send_instead(self, order: BookOrder, line: BookLine, item_id: UUID) -> None:
        """Add a line for as many of the substitute as are there; the first line gives those units up."""
        units = line.parts.unfilled
        other = BookLine(
            id=self._tx.new_id(),
            item_id=item_id,
            location_id=line.location_id,
            promised_on=line.promised_on,
            expected_on=None,
            shipped_on=None,
            parts=LineParts(units),
            shipped_by_promise=0,
            unit_price=line.unit_price,
            list_price=line.list_price,
            cost=None,
        )
        load_buckets(self._tx, [other])
        shares = Shares(self._tx, [item_id])
        there = free_units(self._tx, order.channel_id, item_id, line.location_id, shares, self._at.date())
        units = other.parts.quantity = min(units, there)
        sale = (item_id, order.channel_id, order.customer_country, line.location_id, units)
        if units <= 0 or forbidden_sales(self._tx, {other.id: sale}):
            return
        self._insert_beside(order, line, other)
        line.parts.cancelled += units
        line.changed = True
        fill(self._tx, order, [other], shares, self._at, self._audit_id)
        self._note("substitute", order, line, units, other.id)

    def _insert_beside(self, order: BookOrder, line: BookLine, other: BookLine) -> None:
        connection = self._tx.connection
        last = connection.scalar(select(func.max(_LINE.line_no)).where(_LINE.order_id == order.id))
        row = connection.execute(select(order_lines).where(_LINE.id == line.id)).one()._mapping
        nothing = dict.fromkeys(
            (
                "reserved_quantity",
                "picked_quantity",
                "shipped_quantity",
                "shipped_by_promise",
                "cancelled_quantity",
            ),
            0,
        )
        own = {
            "id": other.id,
            "line_no": int(last or 0) + 1,
            "item_id": other.item_id,
            "quantity": other.parts.quantity,
            "expected_on": None,
            "substitutes_id": line.id,
        }
        insert_rows(connection, order_lines, [dict(row) | nothing | own])
        order.lines[other.id] = other

    def _reallocate(self, order: BookOrder, line: BookLine) -> None:
        """Take reserved stock from orders of less important channels; they wait, and buyers are asked for goods."""
        if line.kit_line_id is not None:
            return
        book, reservations = OrderBook.of(self._tx), Reservations.of(self._tx)
        book.flush()
        reservations.flush()
        pair = (line.item_id, line.location_id)
        rows = fetch_in(self._tx.connection, _HOLDING, _LINE.item_id, [line.item_id])
        donors = [
            Donor(row.id, row.order_id, row.reserved_quantity, row.priority, row.ordered_at)
            for row in rows
            if (row.item_id, row.location_id) == pair and row.order_id != order.id
        ]
        chosen = take_from(donors, self._priorities[order.channel_id], line.parts.unfilled)
        book.load({donor.order_id for donor, _ in chosen}, skip_busy=True)
        given = [(donor, units) for donor, units in chosen if book.loaded(donor.order_id)]
        reservations.load({donor.order_id for donor, _ in given})
        load_buckets(self._tx, [line])
        for donor, units in given:
            other = book.get(donor.order_id)
            if units > other.lines[donor.line_id].parts.reserved:
                continue
            self._hand_on(other, other.lines[donor.line_id], units)
            before = line.parts.reserved
            fill(self._tx, order, [line], Shares(self._tx, [line.item_id]), self._at, self._audit_id)
            if line.parts.reserved > before:
                self._note("reallocate", order, line, line.parts.reserved - before, donor.line_id)

    def _hand_on(self, other: BookOrder, line: BookLine, units: int) -> None:
        Reservations.of(self._tx).end(other.id, {line.id: units}, "voided", self._at, self._audit_id)
        line.parts.reserved -= units
        line.changed = True
        other.advance(self._at)
        self._note("procure", other, line, units)

    def _note(
        self, action: str, order: BookOrder, line: BookLine, units: int, other_line_id: UUID | None = None
    ) -> None:
        self._rows.append(
            {
                "id": self._tx.new_id(),
                "order_id": order.id,
                "line_id": line.id,
                "item_id": line.item_id,
                "location_id": line.location_id,
                "units": units,
                "action": action,
                "other_line_id": other_line_id,
                "occurred_at": self._at,
                "audit_id": self._audit_id,
            }
        )
