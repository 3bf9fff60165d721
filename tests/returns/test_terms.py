"""What may come back, for how long, and where inspection sends it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from erp_core.master.commands import CreateChannel
from erp_core.returns.commands import (
    DisposeReturn,
    InspectedLine,
    InspectReturn,
    SetReturnTerms,
)
from erp_core.returns.queries import list_return_terms, return_detail
from erp_core.returns.rules import (
    DEFAULT_TERMS,
    DISPOSITION_BY_CONDITION,
    Found,
    ReturnTerms,
    disposition_for,
    terms_for,
)
from erp_core.storage.types import money
from tests.conftest import TODAY

Shop = Any
NOW = datetime(TODAY.year, TODAY.month, TODAY.day, 9, tzinfo=UTC)


def days_ago(days: int) -> datetime:
    return NOW - timedelta(days=days)


def terms(shop: Shop, **fields: Any) -> SetReturnTerms:
    """Set terms with the manager's approval."""
    command = SetReturnTerms(terms_id=uuid4(), **{"window_days": 60, **fields})
    shop.approve(shop.proposed(command, "admin"))
    return command


@pytest.mark.capability("S119")
def test_goods_come_back_on_the_last_day_of_the_window_and_not_the_day_after(counter: Shop) -> None:
    in_time, late = (counter.sell(4, occurred_at=days_ago(days)) for days in (60, 61))
    counter.do(counter.authorise(in_time, 1))
    error = counter.refused(counter.authorise(late, 1))
    assert (error["code"], error["details"]["window_days"]) == ("outside_return_window", 60)
    faulty = counter.authorise(late, 1)
    lines = (faulty.lines[0].model_copy(update={"reason_code": "defective"}),)
    counter.do(faulty.model_copy(update={"lines": lines}))


@pytest.mark.capability("S119")
def test_against_the_terms_a_manager_decides_and_the_reason_is_kept(counter: Shop) -> None:
    late = counter.sell(4, occurred_at=days_ago(200))
    wanted = counter.authorise(late, 1, override_reason="goodwill")
    held = counter.proposed(wanted)
    assert held.policy == "return against the terms"
    assert counter.read(lambda c: return_detail(c, wanted.return_id)) is None
    counter.approve(held)
    assert counter.read(lambda c: return_detail(c, wanted.return_id)).header.override_reason == "goodwill"
    odd = counter.authorise(late, 1, override_reason="because")
    assert counter.submit(odd).proposal_id
    with pytest.raises(AssertionError, match="no reason of kind"):
        counter.approve(counter.proposed(odd))


@pytest.mark.capability("S119")
def test_more_than_was_shipped_needs_an_override_and_gives_no_more_money_than_was_paid(counter: Shop) -> None:
    sale = counter.sell(4)
    assert counter.refused(counter.authorise(sale, 5))["code"] == "return_exceeds_shipped"
    wanted = counter.authorise(sale, 5, override_reason="sent_too_much")
    counter.approve(counter.proposed(wanted))
    (line,) = counter.read(lambda c: return_detail(c, wanted.return_id)).lines
    assert (line.quantity, line.refund) == (5, money(80))
    more = counter.authorise(sale, 1, override_reason="sent_too_much")
    counter.approve(counter.proposed(more))
    assert counter.read(lambda c: return_detail(c, more.return_id)).lines[0].refund == 0


@pytest.mark.capability("S119")
def test_terms_are_policy_by_channel_and_category_and_the_most_precise_hold(counter: Shop) -> None:
    outlet = uuid4()
    counter.set_up(
        CreateChannel(channel_id=outlet, code=f"OUT-{outlet.hex[:6]}", channel_name="Outlet", kind="store")
    )
    counter.channel, everywhere = outlet, counter.channel
    general = terms(counter, channel_id=outlet, window_days=10, reasons=("size_or_fit",))
    sale = counter.sell(4, 4, occurred_at=days_ago(8))
    error = counter.refused(counter.authorise(sale, 1))
    assert (error["code"], error["details"]["accepted"]) == ("return_reason_not_accepted", ["size_or_fit"])
    narrow = terms(counter, channel_id=outlet, category="Kitchen", window_days=5)
    assert counter.refused(counter.authorise(sale, 1))["details"]["window_days"] == 5
    again = SetReturnTerms(terms_id=uuid4(), channel_id=outlet, category="Kitchen", window_days=9)
    with pytest.raises(AssertionError, match="other terms hold"):
        counter.approve(counter.proposed(again, "admin"))
    for one in (general, narrow):
        gone = one.model_copy(update={"active": False})
        counter.approve(counter.proposed(gone, "admin"))
    assert counter.read(list_return_terms) == ()
    counter.do(counter.authorise(sale, 1))
    counter.channel = everywhere


