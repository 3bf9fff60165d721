"""Which days of history count, and how far a single order may speak for the demand to come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from copilot.models.arrays import Bools, Days, Floats
from erp_core.analytics.panels import DemandPanel

_LOG_SPREADS = 4.0
_LEAST_SPREAD = 0.5
_CONFIRMING_DAYS = 4
_WINDOW = 28
_CEILING = 8.0


@dataclass(frozen=True, slots=True)
class CleanDemand:
    """Demand as models read it; arrays (n, t).

    `units`: ordered units with one-off orders cut to what the series' own orders make plausible.
    `usable`: days that speak of baseline demand: after the series began, in stock, shop open, not
    promoted. `promoted`: the usable days under a promotion instead. `closed` (t,): days on which the
    whole company sold next to nothing.
    """

    units: Floats
    usable: Bools
    promoted: Bools
    closed: Bools


def clean(panel: DemandPanel) -> CleanDemand:
    """Masks and winsorised units of a panel; the panel itself is not changed."""
    length = panel.units.shape[1]
    units = np.maximum(panel.units, 0).astype(np.float32)
    closed = closed_days(units)
    valid = panel.in_stock & (np.arange(length) >= panel.started[:, None]) & ~closed
    promoted = panel.promoted & valid
    usable = valid & ~promoted
    capped = _winsorised(units, usable)
    if promoted.any():
        capped = np.where(promoted, _winsorised(units, promoted), capped)
    return CleanDemand(units=capped, usable=usable, promoted=promoted, closed=closed)


def closed_days(units: Floats) -> Bools:
    """Days with under a tenth of what the same weekday sells in the weeks around, company-wide."""
    totals = units.sum(axis=0, dtype=np.float64)
    weeks = len(totals) // 7
    if weeks < 9 or units.shape[0] < 10:
        return np.zeros(len(totals), dtype=np.bool_)
    padded = np.pad(totals, (28, 28), constant_values=np.nan)
    around = np.stack(
        [padded[28 + shift : 28 + shift + len(totals)] for shift in (-28, -21, -14, -7, 7, 14, 21, 28)]
    )
    usual = np.nanmedian(around, axis=0)
    result: Bools = (usual >= 20) & (totals < 0.1 * usual)
    return result


def closed_ahead(days: Days, closed: Bools, future: Days) -> Floats:
    """Share of usual demand on future days: 0.02 on a calendar date that was closed every year so far."""
    history: dict[tuple[int, int], list[bool]] = {}
    for day, shut in zip(days.astype(object), closed, strict=True):
        history.setdefault((day.month, day.day), []).append(bool(shut))
    shares = [
        0.02 if (seen := history.get((day.month, day.day))) and all(seen) else 1.0
        for day in future.astype(object)
    ]
    return np.asarray(shares, dtype=np.float32)


def _winsorised(units: Floats, mask: Bools) -> Floats:
    """Units with isolated outliers cut to a cap on the log scale of the series' own order days.

    A day above the cap keeps its size when enough other days within four weeks confirm it, and even
    then not more than a multiple of the cap.
    """
    ordered = np.where(mask & (units > 0), units, np.inf).astype(np.float32)
    ordered.sort(axis=1)
    count = np.isfinite(ordered).sum(axis=1)
    rows = np.arange(len(ordered))
    last = np.maximum(count - 1, 0)
    middle = np.where(count > 0, ordered[rows, last // 2], 1.0)
    upper = np.where(count > 0, ordered[rows, (last * 3) // 4], 1.0)
    spread = np.maximum(np.log(upper / middle) / 0.674, _LEAST_SPREAD)
    cap = (middle * np.exp(np.minimum(_LOG_SPREADS * spread, 12.0)))[:, None].astype(np.float32)
    above = mask & (units > cap)
    rows = np.flatnonzero(above.any(axis=1))
    if not len(rows):
        return units
    above, high, cap = above[rows], units[rows], cap[rows]
    counted = np.pad(np.cumsum(above, axis=1, dtype=np.int32), ((0, 0), (1, 0)))
    days = np.arange(units.shape[1])
    nearby = counted[:, np.minimum(days + _WINDOW + 1, len(days))] - counted[:, np.maximum(days - _WINDOW, 0)]
    limit = np.where(nearby >= _CONFIRMING_DAYS, cap * _CEILING, cap)
    result = units.copy()
    result[rows] = np.where(above, np.minimum(high, limit), high)
    return result
