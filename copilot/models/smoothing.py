"""The base forecast: discounted Poisson-gamma smoothing of many series at once.

The level after day t is (A_t + a) / (B_t + a / prior), where A and B are discounted sums of units and
of the day factors (weekday x season) of usable days: an exponential smoothing that no zero factor or
missing day upsets, with a peer group's rate as the prior of a series without history. Levels of
several discounts are averaged by how well each predicted the series' last half year, four weeks ahead.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import numpy as np

from copilot.models import profiles
from copilot.models.arrays import Days, Floats, Ints, group_codes, sum_by
from copilot.models.cleaning import CleanDemand, clean, closed_ahead
from copilot.models.counts import MIN_RATIO
from erp_core.analytics.panels import DemandPanel

ALPHAS = (0.01, 0.03, 0.08, 0.2)
_FAST, _SLOW = 2, 0
_AGES = 1 / 0.01 - 1 / 0.08
_AHEAD = 28
_DAMPING = 0.975
_RATIO_STRENGTH = 30.0
_PROMOTED_WEIGHT = 0.1


@dataclass(frozen=True, slots=True)
class Smoothing:
    """The state of n series after the last day of a panel; forecasts of any horizon follow from it.

    `level`: baseline units a day, all factors being 1. `trend`: log growth a day, damped ahead.
    `weekday` (n, 7); `season` (groups, harmonics) with `group` (n,) codes. `uplift`: promoted against
    baseline, and its relative error `uplift_cv`. `ratio`: variance-to-mean ratio of a day. `level_cv`: relative error of the level.
    `naive` (n, 7): the seasonal naive forecast, mean of the last four same weekdays.
    """

    days: Days
    item_ids: tuple[UUID, ...]
    location_ids: tuple[UUID, ...]
    level: Floats
    trend: Floats
    weekday: Floats
    season: Floats
    group: Ints
    uplift: Floats
    uplift_cv: float
    ratio: Floats
    level_cv: Floats
    naive: Floats
    demand: CleanDemand
    factor: Floats


def smooth(panel: DemandPanel, group_by: str = "category") -> Smoothing:
    """Fit all series of a panel. Uses nothing but the panel; raises `ValueError` for fewer than 14 days."""
    if panel.units.shape[1] < 14:
        raise ValueError("a demand forecast needs at least 14 days of history: load more sales history")
    codes, groups = group_codes(panel, group_by)
    demand = clean(panel)
    usable = demand.usable.astype(np.float32)
    units = demand.units * usable
    ratio = _daily_ratio(units, usable, units.sum(axis=1) / np.maximum(usable.sum(axis=1), 1), codes, groups)
    weekday = profiles.weekday_profile(demand, panel.days, codes, groups, ratio)
    season = profiles.season_curve(demand, panel.days, codes, groups)
    factor = day_factors(panel.days, weekday, season, codes)
    weight = factor * usable
    strength, prior = _prior(panel, units, weight, ratio, codes, groups)

    middle = _levels(units, weight, strength, prior, ALPHAS[1:2])[:-1, :, 0]
    before = np.repeat(middle.T, 7, axis=1)[:, -units.shape[1] :] * factor
    ratio = _daily_ratio(units, usable, before, codes, groups)
    uplift, uplift_cv = profiles.promotion_uplift(demand, before, codes, groups, ratio)
    if demand.promoted.any():
        faint = _PROMOTED_WEIGHT * demand.promoted
        units = units + demand.units * faint / uplift[:, None]
        weight = weight + factor * faint
    levels = _levels(units, weight, strength, prior, ALPHAS)
    choice = _choose(units, weight, levels, ratio)
    evidence = levels[-1, :, _FAST] / ALPHAS[_FAST] / ratio
    trend = _growth(levels[-1, :, _FAST], levels[-1, :, _SLOW], evidence) * choice.trend_share
    level = (choice.shares * levels[-1]).sum(axis=1)
    return Smoothing(
        days=panel.days,
        item_ids=panel.item_ids,
        location_ids=panel.location_ids,
        level=level.astype(np.float32),
        trend=trend.astype(np.float32),
        weekday=weekday,
        season=season,
        group=codes,
        uplift=uplift,
        uplift_cv=uplift_cv,
        ratio=ratio,
        level_cv=choice.level_cv,
        naive=seasonal_naive(panel),
        demand=demand,
        factor=factor,
    )


def day_factors(days: Days, weekday: Floats, season: Floats, codes: Ints) -> Floats:
    """Weekday times season of each series and day, (n, t)."""
    curve = np.exp(season @ profiles.harmonics(days).T).astype(np.float32)
    result: Floats = weekday[:, profiles.weekday_of(days)] * curve[codes]
    return result


def baseline_ahead(state: Smoothing, future: Days) -> Floats:
    """Baseline means (n, h) for the days that follow the state's history, without promotions."""
    ahead = np.arange(1, len(future) + 1)
    growth = _DAMPING * (1 - _DAMPING**ahead) / (1 - _DAMPING)
    shape = day_factors(future, state.weekday, state.season, state.group)
    opening = closed_ahead(state.days, state.demand.closed, future)
    drift = np.exp(np.clip(state.trend[:, None] * growth, -0.7, 0.7)).astype(np.float32)
    result: Floats = state.level[:, None] * shape * drift * opening
    return result


