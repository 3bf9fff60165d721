"""A pooled correction of the base forecast: gradient boosting on what the base left over, by week ahead.

The target is a week's units over the base forecast of the same in-stock days; the loss is Poisson with
the base as exposure, so that the product stays a mean and series of any size share one model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from copilot.models.arrays import Bools, Floats, group_codes, take, until
from copilot.models.smoothing import Smoothing, baseline_ahead, smooth
from erp_core.analytics.panels import DemandPanel

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingRegressor

_LOW, _HIGH = 0.4, 2.5
_LEAST_BASE = 0.05
_STEPS = 16  # features in sixteenths: weighted binning takes ten times longer on unrounded ones


@dataclass(frozen=True, slots=True)
class Refinement:
    """A fitted correction; `groups` are the category names its category feature was coded with."""

    regressor: HistGradientBoostingRegressor
    groups: tuple[str, ...]
    rows: int


def mean_ahead(state: Smoothing, panel: DemandPanel, future: np.ndarray) -> tuple[Floats, Floats]:
    """Base means (n, h) with known promotions applied, and without."""
    baseline = baseline_ahead(state, future)
    planned = panel.future_promoted[:, : len(future)]
    if planned.shape[1] < len(future):
        planned = np.pad(planned, ((0, 0), (0, len(future) - planned.shape[1])))
    return np.where(planned, baseline * state.uplift[:, None], baseline), baseline


def features(panel: DemandPanel, state: Smoothing, future: np.ndarray, groups: Sequence[str]) -> Floats:
    """One row per series and week ahead, (n * weeks, k), from what the panel knows; level-normalised."""
    n, length = panel.units.shape
    weeks = len(future) // 7
    demand, factor = state.demand, state.factor
    usable = demand.usable.astype(np.float32)

    def against_level(days: int, shift: int = 0) -> Floats:
        window = slice(max(0, length - days - shift), length - shift)
        sold = (demand.units[:, window] * usable[:, window]).sum(axis=1)
        usual = (factor[:, window] * usable[:, window]).sum(axis=1) * state.level
        result: Floats = np.log((sold + 0.5) / (usual + 0.5))
        return result

    def share(mask: Bools, days: int) -> Floats:
        return np.asarray(mask[:, -days:].mean(axis=1), dtype=np.float32)

    def price_level(days: int) -> Floats:
        listed = panel.list_sales[:, -days:].sum(axis=1)
        return np.where(listed > 0, panel.net_sales[:, -days:].sum(axis=1) / np.maximum(listed, 1e-6), np.nan)

    age = np.log1p(np.maximum(length - panel.started, 0))
    codes, _ = group_codes(panel, "category")
    names = np.unique(np.asarray(panel.attributes.get("category", np.zeros(n))).astype(str))
    known = {name: index for index, name in enumerate(groups)}
    category = np.asarray([known.get(name, -1) for name in names])[codes]
    still = np.stack(
        [
            np.log(np.maximum(state.level, 1e-3)),
            np.log(state.ratio),
            state.trend * 100,
            against_level(7),
            against_level(28),
            against_level(91),
            against_level(28, 28),
            share(demand.units > 0, 28),
            share(demand.units > 0, 182),
            share(demand.promoted, 28),
            share(panel.in_stock, 28),
            price_level(28) - price_level(182),
            age,
            np.where(category < 0, np.nan, category),
        ],
        axis=1,
    ).astype(np.float32)
    _, baseline = mean_ahead(state, panel, future)
    base_weeks = baseline[:, : weeks * 7].reshape(n, weeks, 7).sum(axis=2)
    planned = panel.future_promoted[:, : weeks * 7]
    planned = np.pad(planned, ((0, 0), (0, weeks * 7 - planned.shape[1]))).reshape(n, weeks, 7).mean(axis=2)
    year = np.full((n, weeks), np.nan, dtype=np.float32)
    for week in range(weeks):
        start = length + week * 7 - 364 - 7
        if start >= 0:
            window = slice(start, start + 21)
            sold = (demand.units[:, window] * usable[:, window]).sum(axis=1)
            usual = (factor[:, window] * usable[:, window]).sum(axis=1) * state.level
            year[:, week] = np.log((sold + 1) / (usual + 1))
    middle = future[: weeks * 7].reshape(weeks, 7)[:, 3]
    angle = 2 * np.pi * middle.astype(np.float64) / 365.25
    moving = np.stack(
        [
            np.log(np.maximum(base_weeks, 1e-3)),
            planned,
            year,
            np.broadcast_to(np.arange(weeks), (n, weeks)),
            np.broadcast_to(np.sin(angle), (n, weeks)),
            np.broadcast_to(np.cos(angle), (n, weeks)),
        ],
        axis=2,
    ).astype(np.float32)
    design = np.concatenate([np.repeat(still, weeks, axis=0), moving.reshape(n * weeks, -1)], axis=1)
    unknown = np.isnan(design).all(axis=0)
    design[:, unknown] = 0
    result: Floats = np.round(design * _STEPS) / _STEPS
    return result


def fit_refinement(panel: DemandPanel, horizon: int, seed: int, rows: int = 45_000) -> Refinement | None:
    """Learn from forecasts that would have been made at earlier days of the panel; None with too little history.

    Each earlier forecast is made from the panel as it was then. The same panel and seed give the same model.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    n, length = panel.units.shape
    weeks = horizon // 7
    origins = [length - horizon - 28 * back for back in range(10) if length - horizon - 28 * back >= 182]
    if not origins:
        return None
    rng = np.random.default_rng(seed)
    each = min(n, max(50, rows // (len(origins) * weeks)))
    groups = tuple(np.unique(np.asarray(panel.attributes.get("category", np.zeros(n))).astype(str)))
    designs, targets, weights = [], [], []
    for origin in origins:
        chosen = np.sort(rng.choice(n, each, replace=False))
        sample = take(panel, chosen)
        past = until(sample, origin, horizon)
        state = smooth(past)
        future = panel.days[origin : origin + weeks * 7]
        mean, _ = mean_ahead(state, past, future)
        sold, base = _weekly_target(sample, state, mean, origin, weeks)
        kept = (base > _LEAST_BASE) & np.repeat(panel.started[chosen] < origin - 27, weeks)
        designs.append(features(past, state, future, groups)[kept])
        targets.append(np.minimum(sold[kept] / base[kept], 8.0))
        weights.append(base[kept] / np.repeat(state.ratio, weeks)[kept])
    target, weight = np.concatenate(targets), np.concatenate(weights)
    if len(target) < 2_000 or not (target > 0).any():
        return None
    regressor = HistGradientBoostingRegressor(
        loss="poisson",
        learning_rate=0.08,
        max_iter=60,
        max_leaf_nodes=15,
        min_samples_leaf=200,
        l2_regularization=20.0,
        max_bins=127,
        random_state=seed,
        early_stopping=False,
    )
    capped = np.minimum(weight, np.quantile(weight, 0.98))
    with threadpool_limits(
        limits=1
    ):  # two threads wait for each other longer than they work on a busy machine
        regressor.fit(np.concatenate(designs), target, sample_weight=capped)
    return Refinement(regressor=regressor, groups=groups, rows=len(target))


def corrections(model: Refinement, panel: DemandPanel, state: Smoothing, future: np.ndarray) -> Floats:
    """Factors (n, h) for the base forecast, half of the learned change on the log scale, bounded."""
    from threadpoolctl import threadpool_limits

    design = features(panel, state, future, model.groups)
    weeks = len(future) // 7
    with threadpool_limits(limits=1):
        learned = model.regressor.predict(design)
    factor = np.sqrt(np.clip(learned, _LOW, _HIGH)).reshape(-1, weeks)
    day = np.minimum(np.arange(len(future)) // 7, weeks - 1)
    result: Floats = factor[:, day].astype(np.float32)
    return result


def _weekly_target(
    sample: DemandPanel, state: Smoothing, mean: Floats, origin: int, weeks: int
) -> tuple[Floats, Floats]:
    """Weekly units and base over the same in-stock days; gross outliers cut against the base."""
    span = slice(origin, origin + weeks * 7)
    stocked = sample.in_stock[:, span]
    cap = 6 * mean + 8 * state.ratio[:, None]
    sold = np.where(stocked, np.minimum(sample.units[:, span], cap), 0)
    shape = (len(sold), weeks, 7)
    base = np.where(stocked, mean, 0).reshape(shape).sum(axis=2).ravel()
    return sold.reshape(shape).sum(axis=2).ravel(), base
