"""More comes than was ordered: what passes, what is held, and what is decided about it."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from erp_core.exceptions.model import cases
from erp_core.gate.contract import Executed, Proposed
from erp_core.procurement.books.accruals import accruals
from erp_core.procurement.commands import ClosePurchaseOrder, DecideHeldGoods, SetReceiptTolerance
from erp_core.procurement.model import po_lines, purchase_orders
from erp_core.storage.types import money
from tests.conftest import size
from tests.procurement.conftest import TODAY, Company, Order


def decide(order: Order, decision: str, units: int, line: int = 0) -> DecideHeldGoods:
    return DecideHeldGoods.model_validate(
        {
            "decision_id": uuid4(),
            "po_id": order.po_id,
            "po_line_id": order.line_ids[line],
            "decision": decision,
            "quantity": units,
        }
    )


def case_of(company: Company, order: Order) -> tuple[str, str] | None:
    statement = select(cases.c.status, cases.c.title).where(
        cases.c.kind == "receipt_variance", cases.c.subject_key == str(order.line_ids[0])
    )
    found = company.read(lambda c: c.execute(statement).all())
    return None if not found else tuple(found[-1])


@pytest.mark.capability("S99")
def test_held_goods_are_accepted_sent_back_or_corrected_and_their_case_closes_with_the_last(
    company: Company,
) -> None:
    order = company.sent(40)
    company.do(company.receipt(order, 40 + 30), "warehouse")
    assert company.stock(company.item) == {"available": 40, "received_held": 30}
    opened, title = case_of(company, order) or ("", "")
    assert opened == "open" and title.endswith("30 units more than ordered are held")
    assert company.refused(decide(order, "return", 31), "warehouse")["code"] == "not_held"
    company.do(decide(order, "return", 5), "warehouse")
    company.do(decide(order, "correct", 1), "warehouse")
    kept = company.do(decide(order, "accept", 10), "buyer")
    assert (kept["held"], kept["accepted"], kept["quantity"]) == (14, 50, 50)
    assert company.stock(company.item) == {"available": 50, "received_held": 14}
    line = company.row(po_lines, order.line_ids[0])
    assert (line.rejected_quantity, line.held_quantity) == (5, 14)
    assert company.row(purchase_orders, order.po_id).total == money(500)
    assert (case_of(company, order) or ("",))[0] == "open"
    company.do(decide(order, "return", 14), "warehouse")
    assert (case_of(company, order) or ("",))[0] == "resolved"
    owed = company.read(lambda c: accruals(c, TODAY))
    assert [(one.received, one.value) for one in owed] == [(50, money(500))]


@pytest.mark.capability("S99")
def test_keeping_much_more_waits_for_a_manager_and_a_receiver_never_orders_more(
    sqlite_company: Company,
) -> None:
    company = sqlite_company
    order = company.sent(40)
    company.do(company.receipt(order, 80), "warehouse")
    assert company.refused(decide(order, "accept", 1), "warehouse")["code"] == "duties_conflict"
    assert isinstance(company.submit(decide(order, "accept", 24)), Executed)
    waiting = company.submit(decide(order, "accept", 25 - 9))
    assert isinstance(waiting, Executed)
    second = company.sent(40)
    company.do(company.receipt(second, 80), "warehouse")
    proposed = company.submit(decide(second, "accept", 25))
    assert isinstance(proposed, Proposed)
    assert company.stock(company.item)["received_held"] == 40
    company.approve(proposed, "manager")
    assert company.row(po_lines, second.line_ids[0]).quantity == 65


@pytest.mark.capability("S99")
def test_within_its_tolerance_a_receipt_posts_and_one_unit_beyond_is_held_whole(
    sqlite_company: Company,
) -> None:
    company = sqlite_company
    asked = company.submit(SetReceiptTolerance(over=500))
    company.approve(asked, "manager")
    inside, beyond = company.sent(40), company.sent(40)
    assert company.do(company.receipt(inside, 42), "warehouse")["held"] == 0
    assert company.row(purchase_orders, inside.po_id).total == money(420)
    result = company.do(company.receipt(beyond, 43), "warehouse")
    assert (result["accepted"], result["held"]) == (40, 3)
    assert company.do(company.receipt(inside, 1), "warehouse")["held"] == 1, "it does not grow on itself"
    own = SetReceiptTolerance(supplier_id=company.supplier, item_id=company.item, over=0)
    company.approve(company.submit(own), "manager")
    strict = company.sent(40)
    assert company.do(company.receipt(strict, 41), "warehouse")["held"] == 1


@pytest.mark.capability("S99")
def test_goods_held_on_an_order_that_is_closed_are_still_decided_about(sqlite_company: Company) -> None:
    company = sqlite_company
    order = company.sent(40)
    company.do(company.receipt(order, 45), "warehouse")
    company.do(ClosePurchaseOrder(po_id=order.po_id, reason_code="complete"))
    assert company.do(decide(order, "accept", 5))["accepted"] == 45
    assert company.row(purchase_orders, order.po_id).status == "closed"


@pytest.mark.capability("S98")
@pytest.mark.capability("S109")
@settings(
    max_examples=size(8, 100), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["receive", "reject", "accept", "return", "correct"]), st.integers(1, 60)),
        max_size=8,
    )
)
def test_received_is_accepted_and_held_and_rejected_whatever_happens(
    company: Company, steps: list[tuple[str, int]]
) -> None:
    stock_before, order = company.stock(company.item), company.sent(50)
    arrived = 0
    for what, units in steps:
        if what in ("receive", "reject"):
            company.do(company.receipt(order, units, rejected=units if what == "reject" else 0), "warehouse")
            arrived += units
        elif isinstance(company.submit(decide(order, what, units), "warehouse"), Executed):
            arrived -= units if what == "correct" else 0
        line = company.row(po_lines, order.line_ids[0])
        assert line.accepted_quantity + line.held_quantity + line.rejected_quantity == arrived
        stock = company.stock(company.item)
        for state, counted in (("available", line.accepted_quantity), ("received_held", line.held_quantity)):
            assert stock.get(state, 0) - stock_before.get(state, 0) == counted
        owed = company.read(lambda c: accruals(c, TODAY + timedelta(days=1)))
        assert sum(one.received for one in owed if one.po_id == order.po_id) == line.accepted_quantity
    assert company.read(lambda c: accruals(c, date(2026, 6, 29))) == []
