"""The demand model: train on a panel, forecast means and quantiles by day for every item-location.

The base (`smoothing`) and its learned correction (`refinement`) stand beside the seasonal naive
forecast. Which of them speaks for a class of demand is decided on cutoffs that nothing was fitted on;
the seasonal naive forecast is used wherever nothing beat it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import numpy as np

from copilot.models import counts, profiles
from copilot.models.arrays import Bools, Days, Floats, Ints
from copilot.models.refinement import Refinement, corrections, mean_ahead
from copilot.models.smoothing import Smoothing, smooth
from erp_core.analytics.panels import DemandPanel

HORIZON = 84
CLASSES = ("smooth", "erratic", "intermittent", "lumpy", "new")
CANDIDATES = ("seasonal_naive", "smoothing", "half_refined", "refined")
NEW_AFTER_DAYS = 56


@dataclass(frozen=True, slots=True)
class DemandModel:
    """What training decided. `candidate` and `spread` go by class of demand (see `CLASSES`).

    `spread` stretches the variance beyond Poisson so that quantiles cover what they say.
    """

    as_of: date
    horizon: int
    seed: int
    refinement: Refinement | None
    candidate: tuple[str, ...]
    spread: tuple[float, ...]
    card: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Forecast:
    """Forecasts of n series for the h days after `as_of`.

    `mean` and `baseline` (n, h), `quantiles` (levels, n, h) in units a day; `baseline` is the seasonal
    naive forecast, `promotion` (n, h) the part of the mean that planned promotions bring, `ratio` (n, h) a day's
    variance over its mean. `day_ratio` (n,) is that of daily noise alone, `level_cv` (n,) the relative
    error of the whole level: `window` puts them together for sums of days. `kind` (n,) indexes `CLASSES`.
    """

    as_of: date
    days: Days
    item_ids: tuple[UUID, ...]
    location_ids: tuple[UUID, ...]
    levels: tuple[float, ...]
    mean: Floats
    quantiles: Floats
    baseline: Floats
    promotion: Floats
    ratio: Floats
    day_ratio: Floats
    level_cv: Floats
    kind: Ints

    def window(self, first: Ints | int, last: Ints | int) -> tuple[Floats, Floats]:
        """Mean and variance-to-mean ratio of the units ordered on days first <= day < last (0 is the first)."""
        running = np.pad(np.cumsum(self.mean, axis=1, dtype=np.float64), ((0, 0), (1, 0)))
        rows = np.arange(len(running))
        end = np.clip(last, 0, self.mean.shape[1])
        total = running[rows, end] - running[rows, np.minimum(np.clip(first, 0, None), end)]
        return total, self.day_ratio + self.level_cv**2 * total


def demand_classes(panel: DemandPanel, state: Smoothing) -> Ints:
    """Class codes (n,) by mean interval between orders (1.32) and squared variation of their size (0.49)."""
    window = slice(-364, None)
    usable = state.demand.usable[:, window]
    units = np.where(usable, state.demand.units[:, window], 0).astype(np.float64)
    orders = (units > 0).sum(axis=1)
    interval = usable.sum(axis=1) / np.maximum(orders, 1)
    mean = units.sum(axis=1) / np.maximum(orders, 1)
    variation = ((units**2).sum(axis=1) / np.maximum(orders, 1) - mean**2) / np.maximum(mean, 1e-9) ** 2
    seldom, uneven = interval >= 1.32, variation >= 0.49
    kind = np.select([seldom & uneven, seldom, uneven], [3, 2, 1], default=0)
    young = panel.units.shape[1] - panel.started < NEW_AFTER_DAYS
    return np.where(young, 4, kind).astype(np.int64)


def forecast(model: DemandModel, panel: DemandPanel, horizon: int | None = None) -> Forecast:
    """Forecast every series of the panel from its own day; reads nothing that the panel does not hold."""
    state = smooth(panel)
    kind = demand_classes(panel, state)
    days = horizon or model.horizon
    future = panel.days[-1] + np.arange(1, days + 1)
    base, unpromoted = mean_ahead(state, panel, future)
    means = candidate_means(model.refinement, panel, state, base, future)
    chosen = np.asarray([CANDIDATES.index(name) for name in model.candidate])[kind]
    mean = np.choose(chosen[:, None], [means[name] for name in CANDIDATES]).astype(np.float32)
    excess = np.asarray(model.spread)[kind]
    day_ratio = 1 + (state.ratio - 1) * excess
    level_cv = state.level_cv * np.sqrt(excess)
    planned = base > unpromoted
    ratio = spread_ratio(state, mean, planned, excess)
    lift = np.where(planned & (chosen[:, None] > 0), mean * (1 - 1 / np.maximum(state.uplift[:, None], 1)), 0)
    return Forecast(
        as_of=panel.as_of,
        days=future,
        item_ids=panel.item_ids,
        location_ids=panel.location_ids,
        levels=counts.LEVELS,
        mean=mean,
        quantiles=counts.quantiles(mean, ratio),
        baseline=means["seasonal_naive"],
        promotion=lift.astype(np.float32),
        ratio=ratio,
        day_ratio=day_ratio.astype(np.float32),
        level_cv=level_cv.astype(np.float32),
        kind=kind,
    )


def candidate_means(
    refinement: Refinement | None, panel: DemandPanel, state: Smoothing, base: Floats, future: Days
) -> dict[str, Floats]:
    """Means (n, h) by candidate; without a refinement the refined ones equal the base."""
    half = corrections(refinement, panel, state, future) if refinement and len(future) >= 7 else np.float32(1)
    return {
        "seasonal_naive": state.naive[:, profiles.weekday_of(future)],
        "smoothing": base,
        "half_refined": base * half,
        "refined": base * half * half,
    }


def spread_ratio(state: Smoothing, mean: Floats, promoted: Bools, excess: Floats) -> Floats:
    """Variance over mean by day (n, h): daily noise, the level's error, and the uplift's on promoted days."""
    error = state.level_cv[:, None] ** 2 + np.where(promoted, state.uplift_cv**2, 0)
    result: Floats = 1 + (state.ratio[:, None] - 1 + error * mean) * excess[:, None]
    return result.astype(np.float32)


def simple_model(as_of: date, horizon: int, seed: int, card: dict[str, Any]) -> DemandModel:
    """The model without evidence: seasonal naive for every class."""
    plain = tuple("seasonal_naive" for _ in CLASSES)
    return DemandModel(as_of, horizon, seed, None, plain, tuple(1.0 for _ in CLASSES), card)