def seasonal_naive(panel: DemandPanel) -> Floats:
    """Mean of the last four same weekdays, as a planner's spreadsheet has it: (n, 7), raw demand."""
    window = slice(max(0, panel.units.shape[1] - 28), None)
    member = np.eye(7, dtype=np.float32)[profiles.weekday_of(panel.days[window])]
    sold = panel.units[:, window].astype(np.float32) @ member
    result: Floats = sold / np.maximum(member.sum(axis=0), 1)
    return result


@dataclass(frozen=True, slots=True)
class _Choice:
    shares: Floats
    trend_share: float
    level_cv: Floats


def _levels(
    units: Floats, weight: Floats, strength: Floats, prior: Floats, alphas: tuple[float, ...]
) -> Floats:
    """Posterior levels (weeks + 1, n, alphas) at the end of every week of history, counted from its last day."""
    sold = profiles.discounted_weeks(units, alphas)
    days = profiles.discounted_weeks(weight, alphas)
    worth = strength / np.maximum(prior, 1e-6)
    result: Floats = (sold + strength[:, None]) / (days + worth[:, None])
    return result.astype(np.float32)


def _growth(fast: Floats, slow: Floats, evidence: Floats) -> Floats:
    slope = np.log(np.maximum(fast, 1e-6) / np.maximum(slow, 1e-6)) / _AGES
    result: Floats = np.clip(slope * evidence / (evidence + 15.0), -0.01, 0.01)
    return result


def _daily_ratio(units: Floats, usable: Floats, expected: Floats, codes: Ints, groups: int) -> Floats:
    """Variance over mean of a day around `expected` in the last year, shrunk to the group's."""
    window = slice(max(0, units.shape[1] - 364), None)
    mean = expected[:, None] if expected.ndim == 1 else expected[:, window]
    mean = mean * usable[:, window]
    squares = ((units[:, window] - mean) ** 2).sum(axis=1)
    total = mean.sum(axis=1)
    days = usable[:, window].sum(axis=1)
    own = squares / np.maximum(total, 1e-3)
    trusted = np.where(total > 3, np.minimum(days, 200.0), 0.0)
    log_own = np.log(np.clip(own, MIN_RATIO, 1e4))
    company = (trusted * log_own).sum() / max(trusted.sum(), 1e-9) if trusted.sum() else np.log(1.5)
    of_group = (sum_by(codes, groups, trusted * log_own) + 100 * company) / (
        sum_by(codes, groups, trusted) + 100
    )
    blended = (trusted * log_own + _RATIO_STRENGTH * of_group[codes]) / (trusted + _RATIO_STRENGTH)
    result: Floats = np.maximum(np.exp(blended), MIN_RATIO).astype(np.float32)
    return result


def _prior(
    panel: DemandPanel, units: Floats, weight: Floats, ratio: Floats, codes: Ints, groups: int
) -> tuple[Floats, Floats]:
    """What peers say of a series before its own history does: strength in units, rate a day.

    The rate follows the group, the location and, where prices are known, the price within the group.
    """
    sold, days = units.sum(axis=1), weight.sum(axis=1)
    known = days >= 28
    if not known.any():
        overall = max(float(sold.sum() / max(float(days.sum()), 1.0)), 0.01)
        return np.full(len(sold), 0.5), np.full(len(sold), overall)
    log_rate = np.log(sold / np.maximum(days, 1e-6) + 0.02)
    trusted = known.astype(np.float64)
    company = (trusted * log_rate).sum() / trusted.sum()

    def effect(of: Ints, size: int, rest: Floats) -> Floats:
        result: Floats = (sum_by(of, size, trusted * rest) / (sum_by(of, size, trusted) + 3.0))[of]
        return result

    places = np.unique(
        np.asarray([place.int for place in panel.location_ids], dtype=object), return_inverse=True
    )[1]
    expected = company + effect(codes, groups, log_rate - company)
    expected = expected + effect(places, int(places.max()) + 1, log_rate - expected)
    price = _price(panel)
    seen = known & np.isfinite(price)
    if seen.sum() >= 20:
        log_price = np.log(np.where(np.isfinite(price), price, 1.0))
        means = sum_by(codes, groups, np.where(seen, log_price, 0)) / np.maximum(
            sum_by(codes, groups, 1.0 * seen), 1
        )
        apart = np.where(np.isfinite(price), log_price - means[codes], 0.0)
        slope = (apart * (log_rate - expected))[seen].sum() / ((apart[seen] ** 2).sum() + 5.0)
        expected = expected + np.clip(slope, -1.2, 0.3) * apart
    spread = np.clip(np.var((log_rate - expected)[known]), 0.2, 3.0)
    prior = np.exp(expected + min(spread, 1.0) / 2)
    return np.clip(1 / spread, 0.3, 3.0) * ratio, prior


