"""Drop-ship: what the supplier owes our customers, which of it was ordered, and how that stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, func, select, text

from erp_core.master.model import locations
from erp_core.orders.model import UNFILLED, order_lines, orders
from erp_core.orders.rules import WAITING
from erp_core.procurement.model import drop_ship_lines, po_lines, purchase_orders
from erp_core.storage.lookup import fetch_in


@dataclass(frozen=True, slots=True)
class Owed:
    """Units of an order line that a supplier is to send and nobody ordered from it yet."""

    order_id: UUID
    number: str
    order_line_id: UUID
    item_id: UUID
    location_id: UUID
    supplier_id: UUID
    units: int


@dataclass(frozen=True, slots=True)
class DropShipment:
    """How the supplier's part of an order stands. `open_quantity` is still to be sent."""

    order_id: UUID
    order_line_id: UUID
    po_id: UUID
    po_line_id: UUID
    number: str
    status: str
    quantity: int
    open_quantity: int
    promised_on: date | None


_LINE, _ORDER = order_lines.c, orders.c
_MISSING = _LINE.quantity - _LINE.reserved_quantity - _LINE.shipped_quantity - _LINE.cancelled_quantity
_OPEN = po_lines.c.quantity - po_lines.c.accepted_quantity - po_lines.c.cancelled_quantity
GIVEN_UP = ("cancelled", "closed")


def owed(connection: Connection) -> list[Owed]:
    """What suppliers are to be asked for, by order and line.

    A line whose supplier order was given up is left to people: asking the same supplier again is no answer.
    """
    asked = (
        select(
            drop_ship_lines.c.order_line_id,
            func.sum(_OPEN).label("units"),
            func.count().filter(purchase_orders.c.status.in_(GIVEN_UP)).label("given_up"),
        )
        .join(po_lines, po_lines.c.id == drop_ship_lines.c.po_line_id)
        .join(purchase_orders, purchase_orders.c.id == po_lines.c.po_id)
        .group_by(drop_ship_lines.c.order_line_id)
        .subquery()
    )
    rows = connection.execute(
        select(
            _ORDER.id,
            _ORDER.number,
            _LINE.id,
            _LINE.item_id,
            _LINE.location_id,
            locations.c.supplier_id,
            _MISSING - func.coalesce(asked.c.units, 0),
        )
        .join(orders, _ORDER.id == _LINE.order_id)
        .join(locations, locations.c.id == _LINE.location_id)
        .outerjoin(asked, asked.c.order_line_id == _LINE.id)
        .where(
            text(UNFILLED),
            locations.c.supplier_id.is_not(None),
            _ORDER.status.in_(WAITING),
            _LINE.import_id.is_(None),
            func.coalesce(asked.c.units, 0) < _MISSING,
            func.coalesce(asked.c.given_up, 0) == 0,
        )
        .order_by(_ORDER.ordered_at, _ORDER.id, _LINE.line_no)
    )
    return [Owed(*row) for row in rows]


def not_owed_any_more(connection: Connection) -> dict[UUID, str]:
    """Drop-ship orders on which something is open and no order line waits for any of it: id and status."""
    purchase = purchase_orders.c
    rows = connection.execute(
        select(purchase.id, purchase.status)
        .join(po_lines, po_lines.c.po_id == purchase.id)
        .join(drop_ship_lines, drop_ship_lines.c.po_line_id == po_lines.c.id)
        .join(order_lines, _LINE.id == drop_ship_lines.c.order_line_id)
        .where(purchase.status.not_in((*GIVEN_UP, "received")), _OPEN > 0)
        .group_by(purchase.id, purchase.status)
        .having(func.sum(_MISSING) == 0)
        .order_by(purchase.id)
    )
    return {po_id: status for po_id, status in rows}


_SHIPMENTS = (
    select(
        _LINE.order_id,
        _LINE.id,
        purchase_orders.c.id,
        po_lines.c.id,
        purchase_orders.c.number,
        purchase_orders.c.status,
        po_lines.c.quantity,
        _OPEN,
        po_lines.c.promised_on,
    )
    .select_from(drop_ship_lines)
    .join(po_lines, po_lines.c.id == drop_ship_lines.c.po_line_id)
    .join(purchase_orders, purchase_orders.c.id == po_lines.c.po_id)
    .join(order_lines, _LINE.id == drop_ship_lines.c.order_line_id)
    .order_by(purchase_orders.c.created_on, purchase_orders.c.number, po_lines.c.line_no)
)


def drop_shipments_of(connection: Connection, order_ids: Iterable[UUID]) -> list[DropShipment]:
    """The supplier's part of these orders."""
    return [
        DropShipment(*tuple(row))
        for row in fetch_in(connection, _SHIPMENTS, order_lines.c.order_id, order_ids)
    ]


def drop_shipments_by(connection: Connection, po_id: UUID) -> list[DropShipment]:
    """What a purchase order is to bring to customers; none for one that is no drop-ship."""
    return [
        DropShipment(*tuple(row)) for row in fetch_in(connection, _SHIPMENTS, purchase_orders.c.id, [po_id])
    ]
