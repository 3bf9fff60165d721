"""What panels are made of.

Every array is aligned with `series` (item, location) and `days`; nothing in a panel was known after
`as_of`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class DemandPanel:
    """Daily demand of many item-locations.

    Shapes: n series, t days. `units` (n, t) float32: ordered units per day. `net_sales`, `list_sales`
    (n, t) float32 currency units: their ratio is the price level. `promoted` (n, t) bool: a promotion
    known by `as_of` covers the day; it may reach past the history through `future_promoted` (n, h).
    `in_stock` (n, t) bool: available stock at the start of the day or receipts during it; all True
    where the company has no stock feed. `started` (n,) int: index of the first day with demand.
    `attributes` gives per series category, brand and abc_class codes for features.
    """

    as_of: date
    days: NDArray[np.datetime64]
    item_ids: tuple[UUID, ...]
    location_ids: tuple[UUID, ...]
    units: NDArray[np.float32]
    net_sales: NDArray[np.float32]
    list_sales: NDArray[np.float32]
    promoted: NDArray[np.bool_]
    future_promoted: NDArray[np.bool_]
    in_stock: NDArray[np.bool_]
    started: NDArray[np.int64]
    attributes: dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class StockPanel:
    """Stock position of item-locations as of a day; n rows. Quantities in base units, money in currency units.

    `cost` is NaN where unknown. `inbound` lists open purchase order lines separately (`OpenLines`). `returning` are the
    units that came back and will be sellable again, by what the item's returns were worth before; None: nobody knows.
    `in_transit` are the units that other places sent and that did not arrive; None: nobody knows.
    """

    as_of: date
    item_ids: tuple[UUID, ...]
    location_ids: tuple[UUID, ...]
    available: NDArray[np.float64]
    reserved: NDArray[np.float64]
    backordered: NDArray[np.float64]
    cost: NDArray[np.float64]
    price: NDArray[np.float64]
    returning: NDArray[np.float64] | None = None
    in_transit: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class PurchaseLines:
    """Purchase order lines with what was known at `as_of`; m rows, dates as datetime64[D], NaT unknown.

    `completed_on` is NaT unless completion was known by `as_of`. `open_units` is 0 for finished or
    cancelled lines. `unit_price` in currency units.
    """

    as_of: date
    line_ids: tuple[UUID, ...]
    po_ids: tuple[UUID, ...]
    po_numbers: tuple[str, ...]
    supplier_ids: tuple[UUID, ...]
    item_ids: tuple[UUID, ...]
    location_ids: tuple[UUID, ...]
    sent_on: NDArray[np.datetime64]
    first_promised_on: NDArray[np.datetime64]
    promised_on: NDArray[np.datetime64]
    completed_on: NDArray[np.datetime64]
    units: NDArray[np.float64]
    open_units: NDArray[np.float64]
    unit_price: NDArray[np.float64]
    attributes: dict[str, NDArray[Any]]
