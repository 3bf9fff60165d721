"""Reads of the master data, a file per noun; what other contexts use most is here."""

from __future__ import annotations

from erp_core.master.queries.prices import (
    PriceRecord,
    Source,
    SupplierItem,
    list_sources,
    list_supplier_items,
    price_records,
)
from erp_core.master.queries.records import (
    Channel,
    Feed,
    Item,
    Location,
    Names,
    Supplier,
    feeds,
    find_by_gtin,
    find_channel,
    find_item,
    find_location,
    find_supplier,
    item_factors,
    list_channels,
    list_items,
    list_locations,
    list_suppliers,
    visible,
)

__all__ = [
    "Channel",
    "Feed",
    "Item",
    "Location",
    "Names",
    "PriceRecord",
    "Source",
    "Supplier",
    "SupplierItem",
    "feeds",
    "find_by_gtin",
    "find_channel",
    "find_item",
    "find_location",
    "find_supplier",
    "item_factors",
    "list_channels",
    "list_items",
    "list_locations",
    "list_sources",
    "list_supplier_items",
    "list_suppliers",
    "price_records",
    "visible",
]
