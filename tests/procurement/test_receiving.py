"""Goods arrive."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from erp_core.finance.model import cost_balances
from erp_core.gate.contract import Executed, Refused, Submission
from erp_core.procurement.commands import CancelPurchaseOrder, ClosePurchaseOrder
from erp_core.procurement.model import po_lines, purchase_orders, receipt_lines
from erp_core.procurement.queries import purchase_order
from erp_core.storage.types import money

Company = Any


def value_of(company: Company, item_id: Any) -> tuple[int, int]:
    statement = select(cost_balances.c.quantity, cost_balances.c.value).where(
        cost_balances.c.item_id == item_id
    )
    return tuple(company.read(lambda c: c.execute(statement).one()))


@pytest.mark.capability("S100")
def test_a_receipt_changes_stock_cost_and_the_order_at_once(company: Company) -> None:
    order = company.sent(40, 60)
    result = company.do(company.receipt(order, 40), "warehouse")
    assert (result["accepted"], result["held"], result["status"]) == (40, 0, "partly_received")
    assert company.stock(company.item) == {"available": 40}
    assert value_of(company, company.item) == (40, money(400))
    line = company.row(po_lines, order.line_ids[0])
    assert (line.accepted_quantity, line.completed_on) == (40, date(2026, 6, 30))
    assert company.do(company.receipt(order, 1, 60), "warehouse")["status"] == "received"


@pytest.mark.capability("S98")
def test_partial_receipts_add_up(sqlite_company: Company) -> None:
    order = sqlite_company.sent(60)
    for quantity, status in ((10, "partly_received"), (20, "partly_received"), (30, "received")):
        assert sqlite_company.do(sqlite_company.receipt(order, quantity), "warehouse")["status"] == status
    detail = sqlite_company.read(lambda c: purchase_order(c, order.po_id))
    assert sorted(line.accepted_quantity for line in detail.receipts) == [10, 20, 30]
    assert sqlite_company.stock(sqlite_company.item) == {"available": 60}


@pytest.mark.capability("S99")
def test_what_exceeds_the_order_is_held_and_neither_sellable_nor_payable(sqlite_company: Company) -> None:
    order = sqlite_company.sent(40)
    receipt = sqlite_company.receipt(order, 55)
    result = sqlite_company.do(receipt, "warehouse")
    assert (result["accepted"], result["held"]) == (40, 15)
    assert sqlite_company.stock(sqlite_company.item) == {"available": 40, "received_held": 15}
    assert value_of(sqlite_company, sqlite_company.item) == (40, money(400))
    assert sqlite_company.row(po_lines, order.line_ids[0]).held_quantity == 15
    assert sqlite_company.row(receipt_lines, receipt.lines[0].receipt_line_id).exact == 0
    late_extra = sqlite_company.do(sqlite_company.receipt(order, 5), "warehouse")
    assert (late_extra["accepted"], late_extra["held"], late_extra["status"]) == (0, 5, "received")


@pytest.mark.capability("S101")
def test_rejected_goods_never_enter_stock_and_are_still_awaited(sqlite_company: Company) -> None:
    order = sqlite_company.sent(40)
    result = sqlite_company.do(sqlite_company.receipt(order, 40, rejected=6), "warehouse")
    assert (result["accepted"], result["rejected"], result["status"]) == (34, 6, "partly_received")
    assert sqlite_company.stock(sqlite_company.item) == {"available": 34}
    assert sqlite_company.do(sqlite_company.receipt(order, 6), "warehouse")["status"] == "received"


def test_units_in_time_are_counted_by_the_first_promise(sqlite_company: Company) -> None:
    on_time, late = (
        sqlite_company.sent(40, promised_on=date(2026, 6, 30)),
        sqlite_company.sent(40, promised_on=date(2026, 7, 1)),
    )
    sqlite_company.do(sqlite_company.receipt(on_time, 40), "warehouse")
    assert sqlite_company.row(po_lines, on_time.line_ids[0]).accepted_by_promise == 40
    sqlite_company.do(sqlite_company.receipt(late, 40), "warehouse")
    assert sqlite_company.row(po_lines, late.line_ids[0]).accepted_by_promise == 40
    unpromised = sqlite_company.sent(40)
    sqlite_company.do(sqlite_company.receipt(unpromised, 40), "warehouse")
    assert sqlite_company.row(po_lines, unpromised.line_ids[0]).accepted_by_promise == 0


def test_only_an_order_on_its_way_can_be_received(sqlite_company: Company) -> None:
    draft = sqlite_company.drafted(40)
    assert sqlite_company.refused(sqlite_company.receipt(draft, 40), "warehouse")["code"] == "not_receivable"
    order = sqlite_company.sent(40)
    sqlite_company.do(sqlite_company.receipt(order, 30), "warehouse")
    assert (
        sqlite_company.refused(CancelPurchaseOrder(po_id=order.po_id, reason_code="not_needed"))["code"]
        == "goods_received"
    )
    closed = sqlite_company.do(ClosePurchaseOrder(po_id=order.po_id, reason_code="remainder_not_needed"))
    assert (closed["status"], closed["cancelled_units"]) == ("closed", 10)
    assert sqlite_company.refused(sqlite_company.receipt(order, 10), "warehouse")["code"] == "not_receivable"


def test_the_same_receipt_is_not_posted_twice(sqlite_company: Company) -> None:
    order = sqlite_company.sent(60)
    receipt = sqlite_company.receipt(order, 30)
    sqlite_company.do(receipt, "warehouse")
    assert sqlite_company.refused(receipt, "warehouse")["code"] == "receipt_exists"
    assert sqlite_company.stock(sqlite_company.item) == {"available": 30}


def test_in_a_batch_a_refused_receipt_leaves_the_others_alone(company: Company) -> None:
    order, draft = company.sent(60), company.drafted(40)
    batch = [company.receipt(order, 20), company.receipt(draft, 40), company.receipt(order, 45)]
    submissions = [Submission(command, f"r{n}") for n, command in enumerate(batch)]
    outcomes = company.gate.submit_many(submissions, company.people["warehouse"])
    assert [type(outcome) for outcome in outcomes] == [Executed, Refused, Executed]
    assert company.stock(company.item) == {"available": 60, "received_held": 5}
    row = company.row(purchase_orders, order.po_id)
    assert row.status == "received"
    assert company.row(purchase_orders, draft.po_id).status == "draft"


def test_two_docks_receiving_at_once_never_accept_more_than_was_ordered(company: Company) -> None:
    order = company.sent(60)
    receipts = [company.receipt(order, 40), company.receipt(order, 40)]
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda receipt: company.do(receipt, "warehouse"), receipts))
    assert sorted((result["accepted"], result["held"]) for result in results) == [(20, 20), (40, 0)]
    assert company.stock(company.item) == {"available": 60, "received_held": 20}
