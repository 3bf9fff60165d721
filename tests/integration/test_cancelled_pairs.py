"""A huge order and its cancellation by another invoice: what models read is as if neither had been."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, select

from api.composition import make_gate
from erp_core.analytics.panels import DemandPanel, demand_panel
from erp_core.clock import Clock
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.integration.run import ImportReport, run_import
from erp_core.integration.sources import online_retail
from erp_core.orders.model import order_lines, orders
from erp_core.storage.engine import open_engine, reading
from erp_core.storage.schema import migrate
from tests.integration.invoices import HEADER_1

AS_OF, DAYS, UNITS = date(2011, 12, 12), 40, 80_995
MIDDAY = datetime(2011, 12, 9, 9, 15)
BEFORE_MIDNIGHT = datetime(2011, 12, 8, 23, 55)

Line = tuple[datetime, str, int]


def quiet_history() -> list[Line]:
    """Eight items that sell a few units every day."""
    draw = np.random.default_rng(5)
    mornings = [datetime(AS_OF.year, AS_OF.month, AS_OF.day, 8) - timedelta(days=n) for n in range(DAYS)]
    return [
        (at, f"{23840 + item}", int(draw.poisson(6)) + 1) for at in reversed(mornings) for item in range(8)
    ]


def write(path: Path, lines: list[Line]) -> Path:
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADER_1)
        for number, (at, code, units) in enumerate(sorted(lines, key=lambda line: line[0]), start=581_000):
            invoice = f"C{number}" if units < 0 else number
            writer.writerow((invoice, code, f"ITEM {code}", units, at, "2.08", "16446", "United Kingdom"))
    return path


def panel_after(gate: Gate, engine: Engine, admin: Principal, path: Path) -> tuple[ImportReport, DemandPanel]:
    report = run_import(gate, engine, admin, "online-retail", path, AS_OF)
    with reading(engine) as connection:
        return report, demand_panel(connection, as_of=AS_OF, days=DAYS)


@pytest.fixture
def without(person: Callable[..., Principal], tmp_path: Path) -> Iterator[DemandPanel]:
    engine = open_engine(f"sqlite:///{tmp_path / 'without.db'}")
    migrate(engine)
    gate = make_gate(engine, Clock(fixed_business_date=AS_OF), home=tmp_path)
    yield panel_after(gate, engine, person(gate, "admin"), write(tmp_path / "quiet.csv", quiet_history()))[1]
    engine.dispose()


@pytest.mark.capability("S214")
@pytest.mark.parametrize("lines_per_chunk", [1, 2_500])
@pytest.mark.parametrize("ordered", [MIDDAY, BEFORE_MIDNIGHT], ids=["same day", "over midnight"])
def test_a_huge_order_cancelled_before_it_ships_leaves_what_models_read_as_it_was(
    sqlite_gate: Gate,
    sqlite_engine: Engine,
    person: Callable[..., Principal],
    without: DemandPanel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ordered: datetime,
    lines_per_chunk: int,
) -> None:
    monkeypatch.setattr(online_retail, "LINES_PER_CHUNK", lines_per_chunk)
    pair = [(ordered, "23843", UNITS), (ordered + timedelta(minutes=12), "23843", -UNITS)]
    path = write(tmp_path / "pair.csv", quiet_history() + pair)

    report, panel = panel_after(sqlite_gate, sqlite_engine, person(sqlite_gate, "admin"), path)

    assert report.noted["order_cancelled_unshipped"] == 1
    with reading(sqlite_engine) as connection:
        order = connection.execute(
            select(orders.c.status, order_lines.c.cancelled_quantity, order_lines.c.shipped_quantity)
            .join(order_lines, order_lines.c.order_id == orders.c.id)
            .where(order_lines.c.quantity == UNITS)
        ).one()
    assert tuple(order) == ("cancelled", UNITS, 0)
    assert panel.item_ids == without.item_ids
    for name in ("units", "net_sales", "list_sales", "in_stock", "started"):
        assert np.array_equal(getattr(panel, name), getattr(without, name)), name
    assert np.array_equal(panel.attributes["lines"], without.attributes["lines"])


def test_a_cancellation_of_another_day_leaves_the_demand_and_is_a_return(
    sqlite_gate: Gate, sqlite_engine: Engine, person: Callable[..., Principal], tmp_path: Path
) -> None:
    pair = [(MIDDAY, "23843", UNITS), (MIDDAY + timedelta(days=2), "23843", -UNITS)]
    path = write(tmp_path / "returned.csv", quiet_history() + pair)

    report, panel = panel_after(sqlite_gate, sqlite_engine, person(sqlite_gate, "admin"), path)

    assert report.noted["return_of_visible_sale"]
    assert panel.units.max() >= UNITS
