"""Which channel's orders stock is reserved for, now or at the end of a past day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, case, func, select

from erp_core.inventory.model import stock_moves
from erp_core.orders.model import orders, pick_lists, shipments


@dataclass(frozen=True, slots=True)
class ReservedForChannel:
    """Units of an item in state `reserved` at a location that orders of a channel hold."""

    item_id: UUID
    location_id: UUID
    channel_id: UUID
    units: int


def reserved_by_channel(
    connection: Connection, item_id: UUID, *, location_id: UUID | None = None, as_of: date | None = None
) -> list[ReservedForChannel]:
    """What the moves of orders, pick lists and parcels add up to. Together it is the item's stock in state `reserved`."""
    moves = stock_moves.c
    place = case((moves.to_state == "reserved", moves.to_location_id), else_=moves.from_location_id)
    change = case((moves.to_state == "reserved", moves.quantity), else_=-moves.quantity)
    order_id = func.coalesce(shipments.c.order_id, pick_lists.c.order_id, moves.document_id)
    statement = (
        select(place.label("location_id"), orders.c.channel_id, func.sum(change))
        .select_from(
            stock_moves.outerjoin(shipments, shipments.c.id == moves.document_id)
            .outerjoin(pick_lists, pick_lists.c.id == moves.document_id)
            .join(orders, orders.c.id == order_id)
        )
        .where(moves.item_id == item_id, (moves.to_state == "reserved") | (moves.from_state == "reserved"))
        .group_by(place, orders.c.channel_id)
        .having(func.sum(change) != 0)
    )
    if location_id is not None:
        statement = statement.where(place == location_id)
    if as_of is not None:
        statement = statement.where(moves.occurred_on <= as_of)
    rows = connection.execute(statement)
    found = [ReservedForChannel(item_id, location, channel, int(units)) for location, channel, units in rows]
    return sorted(found, key=lambda one: (one.location_id, one.channel_id))
