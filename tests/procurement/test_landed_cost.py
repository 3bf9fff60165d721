"""Freight and duty on goods that were received: shared exactly, on what is there and on what was sold."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from erp_core.analytics.query import MetricQuery
from erp_core.analytics.run import run
from erp_core.finance.queries import valuation, valuation_differences
from erp_core.finance.rules import shares
from erp_core.gate.contract import Proposed
from erp_core.inventory.commands import AdjustStock
from erp_core.master.commands import CreateChannel
from erp_core.orders.commands import OrderLine, PlaceOrder
from erp_core.orders.model import late_costs
from erp_core.procurement.commands import RecordLandedCost, ReverseLandedCost
from erp_core.procurement.commands.landed_reversal import taken_back
from erp_core.procurement.model.landed import landed_reversals, landed_shares
from erp_core.returns.commands import (
    AuthorisedLine,
    AuthoriseReturn,
    DisposeReturn,
    InspectedLine,
    InspectReturn,
    ReceiveReturn,
)
from erp_core.storage.types import money
from tests.procurement.conftest import TODAY, Company, Order


def charge(order: Order, amount: int, component: str = "handling") -> RecordLandedCost:
    return RecordLandedCost(charge_id=uuid4(), po_id=order.po_id, component=component, amount=amount)


def sell(company: Company, item_id: UUID, units: int) -> PlaceOrder:
    """Over the counter, at 30.00 a piece."""
    service = company.gate.bootstrap_user(f"service-{uuid4().hex[:6]}", roles=("service",))
    channel = uuid4()
    web = CreateChannel(channel_id=channel, code=f"WEB-{channel.hex[:6]}", channel_name="Web", kind="web")
    company.do(web, "admin")
    line = OrderLine(
        line_id=uuid4(),
        item_id=item_id,
        quantity=units,
        unit_price=money(30),
        list_price=money(30),
        location_id=company.warehouse,
    )
    order = PlaceOrder(
        order_id=uuid4(),
        external_ref=uuid4().hex,
        channel_id=channel,
        customer_country="DE",
        lines=(line,),
        ship_now=True,
    )
    seller = replace(company, people=company.people | {"service": service})
    seller.do(order, "service")
    return order


def worth(company: Company, item_id: UUID) -> int:
    return company.read(lambda c: {one.item_id: one.value for one in valuation(c)}).get(item_id, 0)


def margin(company: Company) -> object:
    query = MetricQuery(metrics=("gross_margin",), period="today")
    now = datetime(2026, 6, 30, 12, tzinfo=UTC)
    rights = frozenset({"see_cost", "read_metrics"})
    result = company.read(lambda c: run(c, query, rights=rights, today=TODAY, computed_at=now))
    return result.rows[0][0]


@pytest.mark.capability("S48")
def test_a_late_charge_raises_the_value_of_what_is_there_and_lowers_the_margin_of_what_was_sold(
    company: Company,
) -> None:
    order = company.sent(20)
    company.do(company.receipt(order, 20), "warehouse")
    assert worth(company, company.item) == 20 * money(10)
    sell(company, company.item, 5)
    before = margin(company)
    told = company.do(charge(order, money(40)), "finance")
    assert (told["to_stock"], told["to_sold"], told["to_other"]) == (money(30), money(10), 0)
    assert worth(company, company.item) == 15 * money(12)
    assert float(str(before)) - float(str(margin(company))) == pytest.approx(10)
    sell(company, company.item, 15)
    assert worth(company, company.item) == 0
    assert company.read(valuation_differences) == []


@pytest.mark.capability("S48")
def test_a_charge_is_shared_among_what_was_received_net_of_what_went_back_and_of_losses(
    company: Company,
) -> None:
    order = company.sent(20, 30)
    receipt = company.receipt(order, 20, 10)
    company.do(receipt, "warehouse")
    lost = AdjustStock(
        adjustment_id=uuid4(),
        item_id=company.item,
        location_id=company.warehouse,
        quantity=-5,
        reason_code="counted",
    )
    company.do(lost, "warehouse")
    told = company.do(charge(order, money(30) + 1), "finance")
    assert told["to_stock"] + told["to_sold"] + told["to_other"] == money(30) + 1
    assert told["to_other"] == money(5)
    rows = company.read(lambda c: c.execute(select(landed_shares)).all())
    assert sum(row.units for row in rows) == 30
    second = company.receipt(order, 0 + 1, 20)
    lines = second.lines[1:]
    company.do(second.model_copy(update={"lines": lines}), "warehouse")
    later = company.do(charge(order, money(50)), "finance")
    assert later["to_stock"] == money(45)
    assert company.read(valuation_differences) == []


@pytest.mark.capability("S48")
def test_goods_that_went_back_to_the_supplier_carry_no_part_of_a_later_charge(company: Company) -> None:
    order = company.sent(20)
    company.do(company.receipt(order, 20), "warehouse")
    sale = sell(company, company.item, 4)
    clerk = company.gate.bootstrap_user("clerk", roles=("simulator",), kind="service")
    desk = replace(company, people={"clerk": clerk})
    line = AuthorisedLine(
        return_line_id=uuid4(), order_line_id=sale.lines[0].line_id, quantity=4, reason_code="changed_mind"
    )
    back = AuthoriseReturn(return_id=uuid4(), order_id=sale.order_id, lines=(line,))
    desk.do(back, "clerk")
    desk.do(ReceiveReturn(return_id=back.return_id), "clerk")
    found = InspectedLine(return_line_id=line.return_line_id, condition="defective")
    desk.do(InspectReturn(return_id=back.return_id, lines=(found,)), "clerk")
    desk.do(DisposeReturn(return_id=back.return_id), "clerk")
    told = company.do(charge(order, money(16)), "finance")
    assert (told["to_stock"], told["to_sold"], told["to_other"]) == (money(16), 0, 0)
    assert worth(company, company.item) == 16 * money(11)
    (row,) = company.read(lambda c: c.execute(select(landed_shares)).all())
    assert row.units == 16


@pytest.mark.capability("S48")
def test_a_charge_that_nothing_can_carry_is_refused_and_a_large_one_asks_a_manager(company: Company) -> None:
    order = company.sent(20)
    assert company.refused(charge(order, money(1)), "finance")["code"] == "nothing_received"
    company.do(company.receipt(order, 20), "warehouse")
    assert company.refused(charge(order, money(1), "weather"), "finance")["code"] == "not_found"
    assert company.refused(charge(order, money(1), "freight"), "finance")["code"] == "basis_unknown"
    once = charge(order, money(1))
    company.do(once, "finance")
    assert company.refused(once, "finance")["code"] == "already_exists"
    outcome = company.submit(charge(order, money(2_500)), "finance")
    assert isinstance(outcome, Proposed)
    assert worth(company, company.item) == 20 * money(10) + money(1)
    company.approve(outcome, "manager")
    assert worth(company, company.item) == 20 * money(10) + money(2_501)
    assert company.read(lambda c: c.scalar(select(func.count()).select_from(late_costs))) == 0


@pytest.mark.capability("S48")
@given(amount=st.integers(-(10**9), 10**9), weights=st.lists(st.integers(0, 10**6), min_size=1, max_size=8))
def test_the_parts_of_a_shared_amount_add_up_to_it(amount: int, weights: list[int]) -> None:
    assert sum(shares(amount, weights)) == amount


def take_back(company: Company, wrong: RecordLandedCost) -> dict[str, Any]:
    command = ReverseLandedCost(charge_id=wrong.charge_id, reversal_id=uuid4(), reason_code="charged_twice")
    outcome = company.submit(command, "finance")
    assert isinstance(outcome, Proposed)
    decided = company.approve(outcome, "manager")
    return dict(decided)


@pytest.mark.capability("S48")
def test_a_landed_cost_is_taken_back_part_by_part_and_only_once(company: Company) -> None:
    order = company.sent(20)
    company.do(company.receipt(order, 20), "warehouse")
    sell(company, company.item, 5)
    before = margin(company)
    wrong = charge(order, money(40))
    company.do(wrong, "finance")
    sell(company, company.item, 5)
    assert worth(company, company.item) == 10 * money(12)
    assert take_back(company, wrong)["status"] == "executed"
    assert worth(company, company.item) == 10 * money(10)
    (row,) = company.read(lambda c: c.execute(select(landed_reversals)).all())
    assert (row.to_stock, row.to_sold, row.to_other) == (money(20), money(20), 0)
    assert company.read(lambda c: c.scalar(select(func.sum(late_costs.c.amount)))) == -money(10)
    assert float(str(margin(company))) == pytest.approx(float(str(before)) + 100), (
        "as if it had never been charged"
    )
    assert take_back(company, wrong)["failed"]["code"] == "already_reversed"
    nothing = ReverseLandedCost(charge_id=uuid4(), reversal_id=uuid4(), reason_code="credited")
    assert company.refused(nothing, "finance")["code"] == "not_found"
    assert company.read(valuation_differences) == []


@pytest.mark.capability("S48")
def test_a_charge_of_one_receipt_is_carried_by_what_came_with_it(company: Company) -> None:
    order = company.sent(20, 30)
    first, second = company.receipt(order, 20, 10), company.receipt(order, 1, 20)
    company.do(first, "warehouse")
    company.do(second.model_copy(update={"lines": second.lines[1:]}), "warehouse")
    company.do(charge(order, money(30)).model_copy(update={"receipt_id": first.receipt_id}), "finance")
    rows = company.read(lambda c: c.execute(select(landed_shares)).all())
    assert sorted(row.units for row in rows) == [10, 20]
    strange = charge(order, money(30)).model_copy(update={"receipt_id": uuid4()})
    assert company.refused(strange, "finance")["field"] == "receipt_id"
    other = company.sent(20)
    company.do(company.receipt(other, 20), "warehouse")
    elsewhere = charge(other, money(1)).model_copy(update={"receipt_id": first.receipt_id})
    assert company.refused(elsewhere, "finance")["code"] == "nothing_received"


@pytest.mark.capability("S48")
@given(
    units=st.integers(1, 500),
    whole=st.integers(1, 10**7),
    share=st.floats(0, 1),
    left=st.integers(0, 600),
    value=st.integers(0, 10**8),
)
def test_what_raised_the_value_of_stock_is_taken_back_exactly_and_never_more_than_it_is_worth(
    units: int, whole: int, share: float, left: int, value: int
) -> None:
    there = int(units * share)
    to_stock = whole * there // units
    back = taken_back(units, to_stock, whole, left, value)
    assert back.from_stock + back.for_gone == to_stock
    assert 0 <= back.from_stock <= min(value, to_stock) and 0 <= back.gone_units <= there
