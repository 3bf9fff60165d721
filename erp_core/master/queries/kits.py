"""Reads of kits: what they consist of, and where an item is a part."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.master.model import items, kit_components
from erp_core.storage.lookup import fetch_in


@dataclass(frozen=True, slots=True)
class Component:
    """`quantity` base units of an item in one kit. Money per base unit; None where unknown."""

    item_id: UUID
    quantity: int
    list_price: int | None
    standard_cost: int | None


@dataclass(frozen=True, slots=True)
class Kit:
    """An item that is sold as a set: `parts` is sold from its components, `assembled` from its own stock."""

    item_id: UUID
    sku: str
    stocked_as: str
    components: tuple[Component, ...]


_COMPONENTS = (
    select(
        kit_components.c.kit_item_id,
        kit_components.c.component_item_id,
        kit_components.c.quantity,
        items.c.list_price,
        items.c.standard_cost,
    )
    .join(items, items.c.id == kit_components.c.component_item_id)
    .order_by(kit_components.c.kit_item_id, items.c.sku)
)
_KITS = select(items.c.id, items.c.sku, items.c.kit).where(items.c.kit.is_not(None)).order_by(items.c.sku)
_WITH = select(kit_components.c.kit_item_id, kit_components.c.component_item_id)


def components_of(connection: Connection, kit_item_ids: Iterable[UUID]) -> dict[UUID, tuple[Component, ...]]:
    """The components of these kits, by SKU; items that are no kits are not in it."""
    found: dict[UUID, list[Component]] = {}
    for row in fetch_in(connection, _COMPONENTS, kit_components.c.kit_item_id, kit_item_ids):
        component = Component(row.component_item_id, row.quantity, row.list_price, row.standard_cost)
        found.setdefault(row.kit_item_id, []).append(component)
    return {kit: tuple(components) for kit, components in found.items()}


def kits_with(connection: Connection, item_ids: Iterable[UUID]) -> dict[UUID, set[UUID]]:
    """The kits in which these items are components, by item; an item in none is not in it."""
    found: dict[UUID, set[UUID]] = {}
    for row in fetch_in(connection, _WITH, kit_components.c.component_item_id, item_ids):
        found.setdefault(row.component_item_id, set()).add(row.kit_item_id)
    return found


def list_kits(connection: Connection, item_ids: Iterable[UUID] | None = None) -> list[Kit]:
    """The kits by SKU: all, or those of these items."""
    rows = (
        connection.execute(_KITS).all()
        if item_ids is None
        else fetch_in(connection, _KITS, items.c.id, item_ids)
    )
    components = components_of(connection, [row.id for row in rows])
    return [Kit(row.id, row.sku, row.kit, components.get(row.id, ())) for row in rows]
