"""Transfers that left one place and did not arrive at the other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.inventory.model import stock_balances, stock_moves
from erp_core.inventory.rules import OWN
from erp_core.storage.lookup import fetch_in


@dataclass(frozen=True, slots=True)
class InTransit:
    """Units of an item on their way to a place, since the day the transfer left the other."""

    transfer_id: UUID
    from_location_id: UUID
    location_id: UUID
    item_id: UUID
    units: int
    sent_on: date


def transfers_in_transit(connection: Connection, *, location_id: UUID | None = None) -> list[InTransit]:
    """Every transfer of which something is in transit, the oldest first. No day of arrival is known of them."""
    waiting = select(stock_balances.c.item_id).where(
        stock_balances.c.state == "in_transit", stock_balances.c.quantity > 0, stock_balances.c.owner == OWN
    )
    if location_id is not None:
        waiting = waiting.where(stock_balances.c.location_id == location_id)
    items = set(connection.scalars(waiting))
    moved = select(
        stock_moves.c.item_id,
        stock_moves.c.document_id,
        stock_moves.c.occurred_on,
        stock_moves.c.from_location_id,
        stock_moves.c.from_state,
        stock_moves.c.to_location_id,
        stock_moves.c.to_state,
        stock_moves.c.quantity,
    ).where(stock_moves.c.document_kind == "transfer", stock_moves.c.owner == OWN)
    units: dict[tuple[UUID, UUID], int] = {}
    left: dict[UUID, tuple[date, UUID, UUID]] = {}
    for row in fetch_in(connection, moved, stock_moves.c.item_id, items):
        key = (row.document_id, row.item_id)
        arrived = (row.to_state == "in_transit") - (row.from_state == "in_transit")
        units[key] = units.get(key, 0) + arrived * row.quantity
        if row.from_state == "available" and row.to_state == "in_transit":
            left[row.document_id] = (row.occurred_on, row.from_location_id, row.to_location_id)
    found = [
        InTransit(
            transfer_id, left[transfer_id][1], left[transfer_id][2], item_id, count, left[transfer_id][0]
        )
        for (transfer_id, item_id), count in units.items()
        if count > 0 and transfer_id in left and location_id in (None, left[transfer_id][2])
    ]
    return sorted(found, key=lambda one: (one.sent_on, one.transfer_id, one.item_id))
