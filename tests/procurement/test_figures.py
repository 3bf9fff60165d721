"""Supply that counts for a promise: confirmed, with a day, and not received yet."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from erp_core.master.commands import ActivateItem, CreateItem, DefineKit, KitComponent
from erp_core.procurement.commands import PurchaseOrderLine, RequestPurchase
from erp_core.procurement.figures import StockFigures, stock_figures
from erp_core.storage.types import money
from tests.procurement.conftest import TODAY, Company


def of(company: Company) -> StockFigures:
    pair = (company.item, company.warehouse)
    return company.read(lambda connection: stock_figures(connection, [pair]))[pair]


@pytest.mark.capability("S19")
def test_a_kit_that_is_stocked_as_its_parts_is_not_bought(company: Company) -> None:
    tea_set = uuid4()
    named = {"item_name": "Tea set", "category": "Sets", "brand": "Aurora", "base_unit": "piece"}
    company.do(CreateItem(item_id=tea_set, sku="TEA-SET", **named), "admin")
    part = KitComponent(item_id=company.item, quantity=2)
    company.do(DefineKit(kit_item_id=tea_set, stocked_as="parts", components=(part,)), "admin")
    company.do(ActivateItem(item_id=tea_set), "admin")
    line = PurchaseOrderLine(line_id=uuid4(), item_id=tea_set, quantity=20, unit_price=money(1))
    assert company.refused(company.draft(lines=(line,)))["code"] == "kit_has_no_stock"
    wanted = RequestPurchase(
        requisition_id=uuid4(), item_id=tea_set, location_id=company.warehouse, quantity=2, reason="sold out"
    )
    assert company.refused(wanted)["code"] == "kit_has_no_stock"


@pytest.mark.capability("S24")
@pytest.mark.capability("S25")
def test_what_is_ordered_is_promised_only_once_it_is_confirmed_for_a_day(company: Company) -> None:
    company.sent(20)
    first = of(company)
    assert (first.on_order, first.supplier_confirmed, first.atp(TODAY + timedelta(days=90))) == (20, 0, 0)
    day = TODAY + timedelta(days=10)
    order = company.sent(40, promised_on=day)
    second = of(company)
    assert (second.on_order, second.supplier_confirmed) == (60, 40)
    assert (second.atp(day - timedelta(days=1)), second.atp(day)) == (0, 40)
    company.do(company.receipt(order, 30), "warehouse")
    third = of(company)
    assert (third.position.available, third.on_order, third.due_by(day), third.atp(day)) == (30, 30, 10, 40)
