"""Demand anomalies: what the last weeks sold against what was expected before they began.

The expectation is the base forecast made on the day before the window, with promotions, season and
weekdays in it; days out of stock are not looked at. Tests on single days find bursts, tests on runs of
7, 14 and 28 days find changes in slow items.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from copilot.models import counts
from copilot.models.arrays import Bools, Floats, Ints, take, until
from copilot.models.demand import DemandModel, demand_classes, spread_ratio
from copilot.models.refinement import mean_ahead
from copilot.models.smoothing import smooth
from erp_core.analytics.panels import DemandPanel

WINDOW = 28
RUNS = (1, 7, 14, 28)
ALARM_DAY_SHARE = 0.008
_LEAST_P = 1e-3
_PRIOR = 0.02
_SHARPNESS = 0.2
_CALIBRATION_SERIES = 3_000
_LEAST_EXCESS = 3.0
NATURES = ("true_change", "one_off", "data_error")


@dataclass(frozen=True, slots=True)
class Anomalies:
    """Found anomalies, one per series and direction at most; arrays of length k.

    `threshold` is the calibrated bound on the chance. `series` indexes the panel; `upward` spike or drop; `score` is -log10 of the chance to see this by
    chance; `probability` that demand really differs; `first` and `last` day of the tested run;
    `expected` and `actual` units in it; `nature` indexes `NATURES`: a change that goes on, a single
    order, or data that cannot be right.
    """

    threshold: float
    series: Ints
    upward: Bools
    score: Floats
    probability: Floats
    first: np.ndarray
    last: np.ndarray
    expected: Floats
    actual: Floats
    largest_day: Floats
    nature: Ints


@dataclass(frozen=True, slots=True)
class _Window:
    actual: Floats
    mean: Floats
    ratio: Floats
    level_cv: Floats
    counted: Bools


def detect(panel: DemandPanel, model: DemandModel, *, window: int = WINDOW, seed: int = 0) -> Anomalies:
    """Anomalies in the last `window` days. With under 98 days of history there is nothing to expect from: none.

    The alarm bound is set on the window before, so that about one series-day in 125 would alarm; it
    is never looser than one in 1,000 by the count model.
    """
    length = panel.units.shape[1]
    if length < window + 70:
        return _none()
    threshold = _LEAST_P
    if length >= 2 * window + 70:
        n = panel.units.shape[0]
        rows = np.sort(np.random.default_rng(seed).choice(n, min(n, _CALIBRATION_SERIES), replace=False))
        past = _expected(until(take(panel, rows), length - window, window), model, window)
        chance = np.minimum(*(_by_day(past, upward)[0] for upward in (True, False)))
        looked = chance[past.counted]
        if len(looked) >= 2_000:
            threshold = float(np.clip(np.quantile(looked, ALARM_DAY_SHARE), 1e-9, _LEAST_P))
    found = _expected(panel, model, window)
    parts = [_strongest(panel, found, upward, threshold, window) for upward in (True, False)]
    joined = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return Anomalies(threshold, *joined)


def alarm_days(panel: DemandPanel, model: DemandModel, threshold: float, *, window: int = WINDOW) -> Bools:
    """Series-days (n, window) that alarm at this bound, in either direction; for measuring false alarms."""
    found = _expected(panel, model, window)
    result: Bools = np.minimum(*(_by_day(found, upward)[0] for upward in (True, False))) <= threshold
    return result


def _expected(panel: DemandPanel, model: DemandModel, window: int) -> _Window:
    start = panel.units.shape[1] - window
    past = until(panel, start, window)
    state = smooth(past)
    future = panel.days[start:]
    mean, baseline = mean_ahead(state, past, future)
    excess = np.asarray(model.spread)[demand_classes(past, state)]
    known = panel.started < start - 28
    return _Window(
        actual=panel.units[:, start:],
        mean=np.maximum(mean, 1e-3),
        ratio=spread_ratio(state, np.zeros_like(mean), mean > baseline, excess),
        level_cv=np.sqrt(excess)
        * np.sqrt(state.level_cv**2 + np.where(mean > baseline, state.uplift_cv**2, 0).max(axis=1)),
        counted=panel.in_stock[:, start:] & known[:, None],
    )


def _by_day(found: _Window, upward: bool) -> tuple[Floats, Ints]:
    """Smallest chance (n, window) of the runs that end on each day, and which run it was."""
    chances = np.stack([_run_chance(found, run, upward) for run in RUNS])
    best = chances.argmin(axis=0)
    return chances.min(axis=0), best


def _run_sums(values: Floats, run: int) -> Floats:
    running = np.pad(np.cumsum(values, axis=1, dtype=np.float64), ((0, 0), (1, 0)))
    end = np.arange(1, values.shape[1] + 1)
    result: Floats = running[:, end] - running[:, np.maximum(end - run, 0)]
    return result


def _run_chance(found: _Window, run: int, upward: bool) -> Floats:
    """Chance, under the expectation, of a run as high (or as low) as seen; 1 where the run is not complete."""
    actual, mean = (
        _run_sums(np.where(found.counted, values, 0), run) for values in (found.actual, found.mean)
    )
    noise = _run_sums(np.where(found.counted, found.ratio * found.mean, 0), run)
    days = _run_sums(found.counted.astype(np.float32), run)
    expected = np.maximum(mean, 1e-6)
    ratio = noise / expected + found.level_cv[:, None] ** 2 * expected
    apart = actual - expected if upward else expected - actual
    judged = (days >= 0.7 * run) & (apart >= _LEAST_EXCESS) & (np.arange(mean.shape[1]) >= run - 1)
    tail = counts.at_least if upward else counts.at_most
    chance = np.ones(mean.shape)
    chance[judged] = np.clip(tail(actual[judged], expected[judged], ratio[judged]), 1e-300, 1)
    return chance


def _strongest(
    panel: DemandPanel, found: _Window, upward: bool, threshold: float, window: int
) -> tuple[np.ndarray, ...]:
    chance, run = _by_day(found, upward)
    end = chance.argmin(axis=1)
    rows = np.arange(len(chance))
    series = np.flatnonzero(chance[rows, end] <= threshold)
    end, lowest = end[series], chance[series, end[series]]
    length = np.asarray(RUNS)[run[series, end]]
    inside = np.arange(window)[None, :]
    tested = (inside > (end - length)[:, None]) & (inside <= end[:, None]) & found.counted[series]
    actual = np.where(tested, found.actual[series], 0)
    expected = np.where(tested, found.mean[series], 0)
    apart = actual - expected if upward else expected - actual
    first = np.where(tested & (apart > 0), inside, window).min(axis=1)
    kept = tested & (inside >= first[:, None])
    largest = np.where(kept, actual, 0).max(axis=1)
    scaled = lowest * (ALARM_DAY_SHARE / threshold)
    alternative = _PRIOR * _SHARPNESS * np.clip(scaled, 1e-30, 1) ** (_SHARPNESS - 1)
    days = panel.days[-window:]
    return (
        series,
        np.full(len(series), upward),
        -np.log10(lowest),
        alternative / (alternative + 1 - _PRIOR),
        days[np.minimum(first, window - 1)],
        days[end],
        np.where(kept, expected, 0).sum(axis=1),
        np.where(kept, actual, 0).sum(axis=1),
        largest,
        _nature(panel, series, apart, largest, upward, window),
    )


def _nature(
    panel: DemandPanel, series: Ints, apart: Floats, largest: Floats, upward: bool, window: int
) -> Ints:
    """Why it differs. One day that carries the excess is a one-off; one that is beyond all measure, an error.

    Order line counts, where the panel has them, settle it: a burst of many lines is a true change. A
    place whose series have nearly all gone silent at once has lost its feed, not its demand.
    """
    nature = np.zeros(len(series), dtype=np.int64)
    if not len(series):
        return nature
    if upward:
        total = np.maximum(np.where(apart > 0, apart, 0).sum(axis=1), 1e-9)
        single = apart.max(axis=1) >= 0.8 * total
        lines = panel.attributes.get("lines")
        if lines is not None and lines.ndim == 2:
            day = apart.argmax(axis=1)
            single &= lines[series, lines.shape[1] - window + day] <= 2
        before = panel.units[series, :-window].max(axis=1, initial=0)
        return np.where(single & (largest > 50 * np.maximum(before, 1)), 2, np.where(single, 1, 0))
    places = np.unique(
        np.asarray([place.int for place in panel.location_ids], dtype=object), return_inverse=True
    )[1]
    selling = panel.units[:, -2 * window : -window].sum(axis=1) > 0
    silent = selling & (panel.units[:, -window // 4 :].sum(axis=1) == 0)
    size = np.bincount(places, weights=selling)
    lost = np.bincount(places, weights=silent) >= np.maximum(0.95 * size, 5)
    return np.where(lost[places[series]], 2, nature)


def _none() -> Anomalies:
    empty, whole = np.zeros(0), np.zeros(0, dtype=np.int64)
    days = np.zeros(0, dtype="datetime64[D]")
    flags = np.zeros(0, dtype=np.bool_)
    return Anomalies(_LEAST_P, whole, flags, empty, empty, days, days, empty, empty, empty, whole)
