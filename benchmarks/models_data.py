"""Panels for the model benchmarks: simulated ones, and the public data sets where they are at hand.

The folder of the public data is `QUARTERMASTER_SHARED` (default ``../shared``); nothing of it is copied.
"""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import numpy as np
from sqlalchemy import Engine

from erp_core.analytics.panels import DemandPanel, PurchaseLines


def shared(part: str) -> Path | None:
    """The file of a public data set, or None where it is missing."""
    path = Path(os.environ.get("QUARTERMASTER_SHARED", "../shared")) / "data" / part
    return path if path.exists() else None


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _codes(values: list[str]) -> tuple[UUID, ...]:
    places = {value: index for index, value in enumerate(sorted(set(values)), 1)}
    return tuple(UUID(int=places[value]) for value in values)


def panel_of(
    units: np.ndarray,
    first: date,
    items: list[str],
    locations: list[str],
    category: list[str],
    promoted: np.ndarray | None = None,
    in_stock: np.ndarray | None = None,
    horizon: int = 84,
    price: np.ndarray | None = None,
) -> DemandPanel:
    """A panel from an (n, t) array; days before a series' first sale are not its own."""
    n, t = units.shape
    days = np.datetime64(first, "D") + np.arange(t)
    prices = np.ones((n, 1), dtype=np.float32) if price is None else price.astype(np.float32).reshape(n, 1)
    sales = (units * prices).astype(np.float32)
    sold = units > 0
    return DemandPanel(
        as_of=days[-1].astype(object),
        days=days,
        item_ids=_codes(items),
        location_ids=_codes(locations),
        units=units.astype(np.float32),
        net_sales=sales,
        list_sales=sales,
        promoted=np.zeros((n, t), dtype=bool) if promoted is None else promoted,
        future_promoted=np.zeros((n, horizon), dtype=bool),
        in_stock=np.ones((n, t), dtype=bool) if in_stock is None else in_stock,
        started=np.where(sold.any(axis=1), sold.argmax(axis=1), t).astype(np.int64),
        attributes={"category": np.asarray(category)},
    )


def panel_like(panel: DemandPanel, units: np.ndarray) -> DemandPanel:
    """The same panel with other units."""
    return replace(panel, units=units)


