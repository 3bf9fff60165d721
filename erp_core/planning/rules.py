"""Pure replenishment rules, vectorised: arguments are numbers or arrays of equal shape.

Demand in base units a day, lead time and review period in days, quantities in base units.

Source: E. A. Silver, D. F. Pyke, D. J. Thomas, *Inventory and Production Management in Supply Chains*,
4th ed. (2017), sections 6.7 and 6.9: periodic review (R, s, S) with normally distributed demand over the
protection interval, lead time independent of demand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

Numbers = NDArray[np.float64]
Units = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Targets:
    """Safety stock, reorder point and order-up-to level, aligned with the arguments."""

    safety_stock: Units
    reorder_point: Units
    order_up_to: Units


def demand_std_over(
    protection_days: ArrayLike, demand_mean: ArrayLike, demand_std: ArrayLike, lead_time_std: ArrayLike
) -> Numbers:
    """Standard deviation of demand over an interval of `protection_days` whose length varies by `lead_time_std`."""
    days, mean, std, spread = (
        np.asarray(part, float) for part in (protection_days, demand_mean, demand_std, lead_time_std)
    )
    return np.asarray(np.sqrt(days * std**2 + mean**2 * spread**2), float)


def safety_stock(
    service_level: ArrayLike,
    demand_mean: ArrayLike,
    demand_std: ArrayLike,
    lead_time_mean: ArrayLike,
    lead_time_std: ArrayLike,
    review_days: ArrayLike,
) -> Units:
    """Stock kept against uncertainty: z(service level) times the deviation over lead time and review period.

    Raises `ValueError` unless 0.5 <= service level < 1 and nothing else is negative.
    """
    level = np.asarray(service_level, float)
    if not np.all((level >= 0.5) & (level < 1)):
        raise ValueError("a service level lies in [0.5, 1)")
    for given in (demand_mean, demand_std, lead_time_mean, lead_time_std, review_days):
        if not np.all(np.asarray(given, float) >= 0):
            raise ValueError("demand, lead time and review period are known and not negative")
    protection = np.asarray(lead_time_mean, float) + np.asarray(review_days, float)
    return _whole(ndtri(level) * demand_std_over(protection, demand_mean, demand_std, lead_time_std))


def replenishment_targets(
    service_level: ArrayLike,
    demand_mean: ArrayLike,
    demand_std: ArrayLike,
    lead_time_mean: ArrayLike,
    lead_time_std: ArrayLike,
    review_days: ArrayLike,
    order_cycle_days: ArrayLike | None = None,
) -> Targets:
    """When to order, and up to where.

    The reorder point covers demand over lead time plus review period, and the safety stock: stock is
    looked at only once a review period. The order-up-to level adds the demand of one order cycle
    (`order_cycle_days`, without it the review period) and at least one unit where there is demand.
    """
    safety = safety_stock(service_level, demand_mean, demand_std, lead_time_mean, lead_time_std, review_days)
    mean, review = np.asarray(demand_mean, float), np.asarray(review_days, float)
    point = _whole(mean * (np.asarray(lead_time_mean, float) + review)) + safety
    cycle = review if order_cycle_days is None else np.asarray(order_cycle_days, float)
    return Targets(safety, point, point + _whole(mean * cycle))


def _whole(units: ArrayLike) -> Units:
    return np.ceil(np.round(np.asarray(units, float), 9)).astype(np.int64)
