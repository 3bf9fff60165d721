"""Demand anomalies: what the last weeks sold against what was expected before they began.

The expectation is the base forecast made on the day before the window, with promotions, season and
weekdays in it; days out of stock are not looked at. An item is watched over all its locations together,
where slow sellers can be seen at all, and at each location; in units, which show large orders, and in
order lines, which show many customers. Runs of 1 to 28 days are tested. What an item's strangest run
is worth is learned from the windows before, and alarms are chosen at a bounded share of false ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from copilot.models import counts
from copilot.models.arrays import Bools, Floats, Ints, sum_by, take, until
from copilot.models.demand import DemandModel, demand_classes, spread_ratio
from copilot.models.refinement import mean_ahead
from copilot.models.smoothing import smooth
from erp_core.analytics.panels import DemandPanel

WINDOW = 28
RUNS = (1, 3, 7, 14, 28)
FALSE_SHARE = 0.25
LEAST_HISTORY = 70
NATURES = ("true_change", "one_off", "data_error")
_CALIBRATING_WINDOWS = 4
_CALIBRATION_SERIES = 3_000
_LEAST_SCORES = 100
_TAIL = 0.1
_CENSORED = 0.98
_LEAST_EXCESS = 3.0
_SHARPNESS = 0.2
_WHOLE = 0.05


@dataclass(frozen=True, slots=True)
class Tail:
    """Chance of a quiet item to score s or more in a window: 0.1 exp(-(s - start) / scale), 1 at most."""

    start: float
    scale: float

    def chance(self, score: Floats) -> Floats:
        """Chances of the scores; a score is -ln of the least chance by the count model."""
        exponent = -(np.asarray(score) - self.start) / self.scale
        result: Floats = np.minimum(_TAIL * np.exp(np.minimum(exponent, 50.0)), 1.0)
        return result


@dataclass(frozen=True, slots=True)
class Calibration:
    """How quiet items score upwards and downwards, and the greatest chance that is an alarm."""

    upward: Tail
    downward: Tail
    bound: float


@dataclass(frozen=True, slots=True)
class Anomalies:
    """Found anomalies, one per item at most; arrays of length k.

    `series` indexes the panel: the series concerned where `local`, else any of the item's, all of whose
    locations are concerned. `upward` spike or drop; `score` is -log10 of the chance to see this by
    chance; `probability` that demand really differs; `first` and `last` day of the tested run; `expected`
    and `actual` units in it; `nature` indexes `NATURES`: a change that goes on, a single order, or data
    that cannot be right. `alarm_share` is the share of item-days that alarm.
    """

    calibration: Calibration
    alarm_share: float
    series: Ints
    local: Bools
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
class _Watched:
    """What is watched: items first, then the series of items with several. Sums over counted days, (rows, window).

    `item` (rows,) is the item's code, `series` (rows,) a series of it, `tests` (rows,) how many rows watch the item
    besides itself, `before` (rows,) is the largest day until the window began. `level` is the standard error that the level's error leaves in a day, the same on all days.
    """

    item: Ints
    series: Ints
    tests: Ints
    actual: Floats
    mean: Floats
    noise: Floats
    level: Floats
    share: Floats
    before: Floats


def detect(panel: DemandPanel, model: DemandModel, *, window: int = WINDOW, seed: int = 0) -> Anomalies:
    """Anomalies in the last `window` days. With under 98 days of history there is nothing to expect from: none.

    Alarms are chosen by Benjamini and Hochberg's rule at a quarter of false ones, over all items and both
    directions.
    """
    if panel.units.shape[1] < window + LEAST_HISTORY or not len(panel.item_ids):
        return _none()
    upward, downward = _tails(panel, model, window, seed)
    views = _views(panel, model, window)
    chances = {up: _chances(views, up) for up in (True, False)}
    scores = {up: _item_scores(views[0], chances[up].min(axis=(0, 2))) for up in (True, False)}
    chance = {True: upward.chance(scores[True]), False: downward.chance(scores[False])}
    up_wins = chance[True] <= chance[False]
    chance = {True: np.where(up_wins, chance[True], 1), False: np.where(up_wins, 1, chance[False])}
    bound = _bound(np.concatenate([chance[True], chance[False]]))
    calibration = Calibration(upward, downward, bound)
    items = len(chance[True])
    alarms = sum(int((chance[up] <= bound).sum()) for up in (True, False))
    prior = float(np.clip(alarms / max(items, 1), 0.01, 0.5))
    parts = [_findings(panel, views, chances[up], chance[up], bound, prior, up) for up in (True, False)]
    joined = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    share = float(_alarms(views, chances, calibration).mean())
    return Anomalies(calibration, share, *joined)


def alarm_days(
    panel: DemandPanel, model: DemandModel, calibration: Calibration, *, window: int = WINDOW
) -> Bools:
    """Item-days (items, window) that alarm at this calibration, in either direction; items in order of their ids."""
    views = _views(panel, model, window)
    return _alarms(views, {up: _chances(views, up) for up in (True, False)}, calibration)


def _alarms(views: tuple[_Watched, ...], chances: dict[bool, Floats], calibration: Calibration) -> Bools:
    days = [
        tail.chance(_item_scores(views[0], chances[up].min(axis=0))) <= calibration.bound
        for up, tail in ((True, calibration.upward), (False, calibration.downward))
    ]
    result: Bools = days[0] | days[1]
    return result


def _tails(panel: DemandPanel, model: DemandModel, window: int, seed: int) -> tuple[Tail, Tail]:
    """Tails from up to four earlier windows, of some items where there are many.

    Only scores between the 90 % and 98 % quantile shape a tail: the highest may be true anomalies.
    """
    _, code = _items(panel)
    size = np.bincount(code)
    chosen = np.random.default_rng(seed).permutation(len(size))
    chosen = chosen[: max(1, int(np.searchsorted(np.cumsum(size[chosen]), _CALIBRATION_SERIES)))]
    sample = take(panel, np.flatnonzero(np.isin(code, chosen)))
    length = panel.units.shape[1]
    scores: dict[bool, list[Floats]] = {True: [], False: []}
    for back in range(1, _CALIBRATING_WINDOWS + 1):
        end = length - back * window
        if end < window + LEAST_HISTORY:
            break
        views = _views(until(sample, end, window), model, window)
        for up in (True, False):
            scores[up].append(_item_scores(views[0], _chances(views, up).min(axis=(0, 2))))
    return _tail(scores[True]), _tail(scores[False])


def _tail(scores: list[Floats]) -> Tail:
    """With too few scores, twenty tests an item by the count model; a short tail is drawn to the model's scale of 1."""
    joined = np.concatenate(scores) if scores else np.zeros(0)
    if len(joined) < _LEAST_SCORES:
        return Tail(float(np.log(20 / _TAIL)), 1.0)
    start, censored = np.quantile(joined, [1 - _TAIL, _CENSORED])
    beyond = joined[joined > start]
    excess = (np.minimum(beyond, censored) - start).sum()
    return Tail(float(start), float((excess + 10) / ((beyond < censored).sum() + 10)))


