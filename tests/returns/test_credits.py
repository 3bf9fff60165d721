"""Money back without a return: somebody else agrees, parts count as the whole, and never more than was paid."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from erp_core.gate.contract import Executed, Proposed
from erp_core.gate.decisions import ApproveProposal
from erp_core.gate.model import outbox
from erp_core.returns.commands import CreditOrder, ReceiveReturn, ReverseReturnReceipt
from erp_core.returns.commands.wishes import ArrivedLine
from erp_core.returns.model_credits import customer_credit_lines
from erp_core.returns.queries import list_customer_credits, return_detail
from erp_core.returns.rules.credits import shared
from erp_core.storage.engine import gate_writing
from erp_core.storage.types import money
from tests.returns.test_refunds import customer

Shop = Any


def credit(sale: Any, amount: int, **fields: Any) -> CreditOrder:
    """A credit of an order, for goodwill."""
    return CreditOrder(
        **{"credit_id": uuid4(), "order_id": sale.order_id, "amount": money(amount)}
        | {"reason_code": "goodwill"}
        | fields
    )


def decide(shop: Shop, held: Proposed, role: str) -> Any:
    """What comes of an approval."""
    yes = ApproveProposal(proposal_id=held.proposal_id, payload_hash=held.payload_hash)
    return shop.submit(yes, role)


def credited(shop: Shop, sale: Any) -> list[int]:
    """The amounts credited to an order."""
    found = shop.read(lambda c: list_customer_credits(c, order_id=sale.order_id))
    return sorted(one.amount for one in found)


@pytest.mark.capability("S112")
def test_a_credit_waits_for_a_manager_who_did_not_ask_for_it(counter: Shop) -> None:
    sale = counter.sell(4, 1, price=20)
    wanted = credit(sale, 10, reason_code="late_delivery", comment="A week late")
    held = counter.proposed(wanted, "service")
    assert (held.policy, credited(counter, sale)) == ("credit to a customer under 500", [])
    for role in ("service", "returns", "finance"):
        assert not isinstance(decide(counter, held, role), Executed)
    both = counter.gate.bootstrap_user(f"both-{uuid4().hex[:6]}", roles=("manager", "returns"))
    counter = replace(counter, people=counter.people | {"both": both})
    own = counter.proposed(credit(sale, 1), "both")
    assert decide(counter, own, "both").error.code == "own_proposal"
    assert credited(counter, sale) == []
    counter.approve(held)
    (known,) = counter.read(lambda c: list_customer_credits(c, order_id=sale.order_id))
    assert (known.id, known.amount, known.reason) == (wanted.credit_id, money(10), "late_delivery")
    told = select(outbox.c.data).where(outbox.c.kind == "OrderCredited", outbox.c.aggregate_id == known.id)
    (event,) = counter.read(lambda c: c.scalars(told).all())
    assert event["lines"] == {"1": money(8), "2": money(2)}


@pytest.mark.capability("S112")
def test_credits_in_parts_meet_the_limit_as_a_whole_also_where_all_were_asked_for_at_once(
    counter: Shop,
) -> None:
    ada = customer(counter)
    first, second = (counter.sell(4, price=100, customer_id=ada) for _ in range(2))
    waiting = [counter.proposed(credit(sale, 200)) for sale in (first, second, second)]
    assert {held.policy for held in waiting} == {"credit to a customer under 500"}
    for held in waiting[:2]:
        counter.approve(held)
    late = decide(counter, waiting[2], "manager").result
    assert (late["status"], late["failed"]["code"]) == ("pending", "policy_changed")
    held = counter.proposed(credit(second, 100))
    assert held.policy == "credit to a customer from 500"
    assert decide(counter, held, "manager").result["status"] == "pending"
    assert credited(counter, second) == [money(200)]
    assert decide(counter, held, "finance").result["status"] == "executed"
    assert credited(counter, second) == [money(100), money(200)]


@pytest.mark.capability("S112")
def test_returns_and_credits_together_give_back_no_more_than_was_paid(counter: Shop) -> None:
    sale = counter.sell(4, 1, price=20)
    mugs, other = sale.line_ids

    def why(wanted: CreditOrder) -> tuple[str, str]:
        error = counter.refused(wanted)
        return error["code"], error["field"]

    assert counter.refused(credit(sale, 101))["details"] == {"paid": money(100), "refundable": money(100)}
    assert why(credit(sale, 21, order_line_id=other)) == ("refund_exceeds_paid", "amount")
    counter.back(sale, 3, condition="as_new")
    assert counter.refused(credit(sale, 21, order_line_id=mugs))["details"]["refundable"] == money(20)
    counter.approve(counter.proposed(credit(sale, 15, order_line_id=mugs)))
    rest = counter.authorise(sale, 1)
    counter.do(rest)
    assert counter.read(lambda c: return_detail(c, rest.return_id)).lines[0].refund == money(5)
    assert counter.refused(credit(sale, 21))["details"] == {"paid": money(100), "refundable": money(20)}
    counter.approve(counter.proposed(credit(sale, 20)))
    assert why(credit(sale, 1)) == ("refund_exceeds_paid", "amount")
    assert why(credit(sale, 1, order_line_id=uuid4())) == ("not_found", "order_line_id")
    assert why(credit(sale, 1, order_id=uuid4())) == ("not_found", "order_id")
    unshipped = counter.sell(1, price=20)
    again = credit(unshipped, 1)
    counter.approve(counter.proposed(again))
    twice = decide(counter, counter.proposed(again), "manager")
    assert "credit_exists" in str(twice)
    no_reason = decide(counter, counter.proposed(credit(unshipped, 1, reason_code="because")), "manager")
    assert "reason" in str(no_reason) and credited(counter, unshipped) == [money(1)]


@pytest.mark.capability("S112")
def test_a_receipt_that_is_taken_back_gives_no_money_back_that_was_credited_meanwhile(counter: Shop) -> None:
    sale = counter.sell(4, price=20)
    wanted = counter.authorise(sale, 4)
    counter.do(wanted)
    part = ArrivedLine(return_line_id=wanted.lines[0].return_line_id, quantity=1)
    counter.do(ReceiveReturn(return_id=wanted.return_id, lines=(part,)))
    counter.approve(counter.proposed(credit(sale, 50)))
    counter.do(ReverseReturnReceipt(return_id=wanted.return_id, reason_code="wrong_goods"))
    (line,) = counter.read(lambda c: return_detail(c, wanted.return_id)).lines
    assert (line.quantity, line.refund) == (4, money(30))


@pytest.mark.capability("S112")
def test_credits_at_the_same_moment_and_rows_past_the_gate_give_no_money_back_twice(counter: Shop) -> None:
    sale = counter.sell(4, price=20)
    waiting = [counter.proposed(credit(sale, 60)) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        ended = list(pool.map(lambda held: decide(counter, held, "manager"), waiting))
    done = Counter(isinstance(one, Executed) and one.result.get("status") == "executed" for one in ended)
    assert done[True] == 1 and credited(counter, sale) == [money(60)]
    (row,) = counter.read(
        lambda c: c.execute(
            select(customer_credit_lines).where(customer_credit_lines.c.order_line_id == sale.line_ids[0])
        ).all()
    )
    second = row._asdict() | {"line_no": 2, "amount": money(10)}
    for wrong in (second, second | {"credited_before": money(60), "amount": money(21)}):
        with pytest.raises(IntegrityError), gate_writing(counter.gate.engine) as connection:
            connection.execute(insert(customer_credit_lines), wrong)


@given(left=st.lists(st.integers(0, 10**6), max_size=6), data=st.data())
def test_a_credit_is_shared_whole_and_no_line_gives_more_than_it_has_left(
    left: list[int], data: st.DataObject
) -> None:
    amount = data.draw(st.integers(0, sum(left)))
    parts = shared(amount, left)
    assert sum(parts) == amount and len(parts) == len(left)
    assert all(0 <= part <= most for part, most in zip(parts, left, strict=True))
    with pytest.raises(ValueError, match="left"):
        shared(sum(left) + 1, left)
