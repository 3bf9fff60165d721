"""Panels hold what was known on their day, and nothing later."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection

from erp_core.analytics.panels import demand_panel, purchase_lines, stock_panel
from tests.analytics.company import TODAY, Company
from tests.analytics.oracle import Oracle

DAYS = 300


@pytest.fixture(params=[TODAY, date(2026, 2, 15)], ids=["today", "in the past"])
def as_of(request: pytest.FixtureRequest) -> date:
    day: date = request.param
    return day


def test_the_demand_panel_holds_each_day_of_demand_once(
    connection: Connection, company: Company, as_of: date
) -> None:
    panel = demand_panel(connection, as_of=as_of, days=DAYS)
    start, seen = as_of - timedelta(days=DAYS - 1), Oracle(company).seen
    units: dict[Any, float] = defaultdict(float)
    sales: dict[Any, float] = defaultdict(float)
    for row in company.rows["demand_daily"]:
        if (row["import_id"].int == 0 or row["import_id"] in seen) and start <= row["day"] <= as_of:
            key = row["item_id"], row["location_id"], (row["day"] - start).days
            units[key] += row["units"]
            sales[key] += row["net_sales"] / 10_000
    series = {pair: place for place, pair in enumerate(zip(panel.item_ids, panel.location_ids, strict=True))}
    assert list(series) == sorted(series) and set(series) == {key[:2] for key in units}
    assert panel.units.sum() == sum(units.values()) > 0
    for (item, place, day), count in units.items():
        assert panel.units[series[item, place], day] == count
        assert panel.net_sales[series[item, place], day] == pytest.approx(sales[item, place, day])
    assert (panel.started == (panel.units > 0).argmax(axis=1)).all()
    assert panel.days[-1] == np.datetime64(as_of) and panel.units.shape == (len(series), DAYS)
    categories = {row["id"]: row["category"] for row in company.rows["items"]}
    assert list(panel.attributes["category"]) == [categories[item] for item in panel.item_ids]


def test_promotions_count_from_the_day_they_were_known(
    connection: Connection, company: Company, as_of: date
) -> None:
    panel = demand_panel(connection, as_of=as_of, days=DAYS, horizon=40)
    days = [as_of - timedelta(days=DAYS - 1 - day) for day in range(DAYS + 40)]
    covered = np.concatenate([panel.promoted, panel.future_promoted], axis=1)
    assert covered.shape[1] == len(days) and covered.any()
    for place, item in enumerate(panel.item_ids):
        known = [
            row for row in company.rows["promotions"] if row["item_id"] == item and row["known_on"] <= as_of
        ]
        expected = [any(row["starts_on"] <= day <= row["ends_on"] for row in known) for day in days]
        assert covered[place].tolist() == expected


def test_a_day_is_in_stock_when_something_was_there_or_came_in(
    connection: Connection, company: Company, as_of: date
) -> None:
    panel = demand_panel(connection, as_of=as_of, days=DAYS)
    recorded = defaultdict(list)
    for row in company.rows["stock_daily"]:
        if row["state"] == "available" and row["day"] <= as_of:
            recorded[row["item_id"], row["location_id"]].append(row)
    for place, pair in enumerate(zip(panel.item_ids, panel.location_ids, strict=True)):
        for day in range(0, DAYS, 17):
            on = as_of - timedelta(days=DAYS - 1 - day)
            opening = sum(row["change"] for row in recorded[pair] if row["day"] < on)
            change = sum(row["change"] for row in recorded[pair] if row["day"] == on)
            assert panel.in_stock[place, day] == (not recorded[pair] or opening > 0 or change > 0)
    assert not panel.in_stock.all()


def test_the_stock_panel_is_the_stock_of_its_day(
    connection: Connection, company: Company, as_of: date
) -> None:
    panel = stock_panel(connection, as_of=as_of)
    expected: dict[Any, int] = defaultdict(int)
    for _, _, part in Oracle(company).positions(as_of):
        if part["state"] == "available":
            expected[part["item"], part["place"]] += part["units"]
    pairs = zip(panel.item_ids, panel.location_ids, strict=True)
    found = dict(zip(pairs, panel.available.tolist(), strict=True))
    assert {key: value for key, value in found.items() if value} == expected
    assert np.isnan(panel.backordered).all() == (as_of < TODAY)
    unknown = company.rows["items"][-1]["id"]
    costs = zip(panel.item_ids, panel.cost, strict=True)
    assert all(np.isnan(cost) for item, cost in costs if item == unknown)


@pytest.mark.capability("S223")
def test_purchase_lines_of_a_past_day_know_no_later_receipt(
    connection: Connection, company: Company, as_of: date
) -> None:
    lines = purchase_lines(connection, as_of=as_of)
    rows, orders, receipts = (company.by_id(name) for name in ("po_lines", "purchase_orders", "receipts"))
    told = lines.sent_on[~np.isnat(lines.sent_on)]  # sources do not always say when
    assert lines.line_ids and (told <= np.datetime64(as_of)).all()
    assert not (lines.completed_on > np.datetime64(as_of)).any()
    taken_back = {
        row["receipt_id"] for row in company.rows["receipt_reversals"] if row["reversed_on"] <= as_of
    }
    for place, line_id in enumerate(lines.line_ids):
        line = rows[line_id]
        order = orders[line["po_id"]]
        assert (order["sent_on"] or order["created_on"]) <= as_of
        accepted = sum(
            row["accepted_quantity"]
            for row in company.rows["receipt_lines"]
            if row["po_line_id"] == line_id
            and receipts[row["receipt_id"]]["received_on"] <= as_of
            and row["receipt_id"] not in taken_back
        )
        completed = line["completed_on"] is not None and line["completed_on"] <= as_of
        left = 0 if completed else line["quantity"] - line["cancelled_quantity"] - accepted
        assert lines.open_units[place] == left
    internal = {row["id"] for row in company.rows["suppliers"] if row["internal"]}
    assert not internal & set(lines.supplier_ids)
    assert all(len(values) == len(lines.line_ids) for values in lines.attributes.values())


def test_before_the_first_order_the_panel_is_empty(connection: Connection) -> None:
    panel = demand_panel(connection, as_of=date(2010, 1, 1), days=30)
    assert panel.units.shape == (0, 30) and panel.item_ids == ()
