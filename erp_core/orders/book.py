"""The order book: the open orders a transaction works on, read once and written once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from erp_core.gate.contract import Event, NotFound, Transaction
from erp_core.gate.statuses import require_step
from erp_core.inventory import locks
from erp_core.orders.model import order_lines, orders
from erp_core.orders.rules import ORDER_STATUSES, LineParts, status_of
from erp_core.storage.bulk import update_rows
from erp_core.storage.lookup import fetch_in

_ORDER = select(
    orders.c.id,
    orders.c.number,
    orders.c.channel_id,
    orders.c.status,
    orders.c.ordered_on,
    orders.c.promised_on,
    orders.c.shipped_on,
    orders.c.hold_reason,
    orders.c.cancel_reason,
    orders.c.freight_cost,
    orders.c.shipments,
    orders.c.version,
)
_LINE = select(
    order_lines.c.id,
    order_lines.c.order_id,
    order_lines.c.item_id,
    order_lines.c.location_id,
    order_lines.c.promised_on,
    order_lines.c.shipped_on,
    order_lines.c.quantity,
    order_lines.c.reserved_quantity,
    order_lines.c.shipped_quantity,
    order_lines.c.shipped_by_promise,
    order_lines.c.cancelled_quantity,
    order_lines.c.unit_price,
    order_lines.c.list_price,
    order_lines.c.cost,
    order_lines.c.kit_line_id,
    order_lines.c.per_kit,
).order_by(order_lines.c.order_id, order_lines.c.line_no)


@dataclass(slots=True)
class BookLine:
    """A line of an order in work."""

    id: UUID
    item_id: UUID
    location_id: UUID
    promised_on: date | None
    shipped_on: date | None
    parts: LineParts
    shipped_by_promise: int
    unit_price: int
    list_price: int
    cost: int | None
    kit_line_id: UUID | None = None
    per_kit: int | None = None
    changed: bool = False


@dataclass(slots=True)
class BookOrder:
    """An order in work. Change it, then call `advance`."""

    id: UUID
    number: str
    channel_id: UUID
    status: str
    ordered_on: date
    promised_on: date | None
    shipped_on: date | None
    hold_reason: str | None
    cancel_reason: str | None
    freight_cost: int
    shipments: int
    version: int
    lines: dict[UUID, BookLine] = field(default_factory=dict)
    changed: bool = False

    def advance(self, hold_reason: str | None = None) -> None:
        """Take the status that the lines give it (on hold with a reason), as the graph allows; count the version."""
        on_hold = hold_reason is not None
        target = status_of(line.parts for line in self.lines.values())
        if on_hold and target in ("reserved", "backordered"):
            target = "on_hold"
        if target != self.status:
            require_step(ORDER_STATUSES, self.status, target, f"order {self.number}")
        self.status = target
        self.hold_reason = hold_reason if target == "on_hold" else None
        self.version += 1
        self.changed = True

    def event(self, kind: str, **data: Any) -> Event:
        """The order's event for the outbox, at its present version."""
        return Event(
            kind, "order", self.id, self.version, {"number": self.number, "status": self.status, **data}
        )


class OrderBook:
    """A transaction's unit of work for orders: each order is there once, whoever changes it."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._orders: dict[UUID, BookOrder] = {}

    @classmethod
    def of(cls, tx: Transaction) -> OrderBook:
        """The transaction's order book."""
        return tx.unit(cls, cls)

    def load(self, order_ids: Iterable[UUID], *, skip_busy: bool = False) -> None:
        """Read and lock these orders with their lines; `skip_busy` leaves out those another writer holds."""
        wanted = {id_ for id_ in order_ids if id_ not in self._orders}
        if not wanted:
            return
        connection = self._tx.connection
        rows = locks.lock_documents(connection, _ORDER, orders.c.id, wanted, skip_busy=skip_busy)
        for row in rows:
            self._orders[row.id] = BookOrder(*row)
        for row in fetch_in(connection, _LINE, order_lines.c.order_id, [row.id for row in rows]):
            (
                id_,
                order_id,
                item_id,
                location_id,
                promised_on,
                shipped_on,
                quantity,
                reserved,
                shipped,
                by_promise,
                cancelled,
                unit_price,
                list_price,
                cost,
                kit_line_id,
                per_kit,
            ) = row
            self._orders[order_id].lines[id_] = BookLine(
                id_,
                item_id,
                location_id,
                promised_on,
                shipped_on,
                LineParts(quantity, reserved, shipped, cancelled),
                by_promise,
                unit_price,
                list_price,
                cost,
                kit_line_id,
                per_kit,
            )

    def get(self, order_id: UUID) -> BookOrder:
        """A loaded order. Raises `NotFound`."""
        if order_id not in self._orders:
            raise NotFound(
                f"there is no order {order_id}", field="order_id", remedy="give the id of an order"
            )
        return self._orders[order_id]

    def loaded(self, order_id: UUID) -> bool:
        """Whether the order is here."""
        return order_id in self._orders

    def flush(self) -> None:
        """Write the orders and lines that changed."""
        changed = [order for order in self._orders.values() if order.changed]
        if not changed:
            return
        lines = [line for order in changed for line in order.lines.values() if line.changed]
        update_rows(self._tx.connection, orders, [_order_values(order) for order in changed])
        update_rows(self._tx.connection, order_lines, [_line_values(line) for line in lines])
        for order in changed:
            order.changed = False
        for line in lines:
            line.changed = False

    def discard(self) -> None:
        """Forget every order read."""
        self._orders = {}


def _order_values(order: BookOrder) -> dict[str, Any]:
    return {
        "id": order.id,
        "status": order.status,
        "promised_on": order.promised_on,
        "shipped_on": order.shipped_on,
        "hold_reason": order.hold_reason,
        "cancel_reason": order.cancel_reason,
        "freight_cost": order.freight_cost,
        "shipments": order.shipments,
        "version": order.version,
    }


def _line_values(line: BookLine) -> dict[str, Any]:
    return {
        "id": line.id,
        "promised_on": line.promised_on,
        "shipped_on": line.shipped_on,
        "reserved_quantity": line.parts.reserved,
        "shipped_quantity": line.parts.shipped,
        "shipped_by_promise": line.shipped_by_promise,
        "cancelled_quantity": line.parts.cancelled,
        "cost": line.cost,
    }
