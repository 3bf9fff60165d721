"""Returns that nobody sends, and receipts of returns that are taken back."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from erp_core.finance.queries import valuation_differences
from erp_core.inventory.queries import rebuild_differences
from erp_core.returns.commands import (
    ArrivedLine,
    CancelReturn,
    DisposeReturn,
    EndUnusedReturns,
    ReceiveReturn,
    ReverseReturnReceipt,
)
from erp_core.returns.commands.ending import unused_returns
from erp_core.returns.figures import whereabouts
from erp_core.returns.queries import return_detail
from erp_core.storage.types import money
from tests.conftest import TODAY

Shop = Any


def cancelled(wanted: Any) -> CancelReturn:
    return CancelReturn(return_id=wanted.return_id, reason_code="customer_keeps")


def taken_back(wanted: Any) -> ReverseReturnReceipt:
    return ReverseReturnReceipt(return_id=wanted.return_id, reason_code="counted_wrongly")


@pytest.mark.capability("S119")
def test_a_cancelled_authorisation_counts_no_more_and_cannot_be_received(shop: Shop) -> None:
    sale = shop.sell(10)
    wanted = shop.authorise(sale, 10)
    shop.do(wanted)
    assert shop.refused(shop.authorise(sale, 1))["code"] == "return_exceeds_shipped"
    assert shop.do(cancelled(wanted))["status"] == "cancelled"
    assert shop.refused(ReceiveReturn(return_id=wanted.return_id))["code"] == "illegal_transition"
    assert shop.refused(cancelled(wanted))["code"] == "illegal_transition"
    again = shop.authorise(sale, 10)
    shop.do(again)
    shop.receive(again)
    assert shop.refused(cancelled(again))["code"] == "illegal_transition", "the goods are here"
    assert shop.read(whereabouts).returned == 10


@pytest.mark.capability("S119")
def test_what_nobody_sends_expires_after_its_days_and_not_a_day_before(shop: Shop) -> None:
    wanted = shop.authorise(shop.sell(5), 5)
    shop.do(wanted)
    last = TODAY + timedelta(days=45)
    assert shop.read(lambda c: unused_returns(c, last)) == []
    assert shop.read(lambda c: unused_returns(c, last + timedelta(days=1))) == [wanted.return_id]
    people = shop.people
    people["jobs"] = shop.gate.bootstrap_user("jobs", roles=("jobs",), kind="service")
    people["past"] = shop.gate.bootstrap_user("then", roles=("returns", "simulator"), kind="service")
    late = datetime.combine(TODAY - timedelta(days=60), time(12), UTC)
    old = shop.authorise(shop.sell(5, occurred_at=late), 5).model_copy(update={"occurred_at": late})
    shop.do(old, "past")
    assert shop.do(EndUnusedReturns(), "jobs") == {"expired": 1}
    assert shop.do(EndUnusedReturns(), "jobs") == {"expired": 0}
    assert shop.read(lambda c: return_detail(c, old.return_id)).header.status == "expired"
    assert shop.read(lambda c: return_detail(c, wanted.return_id)).header.status == "authorised"


@pytest.mark.capability("S120")
def test_a_receipt_that_is_taken_back_gives_stock_and_cost_back_and_what_was_authorised_holds(
    shop: Shop,
) -> None:
    sale = shop.sell(10)
    before = (shop.stock(), shop.valued())
    wanted = shop.authorise(sale, 4)
    shop.do(wanted)
    arrived = ArrivedLine(return_line_id=wanted.lines[0].return_line_id, quantity=3)
    shop.do(ReceiveReturn(return_id=wanted.return_id, lines=(arrived,)))
    shop.do(shop.inspection(wanted, "as_new"))
    assert shop.do(taken_back(wanted))["units"] == 3
    assert (shop.stock(), shop.valued()) == before
    (line,) = shop.read(lambda c: return_detail(c, wanted.return_id)).lines
    assert (line.quantity, line.refund, line.condition) == (4, money(80), None)
    assert shop.refused(DisposeReturn(return_id=wanted.return_id))["code"] == "line_not_inspected"
    shop.receive(wanted)
    assert shop.stock()["return_pending"] == 4
    assert shop.read(rebuild_differences) == [] and shop.read(valuation_differences) == []


@pytest.mark.capability("S120")
def test_a_receipt_of_which_something_was_disposed_stays(sqlite_shop: Shop) -> None:
    wanted = sqlite_shop.back(sqlite_shop.sell(10), 4, condition="as_new")
    sqlite_shop.do(DisposeReturn(return_id=wanted.return_id))
    assert sqlite_shop.refused(taken_back(wanted))["code"] == "illegal_transition"
    assert sqlite_shop.stock() == {"available": 94}
