"""Reads of the warehouse's work: what can be fetched, what is being fetched, and what hands there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, exists, func, select

from erp_core.master.model import channels
from erp_core.orders.model import order_lines, orders, pick_lines, pick_lists
from erp_core.orders.model_service import pick_capacities, shortages
from erp_core.orders.rules import COMMITTED, OPEN_PICKS
from erp_core.storage.lookup import AnyRow, fetch_in


@dataclass(frozen=True, slots=True)
class PickList:
    """What is fetched of an order at a place. `freight_price` in ten-thousandths, None while unknown."""

    id: UUID
    order_id: UUID
    order_number: str
    location_id: UUID
    wave_id: UUID | None
    status: str
    released_at: datetime
    status_since: datetime
    service_id: UUID | None
    service_reason: str | None
    service_override: bool
    freight_price: int | None
    cutoff_at: datetime | None
    arrives_on: date | None
    units: dict[UUID, int] = field(default_factory=dict)


def lead_time(connection: Connection, location_id: UUID) -> tuple[int | None, int, timedelta]:
    """What a place can have open (None: no limit), what it has open, and how long fetching and packing takes."""
    capacity = connection.execute(
        select(pick_capacities).where(pick_capacities.c.location_id == location_id)
    ).one_or_none()
    busy = connection.scalar(
        select(func.sum(pick_lines.c.quantity))
        .join(pick_lists, pick_lists.c.id == pick_lines.c.pick_id)
        .where(pick_lists.c.location_id == location_id, pick_lists.c.status.in_(("released", "picked")))
    )
    if capacity is None:
        return None, int(busy or 0), timedelta()
    return capacity.open_units, int(busy or 0), timedelta(minutes=capacity.lead_minutes)


def ready_to_pick(connection: Connection, location_id: UUID, limit: int) -> Sequence[AnyRow]:
    """Orders with reserved units at the place and no pick list there, the oldest first.

    Of those that still wait for goods only those are among them that may go in parts by a rule of shortages, or of
    which a part has left already.
    """
    line = order_lines.c
    waits = exists().where(
        pick_lists.c.order_id == orders.c.id,
        pick_lists.c.location_id == location_id,
        pick_lists.c.status.in_(OPEN_PICKS),
    )
    holds = exists().where(
        line.order_id == orders.c.id,
        line.location_id == location_id,
        line.reserved_quantity > line.picked_quantity,
    )
    missing = exists().where(
        line.order_id == orders.c.id,
        line.quantity > line.reserved_quantity + line.shipped_quantity + line.cancelled_quantity,
    )
    permitted = exists().where(shortages.c.order_id == orders.c.id, shortages.c.action == "partial")
    statement = (
        select(orders.c.id, orders.c.ordered_at, channels.c.priority)
        .join(channels, channels.c.id == orders.c.channel_id)
        .where(
            orders.c.status.in_(COMMITTED),
            holds,
            ~waits,
            ~missing | (orders.c.status == "partly_shipped") | permitted,
        )
        .order_by(orders.c.ordered_at, orders.c.id)
        .limit(limit)
    )
    return connection.execute(statement).all()


def list_pick_lists(
    connection: Connection,
    *,
    location_id: UUID | None = None,
    order_id: UUID | None = None,
    status: Iterable[str] | None = None,
    limit: int = 200,
) -> list[PickList]:
    """Pick lists, those whose carrier leaves first at the top; `status` left out: those that are open."""
    pick = pick_lists.c
    columns: tuple[Any, ...] = (
        pick.id,
        pick.order_id,
        orders.c.number,
        pick.location_id,
        pick.wave_id,
        pick.status,
        pick.released_at,
        pick.status_since,
        pick.service_id,
        pick.service_reason,
        pick.service_override,
        pick.freight_price,
        pick.cutoff_at,
        pick.arrives_on,
    )
    statement = select(*columns).join(orders, orders.c.id == pick.order_id)
    statement = statement.where(pick.status.in_(OPEN_PICKS if status is None else list(status)))
    if location_id is not None:
        statement = statement.where(pick.location_id == location_id)
    if order_id is not None:
        statement = statement.where(pick.order_id == order_id)
    statement = statement.order_by(pick.cutoff_at.is_(None), pick.cutoff_at, pick.released_at, pick.id)
    rows = connection.execute(statement.limit(limit)).all()
    found = {row.id: PickList(*row) for row in rows}
    lines: Any = select(pick_lines.c.pick_id, pick_lines.c.order_line_id, pick_lines.c.quantity)
    for pick_id, line_id, quantity in fetch_in(connection, lines, pick_lines.c.pick_id, found):
        found[pick_id].units[line_id] = quantity
    return list(found.values())