def _bound(chance: Floats) -> float:
    """The greatest chance that may alarm so that about a quarter of the alarms are false at most; 0 where none may."""
    ordered = np.sort(chance)
    allowed = ordered <= FALSE_SHARE * np.arange(1, len(ordered) + 1) / len(ordered)
    return float(ordered[np.flatnonzero(allowed)[-1]]) if allowed.any() else 0.0


def _items(panel: DemandPanel) -> tuple[Ints, Ints]:
    """The first series of each item, and each series' item code."""
    ids = np.asarray([item.int for item in panel.item_ids], dtype=object)
    _, first, code = np.unique(ids, return_index=True, return_inverse=True)
    return first.astype(np.int64), code.astype(np.int64)


def _views(panel: DemandPanel, model: DemandModel, window: int) -> tuple[_Watched, ...]:
    """The window in units, and in order lines where the panel has them."""
    lines = panel.attributes.get("lines")
    panels = [panel]
    if lines is not None and lines.shape == panel.units.shape:
        panels.append(replace(panel, units=lines))
    return tuple(_watched(one, model, window) for one in panels)


def _watched(panel: DemandPanel, model: DemandModel, window: int) -> _Watched:
    start = panel.units.shape[1] - window
    past = until(panel, start, window)
    state = smooth(past)
    mean, baseline = mean_ahead(state, past, panel.days[start:])
    mean = np.maximum(mean, 1e-3)
    spread = np.asarray(model.spread)[demand_classes(past, state)]
    promoted = mean > np.maximum(baseline, 1e-3)
    ratio = spread_ratio(state, np.zeros_like(mean), promoted, spread)
    error = np.sqrt(
        spread[:, None] * (state.level_cv[:, None] ** 2 + np.where(promoted, state.uplift_cv**2, 0))
    )
    counted = panel.in_stock[:, start:] & (panel.started < start - 28)[:, None]
    first, code = _items(panel)
    several = np.flatnonzero(np.bincount(code)[code] > 1)

    def both(values: Floats) -> Floats:
        summed = sum_by(code, len(first), values)
        return np.concatenate([summed, values[several]]).astype(np.float64)

    seen = both(np.where(counted, mean, 0))
    return _Watched(
        item=np.concatenate([np.arange(len(first)), code[several]]),
        series=np.concatenate([first, several]),
        tests=np.concatenate([np.ones(len(first)), np.bincount(code)[code][several]]).astype(np.int64),
        actual=both(np.where(counted, panel.units[:, start:], 0)),
        mean=seen,
        noise=both(np.where(counted, ratio * mean, 0)),
        level=np.sqrt(both(np.where(counted, error * mean, 0) ** 2)),
        share=seen / both(mean),
        before=np.concatenate(
            [
                sum_by(code, len(first), past.units).max(axis=1),
                past.units[several].max(axis=1),
            ]
        ),
    )