def _price(panel: DemandPanel) -> Floats:
    """List price per series: the given attribute, else what its sales show; NaN where neither does."""
    given = panel.attributes.get("price")
    sold = panel.units.sum(axis=1, dtype=np.float64)
    shown = panel.list_sales.sum(axis=1, dtype=np.float64) / np.where(sold > 0, sold, np.nan)
    price = np.asarray(given, dtype=np.float64) if given is not None else shown
    return np.where(price > 0, price, np.nan)


def _choose(units: Floats, weight: Floats, levels: Floats, ratio: Floats) -> _Choice:
    """Weigh the discounts, the trend and the level's error by forecasts four weeks ahead, half a year back."""
    n, length = units.shape
    weeks = [back for back in range(4, 30) if length - 7 * back >= 40]
    if not weeks:
        even = np.full((n, len(ALPHAS)), 1 / len(ALPHAS))
        return _Choice(even, 0.0, np.full(n, 0.3, dtype=np.float32))
    recent = slice(length - 7 * weeks[-1], length)
    starts = 7 * (weeks[-1] - np.asarray(weeks))
    sold, days = (_ahead_sums(values[:, recent], starts) for values in (units, weight))
    at = levels[[-1 - back for back in weeks]].transpose(2, 1, 0)
    middle = at.mean(axis=0)
    variance = ratio[:, None] * middle * days + (0.15 * middle * days) ** 2 + 1e-3
    misses = np.minimum((sold - at * days) ** 2 / variance, 50.0).sum(axis=2) / 8
    scores = misses + 2 * misses.mean(axis=1, keepdims=True)
    shares = np.exp(-(scores - scores.min(axis=0)))
    shares = shares / shares.sum(axis=0)
    level = np.einsum("an,ano->no", shares, at)
    error = sold - level * days
    evidence = level / ALPHAS[_FAST] / ratio[:, None]
    slope = _growth(at[_FAST], at[_SLOW], evidence) * level * days * _mean_growth()
    trend_share = float(
        np.clip((slope * error / variance).sum() / ((slope**2 / variance).sum() + 1e-9), 0.0, 1.2)
    )
    return _Choice(shares.T, trend_share, _level_error(error, level * days, ratio))


def _mean_growth() -> float:
    ahead = np.arange(1, _AHEAD + 1)
    return float(np.mean(_DAMPING * (1 - _DAMPING**ahead) / (1 - _DAMPING)))


def _ahead_sums(values: Floats, origins: Ints) -> Floats:
    running = np.pad(np.cumsum(values, axis=1, dtype=np.float64), ((0, 0), (1, 0)))
    result: Floats = running[:, origins + _AHEAD] - running[:, origins]
    return result


def _level_error(error: Floats, expected: Floats, ratio: Floats) -> Floats:
    """Relative standard error of the level, from what daily noise does not explain; shrunk to the company's."""
    noise = ratio[:, None] * expected
    squares = np.minimum(error**2, 9 * (noise + (0.5 * expected) ** 2))
    precision = 1 / np.maximum(noise + (0.2 * expected) ** 2, 1e-6) ** 2 * expected**2
    own_excess = (precision * (squares - noise)).sum(axis=1)
    own_base = (precision * expected**2).sum(axis=1)
    company = np.clip(own_excess.sum() / max(float(own_base.sum()), 1e-9), 0.003, 0.5)
    trust = own_base / (own_base + np.median(own_base) + 1e-9) * 0.5
    own = np.clip(own_excess / np.maximum(own_base, 1e-9), 0.003, 0.8)
    result: Floats = np.sqrt((1 - trust) * company + trust * own).astype(np.float32)
    return result