def load_company(engine: Engine, panel: DemandPanel) -> None:
    """Write a panel's items, places and demand into an empty company, as a projection of imported sales."""
    from sqlalchemy import insert

    from erp_core.master.model import data_feeds, items, locations
    from erp_core.orders.model import demand_daily
    from erp_core.storage.engine import gate_writing

    nobody = UUID(int=0)
    category = dict(zip(panel.item_ids, panel.attributes["category"].tolist(), strict=True))
    names = {"brand": "none", "base_unit": "piece", "status": "active", "audit_id": nobody}
    goods = [
        {"id": item, "sku": f"I{item.int}", "name": f"Item {item.int}", "category": kind} | names
        for item, kind in category.items()
    ]
    places = [
        {
            "id": place,
            "code": f"L{place.int}",
            "name": "Place",
            "kind": "warehouse",
            "physical": True,
            "audit_id": nobody,
        }
        for place in {place.int + (1 << 64): place for place in panel.location_ids}.values()
    ]
    rows, days = np.nonzero(panel.units)
    calendar = panel.days.astype(object)
    with gate_writing(engine) as connection:
        connection.execute(insert(items), goods)
        connection.execute(insert(locations), places)
        for part in np.array_split(np.arange(len(rows)), max(1, len(rows) // 100_000)):
            connection.execute(
                insert(demand_daily),
                [
                    {
                        "item_id": panel.item_ids[row],
                        "location_id": panel.location_ids[row],
                        "channel_id": nobody,
                        "day": calendar[day],
                        "import_id": nobody,
                        "units": int(panel.units[row, day]),
                        "net_sales": 100_000 * int(panel.units[row, day]),
                        "list_sales": 100_000 * int(panel.units[row, day]),
                        "lines": 1,
                    }
                    for row, day in zip(rows[part].tolist(), days[part].tolist(), strict=True)
                ],
            )
        first, last = calendar[0], calendar[-1]
        moment = datetime.combine(last, datetime.min.time(), tzinfo=UTC)
        connection.execute(
            insert(data_feeds), [{"kind": "sales", "first_on": first, "last_on": last, "updated_at": moment}]
        )


def simulated(n: int = 10_000, t: int = 730, seed: int = 7) -> DemandPanel:
    """A long-tailed company: weekdays, seasons by category, promotions, stockouts, launches, trends."""
    rng = np.random.default_rng(seed)
    items = max(1, n // 4)
    category = rng.integers(0, 12, items)
    item = np.arange(n) % items
    rate = np.exp(rng.normal(-0.6, 1.4, items))[item] * rng.gamma(4, 0.25, n)
    day = np.arange(t)
    phase, depth = rng.uniform(0, 365, 12), rng.uniform(0.05, 0.5, 12)
    season = np.exp(depth[:, None] * np.sin(2 * np.pi * (day + phase[:, None]) / 365.25))[category[item]]
    week = rng.dirichlet(np.full(7, 30.0), 12)[category[item]] * 7
    mean = rate[:, None] * season * week[:, day % 7] * np.exp(rng.normal(0, 0.0004, (n, 1)) * day)
    promoted = np.zeros((n, t), dtype=bool)
    for start in rng.integers(0, t - 14, 40):
        chosen = rng.random(items)[item] < 0.05
        promoted[chosen, start : start + 10] = True
    mean = np.where(promoted, mean * rng.uniform(1.5, 4, items)[item][:, None], mean)
    launch = np.where(rng.random(n) < 0.15, rng.integers(0, t - 20, n), 0)
    mean[day[None, :] < launch[:, None]] = 0
    size = np.maximum(mean, 1e-6) / rng.uniform(0.1, 2.0, (n, 1))
    units = rng.poisson(rng.gamma(size, np.maximum(mean, 1e-6) / size)).astype(np.float32)
    in_stock = np.ones((n, t), dtype=bool)
    for _ in range(3):
        start = rng.integers(0, t, n)[:, None]
        out = (day >= start) & (day < start + 9) & (rng.random((n, 1)) < 0.3)
        in_stock &= ~out
    units[~in_stock] = 0
    names = [str(code) for code in item]
    places = [str(index // items) for index in range(n)]
    return panel_of(
        units, date(2024, 7, 1), names, places, [f"C{code}" for code in category[item]], promoted, in_stock
    )


def m5() -> DemandPanel | None:
    """M5 daily unit sales, 2,400 series x 447 days (Makridakis et al. 2022)."""
    path = shared("m5_walmart/sales_daily_447d_dev.csv.gz")
    if path is None:
        return None
    rows = list(_rows(path))
    columns = [name for name in rows[0] if name.startswith("d_")]
    units = np.array([[float(row[name]) for name in columns] for row in rows], dtype=np.float32)
    return panel_of(
        units,
        date(2015, 3, 3),
        [row["item_id"] for row in rows],
        [row["store_id"] for row in rows],
        [row["dept_id"] for row in rows],
    )


def pasta() -> DemandPanel | None:
    """Daily units and promotion flags of 95 pasta items (Mancuso et al. 2021)."""
    path = shared("pasta_promo/pasta_daily_sales_dev.csv.gz")
    if path is None:
        return None
    rows = list(_rows(path))
    names = sorted({row["item"] for row in rows})
    first = min(date.fromisoformat(row["date"]) for row in rows)
    last = max(date.fromisoformat(row["date"]) for row in rows)
    units = np.zeros((len(names), (last - first).days + 1), dtype=np.float32)
    promoted = np.zeros(units.shape, dtype=bool)
    place = {name: index for index, name in enumerate(names)}
    for row in rows:
        day = (date.fromisoformat(row["date"]) - first).days
        units[place[row["item"]], day] = float(row["units_sold"])
        promoted[place[row["item"]], day] = row["promo"] == "1"
    brands = [name.split("_")[0] for name in names]
    return panel_of(units, first, names, ["store"] * len(names), brands, promoted)


def scms(direct_only: bool = False) -> PurchaseLines | None:
    """USAID SCMS deliveries as purchase lines: the scheduled date is the promise, ordering opens the line."""
    path = shared("scms_delivery_history/scms_delivery_history_dev.csv.gz")
    if path is None:
        return None
    rows = [row for row in _rows(path) if not direct_only or row["Fulfill Via"] == "Direct Drop"]

    def days(name: str) -> np.ndarray:
        return np.array([_day(row[name]) for row in rows], dtype="datetime64[D]")

    promised, delivered = days("Scheduled Delivery Date"), days("Delivered to Client Date")
    sent = days("PO Sent to Vendor Date")
    quoted = days("PQ First Sent to Client Date")
    sent = np.where(np.isnat(sent), quoted, sent)
    sent = np.where(np.isnat(sent) | (sent > promised), promised - 60, sent)
    units = np.array([float(row["Line Item Quantity"]) for row in rows])
    value = np.array([float(row["Line Item Value"]) for row in rows])
    return PurchaseLines(
        as_of=delivered.max().astype(object),
        line_ids=tuple(UUID(int=index + 1) for index in range(len(rows))),
        po_ids=_codes([row["PO / SO #"] for row in rows]),
        po_numbers=tuple(row["PO / SO #"] for row in rows),
        supplier_ids=_codes([row["Vendor"] for row in rows]),
        item_ids=_codes([row["Item Description"] for row in rows]),
        location_ids=_codes([row["Country"] for row in rows]),
        sent_on=sent,
        first_promised_on=promised,
        promised_on=promised,
        completed_on=delivered,
        units=units,
        open_units=np.zeros(len(rows)),
        unit_price=value / np.maximum(units, 1),
        attributes={
            "category": np.array([row["Sub Classification"] for row in rows]),
            "mode": np.array([row["Shipment Mode"] for row in rows]),
            "fulfilment": np.array([row["Fulfill Via"] for row in rows]),
            "terms": np.array([row["Vendor INCO Term"] for row in rows]),
            "site": np.array([row["Manufacturing Site"] for row in rows]),
        },
    )


def _day(text: str) -> str:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date().isoformat()
    except ValueError:
        return "NaT"
