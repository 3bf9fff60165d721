"""Which day a customer is told."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_core.orders.rules.promises import Supply, expected_dates

TODAY = date(2026, 6, 30)
FIRST, SECOND, THIRD = uuid4(), uuid4(), uuid4()


def day(number: int) -> date:
    return TODAY + timedelta(days=number)


@pytest.mark.capability("S33")
def test_lines_are_dated_in_their_order_by_the_last_unit_they_need() -> None:
    supply = [Supply(day(9), 4), Supply(day(3), 5)]
    waiting = [(FIRST, 3), (SECOND, 4), (THIRD, 3)]
    assert expected_dates(waiting, supply, TODAY) == {FIRST: day(3), SECOND: day(9), THIRD: None}
    assert expected_dates([(FIRST, 1)], [Supply(day(-5), 1)], TODAY) == {FIRST: TODAY}
    assert expected_dates([(FIRST, 1)], [], TODAY) == {FIRST: None}


@pytest.mark.capability("S33")
@given(
    sizes=st.lists(st.integers(1, 9), max_size=8),
    supply=st.lists(st.tuples(st.integers(-3, 20), st.integers(0, 12)), max_size=6),
)
def test_by_no_day_are_more_units_promised_than_are_confirmed_until_then(
    sizes: list[int], supply: list[tuple[int, int]]
) -> None:
    waiting: list[tuple[UUID, int]] = [(uuid4(), units) for units in sizes]
    coming = [Supply(day(number), units) for number, units in supply]
    dates = expected_dates(waiting, coming, TODAY)
    assert list(dates) == [line_id for line_id, _ in waiting]
    for until in {one for one in dates.values() if one is not None}:
        promised = sum(units for line_id, units in waiting if (due := dates[line_id]) and due <= until)
        assert promised <= sum(one.units for one in coming if one.due_on <= until)
    known = [one for one in dates.values() if one is not None]
    assert known == sorted(known)
