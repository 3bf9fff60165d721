"""Whether stock is ready for a promotion: what it will need, and what its channel can count on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import Connection, func, select

from erp_core.gate.contract import NotFound
from erp_core.master.queries import feeds
from erp_core.master.queries.channels import channel_terms
from erp_core.orders.queries import backordered_units, visible_demand
from erp_core.orders.queries.published import published_quantities
from erp_core.planning.model import promotions
from erp_core.procurement.queries import open_lines

BASE_DAYS = 28
"""So many days of sales before the look tell what an ordinary day needs."""


@dataclass(frozen=True, slots=True)
class PromotionReadiness:
    """The check of one promotion. `ordinary` is what its days need without it, None while sales are not known.

    Covered are `published` units of the channel, and confirmed `inbound` until the first day, less what is owed.
    """

    promotion_id: UUID
    item_id: UUID
    channel_id: UUID
    starts_on: date
    ends_on: date
    expected: int
    ordinary: int | None
    published: int
    inbound: int
    owed: int

    @property
    def needed(self) -> int:
        """What is expected, and never less than ordinary days need."""
        return max(self.expected, self.ordinary or 0)

    @property
    def covered(self) -> int:
        """What the channel can count on when it starts, never below 0."""
        return max(self.published + self.inbound - self.owed, 0)

    @property
    def ready(self) -> bool:
        """Whether what is needed is covered."""
        return self.covered >= self.needed


def promotion_readiness(
    connection: Connection, promotion_id: UUID, expected: int, today: date
) -> PromotionReadiness:
    """The check on a day. Raises `NotFound`. Unconfirmed purchase orders and places of other channels cover nothing."""
    row = connection.execute(select(promotions).where(promotions.c.id == promotion_id)).one_or_none()
    if row is None:
        raise NotFound("there is no such promotion", field="promotion_id", remedy="plan it first")
    terms = channel_terms(connection, [row.channel_id])[row.channel_id]
    published = published_quantities(connection, row.channel_id, [row.item_id], today=today) or ()
    inbound = sum(
        line.open_quantity
        for line in open_lines(connection, item_ids=[row.item_id])
        if line.promised_on is not None
        and today <= line.promised_on <= max(row.starts_on, today)
        and terms.permits(line.location_id)
    )
    owed = sum(
        units
        for (_, location_id), units in backordered_units(connection, [row.item_id]).items()
        if terms.permits(location_id)
    )
    return PromotionReadiness(
        promotion_id,
        row.item_id,
        row.channel_id,
        row.starts_on,
        row.ends_on,
        expected,
        _ordinary(connection, row.item_id, row.channel_id, (row.ends_on - row.starts_on).days + 1, today),
        sum(one.published for one in published),
        inbound,
        owed,
    )


def _ordinary(connection: Connection, item_id: UUID, channel_id: UUID, days: int, today: date) -> int | None:
    sales = feeds(connection).get("sales")
    if sales is None:
        return None
    until = min(today, sales.last_on)
    known = min(BASE_DAYS, (until - sales.first_on).days + 1)
    if known < 1:
        return None
    demand = visible_demand.c
    units = connection.scalar(
        select(func.sum(demand.units)).where(
            demand.item_id == item_id,
            demand.channel_id == channel_id,
            demand.day > until - timedelta(days=known),
            demand.day <= until,
        )
    )
    return -(-int(units or 0) * days // known)
