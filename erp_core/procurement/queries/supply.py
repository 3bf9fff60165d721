"""What an item at a place can count on: every open order once."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Connection, func, select

from erp_core.inventory.queries import units_in
from erp_core.master.queries import visible
from erp_core.orders.queries import backordered_units
from erp_core.procurement.model import po_lines, purchase_orders
from erp_core.procurement.rules import COMMITTED, Position
from erp_core.storage.lookup import fetch_in

Pair = tuple[UUID, UUID]


_OPEN_QUANTITY = po_lines.c.quantity - po_lines.c.accepted_quantity - po_lines.c.cancelled_quantity
_ON_ORDER = (
    select(po_lines.c.item_id, purchase_orders.c.location_id, func.sum(_OPEN_QUANTITY))
    .join(purchase_orders, purchase_orders.c.id == po_lines.c.po_id)
    .where(purchase_orders.c.status.in_(COMMITTED), visible(purchase_orders.c.import_id))
    .group_by(po_lines.c.item_id, purchase_orders.c.location_id)
)


def positions(connection: Connection, pairs: Iterable[Pair]) -> dict[Pair, Position]:
    """The inventory position of each (item, location): every open order and what other places sent count once, drafts not at all."""
    wanted = list(dict.fromkeys(pairs))
    item_ids = {item_id for item_id, _ in wanted}
    stock = units_in(connection, ("available", "in_transit"), item_ids)
    available, sent = stock["available"], stock["in_transit"]
    ordered = on_order_units(connection, item_ids)
    owed = backordered_units(connection, item_ids)
    return {
        pair: Position(available.get(pair, 0), ordered.get(pair, 0), owed.get(pair, 0), sent.get(pair, 0))
        for pair in wanted
    }


def on_order_units(connection: Connection, item_ids: Iterable[UUID]) -> dict[Pair, int]:
    """Units approved and not yet received by (item, location), where there are any."""
    rows = fetch_in(connection, _ON_ORDER, po_lines.c.item_id, item_ids)
    return {(item_id, location_id): int(units) for item_id, location_id, units in rows if units}


def on_order_at(connection: Connection, location_ids: Iterable[UUID]) -> dict[Pair, int]:
    """Units of all items approved and not yet received at these places, by (item, location), where there are any."""
    rows = fetch_in(connection, _ON_ORDER, purchase_orders.c.location_id, location_ids)
    return {(item_id, location_id): int(units) for item_id, location_id, units in rows if units}
