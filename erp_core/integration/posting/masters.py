"""Items, places, suppliers: made where their code is new, left alone where it is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Table, select

from erp_core.gate.contract import Duty
from erp_core.gate.separation import DutyBook
from erp_core.integration.ids import record_id
from erp_core.integration.posting.base import Posting, to_day
from erp_core.integration.rows import ChannelRow, ItemRow, PlaceRow, SupplierItemRow, SupplierRow
from erp_core.master.model import (
    channels,
    item_units,
    items,
    locations,
    supplier_items,
    supplier_prices,
    suppliers,
)
from erp_core.master.rules.duplicates import normal_sku
from erp_core.master.virtual import ensure_virtual_locations
from erp_core.storage.bulk import insert_missing, insert_rows
from erp_core.storage.lookup import fetch_in


def _insert_new(
    posting: Posting, table: Table, key: Column[Any], rows: Iterable[tuple[str, dict[str, Any]]]
) -> dict[str, UUID]:
    """Insert the records whose code is new; the new ids by code."""
    wanted = dict(rows)
    connection = posting.tx.connection
    known = {code for (code,) in fetch_in(connection, select(key), key, wanted)}
    new = {code: record_id(table.name, code) for code in wanted if code not in known}
    insert_rows(
        connection,
        table,
        [
            {"id": id_, key.name: code, "audit_id": posting.audit_id, **wanted[code]}
            for code, id_ in new.items()
        ],
    )
    return new


def post_items(parts: dict[str, list[list[Any]]], posting: Posting) -> None:
    """Make locations, channels and items with their units."""
    places = [PlaceRow(*cells) for cells in parts.get("locations", ())]
    if places:
        ensure_virtual_locations(posting.tx, posting.audit_id)
        _insert_new(
            posting,
            locations,
            locations.c.code,
            (
                (row.code, {"name": row.name, "kind": row.kind, "country": row.country, "physical": True})
                for row in places
            ),
        )
    ways = [ChannelRow(*cells) for cells in parts.get("channels", ())]
    _insert_new(
        posting,
        channels,
        channels.c.code,
        ((row.code, {"name": row.name, "kind": row.kind, "priority": 10}) for row in ways),
    )
    _post_items([ItemRow(*cells) for cells in parts.get("items", ())], posting)


def _post_items(rows: Sequence[ItemRow], posting: Posting) -> None:
    new = _insert_new(
        posting,
        items,
        items.c.sku,
        (
            (
                row.sku,
                {
                    "sku_key": normal_sku(row.sku),
                    "name": row.name,
                    "category": row.category,
                    "brand": row.brand,
                    "base_unit": row.base_unit,
                    "standard_cost": row.standard_cost,
                    "list_price": row.list_price,
                    "abc_class": row.abc_class,
                    "introduced_on": to_day(row.introduced_on),
                    "status": row.status,
                    "lot_tracked": row.lot_tracked,
                    "serial_tracked": row.serial_tracked,
                    "expiry_tracked": row.expiry_tracked,
                },
            )
            for row in rows
        ),
    )
    insert_missing(
        posting.tx.connection,
        item_units,
        [
            {"item_id": new[row.sku], "unit": unit, "factor": factor}
            for row in rows
            if row.sku in new
            for unit, factor in row.units
        ],
    )


def post_suppliers(parts: dict[str, list[list[Any]]], posting: Posting) -> None:
    """Make suppliers, and what they ask for items."""
    rows = [SupplierRow(*cells) for cells in parts.get("suppliers", ())]
    new = _insert_new(
        posting,
        suppliers,
        suppliers.c.code,
        (
            (
                row.code,
                {
                    "name": row.name,
                    "country": row.country,
                    "currency": row.currency,
                    "payment_days": row.payment_days,
                    "delivery_terms": row.delivery_terms,
                    "minimum_order": row.minimum_order,
                    "lead_time_days": row.lead_time_days,
                    "segment": row.segment,
                    "risk_class": row.risk_class,
                    "internal": row.internal,
                    "status": "draft",
                    "created_by": posting.task.principal.user_id,
                },
            )
            for row in rows
        ),
    )
    founded = [Duty("supplier", supplier_id, "supplier_creator") for supplier_id in new.values()]
    posting.tx.unit(DutyBook, DutyBook).add(founded, posting.task.principal, posting.audit_id)
    offers = [SupplierItemRow(*cells) for cells in parts.get("supplier_items", ())]
    supplier_ids = posting.suppliers(row.supplier for row in offers)
    item_ids = posting.items(row.sku for row in offers)
    _post_offers([(supplier_ids[row.supplier], item_ids[row.sku], row) for row in offers], posting)


def _post_offers(offers: Sequence[tuple[UUID, UUID, SupplierItemRow]], posting: Posting) -> None:
    """New supply records with their prices from the day of the import on.

    An item has one preferred supplier: where a file, or the company, names two, the later takes the next rank.
    """
    connection = posting.tx.connection
    known = select(supplier_items.c.supplier_id, supplier_items.c.item_id, supplier_items.c.rank)
    there = fetch_in(connection, known, supplier_items.c.item_id, {item for _, item, _ in offers})
    taken = {(row.supplier_id, row.item_id) for row in there}
    ranks: dict[UUID, set[int]] = {}
    for row in there:
        ranks.setdefault(row.item_id, set()).add(row.rank)
    new: dict[tuple[UUID, UUID], tuple[SupplierItemRow, int]] = {}
    for supplier_id, item_id, offer in offers:
        if (supplier_id, item_id) in taken or (supplier_id, item_id) in new:
            continue
        given = ranks.setdefault(item_id, set())
        rank = max(given) + 1 if offer.rank == 1 and 1 in given else offer.rank
        given.add(rank)
        new[supplier_id, item_id] = (offer, rank)
    insert_rows(
        connection,
        supplier_items,
        [
            {
                "supplier_id": supplier_id,
                "item_id": item_id,
                "supplier_sku": offer.supplier_sku,
                "minimum_quantity": offer.minimum_quantity,
                "order_multiple": offer.order_multiple,
                "lead_time_days": offer.lead_time_days,
                "rank": rank,
                "audit_id": posting.audit_id,
            }
            for (supplier_id, item_id), (offer, rank) in new.items()
        ],
    )
    currencies = fetch_in(
        connection,
        select(suppliers.c.id, suppliers.c.currency),
        suppliers.c.id,
        {supplier_id for supplier_id, _ in new},
    )
    currency = {row.id: row.currency for row in currencies}
    insert_missing(
        connection,
        supplier_prices,
        [
            {
                "supplier_id": supplier_id,
                "item_id": item_id,
                "valid_from": posting.row.as_of,
                "version": 1,
                "valid_to": None,
                "price": offer.price,
                "currency": currency[supplier_id],
                "breaks": [],
                "contract_reference": None,
                "audit_id": posting.audit_id,
            }
            for (supplier_id, item_id), (offer, _) in new.items()
        ],
    )
