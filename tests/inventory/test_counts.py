"""Cycle counts: what is due, blind sheets, variances that are reviewed by somebody else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from erp_core.gate.contract import Asked, DomainError, Executed, Proposed
from erp_core.gate.decisions import ApproveProposal
from erp_core.gate.principals import Principal
from erp_core.inventory.commands import CancelCount, CountedLine, OpenCount, PostCount, RecordCount
from erp_core.inventory.counts.queries import due_counts, find_count, sheet
from erp_core.inventory.counts.rules import COUNT_STATUSES, Countable, due, shrinkage
from erp_core.inventory.counts.variances import count_facts
from erp_core.inventory.queries import stock_moves_of
from erp_core.storage.engine import reading
from tests.conftest import TODAY
from tests.inventory.lots import NEXT_YEAR, count, lies, take_in, tracked_item
from tests.shop import Shop


def opened(shop: Shop, *item_ids: UUID) -> UUID:
    count_id = uuid4()
    shop.run(OpenCount(count_id=count_id, location_id=shop.north, item_ids=item_ids))
    return count_id


def record(count_id: UUID, *found: tuple[UUID, int]) -> RecordCount:
    lines = tuple(CountedLine(item_id=item_id, quantity=units) for item_id, units in found)
    return RecordCount(count_id=count_id, lines=lines)


@pytest.mark.capability("S42")
def test_a_blind_count_is_posted_as_its_variance_and_moves_meanwhile_stay(shop: Shop) -> None:
    cup, spoon = shop.item(cost=10_000, north=20), shop.item(cost=5_000, north=8)
    order = shop.place((cup, 5))
    count_id = opened(shop, cup, spoon)
    with reading(shop.gate.engine) as connection:
        before = sheet(connection, count_id)
    assert [(one.expected, one.counted, one.variance) for one in before] == [(None, None, None)] * 2
    shop.run(record(count_id, (cup, 18), (spoon, 9)))
    with reading(shop.gate.engine) as connection:
        found = {one.item_id: one for one in sheet(connection, count_id)}
    assert (found[cup].expected, found[cup].variance, found[spoon].variance) == (20, -2, 1)
    shop.ship(order)
    assert shop.run(PostCount(count_id=count_id)) == {"count_id": str(count_id), "missing": 2, "found": 1}
    assert (shop.at(cup).on_hand, shop.at(spoon).on_hand) == (13, 9)
    with reading(shop.gate.engine) as connection:
        moves = [one for one in stock_moves_of(connection, document_id=count_id)]
        count = find_count(connection, count_id)
    assert {(one.event, one.quantity) for one in moves} == {("count", 2), ("count", 1)}
    assert count is not None and (count.status, count.posted_on) == ("posted", shop.now.date())
    assert shop.refused(PostCount(count_id=count_id)).code == "illegal_transition"
    shop.assert_sound()


@pytest.mark.capability("S42")
def test_a_count_is_refused_while_incomplete_of_other_items_or_of_what_is_being_counted(shop: Shop) -> None:
    cup, spoon = shop.item(north=20), shop.item(north=8)
    count_id = opened(shop, cup, spoon)
    assert shop.refused(PostCount(count_id=count_id)).code == "not_counted"
    again = OpenCount(count_id=uuid4(), location_id=shop.north, item_ids=(spoon,))
    assert shop.refused(again).code == "being_counted"
    shop.run(record(count_id, (cup, 20)))
    assert shop.refused(PostCount(count_id=count_id)).code == "not_counted"
    assert shop.refused(record(count_id, (shop.item(), 1))).code == "not_on_sheet"
    assert shop.refused(record(uuid4(), (cup, 1))).code == "not_found"
    assert shop.refused(PostCount(count_id=uuid4())).code == "not_found"
    with pytest.raises(ValueError, match="greater than or equal to 0"):
        CountedLine(item_id=cup, quantity=-1)
    shop.run(CancelCount(count_id=count_id))
    shop.run(again)
    assert shop.at(cup).available == 20


@pytest.mark.capability("S42")
def test_what_is_missing_of_reserved_stock_is_posted_only_after_its_release(shop: Shop) -> None:
    cup = shop.item(north=5)
    order = shop.place((cup, 5))
    count_id = opened(shop, cup)
    shop.run(record(count_id, (cup, 3)))
    assert shop.refused(PostCount(count_id=count_id)).code == "insufficient_stock"
    shop.cancel(order, "out_of_stock")
    shop.run(PostCount(count_id=count_id))
    assert shop.at(cup).states == {"available": 3}
    shop.assert_sound()


@pytest.mark.capability("S42")
def test_a_large_variance_is_reviewed_by_a_manager_who_did_not_count(
    shop: Shop, person: Callable[..., Principal]
) -> None:
    cup = shop.item(north=100)
    count_id = opened(shop, cup)
    counter = person(shop.gate, "warehouse")
    manager = person(shop.gate, "manager")

    def submit(command: Any, principal: Principal) -> Any:
        return shop.gate.submit(command, principal, key=uuid4().hex)

    assert isinstance(submit(record(count_id, (cup, 79)), counter), Executed)
    asked = submit(PostCount(count_id=count_id), counter)
    assert isinstance(asked, Proposed)
    assert shop.at(cup).available == 100
    approval = ApproveProposal(proposal_id=asked.proposal_id, payload_hash=asked.payload_hash)
    assert not isinstance(submit(approval, counter), Executed)
    assert isinstance(submit(record(count_id, (cup, 78)), counter), Executed)
    stale = submit(approval, manager)
    assert shop.at(cup).available == 100, stale
    asked = submit(PostCount(count_id=count_id), counter)
    approval = ApproveProposal(proposal_id=asked.proposal_id, payload_hash=asked.payload_hash)
    assert isinstance(submit(approval, manager), Executed)
    assert shop.at(cup).available == 78
    shop.assert_sound()


@pytest.mark.capability("S42")
def test_parts_of_a_large_loss_count_as_the_whole(shop: Shop, person: Callable[..., Principal]) -> None:
    cup, counter = shop.item(north=100), person(shop.gate, "warehouse")
    for left, asks in ((85, False), (70, True)):
        count_id = opened(shop, cup)
        shop.run(record(count_id, (cup, left)))
        outcome = shop.gate.submit(PostCount(count_id=count_id), counter, key=uuid4().hex)
        assert isinstance(outcome, Proposed) is asks


@pytest.mark.capability("S42")
def test_what_is_counted_next_follows_class_value_velocity_and_past_losses(shop: Shop) -> None:
    quiet, dear = shop.item(north=10), shop.item(north=10)
    shop.later(1)
    today = TODAY + timedelta(days=400)
    with reading(shop.gate.engine) as connection:
        found = [one.item_id for one in due_counts(connection, today, location_id=shop.north, limit=1_000)]
        assert {quiet, dear} <= set(found)
        assert quiet not in {one.item_id for one in due_counts(connection, shop.now.date())}
    opened(shop, quiet)
    with reading(shop.gate.engine) as connection:
        assert quiet not in {one.item_id for one in due_counts(connection, today, limit=1_000)}


def countable(**fields: Any) -> Countable:
    values: dict[str, Any] = {
        "item_id": UUID(int=1),
        "location_id": UUID(int=2),
        "units": 10,
        "value": 1_000,
        "moved": 5,
        "counted": 0,
        "missing": 0,
        "last_counted_on": TODAY - timedelta(days=100),
        "first_moved_on": TODAY - timedelta(days=900),
        "count_days": 120,
    }
    return Countable(**values | fields)


@pytest.mark.capability("S42")
def test_where_much_was_missing_stock_is_counted_twice_as_often() -> None:
    assert due(countable(), TODAY) is None
    assert due(countable(counted=99, missing=1), TODAY) is None
    risky = due(countable(counted=98, missing=2), TODAY)
    assert risky is not None and (risky.interval, risky.shrinkage) == (60, 200)
    never = due(countable(last_counted_on=None, count_days=None), TODAY)
    assert never is not None and (never.interval, never.days, never.shrinkage) == (180, 900, None)
    assert shrinkage(0, 0) is None


@pytest.mark.capability("S42")
def test_dearer_and_busier_stock_comes_first_among_what_is_equally_overdue() -> None:
    def urgency(**fields: Any) -> tuple[float, int, int]:
        found = due(countable(last_counted_on=TODAY - timedelta(days=240), **fields), TODAY)
        assert found is not None
        return found.urgency

    assert urgency(value=2_000) > urgency(value=1_000)
    assert urgency(moved=50) > urgency(moved=5)
    assert urgency(counted=99, missing=1) < urgency()


def test_the_statuses_of_a_count_are_closed() -> None:
    assert set().union(*COUNT_STATUSES.values()) <= set(COUNT_STATUSES)


@pytest.mark.capability("S42")
@pytest.mark.capability("S34")
def test_tracked_items_are_counted_by_lot_and_what_is_not_named_was_not_found(shop: Shop) -> None:
    milk = tracked_item(shop)
    first, second = (take_in(shop, milk, code, 10, NEXT_YEAR) for code in ("A", "B"))
    third = take_in(shop, milk, "C", 4, NEXT_YEAR)
    count_id = opened(shop, milk)

    def found(**units: int) -> RecordCount:
        lines = [CountedLine(item_id=milk, quantity=n, lot_code=code) for code, n in units.items()]
        return RecordCount(count_id=count_id, lines=tuple(lines))

    assert shop.refused(record(count_id, (milk, 24))).code == "lot_required"
    assert shop.refused(found(Z=1)).code == "not_found"
    shop.run(record(count_id, (milk, 0)))
    shop.run(found(A=7, B=13))
    with reading(shop.gate.engine) as connection:
        (line,) = sheet(connection, count_id)
        (facts,) = count_facts([Asked(PostCount(count_id=count_id))], connection)
    assert (line.expected, line.counted) == (24, 20)
    assert not isinstance(facts, DomainError) and facts["units"] == 3 + 3 + 4, (
        "lots do not cancel each other out"
    )
    assert shop.run(PostCount(count_id=count_id)) == {"count_id": str(count_id), "missing": 7, "found": 3}
    assert [lies(shop, one) for one in (first, second, third)] == [
        {("north", "available"): 7},
        {("north", "available"): 13},
        {},
    ]
    shop.assert_sound()


@pytest.mark.capability("S35")
@pytest.mark.capability("S42")
def test_numbered_units_are_counted_by_number_and_one_that_lies_elsewhere_is_not_found_here(
    shop: Shop,
) -> None:
    phone = tracked_item(shop, lots=False, serials=True, expiry=False)
    for place, numbers in ((shop.north, ("1", "2")), (shop.south, ("3",))):
        shop.run(count(phone, place, len(numbers), serials=numbers))
    count_id = opened(shop, phone)

    def found(*numbers: str) -> RecordCount:
        line = CountedLine(item_id=phone, quantity=len(numbers), serials=numbers)
        return RecordCount(count_id=count_id, lines=(line,))

    assert shop.refused(found("1", "3")).code == "serial_twice"
    shop.run(found("1"))
    assert shop.run(PostCount(count_id=count_id))["missing"] == 1
    assert shop.at(phone).available == 1
    plain = shop.item(north=2)
    named = CountedLine(item_id=plain, quantity=2, lot_code="A")
    other = opened(shop, plain)
    assert shop.refused(RecordCount(count_id=other, lines=(named,))).code == "not_tracked"
    shop.assert_sound()
