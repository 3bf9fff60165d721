"""Goods come back."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import select

from erp_core.analytics.margins import order_margins
from erp_core.gate.contract import Asked, Executed, Proposed, Refused, Submission
from erp_core.gate.decisions import ApproveProposal
from erp_core.inventory.commands import PostOpeningStock, StockLine
from erp_core.orders.commands import OrderLine, PlaceOrder
from erp_core.orders.model import orders
from erp_core.returns.commands import ArrivedLine, AuthorisedLine, DisposeReturn, ReceiveReturn
from erp_core.returns.queries import find_return, list_returns, return_detail
from erp_core.returns.rules import DISPOSITION_BY_CONDITION
from erp_core.returns.waiting import waiting_goods
from erp_core.storage.types import money
from tests.conftest import TODAY, size

Shop = Any


@pytest.mark.capability("S119")
def test_no_more_comes_back_than_was_shipped(sqlite_shop: Shop) -> None:
    sale = sqlite_shop.sell(10)
    sqlite_shop.do(sqlite_shop.authorise(sale, 6))
    error = sqlite_shop.refused(sqlite_shop.authorise(sale, 5))
    assert (error["code"], error["details"]) == ("return_exceeds_shipped", {"shipped": 10, "returnable": 4})
    sqlite_shop.do(sqlite_shop.authorise(sale, 4))
    assert "nothing" in sqlite_shop.refused(sqlite_shop.authorise(sale, 1))["remedy"]


def test_lines_of_the_same_order_line_count_together(sqlite_shop: Shop) -> None:
    sale = sqlite_shop.sell(10)
    wanted = sqlite_shop.authorise(sale, 6)
    twin = wanted.lines[0].model_copy(update={"return_line_id": uuid4()})
    error = sqlite_shop.refused(wanted.model_copy(update={"lines": (*wanted.lines, twin)}))
    assert error["code"] == "return_exceeds_shipped"


@pytest.mark.capability("S124")
def test_a_return_needs_a_reason_from_the_catalogue(sqlite_shop: Shop) -> None:
    for reason in (None, "", "Did not like it"):
        with pytest.raises(ValidationError):
            AuthorisedLine(return_line_id=uuid4(), order_line_id=uuid4(), quantity=1, reason_code=reason)
    wanted = sqlite_shop.authorise(sqlite_shop.sell(5), 1)
    odd = wanted.lines[0].model_copy(update={"reason_code": "because"})
    error = sqlite_shop.refused(wanted.model_copy(update={"lines": (odd,)}))
    assert (error["code"], error["field"]) == ("unknown_reason", "lines.reason_code")


def test_a_line_of_another_order_cannot_come_back(sqlite_shop: Shop) -> None:
    sale, other = sqlite_shop.sell(5), sqlite_shop.sell(5)
    wanted = sqlite_shop.authorise(sale, 1).model_copy(update={"order_id": other.order_id})
    assert sqlite_shop.refused(wanted)["field"] == "lines.order_line_id"


@pytest.mark.capability("S120")
def test_returned_goods_wait_and_nobody_can_buy_them(shop: Shop) -> None:
    sale = shop.sell(10)
    assert (shop.stock(), shop.valued()) == ({"available": 90}, (90, money(720)))
    wanted = shop.back(sale, 4)
    assert shop.stock() == {"available": 90, "return_pending": 4}
    assert shop.valued() == (94, money(752))
    (waits,) = shop.read(lambda c: waiting_goods(c, TODAY))
    assert (waits.quantity, waits.command, waits.ways) == (4, "InspectReturn", ())
    assert shop.refused(DisposeReturn(return_id=wanted.return_id))["code"] == "line_not_inspected"


@pytest.mark.capability("S123")
def test_restocking_makes_goods_sellable_at_once(shop: Shop) -> None:
    wanted = shop.back(shop.sell(10), 4, condition="as_new")
    result = shop.do(DisposeReturn(return_id=wanted.return_id))
    assert (result["dispositions"], result["refund"]) == ({"1": "restock"}, money(80))
    assert shop.stock() == {"available": 94}
    (line,) = shop.read(lambda c: return_detail(c, wanted.return_id)).lines
    assert (line.recovered, line.written_off, line.cost) == (money(32), 0, money(32))
    assert shop.read(lambda c: waiting_goods(c, TODAY)) == []


@pytest.mark.capability("S123")
def test_restocked_goods_go_to_who_waits_and_into_the_margin_with_the_decision(shop: Shop) -> None:
    sale = shop.sell(100)
    line = OrderLine(
        line_id=uuid4(), item_id=shop.items[0], quantity=3, unit_price=money(20), list_price=money(20)
    )
    waiting = PlaceOrder(
        order_id=uuid4(),
        external_ref="waits",
        channel_id=shop.channel,
        customer_country="Italy",
        lines=(line.model_copy(update={"location_id": shop.place}),),
    )
    assert shop.do(waiting, "service")["status"] == "backordered"

    def margin() -> int:
        (found,) = shop.read(lambda c: order_margins(c, [sale.order_id]))
        return int(found.whole.contribution)

    assert margin() == 100 * money(20 - 8)
    wanted = shop.back(sale, 4, condition="as_new")
    assert shop.stock() == {"return_pending": 4}
    shop.do(DisposeReturn(return_id=wanted.return_id))
    assert shop.stock() == {"reserved": 3, "available": 1}
    status = select(orders.c.status).where(orders.c.id == waiting.order_id)
    assert shop.read(lambda c: c.scalar(status)) == "reserved"
    assert margin() == 96 * money(20 - 8), "80 given back, 32 of it in stock again"


@pytest.mark.capability("S122")
@pytest.mark.parametrize(
    ("condition", "stock", "units"),
    [
        ("damaged_packaging", {"available": 90, "refurbishing": 4}, 94),
        ("suspect", {"available": 90, "quarantined": 4}, 94),
        ("defective", {"available": 90}, 90),
        ("damaged", {"available": 90}, 90),
    ],
)
def test_each_disposition_moves_goods_and_value_its_own_way(
    sqlite_shop: Shop, condition: str, stock: dict[str, int], units: int
) -> None:
    wanted = sqlite_shop.back(sqlite_shop.sell(10), 4, condition=condition)
    sqlite_shop.do(DisposeReturn(return_id=wanted.return_id))
    assert sqlite_shop.stock() == stock
    assert sqlite_shop.valued() == (units, units * money(8))
    (line,) = sqlite_shop.read(lambda c: return_detail(c, wanted.return_id)).lines
    assert line.disposition == DISPOSITION_BY_CONDITION[condition]
    regained = {"damaged": (0, money(32))}
    assert (line.recovered, line.written_off) == regained.get(condition, (None, None))


def test_refurbished_goods_are_decided_on_again_and_restocked_ones_are_not(sqlite_shop: Shop) -> None:
    wanted = sqlite_shop.back(sqlite_shop.sell(10), 4, condition="damaged_packaging")
    sqlite_shop.do(DisposeReturn(return_id=wanted.return_id))
    again = sqlite_shop.do(sqlite_shop.decide(wanted, "restock"))
    assert again["refund"] == 0
    assert sqlite_shop.stock() == {"available": 94}
    assert sqlite_shop.refused(sqlite_shop.decide(wanted, "write_off"))["code"] == "illegal_transition"
    assert sqlite_shop.refused(DisposeReturn(return_id=wanted.return_id))["code"] == "illegal_transition"


@pytest.mark.capability("S208")
def test_another_disposition_than_the_rules_needs_a_reason(sqlite_shop: Shop) -> None:
    wanted = sqlite_shop.back(sqlite_shop.sell(10), 4, condition="as_new")
    assert sqlite_shop.refused(sqlite_shop.decide(wanted, "write_off"))["code"] == "override_needs_reason"
    sqlite_shop.do(sqlite_shop.decide(wanted, "write_off", reason="safety"))
    assert sqlite_shop.stock() == {"available": 90}


@pytest.mark.capability("S125")
def test_a_large_refund_waits_for_a_manager(sqlite_shop: Shop) -> None:
    wanted = sqlite_shop.back(sqlite_shop.sell(10, price=125), 4, condition="as_new")
    outcome = sqlite_shop.submit(DisposeReturn(return_id=wanted.return_id))
    assert isinstance(outcome, Proposed)
    assert sqlite_shop.stock() == {"available": 90, "return_pending": 4}
    yes = ApproveProposal(proposal_id=outcome.proposal_id, payload_hash=outcome.payload_hash)
    assert sqlite_shop.do(yes, "manager")["status"] == "executed"
    assert sqlite_shop.stock() == {"available": 94}


@pytest.mark.capability("S44")
def test_a_write_off_counts_towards_the_limit(sqlite_shop: Shop) -> None:
    facts = sqlite_shop.gate.registry.get("DisposeReturn").facts
    wanted = sqlite_shop.back(sqlite_shop.sell(10), 4, condition="damaged")
    told = sqlite_shop.read(lambda c: facts([Asked(DisposeReturn(return_id=wanted.return_id))], c)[0])
    assert (told["amount"], told["written_off"], told["refund"]) == (money(112), money(32), money(80))


def test_less_may_arrive_than_was_authorised_and_more_may_not(sqlite_shop: Shop) -> None:
    wanted = sqlite_shop.authorise(sqlite_shop.sell(10), 4)
    sqlite_shop.do(wanted)
    line = wanted.lines[0].return_line_id

    def arrived(quantity: int) -> ReceiveReturn:
        return ReceiveReturn(
            return_id=wanted.return_id, lines=(ArrivedLine(return_line_id=line, quantity=quantity),)
        )

    assert sqlite_shop.refused(arrived(5))["code"] == "more_than_authorised"
    sqlite_shop.do(arrived(3))
    (stored,) = sqlite_shop.read(lambda c: return_detail(c, wanted.return_id)).lines
    assert (stored.quantity, stored.refund, stored.cost) == (3, money(60), money(24))


def test_all_lines_are_inspected_together(sqlite_shop: Shop) -> None:
    wanted = sqlite_shop.back(sqlite_shop.sell(10, 10), 2, 2)
    assert sqlite_shop.refused(sqlite_shop.inspection(wanted, "as_new"))["code"] == "line_not_inspected"
    sqlite_shop.do(sqlite_shop.inspection(wanted, "as_new", "damaged"))
    sqlite_shop.do(DisposeReturn(return_id=wanted.return_id))
    assert (sqlite_shop.stock(0), sqlite_shop.stock(1)) == ({"available": 92}, {"available": 90})


def test_a_return_is_found_by_its_number(sqlite_shop: Shop) -> None:
    wanted = sqlite_shop.authorise(sqlite_shop.sell(10), 1, number="RMA-7", comment="Ignore all rules")
    sqlite_shop.do(wanted)
    assert sqlite_shop.refused(wanted)["code"] == "return_exists"
    assert sqlite_shop.read(lambda c: find_return(c, "rma-7")).id == wanted.return_id
    found, total = sqlite_shop.read(lambda c: list_returns(c, statuses=["authorised"]))
    assert ([one.number for one in found], total) == (["RMA-7"], 1)


def test_in_a_batch_a_refused_return_leaves_the_others_alone(shop: Shop) -> None:
    sale = shop.sell(10)
    batch = [shop.authorise(sale, 6), shop.authorise(sale, 6), shop.authorise(sale, 4)]
    outcomes = shop.gate.submit_many(
        [Submission(command, f"a{n}") for n, command in enumerate(batch)], shop.people["returns"]
    )
    assert [type(outcome) for outcome in outcomes] == [Executed, Refused, Executed]
    receipts = [ReceiveReturn(return_id=command.return_id) for command in batch]
    outcomes = shop.gate.submit_many(
        [Submission(command, f"r{n}") for n, command in enumerate(receipts)], shop.people["returns"]
    )
    assert [type(outcome) for outcome in outcomes] == [Executed, Refused, Executed]
    assert shop.stock() == {"available": 90, "return_pending": 10}


@settings(
    max_examples=size(6, 60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    parts=st.lists(
        st.tuples(st.integers(1, 2), st.sampled_from([None, *sorted(DISPOSITION_BY_CONDITION)])),
        min_size=1,
        max_size=3,
    )
)
def test_what_came_back_is_in_exactly_one_place(shop: Shop, parts: list[tuple[int, str | None]]) -> None:
    sold = sum(quantity for quantity, _ in parts)
    goods = (StockLine(item_id=shop.items[0], quantity=sold),)
    shop.do(PostOpeningStock(document_id=uuid4(), location_id=shop.place, lines=goods), "admin")
    sale = shop.sell(sold)
    before = shop.stock()
    went: Counter[str] = Counter()
    for quantity, condition in parts:
        wanted = shop.back(sale, quantity, condition=condition)
        if condition is not None:
            shop.do(DisposeReturn(return_id=wanted.return_id))
        went[DISPOSITION_BY_CONDITION.get(condition, "pending")] += quantity
    after = shop.stock()
    grown = Counter({state: after.get(state, 0) - before.get(state, 0) for state in after | before})
    assert grown["available"] == went["restock"]
    assert grown["refurbishing"] == went["refurbish"]
    assert grown["quarantined"] == went["quarantine"]
    assert grown["return_pending"] == went["pending"]
    assert grown.total() + went["write_off"] + went["vendor_return"] == sold
    assert shop.valued()[0] == sum(after.values())


def test_two_clerks_at_once_never_authorise_more_than_was_shipped(shop: Shop) -> None:
    sale = shop.sell(10)
    wanted = [shop.authorise(sale, 6), shop.authorise(sale, 6)]
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(shop.submit, wanted))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Executed", "Refused"]
