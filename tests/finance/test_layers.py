"""Cost layers by both methods: the same units, and values that add up."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_core.finance.layers import cost_layers, fifo_layers
from erp_core.finance.queries import valuation
from erp_core.storage.engine import reading
from tests.finance.test_costs import receive
from tests.shop import Shop

ITEM, DAY = UUID(int=1), date(2026, 6, 1)


@pytest.mark.capability("S116")
def test_first_in_is_first_out_and_late_freight_rests_on_what_is_there() -> None:
    entries = [(DAY, 10, 1_000), (DAY + timedelta(days=1), 10, 2_000), (DAY, -12, -1_800), (DAY, 0, 80)]
    (left,) = fifo_layers(ITEM, entries)
    assert (left.units, left.value, left.came_on) == (8, 1_680, DAY + timedelta(days=1))
    assert fifo_layers(ITEM, [(DAY, -3, -30), (DAY, 5, 55)])[0].units == 2
    assert fifo_layers(ITEM, []) == []


@pytest.mark.capability("S116")
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["in", "out", "freight"]), st.integers(1, 20), st.integers(0, 9_999)),
        max_size=25,
    )
)
def test_no_unit_and_no_value_is_lost_between_layers(steps: list[tuple[str, int, int]]) -> None:
    entries: list[tuple[date, int, int]] = []
    units = 0
    for number, (what, count, value) in enumerate(steps):
        moved = count if what == "in" else -min(count, units) if what == "out" else 0
        units += moved
        if moved or what == "freight":
            entries.append((DAY + timedelta(days=number), moved, value if what != "out" else 0))
    layers = fifo_layers(ITEM, entries)
    assert sum(one.units for one in layers) == units
    assert all(one.units > 0 and one.value >= 0 for one in layers)
    came = sum(value for _, moved, value in entries if moved >= 0)
    assert sum(one.value for one in layers) <= came
    if not any(moved < 0 for _, moved, _ in entries) and units:
        first = next(place for place, (_, moved, _) in enumerate(entries) if moved > 0)
        assert sum(one.value for one in layers) == sum(value for _, _, value in entries[first:])


@pytest.mark.capability("S116")
@pytest.mark.capability("S47")
def test_the_layers_of_any_day_have_the_units_of_the_valuation_and_the_average_its_value(shop: Shop) -> None:
    item_id = shop.item()
    receive(shop, item_id, 10, 1_000_000)
    shop.later(1)
    receive(shop, item_id, 10, 2_000_000)
    shop.later(1)
    shop.ship(shop.place((item_id, 12)))
    with reading(shop.gate.engine) as connection:
        for day in (shop.now.date() - timedelta(days=2), shop.now.date() - timedelta(days=1), None):
            worth = {one.item_id: one for one in valuation(connection, day)}[item_id]
            average = cost_layers(connection, [item_id], "average", day)
            fifo = cost_layers(connection, [item_id], "fifo", day)
            assert sum(one.value for one in average) == worth.value
            assert sum(one.units for one in fifo) == sum(one.units for one in average) == worth.quantity
        assert [(one.units, one.value) for one in cost_layers(connection, [item_id], "fifo")] == [
            (8, 1_600_000)
        ]
        assert cost_layers(connection, [item_id], "average")[0].value == 1_200_000
