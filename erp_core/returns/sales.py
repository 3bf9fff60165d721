"""What was sold, as far as returns need it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.orders.model import order_lines
from erp_core.storage.lookup import fetch_in


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A line sold; `cost` is the landed cost of what shipped, None while unknown."""

    id: UUID
    order_id: UUID
    item_id: UUID
    location_id: UUID
    channel_id: UUID
    customer_country: str
    shipped_quantity: int
    shipped_on: date | None
    unit_price: int
    cost: int | None


def order_lines_by_id(connection: Connection, ids: Iterable[UUID]) -> dict[UUID, OrderLine]:
    """The lines with these ids."""
    columns = [order_lines.c[name] for name in OrderLine.__slots__]
    rows = fetch_in(connection, select(*columns), order_lines.c.id, ids)
    return {row.id: OrderLine(*tuple(row)) for row in rows}
