"""Loads `DemandPanel`: three million daily rows become dense arrays in a few seconds."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from erp_core.analytics.panel_types import DemandPanel
from erp_core.analytics.rawrows import KeyedRows, read_keyed, seen_imports
from erp_core.master.model import data_feeds, items
from erp_core.planning.model import promotions
from erp_core.storage.types import MONEY_SCALE

Series = list[tuple[UUID, UUID]]


def demand_panel(connection: Connection, *, as_of: date, days: int = 730, horizon: int = 28) -> DemandPanel:
    """Demand of the `days` up to `as_of`, of every item-location that had any; promotions `horizon` days beyond.

    Units leave out what customers cancelled. Rows of incomplete imports are not seen. `attributes` holds
    category, brand and abc_class (n,) as text, and `lines` (n, t), the order lines of each day.
    """
    if days < 1 or horizon < 0:
        raise ValueError("days must be at least 1 and horizon at least 0")
    start = as_of - timedelta(days=days - 1)
    rows = read_keyed(
        connection,
        "demand_daily",
        ("units", "net_sales", "list_sales", "lines"),
        start=start,
        end=as_of,
        condition=seen_imports(connection),
    )
    series, row_series = _series(rows)
    shape = (len(series), days)
    cell = row_series * days + rows.day

    def table(values: NDArray[np.float64], scale: int = 1) -> NDArray[np.float32]:
        flat = np.bincount(cell, weights=values, minlength=shape[0] * days)
        return (flat / scale).astype(np.float32).reshape(shape)

    units = table(rows.values[0])
    promoted = _promoted(connection, series, as_of, start, days + horizon)
    return DemandPanel(
        as_of=as_of,
        days=np.arange(np.datetime64(start, "D"), np.datetime64(start, "D") + days),
        item_ids=tuple(item for item, _ in series),
        location_ids=tuple(location for _, location in series),
        units=units,
        net_sales=table(rows.values[1], MONEY_SCALE),
        list_sales=table(rows.values[2], MONEY_SCALE),
        promoted=promoted[:, :days],
        future_promoted=promoted[:, days:],
        in_stock=_in_stock(connection, series, start, as_of, days),
        started=(units > 0).argmax(axis=1).astype(np.int64),
        attributes=item_attributes(connection, [item for item, _ in series])
        | {"lines": table(rows.values[3])},
    )


def item_attributes(connection: Connection, item_ids: list[UUID]) -> dict[str, NDArray[Any]]:
    """Category, brand and abc_class of each item as text; empty where there is none."""
    rows = connection.execute(select(items.c.id, items.c.category, items.c.brand, items.c.abc_class))
    known = {row.id: row for row in rows}
    return {
        name: np.array([getattr(known[item], name, None) or "" for item in item_ids], dtype=str)
        for name in ("category", "brand", "abc_class")
    }


def _series(rows: KeyedRows) -> tuple[Series, NDArray[np.int64]]:
    """Item-locations in order of their ids, and the series of each row."""
    order = sorted(range(len(rows.pairs)), key=rows.pairs.__getitem__)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return [rows.pairs[position] for position in order], rank[rows.pair]


def _promoted(
    connection: Connection, series: Series, as_of: date, start: date, days: int
) -> NDArray[np.bool_]:
    """Days covered by a promotion of the item in any channel that was known by `as_of`."""
    covered = np.zeros((len(series), days), dtype=bool)
    of_item: dict[UUID, list[int]] = {}
    for position, (item, _) in enumerate(series):
        of_item.setdefault(item, []).append(position)
    known = connection.execute(
        select(promotions.c.item_id, promotions.c.starts_on, promotions.c.ends_on).where(
            promotions.c.known_on <= as_of,
            promotions.c.ends_on >= start,
            promotions.c.starts_on <= start + timedelta(days=days - 1),
        )
    )
    for item, starts_on, ends_on in known:
        first = max((starts_on - start).days, 0)
        covered[of_item.get(item, []), first : (ends_on - start).days + 1] = True
    return covered


def _in_stock(
    connection: Connection, series: Series, start: date, as_of: date, days: int
) -> NDArray[np.bool_]:
    """Something available when the day began, or coming in during it. Unknown counts as in stock: before the
    stock feed began, and for an item-location that never had a stock record.
    """
    began = connection.execute(select(data_feeds.c.first_on).where(data_feeds.c.kind == "stock")).scalar()
    present = np.ones((len(series), days), dtype=bool)
    if began is None or began > as_of or not series:
        return present
    rows = read_keyed(
        connection,
        "stock_daily",
        ("change",),
        start=start,
        end=as_of,
        earlier=True,
        condition="state = 'available'",
    )
    position = {pair: number for number, pair in enumerate(series)}
    wanted = np.array([position.get(pair, -1) for pair in rows.pairs], dtype=np.int64)
    at = wanted[rows.pair]
    kept = at >= 0
    cells = at[kept] * (days + 1) + rows.day[kept] + 1
    flat = np.bincount(cells, weights=rows.values[0][kept], minlength=len(series) * (days + 1))
    change = flat.reshape(len(series), days + 1)
    closing = np.cumsum(change, axis=1)
    recorded = wanted[wanted >= 0]
    since = max((began - start).days, 0)
    known = (closing[:, :-1] > 0) | (change[:, 1:] > 0)
    present[recorded, since:] = known[recorded, since:]
    return present
