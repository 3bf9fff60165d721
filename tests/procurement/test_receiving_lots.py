"""Goods that are tracked arrive: lots, last days, serial numbers and labels at the dock."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from erp_core.inventory.lots.queries import broken_lot_rules, list_lots, lot_stock
from erp_core.inventory.queries import rebuild_differences
from erp_core.master.commands import ActivateItem, CreateItem, SetSupplierItem
from erp_core.orders.queries.lots import trace_lot
from erp_core.procurement.commands import PurchaseOrderLine, ReceivedLine, ReceiveGoods
from erp_core.procurement.model import receipts
from erp_core.storage.types import money

Company = Any
AUGUST = date(2026, 8, 31)
GTIN = "9521123456785"


def tracked(company: Company, **flags: Any) -> UUID:
    """An active item that the supplier sells for 10.00, in tens."""
    item_id = uuid4()
    named = {"item_name": f"Serum {item_id}", "category": "Care", "brand": "Acme", "base_unit": "piece"}
    company.do(CreateItem(item_id=item_id, sku=f"SERUM-{uuid4().hex[:6]}", **named, **flags), "admin")
    company.do(ActivateItem(item_id=item_id), "admin")
    terms = {"price": money(10), "minimum_quantity": 10, "order_multiple": 10}
    company.do(SetSupplierItem(supplier_id=company.supplier, item_id=item_id, **terms), "admin")
    return item_id


def ordered(company: Company, item_id: UUID, units: int) -> Any:
    line = PurchaseOrderLine(line_id=uuid4(), item_id=item_id, quantity=units, unit_price=None)
    return company.sent(lines=(line,))


def delivery(order: Any, *parts: dict[str, Any], place: str | None = None) -> ReceiveGoods:
    lines = tuple(
        ReceivedLine.model_validate({"receipt_line_id": uuid4(), "po_line_id": order.line_ids[0]} | part)
        for part in parts
    )
    return ReceiveGoods(receipt_id=uuid4(), po_id=order.po_id, lines=lines, scanned_location=place)


def lies(company: Company, code: str) -> dict[str, int]:
    def states(connection: Any) -> dict[str, int]:
        (lot,) = list_lots(connection, code=code)
        return {one.state: one.units for one in lot_stock(connection, lot.id)}

    found: dict[str, int] = company.read(states)
    return found


@pytest.mark.capability("S34")
@pytest.mark.capability("S36")
@pytest.mark.capability("S54")
def test_a_delivery_says_its_lots_and_each_leads_back_to_supplier_and_receipt(company: Company) -> None:
    item_id = tracked(company, lot_tracked=True, expiry_tracked=True, gtin=GTIN)
    order = ordered(company, item_id, 20)
    said = {"quantity": 12, "lot_code": "A", "expires_on": AUGUST}
    for wrong, code in (
        (delivery(order, {"quantity": 12}), "lot_required"),
        (delivery(order, {"quantity": 12, "lot_code": "A"}), "lot_required"),
        (delivery(order, said | {"barcode": "4006381333931"}), "wrong_item"),
        (delivery(order, said | {"barcode": f"(01)0{GTIN}(10)B"}), "wrong_lot"),
        (delivery(order, said | {"barcode": f"(01)0{GTIN}(17)261231"}), "wrong_lot"),
        (delivery(order, said, place="OTHER"), "wrong_location"),
        (delivery(order, said, said | {"expires_on": date(2026, 9, 30)}), "lot_differs"),
    ):
        assert company.refused(wrong, "warehouse")["code"] == code, code
    assert company.stock(item_id) == {}
    first = delivery(order, {"quantity": 12, "barcode": f"(01)0{GTIN}(17)260831(10)A"}, place="main")
    company.do(first, "warehouse")
    second = delivery(order, said | {"quantity": 5}, {"quantity": 5, "lot_code": "B", "expires_on": AUGUST})
    result = company.do(second, "warehouse")
    assert (result["accepted"], result["held"]) == (8, 2)
    assert lies(company, "A") == {"available": 17}
    assert lies(company, "B") == {"available": 3, "received_held": 2}

    def origins(connection: Any) -> tuple[Any, list[UUID]]:
        (lot,) = list_lots(connection, code="A")
        moves = trace_lot(connection, lot.id).origins
        ids = connection.scalars(
            select(receipts.c.id).where(receipts.c.audit_id.in_([move.audit_id for move in moves]))
        )
        return lot, list(ids)

    lot, found = company.read(origins)
    assert (lot.supplier_id, lot.source_id) == (company.supplier, first.receipt_id)
    assert set(found) == {first.receipt_id, second.receipt_id}
    assert company.read(rebuild_differences) == [] == company.read(broken_lot_rules)


@pytest.mark.capability("S35")
def test_serial_numbers_are_scanned_one_by_one_and_none_comes_in_twice(company: Company) -> None:
    item_id = tracked(company, serial_tracked=True, gtin=GTIN)
    order = ordered(company, item_id, 10)
    unit = {"quantity": 1, "barcode": f"(01)0{GTIN}(21)S1"}
    assert company.refused(delivery(order, unit, unit), "warehouse")["code"] == "serial_twice"
    company.do(delivery(order, unit, {"quantity": 2, "serials": ("S2", "S3")}), "warehouse")
    assert company.refused(delivery(order, unit), "warehouse")["code"] == "serial_twice"
    turned_away = {"quantity": 2, "rejected_quantity": 2}
    company.do(delivery(order, turned_away), "warehouse")
    assert company.stock(item_id) == {"available": 1}
    assert [lies(company, code) for code in ("S1", "S2", "S3")] == [{"available": 1}] * 3


def test_a_plain_item_needs_no_label_and_minds_a_wrong_one(sqlite_company: Company) -> None:
    order = sqlite_company.sent(20)
    plain = {"quantity": 5}
    assert (
        sqlite_company.refused(delivery(order, plain | {"lot_code": "A"}), "warehouse")["code"]
        == "not_tracked"
    )
    wrong = delivery(order, plain | {"barcode": "LAMP-1"})
    assert sqlite_company.refused(wrong, "warehouse")["code"] == "wrong_item"
    sqlite_company.do(delivery(order, plain | {"barcode": "lamp-0"}, place="MAIN"), "warehouse")
    assert sqlite_company.stock(sqlite_company.item) == {"available": 5}
