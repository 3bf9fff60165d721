"""The published data sets, imported whole, against oracles of a few lines that share no code with the import."""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.integration.run import run_import
from erp_core.master.model import items, suppliers
from erp_core.orders.model import demand_daily, order_lines, orders
from erp_core.procurement.model import po_lines, purchase_orders, receipts
from erp_core.storage.engine import reading
from tests.conftest import size
from tests.integration.published import published

pytestmark = pytest.mark.shared_data
ONLINE_RETAIL = "online_retail/online_retail_dev.csv.gz"
SCMS = "scms_delivery_history/scms_delivery_history_dev.csv.gz"


def one_month(path: Path, part: Path) -> Path:
    """The rows of January 2011, which hold the order of 74,215 units: a size for every day."""
    with gzip.open(path, "rt", encoding="utf-8") as source, gzip.open(part, "wt", encoding="utf-8") as target:
        target.writelines(line for line in source if ",2011-01-" in line or line.startswith("InvoiceNo"))
    return part


def oracle(path: Path) -> dict[str, tuple[int, Decimal]]:
    """Units and net sales by month: goods sold by order day, less what the customer cancelled the same day."""
    months: defaultdict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    stack: defaultdict[tuple[str, str], list[list[str | int]]] = defaultdict(list)
    for row in published(path):  # the file is in order of time
        code, units, price = row["StockCode"].strip().upper(), int(row["Quantity"]), row["UnitPrice"]
        day, who = row["InvoiceDate"][:10], row["CustomerID"]
        if not code[:5].isdigit() or row["InvoiceNo"][0] == "A":
            continue
        changes: list[tuple[str, int, str]] = []
        if row["InvoiceNo"][0] != "C" and units > 0 and (who or Decimal(price)):
            changes, _ = [(day, units, price)], who and stack[who, code].append([day, units, price])
        left = -units if row["InvoiceNo"][0] == "C" else 0
        while left > 0 and who and stack[who, code]:
            top = stack[who, code][-1]
            undone = min(left, int(top[1]))
            changes += [(day, -undone, str(top[2]))] if top[0] == day else []
            left, top[1] = left - undone, int(top[1]) - undone
            top[1] or stack[who, code].pop()
        for on, change, each in changes:
            months[on[:7]][0] += change
            months[on[:7]][1] += change * Decimal(each)
    return {month: (int(units), sales) for month, (units, sales) in months.items()}


@pytest.fixture
def admin(sqlite_gate: Gate, person: Callable[..., Principal]) -> Principal:
    return person(sqlite_gate, "admin")


@pytest.mark.timeout(900)
def test_units_and_net_sales_by_month_equal_the_oracle_and_the_cancelled_order_is_no_demand(
    sqlite_gate: Gate, sqlite_engine: Engine, admin: Principal, shared_data: Path, tmp_path: Path
) -> None:
    path = shared_data / ONLINE_RETAIL
    if not size(0, 1):
        path = one_month(path, tmp_path / "2011-01.csv.gz")
    report = run_import(sqlite_gate, sqlite_engine, admin, "online-retail", path, date(2011, 6, 30))

    assert report.rows_read == size(35_147, 748_841)
    assert report.rows_read == report.rows_accepted + report.rows_set_aside + report.rows_refused
    with reading(sqlite_engine) as connection:
        month = func.substr(demand_daily.c.day, 1, 7)
        found = {
            key: (units, Decimal(sales) / 10_000)
            for key, units, sales in connection.execute(
                select(month, func.sum(demand_daily.c.units), func.sum(demand_daily.c.net_sales)).group_by(
                    month
                )
            )
        }
        lines = connection.execute(
            select(
                func.sum(order_lines.c.quantity - order_lines.c.cancelled_quantity),
                func.sum(
                    (order_lines.c.quantity - order_lines.c.cancelled_quantity) * order_lines.c.unit_price
                ),
            )
        ).one()
        jar = connection.scalar(
            select(func.count())
            .join(items, items.c.id == demand_daily.c.item_id)
            .where(items.c.sku == "23166", demand_daily.c.units > 10_000)
        )
        pair = connection.execute(
            select(orders.c.status, order_lines.c.cancelled_quantity)
            .join(orders, orders.c.id == order_lines.c.order_id)
            .where(order_lines.c.quantity == 74_215)
        ).one()
    assert found == oracle(path)
    assert tuple(lines) == (
        sum(units for units, _ in found.values()),
        sum(s for _, s in found.values()) * 10_000,
    )
    assert jar == 0
    assert tuple(pair) == ("cancelled", 74_215)


def test_deliveries_are_counted_as_of_the_day_and_warehouse_orders_stand_apart(
    sqlite_gate: Gate, sqlite_engine: Engine, admin: Principal, shared_data: Path
) -> None:
    as_of = "2012-06-30"
    rows = list(published(shared_data / SCMS))

    def known(row: dict[str, str]) -> str:
        dates = [row[name] for name in ("PO Sent to Vendor Date", "PQ First Sent to Client Date")]
        return min(
            next((d for d in dates if d[:1] == "2"), row["Scheduled Delivery Date"]),
            row["Scheduled Delivery Date"],
        )

    expected = [row for row in rows if known(row) <= as_of]
    delivered = [
        row
        for row in expected
        if max(row["Delivered to Client Date"], row["Delivery Recorded Date"]) <= as_of
    ]
    late = [row for row in delivered if row["Delivered to Client Date"] > row["Scheduled Delivery Date"]]

    report = run_import(
        sqlite_gate, sqlite_engine, admin, "scms", shared_data / SCMS, date.fromisoformat(as_of)
    )

    assert report.rows_read == len(rows) and report.rows_refused == 0
    assert report.set_aside == {"after_as_of": len(rows) - len(expected)}
    with reading(sqlite_engine) as connection:
        one = connection.execute(
            select(
                func.count(),
                func.count(po_lines.c.completed_on),
                func.count().filter(po_lines.c.completed_on > po_lines.c.first_promised_on),
                func.sum(po_lines.c.quantity),
            )
        ).one()
        inside = connection.execute(
            select(suppliers.c.name, func.count(po_lines.c.id))
            .join(purchase_orders, purchase_orders.c.supplier_id == suppliers.c.id)
            .join(po_lines, po_lines.c.po_id == purchase_orders.c.id)
            .where(suppliers.c.internal)
            .group_by(suppliers.c.name)
        ).all()
        latest = connection.scalar(select(func.max(receipts.c.known_on)))
    quantities = sum(int(row["Line Item Quantity"]) for row in expected)
    assert tuple(one) == (len(expected), len(delivered), len(late), quantities)
    assert inside == [("SCMS from RDC", sum(row["Fulfill Via"] == "From RDC" for row in expected))]
    assert latest is not None and latest.isoformat() <= as_of
