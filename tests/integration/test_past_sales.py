"""Sums of imported order lines: equal to the lines, and never made while lines are missing."""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, and_, delete, select, update

from erp_core.gate.contract import Executed, Refused
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.integration import rows
from erp_core.integration.commands import AddUpImportedSales
from erp_core.integration.model import import_chunks, imports
from erp_core.integration.run import run_import
from erp_core.master.model import import_visibility, items
from erp_core.orders.model import demand_daily, order_lines, past_sales_daily
from erp_core.orders.past_sums import past_sum_differences
from erp_core.storage.engine import gate_writing, reading, writing

AS_OF = date(2026, 6, 30)
HEADER = "order_number ordered_at channel location sku quantity unit_price country cancelled_quantity list_price shipped_on"


def history(folder: Path, orders: int = 60) -> Path:
    """Orders of two items that ship the same day or later, some marked down, some cancelled."""
    draw = random.Random(5)
    with (folder / "items.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(
            [
                ["sku", "name", "category", "brand", "base_unit"],
                ["A-1", "Lamp", "Home", "Oak", "piece"],
                ["B-2", "Vase", "Home", "Oak", "piece"],
            ]
        )
    path = folder / "sales.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*HEADER.split(), "channel_kind", "location_kind"])
        for number in range(orders):
            day = date(2026, 1, 1) + timedelta(days=number // 6)
            country = draw.choice(("France", "Spain"))
            for sku in draw.sample(("A-1", "B-2"), draw.randint(1, 2)):
                units = draw.randint(1, 5)
                gone = draw.choice((0, 0, 1, units))
                shipped = "" if gone == units else day + timedelta(days=draw.choice((0, 2)))
                price, listed = draw.choice((("2.50", "3.00"), ("3.20", "3.00")))
                order = (f"O{number}", f"{day}T09:00:00", "web", "main", sku, units, price, country)
                writer.writerow([*order, gone, listed, shipped, "web", "warehouse"])
    return path


@pytest.fixture
def admin(gate: Gate, person: Callable[..., Principal]) -> Principal:
    return person(gate, "admin")


@pytest.fixture
def imported(gate: Gate, engine: Engine, admin: Principal, tmp_path: Path) -> Gate:
    path = history(tmp_path)
    run_import(gate, engine, admin, "items", tmp_path / "items.csv", AS_OF)
    report = run_import(gate, engine, admin, "sales-history", path, AS_OF)
    assert report.status == "complete"
    return gate


def test_the_daily_sums_of_an_import_equal_its_lines(imported: Gate, engine: Engine) -> None:
    sales: defaultdict[tuple[object, ...], list[int]] = defaultdict(lambda: [0] * 5)
    demand: defaultdict[tuple[object, ...], list[int]] = defaultdict(lambda: [0] * 4)
    with reading(engine) as connection:
        for line in connection.execute(select(order_lines)):
            key = (line.item_id, line.ordered_on, line.shipped_on or line.ordered_on, line.customer_country)
            down = max(line.list_price - line.unit_price, 0)
            for place, value in enumerate(
                (
                    line.quantity,
                    line.cancelled_quantity,
                    line.shipped_quantity,
                    line.shipped_quantity * line.unit_price,
                    line.shipped_quantity * down,
                )
            ):
                sales[key][place] += value
            left = line.quantity - line.cancelled_quantity
            if left:
                values = (left, left * line.unit_price, left * line.list_price, 1)
                for place, value in enumerate(values):
                    demand[line.item_id, line.ordered_on][place] += value
        found = {
            (row.item_id, row.ordered_on, row.shipped_on, row.customer_country): list(row[7:])
            for row in connection.execute(select(past_sales_daily))
        }
        wanted = {(row.item_id, row.day): list(row[5:]) for row in connection.execute(select(demand_daily))}
    assert found == sales and any(key[1] != key[2] for key in found)
    assert wanted == demand


@pytest.mark.capability("S220")
def test_items_are_not_added_up_while_past_orders_wait_nor_twice(
    imported: Gate, engine: Engine, admin: Principal
) -> None:
    with reading(engine) as connection:
        chunk = connection.execute(select(import_chunks).where(import_chunks.c.kind == "sums")).one()
        before = connection.execute(select(past_sales_daily)).all()
    command = AddUpImportedSales(
        import_id=chunk.import_id, chunk=chunk.chunk, rows=chunk.rows, sha256=chunk.payload_sha256
    )
    again = imported.submit(command, admin, key="again")
    assert isinstance(again, Executed) and again.result["rows"] == 0
    sales = (import_chunks.c.import_id == chunk.import_id) & (import_chunks.c.kind == "sales")
    with writing(engine) as connection:
        connection.execute(update(imports).where(imports.c.id == chunk.import_id).values(status="posting"))
        connection.execute(update(import_chunks).where(sales).values(audit_id=None))
        staged = rows.chunk("sums", items=[("A-1",), ("B-2",)]).payload
        connection.execute(
            update(import_chunks)
            .where(import_chunks.c.chunk == chunk.chunk)
            .values(audit_id=None, payload=staged)
        )

    refused = imported.submit(command, admin, key="too early")

    assert isinstance(refused, Refused) and "past orders is not posted" in refused.error.message
    with reading(engine) as connection:
        assert connection.execute(select(past_sales_daily)).all() == before


@pytest.mark.capability("S220")
def test_daily_sums_that_are_not_their_lines_are_found_and_named(imported: Gate, engine: Engine) -> None:
    with reading(engine) as connection:
        assert past_sum_differences(connection) == []
        first = connection.execute(select(past_sales_daily).order_by(past_sales_daily.c.ordered_on)).first()
        gone = connection.execute(select(demand_daily).order_by(demand_daily.c.day.desc())).first()
    assert first is not None and gone is not None
    altered = and_(*(column == getattr(first, column.name) for column in past_sales_daily.primary_key))
    missing = and_(*(column == getattr(gone, column.name) for column in demand_daily.primary_key))
    with gate_writing(engine) as connection:
        connection.execute(update(past_sales_daily).where(altered).values(net_sales=first.net_sales + 1))
        connection.execute(delete(demand_daily).where(missing))

    with reading(engine) as connection:
        demand, sales = past_sum_differences(connection)
        skus = dict(connection.execute(select(items.c.id, items.c.sku)).all())

    assert (demand.table, demand.sku, demand.day) == ("demand_daily", skus[gone.item_id], gone.day)
    assert tuple(demand.lacking.values()) == tuple(gone[5:])
    assert (sales.table, sales.sku, sales.day) == ("past_sales_daily", skus[first.item_id], first.ordered_on)
    assert {name: lacking for name, lacking in sales.lacking.items() if lacking} == {"net_sales": -1}


def test_sums_of_an_import_that_is_not_complete_are_not_missed(imported: Gate, engine: Engine) -> None:
    with gate_writing(engine) as connection:
        connection.execute(update(import_visibility).values(complete=False))
        connection.execute(delete(past_sales_daily))
    with reading(engine) as connection:
        assert past_sum_differences(connection) == []