def _chances(views: tuple[_Watched, ...], upward: bool) -> Floats:
    """Least chance of the runs that end on each day, by kind of unit: (views * runs, rows, window).

    Where lines are known, units raise a spike only by a day above all days before: that many customers came
    is then for the lines to say, and a large order is news only when it is the largest. One location alone
    counts only where the item as a whole departs too: demand that moves between locations is no anomaly.
    """
    chances = np.stack([_run_chance(view, run, upward) for view in views for run in RUNS])
    if upward and len(views) > 1:
        usual = views[0].actual.max(axis=1) <= views[0].before
        chances[: len(RUNS), usual] = 1
    items = int(views[0].item.max()) + 1
    whole = chances[:, views[0].item[items:]]
    chances[:, items:] = np.where(whole <= _WHOLE, chances[:, items:], 1)
    return chances


def _run_sums(values: Floats, run: int) -> Floats:
    running = np.pad(np.cumsum(values, axis=1, dtype=np.float64), ((0, 0), (1, 0)))
    end = np.arange(1, values.shape[1] + 1)
    result: Floats = running[:, end] - running[:, np.maximum(end - run, 0)]
    return result


def _run_chance(seen: _Watched, run: int, upward: bool) -> Floats:
    """Chance, under the expectation, of a run as high (or as low) as seen, times the rows that watch the
    same item; 1 where the run is not complete."""
    actual, noise = _run_sums(seen.actual, run), _run_sums(seen.noise, run)
    expected = np.maximum(_run_sums(seen.mean, run), 1e-6)
    ratio = (noise + _run_sums(seen.level, run) ** 2) / expected
    apart = actual - expected if upward else expected - actual
    judged = _run_sums(seen.share, run) >= 0.7 * run
    judged &= (apart >= _LEAST_EXCESS) & (np.arange(expected.shape[1]) >= run - 1)
    tail = counts.at_least if upward else counts.at_most
    chance = np.ones(expected.shape)
    chance[judged] = np.clip(tail(actual[judged], expected[judged], ratio[judged]), 1e-300, 1)
    result: Floats = np.minimum(chance * seen.tests[:, None], 1)
    return result


def _item_scores(seen: _Watched, chance: Floats) -> Floats:
    """Scores (items, …) of the least chance among the rows that watch each item."""
    least = np.ones((int(seen.item.max()) + 1, *chance.shape[1:]))
    np.minimum.at(least, seen.item, chance)
    result: Floats = -np.log(least)
    return result


