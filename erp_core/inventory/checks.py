"""What commands that move stock ask of the master data: items that may be stocked, places that hold stock."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from sqlalchemy import or_, select

from erp_core.gate.contract import DomainError, Transaction
from erp_core.gate.principals import Principal
from erp_core.inventory.ledger import Bucket, Ledger
from erp_core.inventory.lots.rules import LotRequired, Tracking
from erp_core.inventory.model import stock_authorities
from erp_core.inventory.rules import LEDGER, OWN
from erp_core.master.commands.records import unknown
from erp_core.master.model import items, locations
from erp_core.master.rules.kits import KitHasNoStock
from erp_core.storage.lookup import fetch_in

_ITEMS = select(
    items.c.id,
    items.c.sku,
    items.c.status,
    items.c.kit,
    items.c.lot_tracked,
    items.c.serial_tracked,
    items.c.expiry_tracked,
)
_TRACKED = select(items.c.id).where(or_(items.c.lot_tracked, items.c.serial_tracked))
NOT_PICKED = frozenset({"quarantine", "non_pickable"})
"""Kinds of place whose stock is promised to nobody."""
_PLACES = select(
    locations.c.id,
    locations.c.code,
    locations.c.physical,
    locations.c.kind,
    locations.c.rerouted_to,
    select(stock_authorities.c.system)
    .where(stock_authorities.c.location_id == locations.c.id, stock_authorities.c.owner == OWN)
    .scalar_subquery()
    .label("authority"),
)


class ItemNotActive(DomainError):
    """A draft item is neither stocked nor sold."""

    code = "item_not_active"


class NoStockHere(DomainError):
    """A virtual location holds no stock."""

    code = "no_stock_here"


class NotPickable(DomainError):
    """What lies in a quarantine or non-pickable place is promised to nobody."""

    code = "not_pickable"


class NotTheAuthority(DomainError):
    """Another system is believed about the stock of the place: it alone corrects it."""

    code = "not_the_authority"


class Items:
    """The items that a batch names."""

    def __init__(
        self, statuses: dict[UUID, tuple[str, str, str | None]], tracking: dict[UUID, Tracking]
    ) -> None:
        self._statuses = statuses
        self.tracking = tracking
        self._plain = {
            id_.int
            for id_, (_, status, kit) in statuses.items()
            if status != "draft" and kit != "parts" and id_ not in tracking
        }

    def __contains__(self, item_id: UUID) -> bool:
        return item_id in self._statuses

    def require(self, item_id: UUID, field: str = "item_id", *, lots: bool = False) -> None:
        """Raise unless the item exists, is no draft, and may have stock of its own.

        One that is tracked by lot or serial number is refused too, unless the caller minds `lots`.
        """
        if item_id.int in self._plain:
            return
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
        if item_id in self.tracking and not lots:
            raise LotRequired(
                f"{sku} is tracked by lot or serial number, which this does not name",
                field=field,
                remedy="use a command that names them, such as a receipt, an adjustment or a transfer",
                item=sku,
            )

    def sold_from_parts(self) -> set[UUID]:
        """Those that are active kits without stock of their own."""
        return {
            id_ for id_, (_, status, kit) in self._statuses.items() if kit == "parts" and status != "draft"
        }


class Places:
    """The locations that a batch names. `rerouted` says which place takes the orders of one that is out."""

    def __init__(
        self,
        physical: dict[UUID, tuple[str, bool]],
        rerouted: dict[UUID, UUID],
        not_picked: Collection[UUID] = (),
        authorities: Mapping[UUID, str] | None = None,
    ) -> None:
        self._physical = dict.fromkeys(rerouted.values(), ("fallback", True)) | physical
        self._not_picked = not_picked
        self._authorities = authorities or {}
        self._picked_from = {
            id_.int
            for id_, (_, holds_stock) in self._physical.items()
            if holds_stock and id_ not in not_picked
        }
        self.rerouted = rerouted

    def __contains__(self, location_id: UUID) -> bool:
        return location_id in self._physical

    def require(self, location_id: UUID, field: str = "location_id", *, picked: bool = False) -> None:
        """Raise unless the location exists and holds stock, where `picked` also stock that may be promised."""
        if location_id.int in self._picked_from:
            return
        if location_id not in self._physical:
            raise unknown("location", location_id, field)
        code, physical = self._physical[location_id]
        if not physical:
            raise NoStockHere(
                f"{code} holds no stock", field=field, remedy="choose a warehouse or a store", location=code
            )
        if picked and location_id in self._not_picked:
            raise NotPickable(
                f"nothing is picked at {code}",
                field=field,
                remedy="transfer the stock to a place that is picked from first",
                location=code,
            )

    def require_authority(self, location_id: UUID, principal: Principal, field: str = "location_id") -> None:
        """Raise `NotTheAuthority` unless this ledger, or the system that asks, is right about own stock there.

        A system is the service account of that name; it is known by its credential, not by what it says.
        """
        system = self._authorities.get(location_id, LEDGER)
        of_service = (principal.owner_kind or principal.kind) == "service"
        if system != LEDGER and not (of_service and principal.login == system):
            code = self._physical[location_id][0]
            raise NotTheAuthority(
                f"{system} is right about the stock at {code}",
                field=field,
                remedy=f"let {system} correct it, or record what was seen with RecordStockSnapshot: a difference becomes an exception",
                location=code,
                system=system,
            )


def check_items(tx: Transaction, ids: Iterable[UUID]) -> Items:
    """Read the items of a batch."""
    rows = fetch_in(tx.connection, _ITEMS, items.c.id, ids)
    tracking = {
        row.id: Tracking(row.sku, row.lot_tracked, row.serial_tracked, row.expiry_tracked)
        for row in rows
        if row.lot_tracked or row.serial_tracked
    }
    return Items({row.id: (row.sku, row.status, row.kit) for row in rows}, tracking)


def tracked_items(tx: Transaction, ids: Iterable[UUID]) -> set[UUID]:
    """Those of the items that are tracked by lot or serial number."""
    return {row.id for row in fetch_in(tx.connection, _TRACKED, items.c.id, ids)}


def check_places(tx: Transaction, ids: Iterable[UUID]) -> Places:
    """Read the locations of a batch."""
    rows = fetch_in(tx.connection, _PLACES, locations.c.id, ids)
    return Places(
        {row.id: (row.code, row.physical) for row in rows},
        {row.id: row.rerouted_to for row in rows if row.rerouted_to is not None},
        {row.id for row in rows if row.kind in NOT_PICKED},
        {row.id: row.authority for row in rows if row.authority is not None},
    )


def load_known(ledger: Ledger, buckets: Iterable[Bucket], known_items: Items, places: Places) -> None:
    """Load the buckets of items and places that exist; the others are about to be refused."""
    ledger.load(
        bucket for bucket in set(buckets) if bucket.item_id in known_items and bucket.location_id in places
    )
