"""The demand forecast says what history supports, and nothing that came after."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from copilot.models import counts, measures
from copilot.models.arrays import take, until
from copilot.models.backtest import train_demand
from copilot.models.demand import CLASSES, DemandModel, forecast
from copilot.models.smoothing import baseline_ahead, smooth
from tests.copilot.models.simulation import cut, negative_binomial, panel_of, steady

PLAIN = DemandModel(
    as_of=None,  # type: ignore[arg-type]
    horizon=28,
    seed=0,
    refinement=None,
    candidate=tuple("smoothing" for _ in CLASSES),
    spread=tuple(1.0 for _ in CLASSES),
    card={},
)


def test_what_happens_after_the_forecast_day_changes_nothing() -> None:
    panel = steady(t=300)
    later = panel.units.copy()
    later[:, 240:] = later[:, 240:] * 7 + 100
    stock = panel.in_stock.copy()
    stock[:, 240:] = False
    changed = replace(panel, units=later, in_stock=stock)
    before, after = (forecast(PLAIN, until(one, 240, 28)) for one in (panel, changed))
    assert np.array_equal(before.mean, after.mean)
    assert np.array_equal(before.quantiles, after.quantiles)
    alone = forecast(PLAIN, cut(panel, 240))
    assert np.array_equal(before.mean, alone.mean)


@pytest.mark.capability("S133")
def test_a_promotion_does_not_raise_the_later_baseline() -> None:
    rng = np.random.default_rng(5)
    mean = np.full((80, 280), 4.0)
    quiet = negative_binomial(rng, mean, 1.5)
    promoted = np.zeros(quiet.shape, dtype=bool)
    for start in (100, 170, 262):
        promoted[:, start : start + 14] = True
    with_promotions = np.where(promoted, negative_binomial(rng, mean * 4, 1.5), quiet)
    future = panel_of(quiet).days[-1] + np.arange(1, 29)
    known = baseline_ahead(smooth(panel_of(with_promotions, promoted=promoted)), future).mean()
    unknown = baseline_ahead(smooth(panel_of(with_promotions)), future).mean()
    assert known == pytest.approx(4.0, rel=0.06)
    assert unknown > 1.2 * known, "the same units without the calendar do raise it"


@pytest.mark.capability("S135")
def test_a_planned_promotion_is_in_the_forecast_and_apart_from_the_baseline() -> None:
    rng = np.random.default_rng(6)
    promoted = np.zeros((60, 280), dtype=bool)
    promoted[:, 120:134] = promoted[:, 200:214] = True
    units = negative_binomial(rng, np.where(promoted, 9.0, 3.0), 1.5)
    planned = np.zeros((60, 28), dtype=bool)
    planned[:, 7:14] = True
    made = forecast(PLAIN, panel_of(units, promoted=promoted, future_promoted=planned))
    assert made.mean[:, 7:14].mean() == pytest.approx(9.0, rel=0.1)
    assert made.mean[:, 14:].mean() == pytest.approx(3.0, rel=0.1)
    assert (made.mean - made.promotion)[:, 7:14].mean() == pytest.approx(3.0, rel=0.1)
    assert made.promotion[:, :7].max() == 0


@pytest.mark.capability("S134")
def test_days_out_of_stock_do_not_lower_the_forecast() -> None:
    rng = np.random.default_rng(7)
    units = negative_binomial(rng, np.full((60, 280), 5.0), 1.5)
    out = np.zeros(units.shape, dtype=bool)
    out[:, 245:] = True
    empty = np.where(out, 0, units)
    future = panel_of(units).days[-1] + np.arange(1, 29)
    masked = baseline_ahead(smooth(panel_of(empty, in_stock=~out)), future).mean()
    blind = baseline_ahead(smooth(panel_of(empty)), future).mean()
    assert masked == pytest.approx(5.0, rel=0.05)
    assert blind < 0.7 * masked, "without the stock record the zeros count"


def test_a_single_order_of_74215_units_does_not_move_the_forecast() -> None:
    panel = steady(n=30, t=200)
    units = panel.units.copy()
    units[4, 180] = 74_215
    plain, hit = forecast(PLAIN, panel), forecast(PLAIN, replace(panel, units=units))
    others = np.arange(30) != 4
    assert np.allclose(hit.mean[others], plain.mean[others], rtol=0.03)
    assert hit.mean[4].sum() < 1.35 * plain.mean[4].sum() + 1
    assert hit.quantiles[:, 4].max() < 20 * max(plain.quantiles[:, 4].max(), 1)


def test_a_lasting_change_of_level_is_followed() -> None:
    rng = np.random.default_rng(8)
    mean = np.full((40, 300), 3.0)
    mean[:, 240:] = 9.0
    made = forecast(PLAIN, panel_of(negative_binomial(rng, mean, 1.4)))
    assert made.mean.mean() == pytest.approx(9.0, rel=0.15)


@pytest.mark.capability("S132")
def test_quantiles_are_ordered_and_cover_what_they_say() -> None:
    rng = np.random.default_rng(9)
    rate = np.exp(rng.uniform(np.log(0.2), np.log(20), 300))
    units = negative_binomial(rng, np.repeat(rate[:, None], 328, axis=1), 2.0)
    panel = panel_of(units)
    made = forecast(PLAIN, until(panel, 300, 28))
    actual = units[:, 300:]
    assert (np.diff(made.quantiles, axis=0) >= 0).all()
    everything = np.ones(actual.shape, dtype=bool)
    for width in (0.5, 0.8, 0.9):
        assert measures.coverage(actual, made.mean, made.ratio, everything, width) == pytest.approx(
            width, abs=0.03
        )
    top = made.levels.index(0.95)
    assert 0.94 <= (actual <= made.quantiles[top]).mean() <= 0.99


def test_a_window_sums_days_and_its_spread_covers_their_sum() -> None:
    rng = np.random.default_rng(10)
    rate = np.exp(rng.uniform(np.log(0.2), np.log(20), 400))
    units = negative_binomial(rng, np.repeat(rate[:, None], 328, axis=1), 2.0)
    made = forecast(PLAIN, until(panel_of(units), 300, 28))
    mean, ratio = made.window(0, np.full(400, 28))
    assert mean == pytest.approx(made.mean.sum(axis=1), rel=1e-4)
    reached = counts.at_most(units[:, 300:].sum(axis=1), mean, ratio)
    assert 0.85 <= ((reached > 0.05) & (reached < 0.95)).mean() <= 0.96


def test_a_new_item_starts_from_its_category_and_learns_from_its_own_sales() -> None:
    rng = np.random.default_rng(11)
    units = negative_binomial(rng, np.full((90, 200), 6.0), 1.5)
    units[0] = 0
    units[3, :196] = 0
    units[3, 196:] = 0.001
    panel = panel_of(units)
    started = panel.started.copy()
    started[[0, 3]] = 200, 196
    made = forecast(PLAIN, replace(panel, started=started))
    assert 2.0 < made.mean[0].mean() < 12.0
    assert made.mean[3].mean() < 0.75 * made.mean[0].mean()


def test_a_weekday_that_never_sells_gets_no_forecast() -> None:
    rng = np.random.default_rng(12)
    mean = np.full((40, 210), 5.0)
    mean[:, np.arange(210) % 7 == 5] = 1e-9
    made = forecast(PLAIN, panel_of(negative_binomial(rng, mean, 1.3)))
    saturday = (made.days.astype("datetime64[D]").astype(int) + 3) % 7 == 5
    assert made.mean[:, saturday].mean() < 0.2
    assert made.mean[:, ~saturday].mean() == pytest.approx(5.0, rel=0.06)


def test_a_season_shared_by_a_category_is_carried_forward() -> None:
    rng = np.random.default_rng(13)
    day = np.arange(760)
    curve = np.exp(0.6 * np.sin(2 * np.pi * day / 365.25))
    units = negative_binomial(rng, np.repeat(4 * curve[None, :], 60, axis=0), 1.4)
    panel = panel_of(units)
    made = forecast(PLAIN, until(panel, 676, 84), horizon=84)
    actual = 4 * curve[676:]
    flat = np.abs(units[:, 648:676].mean() - actual).mean()
    assert np.abs(made.mean.mean(axis=0) - actual).mean() < 0.6 * flat


@pytest.mark.capability("S227")
def test_a_learned_forecast_is_used_only_where_it_beats_the_simple_one() -> None:
    model, tests = train_demand(steady(n=80, t=330), horizon=28, seed=2)
    figures = model.card["overall"]
    assert figures["scaled_pinball"] < figures["naive_scaled_pinball"]
    assert len(tests) == 3 and [str(test.forecast.as_of) for test in tests] == model.card["cutoffs"]
    rng = np.random.default_rng(4)
    walk = np.exp(np.cumsum(rng.normal(0, 0.25, (60, 47)), axis=1))
    jumpy = np.repeat(np.clip(walk, 0.05, 60), 7, axis=1)
    wild, _ = train_demand(panel_of(negative_binomial(rng, jumpy * 3, 1.3)), horizon=28, seed=2)
    for name, used in wild.card["candidate"].items():
        figures = wild.card["by_class"].get(name)
        if figures and figures["wape_28_days"] > figures["naive_wape_28_days"]:
            assert used == "seasonal_naive" or figures["scaled_pinball"] <= figures["naive_scaled_pinball"]


@pytest.mark.capability("S227")
def test_without_enough_history_to_test_the_simple_forecast_is_used() -> None:
    model, tests = train_demand(steady(n=20, t=60))
    assert tests == []
    assert set(model.candidate) == {"seasonal_naive"}
    assert "too few" in model.card["reason"]


def test_too_short_a_history_is_refused_with_a_remedy() -> None:
    with pytest.raises(ValueError, match="at least 14 days"):
        forecast(PLAIN, steady(n=3, t=10))


def test_the_same_seed_gives_the_same_model_and_forecast() -> None:
    panel = steady(n=30, t=330)
    first, second = (train_demand(panel, horizon=28, seed=5)[0] for _ in range(2))
    assert first.card == second.card
    assert np.array_equal(forecast(first, panel).mean, forecast(second, panel).mean)


def test_a_series_is_forecast_alike_alone_in_its_row_order() -> None:
    panel = steady(n=40, t=200)
    order = np.random.default_rng(0).permutation(40)
    shuffled = forecast(PLAIN, take(panel, order))
    assert np.allclose(shuffled.mean, forecast(PLAIN, panel).mean[order], rtol=1e-4, atol=1e-5)