def _findings(
    panel: DemandPanel,
    views: tuple[_Watched, ...],
    chances: Floats,
    calibrated: Floats,
    bound: float,
    prior: float,
    upward: bool,
) -> tuple[np.ndarray, ...]:
    """The alarming items of one direction: where each differs most, from when, by how much, and why."""
    units, window = views[0], views[0].actual.shape[1]
    by_row = chances.min(axis=(0, 2))
    order = np.lexsort((by_row, units.item))
    best = order[np.flatnonzero(np.r_[True, np.diff(units.item[order]) > 0])]
    alarming = np.flatnonzero(calibrated <= bound)
    rows = best[alarming]
    flat = chances[:, rows].transpose(1, 0, 2).reshape(len(rows), len(chances) * window).argmin(axis=1)
    end, length = flat % window, np.asarray(RUNS)[(flat // window) % len(RUNS)]
    inside = np.arange(window)[None, :]
    tested = (inside > (end - length)[:, None]) & (inside <= end[:, None]) & (units.mean[rows] > 0)
    actual, expected = (np.where(tested, values[rows], 0) for values in (units.actual, units.mean))
    apart = actual - expected if upward else expected - actual
    first = np.where(tested & (apart > 0), inside, window).min(axis=1)
    first = np.minimum(first, end)
    kept = tested & (inside >= first[:, None])
    largest = np.where(kept, actual, 0).max(axis=1, initial=0)
    chance = np.maximum(calibrated[alarming], 1e-30)
    alternative = prior * _SHARPNESS * chance ** (_SHARPNESS - 1)
    days = panel.days[-window:]
    alone = np.bincount(units.item, minlength=len(calibrated))[alarming] == 1
    local = (rows >= len(calibrated)) | alone
    members = _members(panel, units.series[rows], local)
    return (
        units.series[rows],
        local,
        np.full(len(rows), upward),
        -np.log10(chance),
        alternative / (alternative + 1 - prior),
        days[first],
        days[end],
        np.where(kept, expected, 0).sum(axis=1),
        np.where(kept, actual, 0).sum(axis=1),
        largest,
        _spike_nature(panel, members, apart, largest) if upward else _drop_nature(panel, members, window),
    )


def _members(panel: DemandPanel, series: Ints, local: Bools) -> Bools:
    """Which series (k, n) each finding is about."""
    _, code = _items(panel)
    own = np.arange(len(code))[None, :] == series[:, None]
    result: Bools = np.where(local[:, None], own, code[None, :] == code[series][:, None])
    return result


def _spike_nature(panel: DemandPanel, members: Bools, apart: Floats, largest: Floats) -> Ints:
    """One day that carries the excess is a one-off; one that is beyond all measure, an error.

    Order line counts, where the panel has them, settle it: a burst of many lines is a true change.
    """
    window = apart.shape[1]
    total = np.maximum(np.where(apart > 0, apart, 0).sum(axis=1), 1e-9)
    single = apart.max(axis=1, initial=0) >= 0.8 * total
    lines = panel.attributes.get("lines")
    if lines is not None and lines.shape == panel.units.shape:
        sold = members.astype(np.float32) @ lines[:, -window:].astype(np.float32)
        single &= sold[np.arange(len(sold)), apart.argmax(axis=1)] <= 2
    before = np.array(
        [panel.units[rows, :-window].sum(axis=0).max(initial=0) for rows in members], dtype=np.float64
    ).reshape(len(members))
    return np.where(single & (largest > 50 * np.maximum(before, 1)), 2, np.where(single, 1, 0))


def _drop_nature(panel: DemandPanel, members: Bools, window: int) -> Ints:
    """A place whose series have nearly all gone silent at once has lost its feed, not its demand."""
    ids = np.asarray([place.int for place in panel.location_ids], dtype=object)
    places = np.unique(ids, return_inverse=True)[1]
    selling = panel.units[:, -2 * window : -window].sum(axis=1) > 0
    silent = selling & (panel.units[:, -window // 4 :].sum(axis=1) == 0)
    size = np.bincount(places, weights=selling)
    lost = np.bincount(places, weights=silent) >= np.maximum(0.95 * size, 5)
    alive = members @ (~lost[places]).astype(np.float32)
    return np.where(alive > 0, 0, 2).astype(np.int64)


def _none() -> Anomalies:
    empty, whole = np.zeros(0), np.zeros(0, dtype=np.int64)
    days = np.zeros(0, dtype="datetime64[D]")
    flags = np.zeros(0, dtype=np.bool_)
    plain = Tail(float(np.log(20 / _TAIL)), 1.0)
    return Anomalies(
        Calibration(plain, plain, 0.0),
        0.0,
        whole,
        flags,
        flags,
        empty,
        empty,
        days,
        days,
        empty,
        empty,
        empty,
        whole,
    )
