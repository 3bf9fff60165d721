"""Array types and the two views of a panel that models work with: earlier, and fewer series."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from erp_core.analytics.panels import DemandPanel

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Days = NDArray[np.datetime64]


def until(panel: DemandPanel, length: int, horizon: int) -> DemandPanel:
    """The panel as it was after its first `length` days, with promotions planned for `horizon` days.

    A panel has no day on which each promotion became known: those that ran within the horizon count
    as planned by then.
    """
    planned = np.concatenate([panel.promoted, panel.future_promoted], axis=1)[:, length : length + horizon]
    missing = horizon - planned.shape[1]
    if missing > 0:
        planned = np.pad(planned, ((0, 0), (0, missing)))
    attributes = {name: _cut(values, panel.units.shape, length) for name, values in panel.attributes.items()}
    return replace(
        panel,
        as_of=panel.as_of - timedelta(days=panel.units.shape[1] - length),
        days=panel.days[:length],
        units=panel.units[:, :length],
        net_sales=panel.net_sales[:, :length],
        list_sales=panel.list_sales[:, :length],
        promoted=panel.promoted[:, :length],
        future_promoted=planned,
        in_stock=panel.in_stock[:, :length],
        attributes=attributes,
    )


def _cut(values: NDArray[Any], shape: tuple[int, ...], length: int) -> NDArray[Any]:
    return values[:, :length] if values.ndim == 2 and values.shape == shape else values


def take(panel: DemandPanel, rows: Ints) -> DemandPanel:
    """The panel of some of its series, in the order of `rows`."""
    return replace(
        panel,
        item_ids=tuple(panel.item_ids[row] for row in rows),
        location_ids=tuple(panel.location_ids[row] for row in rows),
        units=panel.units[rows],
        net_sales=panel.net_sales[rows],
        list_sales=panel.list_sales[rows],
        promoted=panel.promoted[rows],
        future_promoted=panel.future_promoted[rows],
        in_stock=panel.in_stock[rows],
        started=panel.started[rows],
        attributes={name: values[rows] for name, values in panel.attributes.items()},
    )


def from_first_sale(panel: DemandPanel) -> DemandPanel:
    """The panel without the days before anything was sold at all, for which there was no history."""
    if not len(panel.item_ids):
        return panel
    first = int(panel.started.min())
    if first == 0:
        return panel
    shape = panel.units.shape
    return replace(
        panel,
        days=panel.days[first:],
        units=panel.units[:, first:],
        net_sales=panel.net_sales[:, first:],
        list_sales=panel.list_sales[:, first:],
        promoted=panel.promoted[:, first:],
        in_stock=panel.in_stock[:, first:],
        started=panel.started - first,
        attributes={
            name: values[:, first:] if values.ndim == 2 and values.shape == shape else values
            for name, values in panel.attributes.items()
        },
    )


def group_codes(panel: DemandPanel, name: str) -> tuple[Ints, int]:
    """Codes 0…k-1 of an attribute, in sorted order of its values; one group where it is missing."""
    values = panel.attributes.get(name)
    if values is None:
        return np.zeros(panel.units.shape[0], dtype=np.int64), 1
    members, codes = np.unique(np.asarray(values).astype(str), return_inverse=True)
    return codes.astype(np.int64), len(members)


def sum_by(codes: Ints, groups: int, values: Floats) -> NDArray[np.float64]:
    """Sums of the rows of `values` (n,) or (n, k) by group."""
    if values.ndim == 1:
        return np.bincount(codes, weights=values, minlength=groups).astype(np.float64)
    from scipy.sparse import csr_matrix

    rows = len(codes)
    membership = csr_matrix((np.ones(rows), (codes, np.arange(rows))), shape=(groups, rows))
    return np.asarray(membership @ values, dtype=np.float64)


def day_of(day: date) -> np.datetime64:
    """A business day as numpy has it."""
    return np.datetime64(day, "D")
