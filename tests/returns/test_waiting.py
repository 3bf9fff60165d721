"""Goods that came back are on somebody's list until they may be sold again or are gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from erp_core.exceptions.book import open_cases
from erp_core.exceptions.commands import RecordScan
from erp_core.gate.roles import may_run
from erp_core.returns.commands import DisposeReturn, ReceiveReturn
from erp_core.returns.detecting import KINDS, return_drafts
from erp_core.returns.rules import DISPOSITION_STEPS, STRANDED_AFTER_DAYS, UNDECIDED, ways_on
from erp_core.returns.waiting import WaitingGoods, waiting_goods
from erp_core.storage.types import money
from tests.conftest import TODAY

Shop = Any
NOW = datetime(TODAY.year, TODAY.month, TODAY.day, 9, tzinfo=UTC)


def waits(shop: Shop, wanted: Any, **asked: Any) -> list[WaitingGoods]:
    found = shop.read(lambda c: waiting_goods(c, TODAY, **asked))
    return [one for one in found if one.return_id == wanted.return_id]


def decided(shop: Shop, sale: Any, days: int, *conditions: str) -> Any:
    """Goods that came back forty days ago, were inspected then, and decided on so many days ago as the rule says."""
    wanted = shop.authorise(sale, *[2] * len(conditions))
    back = NOW - timedelta(days=40)
    for command, at in (
        (wanted, back),
        (ReceiveReturn(return_id=wanted.return_id), back),
        (shop.inspection(wanted, *conditions), back),
        (DisposeReturn(return_id=wanted.return_id), NOW - timedelta(days=days)),
    ):
        shop.do(command.model_copy(update={"occurred_at": at}), "simulator")
    return wanted


@pytest.mark.capability("S122")
def test_goods_stay_on_the_list_from_arrival_until_they_are_sold_again_or_gone(counter: Shop) -> None:
    wanted = counter.back(counter.sell(10, 10), 4, 3)
    first, second = waits(counter, wanted)
    assert (first.command, first.state, first.ways) == ("InspectReturn", "return_pending", ())
    assert (first.number, first.item_id, first.quantity) == (second.number, counter.items[0], 4)
    counter.do(counter.inspection(wanted, "suspect", "damaged_packaging"))
    assert [(one.command, one.rule) for one in waits(counter, wanted)] == [
        ("DisposeReturn", "quarantine"),
        ("DisposeReturn", "refurbish"),
    ]
    assert "returns" in first.roles
    counter.do(DisposeReturn(return_id=wanted.return_id))
    first, second = waits(counter, wanted)
    assert (first.state, second.state) == ("quarantined", "refurbishing")
    assert first.ways == ("refurbish", "restock", "vendor_return", "write_off")
    assert second.ways == ("restock", "vendor_return", "write_off")
    assert (first.since, first.days, first.stranded) == (TODAY, 0, False)
    assert waits(counter, wanted, state="refurbishing") == [second]
    assert waits(counter, wanted, location_id=uuid4()) == []
    counter.do(counter.decide(wanted, "refurbish"))
    moved = waits(counter, wanted, state="refurbishing")
    assert [one.quantity for one in moved] == [4, 3]
    counter.do(counter.decide(wanted, "restock", "write_off"))
    assert waits(counter, wanted) == []


@pytest.mark.capability("S122")
def test_who_may_act_is_told_by_the_table_of_roles_and_a_way_that_is_offered_is_open(counter: Shop) -> None:
    sale = counter.sell(10)
    for way in ways_on("quarantine", resalable=True):
        wanted = counter.back(sale, 1, condition="suspect")
        counter.do(DisposeReturn(return_id=wanted.return_id))
        (waiting,) = waits(counter, wanted)
        assert way in waiting.ways
        assert all(may_run([role], waiting.command) for role in waiting.roles)
        assert not may_run(["warehouse"], waiting.command) and "warehouse" not in waiting.roles
        counter.do(counter.decide(wanted, way))
    for current, later in DISPOSITION_STEPS.items():
        offered = ways_on(None if current == UNDECIDED else current, resalable=False)
        assert set(offered) == later - {"restock"}, "what may not be sold again is never offered for it"


@pytest.mark.capability("S126")
def test_goods_that_stay_in_refurbishing_or_quarantine_become_a_case_that_ends_when_they_move_on(
    counter: Shop,
) -> None:
    sale = counter.sell(10, 10, occurred_at=NOW - timedelta(days=50))
    fresh = decided(counter, sale, STRANDED_AFTER_DAYS, "suspect")
    old = decided(counter, sale, STRANDED_AFTER_DAYS + 1, "suspect", "damaged_packaging")
    assert [one.stranded for one in waits(counter, fresh)] == [False]
    stranded = waits(counter, old, stranded_only=True)
    assert [one.days for one in stranded] == [STRANDED_AFTER_DAYS + 1] * 2
    sale_place = stranded[0].location_id

    def scanned() -> dict[str, Any]:
        drafts, withheld = counter.read(lambda c: return_drafts(c, TODAY))
        scan = RecordScan(
            scan_id=uuid4(), as_of=TODAY, kinds=KINDS, drafts=tuple(drafts), withheld=tuple(withheld)
        )
        counter.do(scan, "simulator")
        return {one.subject_key: one for one in drafts if one.kind == "return_uninspected"}

    found = scanned()
    cases = {state: found[f"{sale_place}:{state}"] for state in ("quarantined", "refurbishing")}
    in_quarantine = cases["quarantined"]
    assert "2 units of 1 return stay in quarantine, the longest for 15 days" in in_quarantine.title
    assert in_quarantine.expected_loss == money(16) * 2 // 100
    assert in_quarantine.action["commands"] == [], "which way they go, a person says"
    assert ("item", counter.items[0]) in in_quarantine.subjects
    assert ("item", counter.items[1]) in cases["refurbishing"].subjects
    keys = [("return_uninspected", one.subject_key) for one in cases.values()]
    assert counter.read(lambda c: open_cases(c, keys)) == set(keys)
    counter.do(counter.decide(old, "refurbish", "restock"))
    assert [one.days for one in waits(counter, old)] == [0], "in another place they wait anew"
    assert not {one.subject_key for one in cases.values()} & set(scanned())
    assert counter.read(lambda c: open_cases(c, keys)) == set()
