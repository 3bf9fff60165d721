"""Tracked items for tests: made, taken in by lot and serial number, and looked at by lot."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID, uuid4

from erp_core.finance.commands import OpeningCost, SetOpeningCost
from erp_core.inventory.commands import PostOpeningStock, StockLine
from erp_core.inventory.lots.queries import broken_lot_rules, list_lots, lot_stock
from erp_core.inventory.lots.rules import Lot
from erp_core.master.commands import ActivateItem, CreateItem
from erp_core.storage.engine import reading
from tests.shop import Shop

JULY, AUGUST, NEXT_YEAR = date(2026, 7, 31), date(2026, 8, 31), date(2027, 1, 31)


def tracked_item(
    shop: Shop,
    *,
    lots: bool = True,
    serials: bool = False,
    expiry: bool = True,
    gtin: str | None = None,
    cost: int | None = 10_000,
) -> UUID:
    """An active item that is tracked by lots with a last day, if nothing else is said."""
    item_id, sku = uuid4(), f"LOT-{uuid4().hex[:10]}"
    shop.run(
        CreateItem(
            item_id=item_id,
            sku=sku,
            item_name=f"Thing {sku}",
            category="Things",
            brand="Acme",
            base_unit="piece",
            gtin=gtin,
            lot_tracked=lots,
            serial_tracked=serials,
            expiry_tracked=expiry,
        )
    )
    shop.run(ActivateItem(item_id=item_id))
    if cost is not None:
        shop.run(SetOpeningCost(document_id=uuid4(), lines=(OpeningCost(item_id=item_id, unit_cost=cost),)))
    return item_id


def count(item_id: UUID, place: UUID, units: int, **said: Any) -> PostOpeningStock:
    """A first count of a lot or of numbered units."""
    line = StockLine(item_id=item_id, quantity=units, **said)
    return PostOpeningStock(document_id=uuid4(), location_id=place, lines=(line,))


def take_in(
    shop: Shop,
    item_id: UUID,
    code: str,
    units: int,
    expires_on: date | None = AUGUST,
    place: UUID | None = None,
) -> UUID:
    """Units of a lot come in; gives the lot."""
    shop.run(count(item_id, place or shop.north, units, lot_code=code, expires_on=expires_on))
    return lot_named(shop, item_id, code).id


def lot_named(shop: Shop, item_id: UUID, code: str) -> Lot:
    with reading(shop.gate.engine) as connection:
        (lot,) = list_lots(connection, item_id=item_id, code=code)
    return lot


def lies(shop: Shop, lot_id: UUID) -> dict[tuple[str, str], int]:
    """Units of a lot by place and state."""
    names = {shop.north: "north", shop.south: "south", shop.store: "store"}
    with reading(shop.gate.engine) as connection:
        found = lot_stock(connection, lot_id)
    units: dict[tuple[str, str], int] = {}
    for one in found:
        key = (names[one.location_id], one.state)
        units[key] = units.get(key, 0) + one.units
    return units


def assert_lots_sound(shop: Shop) -> None:
    shop.assert_sound()
    with reading(shop.gate.engine) as connection:
        assert broken_lot_rules(connection) == []
