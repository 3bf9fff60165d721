"""Every figure of an item at a place: the states kept apart, what is coming, what is owed, and what may be promised."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, func, or_, select, union, union_all

from erp_core.inventory.as_of import stock_at
from erp_core.inventory.queries import Position, positions
from erp_core.inventory.rules import ON_HAND_STATES
from erp_core.master.model import items, locations
from erp_core.master.queries.channels import channel_terms
from erp_core.master.queries.records import visible
from erp_core.orders.queries import backordered_pairs, backordered_units
from erp_core.procurement.model import drop_ship_lines, po_lines, purchase_orders
from erp_core.procurement.ordering.inbound import CONFIRMED_LEFT
from erp_core.procurement.rules import COMMITTED

CONFIRMED = ("confirmed", "shipped", "partly_received")
NON_PICKABLE = tuple(state for state in ON_HAND_STATES if state not in ("available", "reserved", "picked"))

Pair = tuple[UUID, UUID]
_STILL_OWED = po_lines.c.quantity - po_lines.c.accepted_quantity - po_lines.c.cancelled_quantity
_OWED = (
    purchase_orders.c.status.in_(COMMITTED),
    visible(purchase_orders.c.import_id),
    _STILL_OWED > 0,
    ~select(drop_ship_lines.c.po_line_id).where(drop_ship_lines.c.po_line_id == po_lines.c.id).exists(),
)


@dataclass(frozen=True, slots=True)
class Inbound:
    """Units that a supplier still owes on an order. `due_on` is the latest promised day; None while none is given."""

    units: int
    due_on: date | None
    confirmed: bool


@dataclass(frozen=True, slots=True)
class StockFigures:
    """An item at a location. Each unit of `position` is in one state; the other figures are of other things."""

    position: Position
    inbound: Sequence[Inbound]
    backordered: int

    @property
    def on_order(self) -> int:
        """Units ordered from suppliers and not received, confirmed or not."""
        return sum(one.units for one in self.inbound)

    @property
    def supplier_confirmed(self) -> int:
        """Units of these that the supplier confirmed, with or without a day."""
        return sum(one.units for one in self.inbound if one.confirmed)

    @property
    def non_pickable(self) -> int:
        """Units physically there that nobody may pick for an order."""
        return sum(self.position.states.get(state, 0) for state in NON_PICKABLE)

    def due_by(self, day: date) -> int:
        """Units that a supplier confirmed for a day, this one at the latest."""
        return sum(
            one.units
            for one in self.inbound
            if one.confirmed and one.due_on is not None and one.due_on <= day
        )

    def atp(self, day: date, buffer: int = 0) -> int:
        """Units that may be promised for a day: available, less the buffer, with confirmed supply due by then, less what
        is owed already. Supply without a day, and goods in transit between places, are no promise. Below zero means
        that more is owed than there will be.
        """
        return self.position.available - buffer + self.due_by(day) - self.backordered


def stock_figures(connection: Connection, pairs: Iterable[Pair]) -> dict[Pair, StockFigures]:
    """The figures of each (item, location), all zero where there is nothing."""
    wanted = list(dict.fromkeys(pairs))
    item_ids = {item_id for item_id, _ in wanted}
    held = positions(connection, item_ids=item_ids)
    coming = _inbound(connection, item_ids)
    owed = backordered_units(connection, item_ids)
    return {
        pair: StockFigures(held.get(pair, Position(*pair)), tuple(coming.get(pair, ())), owed.get(pair, 0))
        for pair in wanted
    }


def channel_atp(
    connection: Connection, figures: Mapping[Pair, StockFigures], channel_id: UUID, day: date
) -> dict[Pair, int]:
    """What a channel may promise for a day by (item, location): its own buffer is kept back."""
    terms = channel_terms(connection, [channel_id])[channel_id]
    return {pair: one.atp(day, terms.buffer(one.position.available)) for pair, one in figures.items()}


def known_pairs(
    connection: Connection,
    *,
    text: str | None = None,
    item_id: UUID | None = None,
    location_id: UUID | None = None,
    as_of: date | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> tuple[list[Pair], int]:
    """A page of the (item, location) where own stock is, by SKU and code of the place, and how many there are in all.

    Now also those for which something is on order or owed. `text` is looked for in SKU and name.
    """
    stock = union_all(*stock_at(as_of)).subquery().c
    held = select(stock.item_id, stock.location_id).group_by(stock.item_id, stock.location_id, stock.state)
    parts: list[Select[Any]] = [held.having(func.sum(stock.units) != 0)]
    if as_of is None:
        ordered = select(po_lines.c.item_id, purchase_orders.c.location_id)
        parts += [
            ordered.join(purchase_orders, purchase_orders.c.id == po_lines.c.po_id).where(*_OWED),
            backordered_pairs(),
        ]
    pairs = union(*parts).subquery().c
    chosen = (
        select(pairs.item_id, pairs.location_id)
        .join(items, items.c.id == pairs.item_id)
        .join(locations, locations.c.id == pairs.location_id)
    )
    if text:
        chosen = chosen.where(
            or_(items.c.sku.icontains(text, autoescape=True), items.c.name.icontains(text, autoescape=True))
        )
    for column, wanted in ((pairs.item_id, item_id), (pairs.location_id, location_id)):
        if wanted is not None:
            chosen = chosen.where(column == wanted)
    total = connection.execute(select(func.count()).select_from(chosen.subquery())).scalar_one()
    page = chosen.order_by(items.c.sku, locations.c.code).limit(limit).offset(offset)
    return [(item, place) for item, place in connection.execute(page)], total


def _inbound(connection: Connection, item_ids: Iterable[UUID]) -> dict[Pair, list[Inbound]]:
    day = func.coalesce(po_lines.c.expected_on, po_lines.c.promised_on)
    statement = (
        select(
            po_lines.c.item_id,
            purchase_orders.c.location_id,
            purchase_orders.c.status,
            day,
            func.sum(_STILL_OWED),
            func.sum(CONFIRMED_LEFT),
        )
        .join(purchase_orders, purchase_orders.c.id == po_lines.c.po_id)
        .where(*_OWED, po_lines.c.item_id.in_(list(item_ids)))
        .group_by(
            po_lines.c.item_id,
            purchase_orders.c.location_id,
            purchase_orders.c.status,
            day,
        )
    )
    found: dict[Pair, list[Inbound]] = {}
    for item_id, location_id, status, due_on, units, left in connection.execute(statement):
        confirmed = min(int(units), max(int(left), 0)) if status in CONFIRMED else 0
        parts = (Inbound(confirmed, due_on, True), Inbound(int(units) - confirmed, due_on, False))
        found.setdefault((item_id, location_id), []).extend(part for part in parts if part.units)
    return found
