"""Expected shortage ahead: demand to come against stock and dated inbound, for many item-locations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from copilot.models import counts
from copilot.models.arrays import Bools, Floats, Ints


@dataclass(frozen=True, slots=True)
class Outlook:
    """What n item-locations face over h days.

    `stock`: available less backordered units. `mean` (n, h): demand a day; `day_ratio`, `level_cv` (n,)
    its spread. `promised`, `delayed` (n, h): inbound units by day of arrival, as promised and as late
    as each supplier's late lines come, `hastened` as expediting would bring them. `late_chance` (n,):
    probability of the delayed dates.
    """

    stock: Floats
    mean: Floats
    day_ratio: Floats
    level_cv: Floats
    promised: Floats
    delayed: Floats
    hastened: Floats
    late_chance: Floats


def lost_units(
    outlook: Outlook,
    inbound: Floats,
    *,
    until: Ints,
    rows: Ints | None = None,
    demand_times: Floats | None = None,
) -> Floats:
    """Expected units short (n,) by day `until` (exclusive, per row): the greatest shortage on any day up to it.

    A unit that was short once is not counted again, and goods that arrive later do not undo it.
    `demand_times` scales the demand. Rows left out by `rows`, and those with ample stock, are 0.
    """
    n, horizon = outlook.mean.shape
    chosen = np.arange(n) if rows is None else rows
    times = np.ones(n) if demand_times is None else demand_times
    mean = np.cumsum(outlook.mean[chosen], axis=1, dtype=np.float64) * times[chosen, None]
    ratio = outlook.day_ratio[chosen, None] + outlook.level_cv[chosen, None] ** 2 * mean
    stock = outlook.stock[chosen, None] + np.cumsum(inbound[chosen], axis=1)
    tested: Bools = np.arange(horizon)[None, :] < np.asarray(until)[chosen, None]
    tested &= mean + 4 * np.sqrt(ratio * mean) + 1 > stock
    shortage = np.zeros(mean.shape)
    shortage[tested] = counts.expected_shortage(stock[tested], mean[tested], ratio[tested])
    result = np.zeros(n)
    result[chosen] = shortage.max(axis=1, initial=0)
    return result


def stockout_day(outlook: Outlook, inbound: Floats) -> Ints:
    """First day (n,) on which mean demand exceeds what is there; the horizon where none is."""
    horizon = outlook.mean.shape[1]
    left = outlook.stock[:, None] + np.cumsum(inbound, axis=1) - np.cumsum(outlook.mean, axis=1)
    short = left < 0
    result: Ints = np.where(short.any(axis=1), short.argmax(axis=1), horizon).astype(np.int64)
    return result


def shortage_chance(outlook: Outlook, inbound: Floats, until: Ints) -> Floats:
    """Greatest chance (n,) on any day before `until` that demand so far exceeds what is there."""
    horizon = outlook.mean.shape[1]
    mean = np.cumsum(outlook.mean, axis=1, dtype=np.float64)
    stock = outlook.stock[:, None] + np.cumsum(inbound, axis=1)
    ratio = outlook.day_ratio[:, None] + outlook.level_cv[:, None] ** 2 * mean
    tested = (np.arange(horizon)[None, :] < until[:, None]) & (mean + 4 * np.sqrt(ratio * mean) + 1 > stock)
    chance = np.zeros(mean.shape)
    chance[tested] = counts.at_least(np.floor(stock[tested]) + 1, mean[tested], ratio[tested])
    result: Floats = chance.max(axis=1, initial=0)
    return result


def arrivals(rows: Ints, day: Ints, units: Floats, shape: tuple[int, int]) -> Floats:
    """Inbound (n, h): units per row and day of arrival; what comes after the horizon is left out."""
    inbound = np.zeros(shape)
    inside = (day < shape[1]) & (rows >= 0)
    np.add.at(inbound, (rows[inside], np.maximum(day[inside], 0)), units[inside])
    return inbound
