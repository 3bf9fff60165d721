"""Pure replenishment rules."""

from __future__ import annotations

from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_core.planning.rules import demand_std_over, replenishment_targets, safety_stock

mean = st.floats(0, 200)
spread = st.floats(0, 50)
days = st.floats(0, 90)


@pytest.mark.capability("S142")
def test_safety_stock_of_a_worked_example() -> None:
    # 10 units a day (deviation 3), 14 +- 2 days of lead time, weekly review, 97.72 % service: two deviations
    assert demand_std_over(21, 10, 3, 2) == pytest.approx((21 * 9 + 100 * 4) ** 0.5)
    assert safety_stock(0.97725, 10, 3, 14, 2, 7) == ceil(2 * (21 * 9 + 100 * 4) ** 0.5)
    targets = replenishment_targets(0.97725, 10, 3, 14, 2, 7)
    assert (targets.reorder_point, targets.order_up_to) == (210 + 49, 210 + 49 + 70)


@pytest.mark.capability("S142")
@given(mean=mean, std=spread, lead=days, lead_std=st.floats(0, 20), review=st.floats(1, 30))
def test_more_uncertainty_never_means_less_safety_stock(
    mean: float, std: float, lead: float, lead_std: float, review: float
) -> None:
    base = safety_stock(0.95, mean, std, lead, lead_std, review)
    assert base >= 0
    for more in (
        safety_stock(0.99, mean, std, lead, lead_std, review),
        safety_stock(0.95, mean, std + 1, lead, lead_std, review),
        safety_stock(0.95, mean, std, lead, lead_std + 1, review),
        safety_stock(0.95, mean, std, lead + 1, lead_std, review),
    ):
        assert more >= base


def test_arrays_give_what_single_numbers_give() -> None:
    rng = np.random.default_rng(7)
    arguments = [
        rng.uniform(0.6, 0.99, 50),
        *(rng.uniform(0, 30, 50) for _ in range(4)),
        rng.uniform(1, 14, 50),
    ]
    together = replenishment_targets(*arguments)
    for n in range(50):
        alone = replenishment_targets(*(float(part[n]) for part in arguments))
        assert together.safety_stock[n] == alone.safety_stock
        assert together.reorder_point[n] == alone.reorder_point
        assert together.order_up_to[n] == alone.order_up_to


@pytest.mark.parametrize("level", [0.4, 1.0, 1.2, float("nan")])
def test_a_service_level_that_cannot_be_is_an_error(level: float) -> None:
    with pytest.raises(ValueError, match="service level"):
        safety_stock(level, 1, 1, 1, 1, 1)


@pytest.mark.parametrize("bad", [-1.0, float("nan")])
def test_an_unknown_or_negative_demand_is_an_error(bad: float) -> None:
    with pytest.raises(ValueError, match="not negative"):
        safety_stock(0.95, bad, 1, 1, 1, 1)
