"""Negative binomial demand: quantiles, tail probabilities and expected shortage, for whole arrays.

A demand with mean m and variance-to-mean ratio d > 1 is taken as negative binomial with size
m / (d - 1): the moments are matched, whatever the true distribution is.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from copilot.models.arrays import Floats

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)
MIN_RATIO = 1.02
_MEANS = np.logspace(-4, 6, 360)
_EXCESSES = np.logspace(-2, 4, 54)


@lru_cache(maxsize=4)
def _table(levels: tuple[float, ...]) -> NDArray[np.float32]:
    from scipy.stats import nbinom

    size = _MEANS[:, None, None] / _EXCESSES[None, :, None]
    chance = 1.0 / (1.0 + _EXCESSES[None, :, None])
    table = nbinom.ppf(np.asarray(levels), size, chance)
    result: NDArray[np.float32] = np.moveaxis(table, 2, 0).astype(np.float32)
    return result


def quantiles(mean: Floats, ratio: Floats, levels: tuple[float, ...] = LEVELS) -> NDArray[np.float32]:
    """Whole-unit quantiles, shape (levels, *mean.shape), never decreasing in the level.

    Interpolated in a table over mean and variance-to-mean ratio; exact to a rounding of one unit for
    small means and to a thousandth for large ones.
    """
    column = _position(np.maximum(mean, _MEANS[0]), _MEANS)
    row = _position(np.maximum(ratio - 1.0, _EXCESSES[0]), _EXCESSES)
    low = np.floor(column).astype(np.int32)
    share = (column - low).astype(np.float32)
    near = np.floor(row).astype(np.int32)
    part = (row - near).astype(np.float32)
    width = len(_EXCESSES)
    corner = low * width + near
    flat = _table(levels).reshape(len(levels), -1)
    result = np.empty((len(levels), *np.shape(mean)), dtype=np.float32)
    for index, values in enumerate(flat):
        first = values[corner] * (1 - part) + values[corner + 1] * part
        second = values[corner + width] * (1 - part) + values[corner + width + 1] * part
        result[index] = np.rint(first * (1 - share) + second * share)
    return result


def _position(values: Floats, grid: NDArray[np.float64]) -> Floats:
    first, step = np.log(grid[0]), np.log(grid[1] / grid[0])
    result: Floats = np.clip((np.log(values) - first) / step, 0, len(grid) - 1.001)
    return result


def _size(mean: Floats, ratio: Floats) -> tuple[Floats, Floats]:
    excess = np.maximum(ratio, MIN_RATIO) - 1.0
    return np.maximum(mean, 1e-9) / excess, 1.0 / (1.0 + excess)


def at_most(observed: Floats, mean: Floats, ratio: Floats) -> Floats:
    """P(D <= observed)."""
    from scipy.special import betainc

    size, chance = _size(mean, ratio)
    inside = betainc(size, np.maximum(np.floor(observed), 0) + 1.0, chance)
    return np.where(observed < 0, 0.0, inside)


def at_least(observed: Floats, mean: Floats, ratio: Floats) -> Floats:
    """P(D >= observed), accurate far into the tail."""
    from scipy.special import betainc

    size, chance = _size(mean, ratio)
    reached = np.maximum(np.ceil(observed), 1.0)
    return np.where(observed <= 0, 1.0, betainc(reached, size, 1.0 - chance))


def expected_shortage(stock: Floats, mean: Floats, ratio: Floats) -> Floats:
    """E[max(D - stock, 0)] in units; a negative stock is demand already owed."""
    from scipy.special import betainc

    size, chance = _size(mean, ratio)
    whole = np.maximum(np.floor(stock), 0.0)
    beyond = betainc(whole + 1.0, size, 1.0 - chance)
    partial = np.where(whole > 0, betainc(np.maximum(whole, 1e-9), size + 1.0, 1.0 - chance), 1.0)
    shortage = mean * partial - whole * beyond
    result: Floats = np.maximum(shortage, 0.0) + np.maximum(-stock, 0.0)
    return result
