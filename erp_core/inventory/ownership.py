"""Whose stock is, who holds it, and which system is right about it.

The owner is part of the bucket: `own` or `consigned`, which is a supplier's until it is taken over. Who holds it follows from
the place. Only own stock is valued and promised; own stock at a third party's is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, case, func, select

from erp_core.inventory.model import stock_authorities, stock_balances
from erp_core.inventory.rules import OWN, VALUED_STATES
from erp_core.master.model import locations

LEDGER = "ledger"
"""The system that is right where no other is named."""

Holding = Literal["own", "consigned", "third_party_held", "drop_ship"]


@dataclass(frozen=True, slots=True)
class OwnedStock:
    """Units of an item at a location by owner. `system` is the one whose count of them is believed.

    `valued_units` are in the company's books, `promisable_units` may be promised.
    """

    item_id: UUID
    location_id: UUID
    owner: str
    holding: str
    system: str
    units: int
    valued_units: int
    promisable_units: int


def holding_of(owner: str, location_kind: str) -> Holding:
    """What kind of stock it is, by whose it is and where it lies."""
    if owner != OWN:
        return "consigned"
    if location_kind == "third_party":
        return "third_party_held"
    return "drop_ship" if location_kind == "drop_ship" else "own"


def owned_stock(connection: Connection, item_id: UUID | None = None) -> list[OwnedStock]:
    """All stock by item, location and owner."""
    balances, authority = stock_balances, stock_authorities
    units = func.sum(balances.c.quantity)
    own = balances.c.owner == OWN

    def counted(which: ColumnElement[bool]) -> ColumnElement[int]:
        return func.sum(case((and_(own, which), balances.c.quantity), else_=0))

    statement = (
        select(
            balances.c.item_id,
            balances.c.location_id,
            balances.c.owner,
            locations.c.kind,
            func.coalesce(authority.c.system, LEDGER),
            units,
            counted(balances.c.state.in_(VALUED_STATES)),
            counted(balances.c.state == "available"),
        )
        .join(locations, locations.c.id == balances.c.location_id)
        .outerjoin(
            authority,
            and_(authority.c.location_id == balances.c.location_id, authority.c.owner == balances.c.owner),
        )
        .where(balances.c.quantity > 0)
        .group_by(
            balances.c.item_id, balances.c.location_id, balances.c.owner, locations.c.kind, authority.c.system
        )
        .order_by(balances.c.item_id, balances.c.location_id, balances.c.owner)
    )
    if item_id is not None:
        statement = statement.where(balances.c.item_id == item_id)
    return [
        OwnedStock(item, place, owner, holding_of(owner, kind), system, int(all_), int(valued), int(free))
        for item, place, owner, kind, system, all_, valued, free in connection.execute(statement)
    ]
