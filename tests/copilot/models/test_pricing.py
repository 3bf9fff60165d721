"""What a shortage, a spike and an excess cost; and that the best action is the best."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copilot.models import counts, pricing
from copilot.models.pricing import Situation, Terms
from copilot.models.projection import Outlook, arrivals, lost_units

HORIZON = 60


def outlook_of(
    stock: float, demand: float, inbound: float = 0.0, due: int = 5, late: int = 20, chance: float = 0.0
) -> Outlook:
    row, units = np.array([0]), np.array([inbound])
    shape = (1, HORIZON)
    return Outlook(
        stock=np.array([stock]),
        mean=np.full(shape, demand),
        day_ratio=np.array([1.5]),
        level_cv=np.array([0.1]),
        promised=arrivals(row, np.array([due]), units, shape),
        delayed=arrivals(row, np.array([late]), units, shape),
        hastened=arrivals(row, np.array([max(due // 2, 1)]), units, shape),
        late_chance=np.array([chance]),
    )


def situation_of(lead: int = 14, order: float = 0, spare: float = 0, inbound: float = 0.0) -> Situation:
    return Situation(
        margin=np.array([8.0]),
        cost=np.array([12.0]),
        lead_days=np.array([lead]),
        order_units=np.array([float(order)]),
        spare_units=np.array([float(spare)]),
        inbound_units=np.array([inbound]),
        orderable=np.array([order > 0]),
    )


@pytest.mark.capability("S224")
def test_an_empty_shelf_loses_the_margin_of_the_demand_until_a_new_order_can_arrive() -> None:
    terms = Terms()
    shortage = pricing.price_shortage(outlook_of(stock=0, demand=2), situation_of(lead=14), terms)
    window = 14 + terms.review_days
    assert shortage.priced.expected_loss[0] == pytest.approx(2 * window * 8 * terms.lost_sale_share, rel=0.01)
    assert shortage.by_delay[0] == 0


def test_ample_stock_loses_nothing() -> None:
    shortage = pricing.price_shortage(outlook_of(stock=400, demand=2), situation_of(), Terms())
    assert shortage.priced.expected_loss[0] == 0
    assert shortage.priced.action[0] == 0


def test_backorders_are_owed_before_new_demand() -> None:
    owed = lost_units(outlook_of(stock=-10, demand=2), np.zeros((1, HORIZON)), until=np.array([5]))
    assert owed[0] == pytest.approx(10 + 2 * 5)


def test_delay_adds_its_share_and_only_its_share() -> None:
    on_time = pricing.price_shortage(outlook_of(12, 2, 100, chance=0.0), situation_of(inbound=100), Terms())
    risky = pricing.price_shortage(outlook_of(12, 2, 100, chance=0.4), situation_of(inbound=100), Terms())
    late = pricing.price_shortage(outlook_of(12, 2, 100, chance=1.0), situation_of(inbound=100), Terms())
    assert on_time.by_delay[0] == 0
    extra = late.priced.expected_loss[0] - on_time.priced.expected_loss[0]
    assert extra > 0
    assert risky.by_delay[0] == pytest.approx(0.4 * extra)
    assert risky.priced.expected_loss[0] == pytest.approx(on_time.priced.expected_loss[0] + 0.4 * extra)


def test_goods_that_arrive_after_the_shortage_do_not_undo_it() -> None:
    inbound = arrivals(np.array([0]), np.array([20]), np.array([500.0]), (1, HORIZON))
    lost = lost_units(outlook_of(0, 2), inbound, until=np.array([40]))
    assert lost[0] == pytest.approx(2 * 20, rel=0.01)


def test_a_spike_is_priced_only_beyond_the_shortage_that_was_there_anyway() -> None:
    outlook, situation, terms = outlook_of(20, 2), situation_of(), Terms()
    rows = np.array([0])
    none = pricing.price_spike(outlook, situation, rows, np.array([1.0]), np.array([1.0]), terms)
    triple = pricing.price_spike(outlook, situation, rows, np.array([3.0]), np.array([1.0]), terms)
    assert none.expected_loss[0] == pytest.approx(0)
    base = pricing.price_shortage(outlook, situation, terms).priced.expected_loss[0]
    raised = lost_units(outlook, np.zeros((1, HORIZON)), until=np.array([21]), demand_times=np.array([3.0]))
    assert triple.expected_loss[0] == pytest.approx(raised[0] * 8 * terms.lost_sale_share - base)


@pytest.mark.capability("S148")
def test_excess_costs_its_carrying_and_the_write_down_of_what_a_year_does_not_sell() -> None:
    terms = Terms()
    outlook, situation = outlook_of(1_000, 1), situation_of()
    excess = pricing.excess_units(outlook, terms.excess_days)
    assert 850 < excess[0] < 910
    priced = pricing.price_excess(outlook, situation, np.array([20.0]), excess, terms)
    carried = excess[0] * 12 * terms.carrying_rate * 365 / 2 / 365
    unsold = excess[0] - (365 - terms.excess_days)
    assert priced.expected_loss[0] == pytest.approx(carried + terms.write_down * unsold * 12)


def test_open_orders_are_cut_before_anything_is_marked_down() -> None:
    terms = Terms()
    outlook = outlook_of(300, 1, inbound=300)
    excess = pricing.excess_units(outlook, terms.excess_days)
    priced = pricing.price_excess(outlook, situation_of(inbound=300.0), np.array([20.0]), excess, terms)
    assert pricing.ACTIONS[priced.action[0]] == "reduce_inbound"
    assert priced.units[0] <= 300


def test_a_transfer_is_chosen_where_another_place_can_spare_units_soon() -> None:
    shortage = pricing.price_shortage(outlook_of(0, 2), situation_of(lead=30, order=120, spare=90), Terms())
    assert pricing.ACTIONS[shortage.priced.action[0]] == "transfer"


@settings(max_examples=60, deadline=None)
@given(
    stock=st.floats(-20, 300),
    demand=st.floats(0, 12),
    inbound=st.integers(0, 200),
    due=st.integers(0, 40),
    slip=st.integers(0, 30),
    chance=st.floats(0, 1),
    lead=st.integers(1, 50),
    order=st.integers(0, 300),
    spare=st.integers(0, 100),
)
def test_no_action_makes_a_loss_greater_or_is_worth_less_than_nothing(
    stock: float,
    demand: float,
    inbound: int,
    due: int,
    slip: int,
    chance: float,
    lead: int,
    order: int,
    spare: int,
) -> None:
    outlook = outlook_of(stock, demand, inbound, due, due + slip, chance)
    shortage = pricing.price_shortage(outlook, situation_of(lead, order, spare, float(inbound)), Terms())
    priced = shortage.priced
    assert 0 <= priced.residual_loss[0] <= priced.expected_loss[0] + 1e-9
    assert priced.expected_loss[0] - priced.residual_loss[0] - priced.action_cost[0] >= -1e-9
    assert 0 <= shortage.by_delay[0] <= priced.expected_loss[0] + 1e-9
    assert (priced.action[0] == 0) == (priced.units[0] == 0)


@settings(max_examples=60, deadline=None)
@given(mean=st.floats(0.01, 80), ratio=st.floats(1.05, 6), stock=st.integers(0, 200))
def test_expected_shortage_is_that_of_the_distribution(mean: float, ratio: float, stock: int) -> None:
    from scipy.stats import nbinom

    size = mean / (ratio - 1)
    units = np.arange(0, 6_000)
    exact = (np.maximum(units - stock, 0) * nbinom.pmf(units, size, 1 / ratio)).sum()
    given_here = counts.expected_shortage(np.array(float(stock)), np.array(mean), np.array(ratio))
    assert float(given_here) == pytest.approx(exact, abs=1e-6 + 1e-6 * exact)
