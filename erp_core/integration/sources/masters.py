"""Templates `items` and `suppliers`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

from erp_core.integration.fields import choice, count, day, price, quantity, several, text_up_to
from erp_core.integration.findings import Chunks, Findings
from erp_core.integration.known import Known
from erp_core.integration.rows import ItemRow, SupplierItemRow, SupplierRow, chunk, in_chunks, iso
from erp_core.integration.sources.template import (
    LINES_PER_CHUNK,
    Field,
    Line,
    RowError,
    SetAside,
    Template,
    found,
)


class Item(NamedTuple):
    """A row of `items`."""

    sku: str
    name: str
    category: str
    brand: str
    base_unit: str
    standard_cost: int | None
    list_price: int | None
    abc_class: str | None
    introduced_on: date | None
    status: str | None
    pack_unit: str | None
    pack_factor: int | None
    tracked_by: tuple[str, ...] | None


class Items(Template[Item]):
    """The item master. Items that exist stay as they are."""

    name = "items"
    record = Item
    fields = (
        Field("sku", text_up_to(60), True, "unique code of the item"),
        Field("name", text_up_to(200), True, "what people call it"),
        Field("category", text_up_to(80), True, "category"),
        Field("brand", text_up_to(80), True, "brand"),
        Field("base_unit", text_up_to(20), True, "unit that all quantities count, such as each"),
        Field("standard_cost", price, False, "cost of one base unit; empty where unknown"),
        Field("list_price", price, False, "price of one base unit before markdown"),
        Field("abc_class", choice("a", "b", "c"), False, "A, B or C"),
        Field("introduced_on", day, False, "first day it could be sold"),
        Field("status", choice("active", "discontinued"), False, "active unless it says discontinued"),
        Field("pack_unit", text_up_to(20), False, "a larger unit, such as carton"),
        Field("pack_factor", quantity, False, "base units in one of it"),
        Field("tracked_by", several(10, 3), False, "what every unit comes with: lot, serial, expiry"),
    )

    def checker(self, known: Known, findings: Findings) -> Callable[[Item], Item]:
        """New SKUs once; a pack needs unit and factor."""
        fresh: set[str] = set()

        def check(row: Item) -> Item:
            if row.sku.casefold() in fresh:
                raise RowError("sku", "stands_twice", f"{row.sku} stands twice in the file", "keep one row")
            if row.sku in known.items:
                raise SetAside("already_known")
            if (row.pack_unit is None) != (row.pack_factor is None):
                raise RowError(
                    "pack_unit", "half_a_pack", "unit and factor belong together", "give both or none"
                )
            if row.pack_unit == row.base_unit:
                raise RowError("pack_unit", "same_unit", "the pack is the base unit", "name a larger unit")
            _check_tracking(row.tracked_by or ())
            fresh.add(row.sku.casefold())
            return row

        return check

    def lay_out(self, lines: Sequence[Line[Item]], known: Known, findings: Findings) -> Chunks:
        """One row an item."""
        return in_chunks("items", "items", (_item(line.row) for line in lines), LINES_PER_CHUNK)


def _check_tracking(words: Sequence[str]) -> None:
    strange = [one for one in words if one.lower() not in _TRACKING]
    if strange:
        raise RowError(
            "tracked_by",
            "unknown_word",
            f"{strange[0]} is none of its words",
            f"use {', '.join(_TRACKING)}, parted by blanks",
        )
    if {one.lower() for one in words} == {"expiry"}:
        raise RowError(
            "tracked_by", "expiry_of_no_lot", "a last day is a lot's", "add lot or serial, as in: lot expiry"
        )


_TRACKING = ("lot", "serial", "expiry")


def _item(row: Item) -> ItemRow:
    tracked = {one.lower() for one in row.tracked_by or ()}
    return ItemRow(
        row.sku,
        row.name,
        row.category,
        row.brand,
        row.base_unit,
        row.standard_cost,
        row.list_price,
        row.abc_class and row.abc_class.upper(),
        iso(row.introduced_on),
        "discontinued" if row.status == "discontinued" else "draft",
        ((row.pack_unit, row.pack_factor),) if row.pack_unit and row.pack_factor else (),
        *(one in tracked for one in _TRACKING),
    )


class SupplierLine(NamedTuple):
    """A row of `suppliers`."""

    supplier: str
    supplier_name: str
    country: str | None
    currency: str | None
    payment_days: int | None
    delivery_terms: str | None
    minimum_order: int | None
    lead_time_days: int | None
    segment: str | None
    risk_class: str | None
    sku: str | None
    supplier_sku: str | None
    price: int | None
    minimum_quantity: int | None
    order_multiple: int | None
    item_lead_time_days: int | None
    rank: int | None


class Suppliers(Template[SupplierLine]):
    """Suppliers with what they supply, a row per supplier and item. They begin as drafts."""

    name = "suppliers"
    record = SupplierLine
    fields = (
        Field("supplier", text_up_to(40), True, "unique code of the supplier"),
        Field("supplier_name", text_up_to(160), True, "its name, the same on all its rows"),
        Field("country", text_up_to(60), False, "country"),
        Field(
            "currency",
            choice("usd", "eur", "gbp", "jpy", "cny", "chf", "inr", "cad", "aud"),
            False,
            "USD if empty",
        ),
        Field("payment_days", count, False, "days until an invoice is due"),
        Field("delivery_terms", text_up_to(20), False, "such as FCA or DDP"),
        Field("minimum_order", price, False, "least amount of an order"),
        Field("lead_time_days", count, False, "days from order to delivery"),
        Field(
            "segment", choice("strategic", "long_tail", "imported", "domestic"), False, "long_tail if empty"
        ),
        Field("risk_class", choice("low", "medium", "high"), False, "medium if empty"),
        Field("sku", text_up_to(60), False, "an item it supplies"),
        Field("supplier_sku", text_up_to(60), False, "its own code for the item"),
        Field("price", price, False, "its price for one base unit; needed with a sku"),
        Field("minimum_quantity", quantity, False, "1 if empty"),
        Field("order_multiple", quantity, False, "1 if empty"),
        Field("item_lead_time_days", count, False, "where it differs for the item"),
        Field("rank", quantity, False, "1 is the preferred supplier of the item; 1 if empty"),
    )

    def checker(self, known: Known, findings: Findings) -> Callable[[SupplierLine], SupplierLine]:
        """New suppliers and new pairs once; a pair needs a known item and a price."""
        names: dict[str, str] = {}
        pairs: set[tuple[str, str | None]] = set()

        def check(row: SupplierLine) -> SupplierLine:
            existing = row.supplier in known.suppliers
            code = known.suppliers.find(row.supplier) if existing else row.supplier
            sku = found(known.items, "sku", row.sku) if row.sku else None
            if sku and row.price is None:
                raise RowError("price", "missing", "an item needs the supplier's price", "fill it in")
            if names.setdefault(code, row.supplier_name) != row.supplier_name:
                raise RowError("supplier_name", "differs", f"{code} has another name above", "use one name")
            if (code, sku) in pairs:
                raise RowError(
                    "sku", "stands_twice", f"{code} and {sku or 'no item'} stand twice", "keep one row"
                )
            if (existing and sku is None) or (sku and (code, sku) in known.offers):
                raise SetAside("already_known")
            pairs.add((code, sku))
            return row._replace(supplier=code, sku=sku)

        return check

    def lay_out(self, lines: Sequence[Line[SupplierLine]], known: Known, findings: Findings) -> Chunks:
        """Suppliers by their first row, then what they supply."""
        first: dict[str, SupplierLine] = {}
        for line in lines:
            if line.row.supplier not in known.suppliers:
                first.setdefault(line.row.supplier, line.row)
        records = [_supplier(row) for row in first.values()]
        offers = [_offer(line.row) for line in lines if line.row.sku]

        def chunks() -> Chunks:
            if records:
                yield chunk("suppliers", suppliers=records)
            yield from in_chunks("suppliers", "supplier_items", offers, LINES_PER_CHUNK)

        return chunks()


def _supplier(row: SupplierLine) -> SupplierRow:
    return SupplierRow(
        row.supplier,
        row.supplier_name,
        row.country,
        (row.currency or "usd").upper(),
        row.payment_days,
        row.delivery_terms,
        row.minimum_order or 0,
        row.lead_time_days,
        row.segment or "long_tail",
        row.risk_class or "medium",
    )


def _offer(row: SupplierLine) -> SupplierItemRow:
    assert row.sku is not None and row.price is not None
    return SupplierItemRow(
        row.supplier,
        row.sku,
        row.supplier_sku,
        row.price,
        row.minimum_quantity or 1,
        row.order_multiple or 1,
        row.item_lead_time_days,
        row.rank or 1,
    )