def test_the_most_precise_terms_win_and_nothing_set_is_the_default() -> None:
    channel, other = uuid4(), uuid4()
    every, of_channel, of_category, both = (
        ReturnTerms(where, what, days, 730, None, "always")
        for where, what, days in (
            (None, None, 1),
            (channel, None, 2),
            (None, "Food", 3),
            (channel, "Food", 4),
        )
    )
    known = [both, of_category, of_channel, every]
    assert terms_for(known, channel, "Food") is both
    assert terms_for(known, other, "Food") is of_category
    assert terms_for(known, channel, "Toys") is of_channel
    assert terms_for(known, other, "Toys") is every
    assert terms_for([both], other, "Food") is DEFAULT_TERMS
    assert not DEFAULT_TERMS.window(None, "defective").holds(TODAY)


@pytest.mark.capability("S121")
@pytest.mark.parametrize(
    ("found", "disposition", "because"),
    [
        (Found("as_new"), "restock", "as_new"),
        (Found("as_new", packaging="damaged"), "refurbish", "packaging_damaged"),
        (Found("opened", packaging="missing"), "refurbish", "packaging_missing"),
        (Found("opened", resale="unopened"), "write_off", "not_for_resale"),
        (Found("as_new", resale="unopened"), "restock", "as_new"),
        (Found("as_new", resale="never"), "write_off", "not_for_resale"),
        (Found("as_new", eligible=False), "write_off", "not_for_resale"),
        (Found("defective", resale="never"), "vendor_return", "defective"),
        (Found("damaged", packaging="intact"), "write_off", "damaged"),
        (Found("as_new", lot="expired"), "write_off", "lot_expired"),
        (Found("as_new", lot="held"), "quarantine", "lot_held"),
        (Found("damaged", lot="held"), "quarantine", "lot_held"),
        (Found("suspect"), "quarantine", "suspect"),
    ],
)
def test_condition_packaging_and_resale_decide_where_goods_go(
    found: Found, disposition: str, because: str
) -> None:
    verdict = disposition_for(found)
    assert (verdict.disposition, verdict.because) == (disposition, because)


@pytest.mark.capability("S121")
def test_nothing_that_may_not_be_sold_again_is_ever_restocked_by_the_rule() -> None:
    for condition in DISPOSITION_BY_CONDITION:
        for packaging in (None, "intact", "opened", "damaged", "missing"):
            for eligible, resale in ((False, "always"), (True, "never")):
                verdict = disposition_for(Found(condition, packaging, eligible, resale))
                assert verdict.disposition not in ("restock", "refurbish")


@pytest.mark.capability("S121", "S122")
def test_the_inspectors_word_on_resale_holds_against_every_reason(counter: Shop) -> None:
    wanted = counter.back(counter.sell(4), 2)
    line = InspectedLine(
        return_line_id=wanted.lines[0].return_line_id,
        condition="as_new",
        packaging="intact",
        resale_eligible=False,
    )
    told = counter.do(InspectReturn(return_id=wanted.return_id, lines=(line,)))
    assert (told["rules"], told["because"]) == ({"1": "write_off"}, {"1": "not_for_resale"})
    restock = counter.decide(wanted, "restock", reason="inspector_judgement")
    assert counter.refused(restock)["code"] == "not_for_resale"
    counter.do(DisposeReturn(return_id=wanted.return_id))
    assert counter.stock() == {"available": 96}


def test_goods_of_a_category_that_is_never_sold_again_are_written_off(counter: Shop) -> None:
    category = f"Hygiene {uuid4().hex[:6]}"
    counter.items = (uuid4(), uuid4())
    counter.stock_up(category=category)
    set_ = terms(counter, category=category, resale="never")
    wanted = counter.back(counter.sell(4), 2, condition="as_new")
    assert counter.do(DisposeReturn(return_id=wanted.return_id))["dispositions"] == {"1": "write_off"}
    counter.approve(counter.proposed(set_.model_copy(update={"active": False}), "admin"))
    nothing = SetReturnTerms(terms_id=uuid4(), category="Nowhere", window_days=5)
    with pytest.raises(AssertionError, match="no item is of the category"):
        counter.approve(counter.proposed(nothing, "admin"))
