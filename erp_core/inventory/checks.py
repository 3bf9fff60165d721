"""What commands that move stock ask of the master data: items that may be stocked, places that hold stock."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select

from erp_core.gate.contract import DomainError, Transaction
from erp_core.inventory.ledger import Bucket, Ledger
from erp_core.master.commands.records import unknown
from erp_core.master.model import items, locations
from erp_core.master.rules.kits import KitHasNoStock
from erp_core.storage.lookup import fetch_in

_ITEMS = select(items.c.id, items.c.sku, items.c.status, items.c.kit)
_PLACES = select(locations.c.id, locations.c.code, locations.c.physical)


class ItemNotActive(DomainError):
    """A draft item is neither stocked nor sold."""

    code = "item_not_active"


class NoStockHere(DomainError):
    """A virtual location holds no stock."""

    code = "no_stock_here"


class Items:
    """The items that a batch names."""

    def __init__(self, statuses: dict[UUID, tuple[str, str, str | None]]) -> None:
        self._statuses = statuses

    def __contains__(self, item_id: UUID) -> bool:
        return item_id in self._statuses

    def require(self, item_id: UUID, field: str = "item_id") -> None:
        """Raise unless the item exists, is no draft, and may have stock of its own."""
        if item_id not in self._statuses:
            raise unknown("item", item_id, field)
        sku, status, kit = self._statuses[item_id]
        if status == "draft":
            raise ItemNotActive(f"{sku} is a draft", field=field, remedy="activate the item first", item=sku)
        if kit == "parts":
            raise KitHasNoStock(
                f"{sku} is a kit that is stocked as its parts",
                field=field,
                remedy="name its components instead",
                item=sku,
            )

    def sold_from_parts(self) -> set[UUID]:
        """Those that are active kits without stock of their own."""
        return {
            id_ for id_, (_, status, kit) in self._statuses.items() if kit == "parts" and status != "draft"
        }


class Places:
    """The locations that a batch names."""

    def __init__(self, physical: dict[UUID, tuple[str, bool]]) -> None:
        self._physical = physical

    def __contains__(self, location_id: UUID) -> bool:
        return location_id in self._physical

    def require(self, location_id: UUID, field: str = "location_id") -> None:
        """Raise unless the location exists and holds stock."""
        if location_id not in self._physical:
            raise unknown("location", location_id, field)
        code, physical = self._physical[location_id]
        if not physical:
            raise NoStockHere(
                f"{code} holds no stock", field=field, remedy="choose a warehouse or a store", location=code
            )


def check_items(tx: Transaction, ids: Iterable[UUID]) -> Items:
    """Read the items of a batch."""
    rows = fetch_in(tx.connection, _ITEMS, items.c.id, ids)
    return Items({row.id: (row.sku, row.status, row.kit) for row in rows})


def check_places(tx: Transaction, ids: Iterable[UUID]) -> Places:
    """Read the locations of a batch."""
    rows = fetch_in(tx.connection, _PLACES, locations.c.id, ids)
    return Places({row.id: (row.code, row.physical) for row in rows})


def load_known(ledger: Ledger, buckets: Iterable[Bucket], known_items: Items, places: Places) -> None:
    """Load the buckets of items and places that exist; the others are about to be refused."""
    ledger.load(
        bucket for bucket in buckets if bucket.item_id in known_items and bucket.location_id in places
    )
