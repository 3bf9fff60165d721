"""Money back: never more than was paid, in parts as in one, once, and beyond a limit not without a manager."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from erp_core.gate.contract import Asked, Executed, Proposed
from erp_core.inventory.queries import rebuild_differences
from erp_core.orders.commands import RegisterCustomer
from erp_core.orders.model import order_lines
from erp_core.returns.commands import DisposeReturn
from erp_core.returns.figures import whereabouts
from erp_core.returns.model import dispositions, return_lines, returns
from erp_core.returns.queries import return_detail
from erp_core.returns.rules import DISPOSITION_BY_CONDITION, DISPOSITION_STEPS
from erp_core.storage.engine import gate_writing
from erp_core.storage.types import money
from tests.conftest import size

Shop = Any


def customer(shop: Shop) -> Any:
    """A customer known by name."""
    id_ = uuid4()
    shop.do(
        RegisterCustomer(customer_id=id_, code=f"C-{id_.hex[:8]}", country="Italy", customer_name="Ada"),
        "service",
    )
    return id_


def facts(shop: Shop, wanted: Any) -> dict[str, Any]:
    """What policy is told of the disposition by rule."""
    told = shop.gate.registry.get("DisposeReturn").facts
    asked = Asked(DisposeReturn(return_id=wanted.return_id), occurred_at=shop.gate.clock.business_now())
    return dict(shop.read(lambda c: told([asked], c)[0]))


@pytest.mark.capability("S112", "S125")
def test_a_refund_split_over_returns_of_one_order_meets_the_limit_as_a_whole(counter: Shop) -> None:
    sale = counter.sell(10, price=100)
    for part in (2, 2):
        wanted = counter.back(sale, part, condition="as_new")
        counter.do(DisposeReturn(return_id=wanted.return_id))
    last = counter.back(sale, 1, condition="as_new")
    told = facts(counter, last)
    assert (told["amount"], told["cumulative_amount"]) == (money(100), money(500))
    held = counter.proposed(DisposeReturn(return_id=last.return_id))
    assert held.policy == "return disposition from 500"
    assert counter.stock()["return_pending"] == 1
    counter.approve(held)
    after = counter.back(sale, 1, condition="as_new")
    assert facts(counter, after)["cumulative_amount"] == money(500)


@pytest.mark.capability("S125")
def test_a_refund_split_over_orders_of_one_customer_meets_the_limit_as_a_whole(counter: Shop) -> None:
    ada = customer(counter)
    first, second = (counter.sell(4, price=100, customer_id=ada) for _ in range(2))
    stranger = counter.sell(4, price=100)
    wanted = counter.back(first, 3, condition="as_new")
    counter.do(DisposeReturn(return_id=wanted.return_id))
    other = counter.back(second, 2, condition="as_new")
    assert facts(counter, other)["cumulative_amount"] == money(500)
    assert isinstance(counter.submit(DisposeReturn(return_id=other.return_id)), Proposed)
    of_stranger = counter.back(stranger, 4, condition="as_new")
    assert isinstance(counter.submit(DisposeReturn(return_id=of_stranger.return_id)), Executed)


@pytest.mark.capability("S125")
def test_returns_at_the_same_moment_count_together(counter: Shop) -> None:
    sale = counter.sell(10, price=100)
    wanted = [counter.back(sale, 3, condition="as_new") for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        outcomes = list(pool.map(lambda one: counter.submit(DisposeReturn(return_id=one.return_id)), wanted))
    assert Counter(type(one) for one in outcomes) == {Executed: 1, Proposed: 2}


@pytest.mark.capability("S112", "S125")
def test_the_limit_is_met_on_both_sides_of_its_bound(counter: Shop) -> None:
    for refund, runs in ((money(500) - 1, True), (money(500), False)):
        wanted = counter.authorise(counter.sell(1, price=600), 1)
        line = wanted.lines[0].model_copy(update={"refund": refund})
        wanted = wanted.model_copy(update={"lines": (line,)})
        counter.do(wanted)
        counter.receive(wanted)
        counter.do(counter.inspection(wanted, "as_new"))
        outcome = counter.submit(DisposeReturn(return_id=wanted.return_id))
        assert isinstance(outcome, Executed) == runs


@pytest.mark.capability("S125")
def test_no_more_is_given_back_than_was_paid_however_it_is_asked_for(counter: Shop) -> None:
    sale = counter.sell(4, price=20)

    def asking(quantity: int, refund: int) -> Any:
        wanted = counter.authorise(sale, quantity)
        line = wanted.lines[0].model_copy(update={"refund": refund})
        return wanted.model_copy(update={"lines": (line,)})

    error = counter.refused(asking(1, money(81)))
    assert (error["code"], error["details"]) == (
        "refund_exceeds_paid",
        {"paid": money(80), "refundable": money(80)},
    )
    counter.do(asking(1, money(70)))
    assert counter.refused(asking(1, money(11)))["details"]["refundable"] == money(10)
    counter.do(asking(1, money(10)))
    rest = counter.authorise(sale, 2)
    counter.do(rest)
    assert counter.read(lambda c: return_detail(c, rest.return_id)).lines[0].refund == 0
    twins = counter.authorise(counter.sell(2, price=20), 1)
    line = twins.lines[0].model_copy(update={"refund": money(30)})
    both = (line, line.model_copy(update={"return_line_id": uuid4()}))
    assert counter.refused(twins.model_copy(update={"lines": both}))["code"] == "refund_exceeds_paid"


def test_the_database_itself_refuses_a_second_refund_of_a_line(counter: Shop) -> None:
    wanted = counter.back(counter.sell(4), 2, condition="as_new")
    counter.do(DisposeReturn(return_id=wanted.return_id))
    (first,) = counter.read(
        lambda c: c.execute(select(dispositions).where(dispositions.c.return_id == wanted.return_id)).all()
    )
    assert (first.refund, first.against_rule) == (money(40), False)
    again = first._asdict() | {"id": uuid4()}
    with pytest.raises(IntegrityError), gate_writing(counter.gate.engine) as connection:
        connection.execute(insert(dispositions), again)


_WAYS = st.sampled_from([None, *sorted(DISPOSITION_BY_CONDITION)])
_AGAIN = st.sampled_from([None, "restock", "write_off", "vendor_return"])


@pytest.mark.capability("S122", "S125")
@settings(
    max_examples=size(6, 60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(parts=st.lists(st.tuples(st.integers(1, 3), _WAYS, _AGAIN), min_size=1, max_size=4))
def test_every_unit_that_came_back_is_in_one_place_and_no_money_is_paid_twice(
    counter: Shop, parts: list[tuple[int, str | None, str | None]]
) -> None:
    counter.items = (uuid4(), uuid4())
    counter.stock_up()
    sale = counter.sell(sum(quantity for quantity, _, _ in parts), price=20)
    asked = 0
    for quantity, condition, then in parts:
        wanted = counter.back(sale, quantity, condition=condition)
        if condition is None:
            continue
        asked += counter.do(DisposeReturn(return_id=wanted.return_id))["refund"]
        if then in DISPOSITION_STEPS[DISPOSITION_BY_CONDITION[condition]]:
            asked += counter.do(counter.decide(wanted, then))["refund"]
    seen = counter.read(lambda c: whereabouts(c, counter.items[0]))
    parts_of = (
        seen.pending,
        seen.restocked,
        seen.refurbishing,
        seen.quarantined,
        seen.to_vendor,
        seen.written_off,
    )
    assert seen.returned == sum(parts_of) == sum(quantity for quantity, _, _ in parts)
    stock = Counter(counter.stock())
    assert stock["return_pending"] == seen.pending
    assert stock["refurbishing"] == seen.refurbishing
    assert stock["quarantined"] == seen.quarantined
    assert stock["available"] == 100 - seen.returned + seen.restocked
    assert counter.valued() == (stock.total(), stock.total() * money(8))
    assert counter.read(rebuild_differences) == []
    paid = select(func.sum(order_lines.c.shipped_quantity * order_lines.c.unit_price)).where(
        order_lines.c.order_id == sale.order_id
    )
    given_back = (
        select(func.sum(dispositions.c.refund))
        .join(returns, returns.c.id == dispositions.c.return_id)
        .where(returns.c.order_id == sale.order_id)
    )
    decided = (
        select(func.sum(return_lines.c.refund))
        .join(returns, returns.c.id == return_lines.c.return_id)
        .where(returns.c.order_id == sale.order_id, return_lines.c.disposition.is_not(None))
    )
    refunded = int(counter.read(lambda c: c.scalar(given_back)) or 0)
    assert refunded == asked == int(counter.read(lambda c: c.scalar(decided)) or 0)
    assert refunded <= int(counter.read(lambda c: c.scalar(paid)))
