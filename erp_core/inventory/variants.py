"""Stock of products: that of each variant, and their sums, in which no different units are added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from erp_core.inventory.queries import positions
from erp_core.master.queries.products import ItemVariant

FIGURES = ("on_hand", "available", "reserved", "sellable", "in_transit")


@dataclass(frozen=True, slots=True)
class Held:
    """Base units at all places together, as a position counts them."""

    on_hand: int = 0
    available: int = 0
    reserved: int = 0
    sellable: int = 0
    in_transit: int = 0


@dataclass(frozen=True, slots=True)
class HeldIn:
    """The stock of all variants that are counted in this base unit."""

    base_unit: str
    held: Held


def held_by_item(connection: Connection, item_ids: Iterable[UUID]) -> dict[UUID, Held]:
    """The company's own stock of each item now, over all places; an item without any is not in it."""
    sums: dict[UUID, Counter[str]] = {}
    for one in positions(connection, item_ids=item_ids).values():
        figures = sums.setdefault(one.item_id, Counter())
        figures.update({name: getattr(one, name) for name in FIGURES})
    return {item_id: Held(**figures) for item_id, figures in sums.items()}


def sums_by_unit(variants: Sequence[ItemVariant], held: dict[UUID, Held]) -> list[HeldIn]:
    """What the variants add up to, for each base unit apart."""
    sums: dict[str, Counter[str]] = {one.base_unit: Counter() for one in variants}
    for one in variants:
        own = held.get(one.item_id, Held())
        sums[one.base_unit].update({name: getattr(own, name) for name in FIGURES})
    return [HeldIn(unit, Held(**figures)) for unit, figures in sorted(sums.items())]
