from __future__ import annotations

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_core.orders.rules import LineParts, choose_location, status_of
from erp_core.orders.rules.places import Standing


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5), st.integers(0, 5)).filter(any),
        min_size=1,
        max_size=5,
    )
)
def test_the_status_says_what_is_open_and_what_is_missing(parts: list[tuple[int, int, int, int]]) -> None:
    lines = [LineParts(sum(part), part[0], part[1], part[2]) for part in parts]
    status = status_of(lines)
    shipped, still_open = sum(line.shipped for line in lines), sum(line.open for line in lines)
    unfilled = sum(line.unfilled for line in lines)
    assert (status == "cancelled") == (not still_open and not shipped)
    assert (status == "shipped") == (not still_open and shipped > 0)
    assert (status == "partly_shipped") == (still_open > 0 and shipped > 0)
    assert (status == "backordered") == (unfilled > 0 and not shipped)


@pytest.mark.capability("S59")
@pytest.mark.capability("S60")
def test_an_order_goes_to_one_place_that_can_fill_all_of_it() -> None:
    tea, cup = uuid4(), uuid4()
    near, far = uuid4(), uuid4()
    demand = {tea: 2, cup: 3}
    choice = choose_location(demand, [(near, {tea: 50, cup: 2}), (far, {tea: 2, cup: 3})])
    assert (choice.location_id, choice.reason) == (far, "whole_order")


@pytest.mark.capability("S59")
def test_otherwise_it_goes_where_most_of_it_is_and_then_where_most_stock_is() -> None:
    tea = uuid4()
    near, far = uuid4(), uuid4()
    part = choose_location({tea: 9}, [(near, {tea: 3}), (far, {tea: 4})])
    assert (part.location_id, part.reason) == (far, "largest_part")
    equal = choose_location({tea: 2}, [(near, {tea: 3}), (far, {tea: 4})])
    assert (equal.location_id, equal.reason) == (far, "whole_order")
    none = choose_location({tea: 2}, [(near, {tea: 0}), (far, {tea: 0})])
    assert (none.location_id, none.reason) == (near, "nothing_available")


@pytest.mark.capability("S59")
@pytest.mark.parametrize(
    ("better", "worse", "reason"),
    [
        (Standing(rank=2, price=900), Standing(in_time=False), "arrives_in_time"),
        (Standing(rank=0, price=900), Standing(rank=1, price=1), "preferred_node"),
        (Standing(price=500), Standing(price=501), "cheapest_way"),
        (Standing(price=500), Standing(price=None), "cheapest_way"),
    ],
)
def test_of_places_that_have_all_of_it_one_in_time_then_the_preferred_then_the_cheapest_is_chosen(
    better: Standing, worse: Standing, reason: str
) -> None:
    tea, near, far = uuid4(), uuid4(), uuid4()
    places = [(near, {tea: 90}), (far, {tea: 5})]
    choice = choose_location({tea: 5}, places, {near: worse, far: better})
    assert (choice.location_id, choice.reason) == (far, reason)
    whole = choose_location({tea: 6}, places, {near: worse, far: better})
    assert (whole.location_id, whole.reason) == (near, "whole_order"), "one parcel goes before all of them"
