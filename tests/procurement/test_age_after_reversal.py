"""A receipt that was taken back makes nothing younger, wherever its goods were put meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from uuid import uuid4

import pytest

from erp_core.inventory.ageing import aged_stock
from erp_core.inventory.commands import PostOpeningStock, StockLine
from erp_core.inventory.commands.putaway import PutAway, SetPutawayRule
from erp_core.master.commands import CreateLocation
from tests.procurement.conftest import TODAY, Company
from tests.procurement.test_receipt_reversal import taken_back


@pytest.mark.capability("S52", "S105")
def test_old_goods_stay_old_when_a_receipt_that_was_put_beside_them_is_taken_back(company: Company) -> None:
    zone = uuid4()
    company.people["past"] = company.gate.bootstrap_user("past", roles=("simulator",), kind="service")
    company.do(
        CreateLocation(
            location_id=zone,
            code="MAIN-A",
            location_name="Zone A",
            kind="reserve",
            within_id=company.warehouse,
        ),
        "admin",
    )
    rule = SetPutawayRule(rule_id=uuid4(), site_id=company.warehouse, location_id=zone)
    company.do(rule, "warehouse")
    receipt = company.receipt(company.sent(20), 20)
    opening = PostOpeningStock(
        document_id=uuid4(),
        location_id=zone,
        lines=(StockLine(item_id=company.item, quantity=10),),
        occurred_at=days_ago(50),
    )
    company.do(opening, "past")
    company.do(receipt.model_copy(update={"occurred_at": days_ago(20)}), "past")
    carried = PutAway(
        putaway_id=uuid4(),
        item_id=company.item,
        site_id=company.warehouse,
        location_id=zone,
        quantity=15,
        scanned_location="MAIN-A",
        occurred_at=days_ago(10),
    )
    company.do(carried, "past")
    taken_back(company, receipt)
    (left,) = company.read(lambda c: aged_stock(c, TODAY, item_id=company.item))
    assert (left.location_id, left.units, left.oldest_days) == (zone, 10, 50)
    assert left.by_age == {"31-90": 10}


def days_ago(days: int) -> datetime:
    return datetime.combine(TODAY - timedelta(days=days), time(9), UTC)
