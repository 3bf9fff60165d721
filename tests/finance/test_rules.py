from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from erp_core.finance.rules import RATE_SCALE, converted, issue_value, unit_cost


@given(value=st.integers(0, 10**12), issues=st.lists(st.integers(1, 500), min_size=1, max_size=30))
def test_issues_one_after_the_other_use_up_the_value_to_the_last_ten_thousandth(
    value: int, issues: list[int]
) -> None:
    held, left = sum(issues), value
    for quantity in issues:
        issued = issue_value(quantity, held, left)
        assert 0 <= issued <= left
        held, left = held - quantity, left - issued
    assert (held, left) == (0, 0)


@given(quantity=st.integers(1, 1_000), more=st.integers(0, 1_000), value=st.integers(0, 10**12))
def test_an_issue_is_worth_the_average_to_half_a_ten_thousandth(quantity: int, more: int, value: int) -> None:
    held = quantity + more
    issued = issue_value(quantity, held, value)
    assert abs(2 * issued * held - 2 * value * quantity) <= held


def test_the_cost_of_one_unit_is_rounded_half_up() -> None:
    assert unit_cost(2, 5) == 3
    assert unit_cost(3, 10) == 3
    assert unit_cost(3, 11) == 4


@given(amount=st.integers(0, 10**12), rate=st.integers(1, 10**12))
def test_conversion_never_falls_below_the_exact_amount_nor_a_ten_thousandth_above(
    amount: int, rate: int
) -> None:
    exact_times_scale = amount * rate
    assert 0 <= converted(amount, rate) * RATE_SCALE - exact_times_scale < RATE_SCALE
    assert converted(amount, RATE_SCALE) == amount
