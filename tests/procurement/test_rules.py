"""Pure rules of procurement."""

from __future__ import annotations

from datetime import date
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_core.gate.contract import IllegalTransition
from erp_core.gate.statuses import require_step
from erp_core.procurement.rules import (
    PURCHASE_ORDER_STEPS,
    Position,
    ReorderTarget,
    Terms,
    in_time,
    recommend_quantity,
    split_receipt,
)

units = st.integers(0, 10_000)


@pytest.mark.capability("S80")
def test_a_purchase_order_takes_only_the_steps_of_its_graph() -> None:
    statuses = set(PURCHASE_ORDER_STEPS)
    assert set().union(*PURCHASE_ORDER_STEPS.values()) <= statuses
    for current, target in product(statuses, statuses):
        if target in PURCHASE_ORDER_STEPS[current]:
            require_step(PURCHASE_ORDER_STEPS, current, target, "it")
        else:
            with pytest.raises(IllegalTransition):
                require_step(PURCHASE_ORDER_STEPS, current, target, "it")


@given(open_quantity=units, arrived=st.integers(1, 10_000), data=st.data())
def test_received_is_accepted_plus_held_plus_rejected(
    open_quantity: int, arrived: int, data: st.DataObject
) -> None:
    rejected = data.draw(st.integers(0, arrived))
    part = split_receipt(open_quantity, arrived, rejected)
    assert part.accepted + part.held + part.rejected == arrived
    assert 0 <= part.accepted <= open_quantity
    assert part.held == 0 or part.accepted == open_quantity


@given(quantity=st.integers(1, 100_000), minimum=st.integers(1, 500), multiple=st.integers(1, 500))
def test_the_next_valid_quantity_keeps_the_terms_and_is_the_smallest(
    quantity: int, minimum: int, multiple: int
) -> None:
    terms = Terms(minimum, multiple)
    valid = terms.next_valid(quantity)
    assert terms.accepts(valid) and valid >= quantity
    assert not any(
        terms.accepts(other) for other in range(quantity, min(valid, quantity + multiple + minimum))
    )


@pytest.mark.capability("S76")
@given(
    point=units,
    extra=units,
    available=units,
    on_order=units,
    backordered=units,
    minimum=st.integers(1, 300),
    multiple=st.integers(1, 300),
)
def test_a_recommendation_fills_up_to_the_level_and_never_counts_an_open_order_twice(
    point: int, extra: int, available: int, on_order: int, backordered: int, minimum: int, multiple: int
) -> None:
    target, terms = ReorderTarget(point, point + extra), Terms(minimum, multiple)
    position = Position(available, on_order, backordered)
    found = recommend_quantity(target, position, terms)
    after = recommend_quantity(target, Position(available, on_order + found.quantity, backordered), terms)
    assert after.quantity == 0 or extra == 0
    if position.units > point:
        assert found.quantity == 0
    elif found.quantity:
        assert position.units + found.quantity >= target.order_up_to
        assert terms.accepts(found.quantity)


@pytest.mark.capability("S87")
def test_a_recommendation_says_why_the_quantity_is_what_it_is() -> None:
    found = recommend_quantity(ReorderTarget(100, 150), Position(30, 20, 5), Terms(120, 50))
    assert (found.needed, found.quantity) == (105, 150)
    assert "30 available + 20 on order - 5 backordered = 45" in found.explanation
    assert "minimum of 120 and multiple of 50" in found.explanation
    enough = recommend_quantity(ReorderTarget(100, 150), Position(30, 100, 5), Terms())
    assert enough.quantity == 0 and "nothing to order" in enough.explanation


def test_without_a_first_promise_nothing_is_in_time() -> None:
    assert in_time(date(2026, 6, 1), date(2026, 6, 1))
    assert not in_time(date(2026, 6, 2), date(2026, 6, 1))
    assert not in_time(date(2026, 6, 1), None)
