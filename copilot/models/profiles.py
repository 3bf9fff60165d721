"""The shape of demand around its level: weekday, time of year, promotion uplift; each shrunk to its group."""

from __future__ import annotations

import numpy as np

from copilot.models.arrays import Bools, Days, Floats, Ints, sum_by
from copilot.models.cleaning import CleanDemand

_HARMONICS = 3
_SEASON_RIDGE = 6.0
_YEAR = 365.25
SEASON_AFTER_DAYS = 400
_WEEKDAY_STRENGTH = 12.0
_PROMOTION_STRENGTH = 8.0
MAX_UPLIFT = 20.0


def weekday_of(days: Days) -> Ints:
    """0 Monday … 6 Sunday."""
    return (days.astype("datetime64[D]").astype(np.int64) + 3) % 7


def discounted_weeks(values: Floats, alphas: tuple[float, ...]) -> Floats:
    """Discounted sums of (n, t) values at the end of every seventh day, the last day included.

    Shape (weeks + 1, n, alphas); the first is the empty sum before the history begins.
    """
    n, length = values.shape
    weeks = -(-length // 7)
    padded = np.pad(values, ((0, 0), (weeks * 7 - length, 0))) if weeks * 7 > length else values
    keep = 1 - np.asarray(alphas, dtype=np.float32)
    weights = keep[None, :] ** np.arange(6, -1, -1, dtype=np.float32)[:, None]
    within = np.ascontiguousarray(
        (padded.reshape(n * weeks, 7) @ weights).reshape(n, weeks, -1).transpose(1, 0, 2)
    )
    sums = np.zeros((weeks + 1, n, len(alphas)), dtype=np.float32)
    for week in range(weeks):
        sums[week + 1] = sums[week] * keep**7 + within[week]
    return sums


def weekday_profile(demand: CleanDemand, days: Days, codes: Ints, groups: int, ratio: Floats) -> Floats:
    """Factors (n, 7) with mean 1: the series' own weekdays over a year, shrunk to its group's.

    `ratio` is the variance-to-mean ratio that says how much an ordered unit proves.
    """
    window = slice(max(0, len(days) - 364), None)
    units = (demand.units[:, window] * demand.usable[:, window]).astype(np.float32)
    usable = demand.usable[:, window].astype(np.float32)
    level = units.sum(axis=1, keepdims=True) / np.maximum(usable.sum(axis=1, keepdims=True), 1)
    member = np.eye(7, dtype=np.float32)[weekday_of(days[window])]
    sold, expected = units @ member, (usable @ member) * level
    everyone = (sold.sum(axis=0) + 1) / (expected.sum(axis=0) + 1)
    strength = _WEEKDAY_STRENGTH * 20
    of_group = (sum_by(codes, groups, sold) + strength * everyone) / (
        sum_by(codes, groups, expected) + strength
    )
    scale = ratio[:, None]
    own = (sold / scale + _WEEKDAY_STRENGTH * of_group[codes]) / (expected / scale + _WEEKDAY_STRENGTH)
    result: Floats = (own / own.mean(axis=1, keepdims=True)).astype(np.float32)
    return result


def harmonics(days: Days) -> Floats:
    """Sines and cosines of the time of year, (t, 2 x harmonics)."""
    angle = 2 * np.pi * days.astype("datetime64[D]").astype(np.float64) / _YEAR
    waves = [wave(k * angle) for k in range(1, _HARMONICS + 1) for wave in (np.sin, np.cos)]
    return np.stack(waves, axis=1)


def season_curve(demand: CleanDemand, days: Days, codes: Ints, groups: int) -> Floats:
    """Coefficients (groups, 2 x harmonics) of the log season; zeros under about a year of history.

    A ridge regression of each group's weekly sales, against what its series sell on average, on a
    straight trend and harmonics: first for the whole company, then each group's deviation from it.
    """
    none = np.zeros((groups, 2 * _HARMONICS))
    if len(days) < SEASON_AFTER_DAYS:
        return none
    weeks = len(days) // 7
    start = len(days) - weeks * 7
    shape = (len(codes), weeks, 7)
    units = (demand.units * demand.usable)[:, start:].reshape(shape).sum(axis=2, dtype=np.float32)
    usable = demand.usable[:, start:].reshape(shape).sum(axis=2, dtype=np.float32)
    middle = days[start:].reshape(weeks, 7)[:, 3]
    waves = harmonics(middle)
    coefficients = none
    for _ in range(2):
        factor = np.exp(coefficients @ waves.T).astype(np.float32)[codes]
        mean = units.sum(axis=1) / np.maximum((usable * factor).sum(axis=1), 1e-6)
        sold = sum_by(codes, groups, units)
        expected = sum_by(codes, groups, usable * mean[:, None])
        company = _ridge(sold.sum(axis=0), expected.sum(axis=0), waves, np.zeros(waves.shape[1]))
        coefficients = np.stack([_ridge(sold[g], expected[g], waves, company) for g in range(groups)])
    return coefficients


def _ridge(sold: Floats, expected: Floats, waves: Floats, around: Floats) -> Floats:
    """Harmonic coefficients of log(sold / expected), shrunk to `around`."""
    log_ratio = np.log((sold + 1) / (expected + 1)) - waves @ around
    weight = expected / (expected + 50.0)
    time = np.linspace(-1, 1, len(sold))
    design = np.column_stack([np.ones_like(time), time, waves])
    penalty = np.diag([1e-6, 1.0, *([_SEASON_RIDGE] * waves.shape[1])])
    weighted = design * weight[:, None]
    solution = np.linalg.solve(weighted.T @ design + penalty, weighted.T @ log_ratio)
    return np.asarray(around + solution[2:])


def promotion_uplift(
    demand: CleanDemand, baseline: Floats, codes: Ints, groups: int, ratio: Floats
) -> tuple[Floats, float]:
    """How many times baseline a promoted day sells, per series (n,), and the relative error of that.

    `baseline` (n, t) is what unpromoted days before lead one to expect. 1.5 where nothing was ever promoted.
    """
    days: Bools = demand.promoted
    if not days.any():
        return np.full(len(ratio), 1.5, dtype=np.float32), 0.3
    usual = np.where(days, baseline, 0)
    sold = np.where(days, np.minimum(demand.units, 30 * usual + 5 * ratio[:, None]), 0).sum(axis=1)
    expected = usual.sum(axis=1)
    everyone = (sold.sum() + 1.5 * 50) / (expected.sum() + 50)
    strength = _PROMOTION_STRENGTH * 5
    of_group = (sum_by(codes, groups, sold) + strength * everyone) / (
        sum_by(codes, groups, expected) + strength
    )
    own = (sold / ratio + _PROMOTION_STRENGTH * of_group[codes]) / (expected / ratio + _PROMOTION_STRENGTH)
    uplift = np.clip(own, 1.0, MAX_UPLIFT).astype(np.float32)
    return uplift, _relative_error(demand.units, usual * uplift[:, None], ratio)


def _relative_error(units: Floats, expected: Floats, ratio: Floats) -> float:
    """What daily noise leaves unexplained of promoted days, relative to their mean."""
    clear = expected > ratio[:, None]
    if clear.sum() < 30:
        return 0.3
    noise = (ratio[:, None] * expected)[clear]
    squares = np.minimum((units - expected)[clear] ** 2, 9 * noise + (1.5 * expected[clear]) ** 2)
    excess = np.mean((squares - noise) / expected[clear] ** 2)
    return float(np.sqrt(np.clip(excess, 0.0, 1.0)))
