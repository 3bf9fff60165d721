"""How good a forecast was: WAPE, bias, scaled pinball loss and coverage. No data gives NaN, never a number."""

from __future__ import annotations

from typing import Any

import numpy as np

from copilot.models import counts
from copilot.models.arrays import Bools, Floats


def wape(forecast: Floats, actual: Floats) -> float:
    """Sum of absolute errors over the sum of actuals."""
    total = float(np.sum(actual, dtype=np.float64))
    return float(np.abs(forecast - actual).sum(dtype=np.float64)) / total if total > 0 else float("nan")


def bias(forecast: Floats, actual: Floats) -> float:
    """Sum of (forecast - actual) over the sum of actuals: above 0 is too much."""
    total = float(np.sum(actual, dtype=np.float64))
    return float((forecast - actual).sum(dtype=np.float64)) / total if total > 0 else float("nan")


def pinball(
    quantiles: Floats, actual: Floats, counted: Bools, levels: tuple[float, ...] = counts.LEVELS
) -> Floats:
    """Mean pinball loss per series (n,) of quantiles (levels, n, h) over the counted days; NaN without any."""
    loss = np.zeros(actual.shape, dtype=np.float64)
    for level, quantile in zip(levels, quantiles, strict=True):
        gap = actual - quantile
        loss += np.maximum(level * gap, (level - 1) * gap)
    days = counted.sum(axis=1)
    summed = np.where(counted, loss / len(levels), 0).sum(axis=1)
    return np.where(days > 0, summed / np.maximum(days, 1), np.nan)


def scaled_pinball(quantiles: Floats, actual: Floats, counted: Bools, scale: Floats) -> float:
    """Mean over series of pinball loss over their scale; NaN when no series-day is counted."""
    loss = pinball(quantiles, actual, counted) / scale
    return float(np.nanmean(loss)) if np.isfinite(loss).any() else float("nan")


def coverage(actual: Floats, mean: Floats, ratio: Floats, counted: Bools, width: float) -> float:
    """Share of the central interval's mass that actuals hit; right for counts, where intervals cannot be exact.

    A count occupies the stretch from P(D < a) to P(D <= a); counted is the part of it inside the interval.
    At most about 100,000 series-days are looked at, evenly spaced.
    """
    if not counted.any():
        return float("nan")
    step = 1 + int(counted.sum()) // 100_000
    observed, expected, spread = (values[counted][::step] for values in (actual, mean, ratio))
    top = counts.at_most(observed, expected, spread)
    bottom = counts.at_most(observed - 1, expected, spread)
    low, high = (1 - width) / 2, (1 + width) / 2
    inside = np.clip(np.minimum(top, high) - np.maximum(bottom, low), 0, None)
    return float(np.mean(inside / np.maximum(top - bottom, 1e-12)))


def series_scale(units: Floats, in_stock: Bools) -> Floats:
    """Mean absolute day-to-day change of each series (n,), the unit of the scaled pinball loss; at least 0.05."""
    pairs = in_stock[:, 1:] & in_stock[:, :-1]
    change = np.where(pairs, np.abs(np.diff(units, axis=1)), 0).sum(axis=1)
    result: Floats = np.maximum(change / np.maximum(pairs.sum(axis=1), 1), 0.05)
    return result


def plain(values: dict[str, Any]) -> dict[str, Any]:
    """The same figures as plain Python numbers, None where there is no value."""
    return {
        name: plain(value)
        if isinstance(value, dict)
        else (None if isinstance(value, float | np.floating) and not np.isfinite(value) else _number(value))
        for name, value in values.items()
    }


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
