"""What is taken back makes nothing younger: a receipt, wherever its goods were put meanwhile, and a return to a supplier."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from erp_core.analytics.query import MetricQuery
from erp_core.analytics.run import run
from erp_core.inventory.ageing import AgedStock, aged_stock
from erp_core.inventory.commands import HoldStock, PostOpeningStock, StockLine
from erp_core.inventory.commands.putaway import PutAway, SetPutawayRule
from erp_core.inventory.model import stock_moves
from erp_core.master.commands import CreateLocation
from erp_core.procurement.commands import ReceiveGoods
from erp_core.returns.commands import ReturnToVendor, ReverseVendorReturn
from tests.procurement.conftest import TODAY, Company, Order
from tests.procurement.test_receipt_reversal import taken_back
from tests.procurement.test_receiving_lots import delivery, ordered, tracked


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


@pytest.mark.capability("S52", "S102")
def test_goods_that_come_again_from_their_supplier_are_as_old_as_when_they_left(company: Company) -> None:
    company.people["past"] = company.gate.bootstrap_user("past", roles=("simulator",), kind="service")
    order = company.sent(30)
    received(company, company.receipt(order, 20), 50)
    received(company, company.receipt(order, 10), 40)
    before, worth = aged(company, company.item), value_by_age(company)
    gone = sent_back(company, order, 15, 5)
    (left,) = aged(company, company.item)
    assert (left.units, left.by_age) == (15, {"31-90": 15})
    came_again(company, gone)
    assert aged(company, company.item) == before and before[0].by_age == {"31-90": 30}
    assert value_by_age(company) == worth and worth.keys() == {"31-60 days"}


@pytest.mark.capability("S52", "S102")
@pytest.mark.capability("S34")
def test_each_lot_that_comes_again_names_the_move_by_which_it_left(company: Company) -> None:
    company.people["past"] = company.gate.bootstrap_user("past", roles=("simulator",), kind="service")
    item_id = tracked(company, serial_tracked=True)
    order = ordered(company, item_id, 10)
    received(company, delivery(order, {"quantity": 3, "serials": ("S1", "S2", "S3")}), 50)
    before = aged(company, item_id)
    gone = sent_back(company, order, 2, 5, serials=("S1", "S2"))
    came_again(company, gone)
    table = stock_moves.c
    moved = company.read(
        lambda c: c.execute(
            select(table.id, table.lot_id, table.reverses_id).where(table.document_id == gone)
        ).all()
    )
    left = {row.id: row.lot_id for row in moved if row.reverses_id is None}
    back = {row.reverses_id: row.lot_id for row in moved if row.reverses_id is not None}
    assert back == left and len(left) == 2
    assert aged(company, item_id) == before and before[0].by_age == {"31-90": 3}


@pytest.mark.capability("S52", "S102")
def test_goods_of_a_lot_that_was_held_meanwhile_lie_in_quarantine_since_they_came_again(
    company: Company,
) -> None:
    company.people["past"] = company.gate.bootstrap_user("past", roles=("simulator",), kind="service")
    item_id = tracked(company, lot_tracked=True)
    order = ordered(company, item_id, 20)
    received(company, delivery(order, {"quantity": 12, "lot_code": "A"}), 50)
    received(company, delivery(order, {"quantity": 5, "lot_code": "B"}), 40)
    gone = sent_back(company, order, 12, 20, lot_code="A")
    held = HoldStock(hold_id=uuid4(), item_id=item_id, lot_code="A", reason_code="supplier_notice")
    company.do(held, "warehouse")
    came_again(company, gone)
    quarantined, sellable = sorted(aged(company, item_id), key=lambda one: one.state)
    assert (quarantined.state, quarantined.units, quarantined.oldest_days, quarantined.trapped) == (
        "quarantined",
        12,
        0,
        0,
    )
    assert (sellable.units, sellable.oldest_days) == (5, 40)


def received(company: Company, receipt: ReceiveGoods, days: int) -> None:
    company.do(receipt.model_copy(update={"occurred_at": days_ago(days)}), "past")


def sent_back(company: Company, order: Order, units: int, days: int, **fields: Any) -> UUID:
    """Units of the order's first line went back to the supplier so many days ago."""
    gone = ReturnToVendor(
        vendor_return_id=uuid4(),
        po_id=order.po_id,
        po_line_id=order.line_ids[0],
        quantity=units,
        state="available",
        reason_code="quality",
        occurred_at=days_ago(days),
        **fields,
    )
    company.do(gone, "past")
    return gone.vendor_return_id


def came_again(company: Company, vendor_return_id: UUID) -> None:
    back = ReverseVendorReturn(vendor_return_id=vendor_return_id, reason_code="supplier_sent_back")
    company.do(back, "warehouse")


def aged(company: Company, item_id: UUID) -> list[AgedStock]:
    found: list[AgedStock] = company.read(lambda c: aged_stock(c, TODAY, item_id=item_id))
    return found


def value_by_age(company: Company) -> dict[str, int]:
    query = MetricQuery(metrics=("inventory_value_by_age",), by=("age_bucket",))
    asked: dict[str, Any] = {"today": TODAY, "rights": {"read_metrics", "see_cost"}}
    rows = company.read(lambda c: run(c, query, computed_at=days_ago(0), **asked)).rows
    return {str(bucket): value for bucket, value in rows if value}


def days_ago(days: int) -> datetime:
    return datetime.combine(TODAY - timedelta(days=days), time(9), UTC)
