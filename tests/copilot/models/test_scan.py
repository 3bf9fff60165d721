"""The scan on a simulated company: ranked, priced once, withheld where it cannot know."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from copilot.models import demand
from copilot.models.delay import train_delay
from copilot.models.evidence import Directory
from copilot.models.pricing import Terms
from copilot.models.scan import ScanInputs, find
from erp_core.analytics.panels import DemandPanel, PurchaseLines, StockPanel
from erp_core.exceptions.commands import RecordScan
from erp_core.exceptions.draft import KINDS, CaseDraft
from erp_core.master.queries import Item, SupplierItem
from erp_core.planning.queries import Forecast, ForecastVersion
from erp_core.procurement.rules import ReorderTarget
from tests.copilot.models.simulation import purchase_history, steady
from tests.copilot.models.test_demand import PLAIN

SUPPLIER = UUID(int=1)


@cache
def history() -> tuple[DemandPanel, demand.Forecast]:
    panel = steady(n=40, t=260)
    return panel, demand.forecast(PLAIN, panel, 84)


def company(stock: np.ndarray | None = None, **changes: Any) -> ScanInputs:
    """Forty items in one place, two months of stock each unless `stock` says otherwise, one late order."""
    panel, made = history()
    as_of: date = panel.as_of
    version = ForecastVersion(
        UUID(int=9),
        as_of,
        made.days[0].astype(object),
        84,
        made.levels,
        "live",
        None,
        datetime(2025, 9, 23, tzinfo=UTC),
    )
    stored = Forecast(version, made.item_ids, made.location_ids, made.mean, made.quantiles.transpose(1, 0, 2))
    held = np.ceil(made.mean.sum(axis=1) * 60 / 84) if stock is None else stock
    n = len(panel.item_ids)
    inputs = ScanInputs(
        as_of=as_of,
        demand=panel,
        stock=StockPanel(
            as_of,
            panel.item_ids,
            panel.location_ids,
            held,
            np.zeros(n),
            np.zeros(n),
            np.full(n, 12.0),
            np.full(n, 20.0),
        ),
        lines=orders_of(inputs_as_of=as_of, open_lines=()),
        feeds=frozenset({"sales", "stock", "cost", "purchasing"}),
        forecast=stored,
        targets={
            (item, place): ReorderTarget(int(mean * 28), int(mean * 56))
            for item, place, mean in zip(
                panel.item_ids, panel.location_ids, made.mean.mean(axis=1), strict=True
            )
        },
        sources=[SupplierItem(SUPPLIER, item, None, 120_000, 6, 6, 20, 1) for item in panel.item_ids],
        directory=Directory({}, {}, {}),
    )
    return replace(inputs, **changes)


def orders_of(inputs_as_of: date, open_lines: tuple[tuple[UUID, UUID, int, int], ...]) -> PurchaseLines:
    """A year of history, and open lines (item, location, units, days until the first promise)."""
    past, _ = purchase_history(lines=250, open_last=1)
    shift = np.datetime64(inputs_as_of, "D") - np.datetime64(past.as_of, "D")
    today = np.datetime64(inputs_as_of, "D")
    k = len(open_lines)
    due = np.array([today + line[3] for line in open_lines], dtype="datetime64[D]")
    done = np.datetime64("NaT", "D")
    closed = np.where(np.isnat(past.completed_on), past.first_promised_on - 30, past.completed_on)
    return PurchaseLines(
        as_of=inputs_as_of,
        line_ids=past.line_ids + tuple(UUID(int=5_000 + i) for i in range(k)),
        po_ids=past.po_ids + tuple(UUID(int=6_000 + i) for i in range(k)),
        po_numbers=past.po_numbers + tuple(f"PO-LATE-{i}" for i in range(k)),
        supplier_ids=past.supplier_ids + (SUPPLIER,) * k,
        item_ids=past.item_ids + tuple(line[0] for line in open_lines),
        location_ids=past.location_ids + tuple(line[1] for line in open_lines),
        sent_on=np.concatenate([past.sent_on + shift, due - 20]),
        first_promised_on=np.concatenate([past.first_promised_on + shift, due]),
        promised_on=np.concatenate([past.promised_on + shift, due]),
        completed_on=np.concatenate([closed + shift, np.full(k, done)]),
        units=np.concatenate([past.units, [float(line[2]) for line in open_lines]]),
        open_units=np.concatenate([np.zeros(len(past.units)), [float(line[2]) for line in open_lines]]),
        unit_price=np.concatenate([past.unit_price, np.full(k, 12.0)]),
        attributes={"category": np.array(["C"] * (len(past.units) + k))},
    )


def scan_of(inputs: ScanInputs, terms: Terms | None = None) -> tuple[list[Any], list[Any]]:
    return find(inputs, PLAIN, train_delay(inputs.lines, grace_days=0), terms or Terms())


def test_an_item_about_to_run_out_is_a_case_with_a_recommended_order_ready_to_propose() -> None:
    stock = company().stock
    assert stock is not None
    low = stock.available.copy()
    low[5] = 1
    drafts, _ = scan_of(company(stock=low))
    case = next(
        draft
        for draft in drafts
        if draft.kind == "stockout_risk" and draft.subjects[0][1] == stock.item_ids[5]
    )
    assert case.expected_loss > 0 and case.net_benefit > 0
    assert case.expected_loss >= case.residual_loss >= 0
    commands = case.action["commands"]
    assert [part["command"] for part in commands] == ["CreatePurchaseOrder", "SubmitPurchaseOrder"]
    assert commands[0]["payload"]["lines"][0]["quantity"] % 6 == 0
    labels = {fact["label"]: fact for fact in case.evidence}
    assert labels["Available less backordered"]["value"] == "1"
    assert labels["Available less backordered"]["query"]["metrics"] == ["available_units"]


@pytest.mark.capability("S40")
def test_what_another_place_sent_already_keeps_an_item_from_being_a_case() -> None:
    inputs = company()
    assert inputs.stock is not None
    low, sent = inputs.stock.available.copy(), np.zeros(40)
    low[5], sent[5] = np.ceil(low[5] / 6), low[5]

    def short(stock: StockPanel) -> list[CaseDraft]:
        drafts, _ = scan_of(replace(inputs, stock=stock))
        item = stock.item_ids[5]
        return [one for one in drafts if one.kind == "stockout_risk" and one.subjects[0][1] == item]

    few = replace(inputs.stock, available=low)
    assert len(short(few)) == 1
    assert short(replace(few, in_transit=sent)) == []


@pytest.mark.capability("S225")
def test_cases_come_by_net_benefit_and_the_same_company_gives_the_same_cases() -> None:
    rng = np.random.default_rng(2)
    stock = company().stock
    assert stock is not None
    uneven = np.floor(stock.available * rng.choice([0.02, 0.2, 1, 6], 40))
    first, withheld = scan_of(company(stock=uneven))
    again, _ = scan_of(company(stock=uneven))
    assert first == again
    assert [draft.net_benefit for draft in first] == sorted(
        (draft.net_benefit for draft in first), reverse=True
    )
    assert {"stockout_risk", "overstock"} <= {draft.kind for draft in first}
    assert withheld == []
    assert len({(draft.kind, draft.subject_key) for draft in first}) == len(first)


def test_a_loss_that_a_late_order_causes_is_counted_once_and_linked() -> None:
    base = company()
    assert base.stock is not None
    row = int(np.argmax(base.stock.available))
    item, place = base.stock.item_ids[row], base.stock.location_ids[row]
    stock = base.stock.available.copy()
    stock[row] = stock[row] / 60 * 3
    late = orders_of(base.as_of, ((item, place, 2_000, -6),))
    drafts, _ = scan_of(company(stock=stock, lines=late))
    order = next(draft for draft in drafts if draft.kind == "po_overdue")
    stockout = next(
        draft for draft in drafts if draft.kind == "stockout_risk" and draft.subjects[0][1] == item
    )
    assert stockout.caused_by == (order.kind, order.subject_key)
    assert (stockout.expected_loss, stockout.residual_loss, stockout.action_cost) == (0, 0, 0)
    assert order.expected_loss > 0
    assert order.probability == 1
    keys = {(draft.kind, draft.subject_key) for draft in drafts}
    assert all(draft.caused_by in keys for draft in drafts if draft.caused_by)
    RecordScan(scan_id=UUID(int=1), as_of=base.as_of, kinds=KINDS, drafts=tuple(drafts))


def test_the_loss_of_an_item_location_is_the_same_whoever_owns_it() -> None:
    from copilot.models import order_drafts, pricing
    from copilot.models.lead_times import measure_lead_times
    from copilot.models.scan import _demand_ahead
    from copilot.models.situation import survey

    base = company()
    assert base.stock is not None
    rows = range(0, 40, 3)
    lines = orders_of(
        base.as_of,
        tuple((base.stock.item_ids[row], base.stock.location_ids[row], 500, (row % 9) - 3) for row in rows),
    )
    stock = replace(base.stock, available=np.floor(base.stock.available * 0.1))
    terms, delay = Terms(materiality=0.0, least_delay_chance=0.0), train_delay(lines, grace_days=0)
    seen = survey(
        stock,
        _demand_ahead(replace(base, lines=lines), PLAIN),
        lines,
        delay,
        measure_lead_times(lines),
        base.sources,
        base.targets,
        terms,
    )
    shortage = pricing.price_shortage(seen.outlook, seen.situation, terms)
    claims = order_drafts.claim(seen, shortage, terms)
    assert claims.owned.sum() > 0
    drafts, _ = find(replace(base, stock=stock, lines=lines), PLAIN, delay, terms)
    told = sum(
        d.expected_loss for d in drafts if d.kind in ("stockout_risk", "po_overdue", "supplier_delay_risk")
    )
    assert told / 10_000 == pytest.approx(shortage.priced.expected_loss.sum(), abs=0.01 * 2 * len(drafts))


def test_pennies_make_no_case() -> None:
    stock = company().stock
    assert stock is not None
    uneven = np.floor(stock.available * np.random.default_rng(2).choice([0.02, 0.2, 1, 6], 40))
    drafts, _ = scan_of(company(stock=uneven), Terms(materiality=100.0))
    assert drafts and all(
        draft.expected_loss >= 100 * 10_000 for draft in drafts if draft.kind != "po_overdue"
    )


@pytest.mark.capability("S235")
def test_without_a_stock_feed_stock_cases_are_withheld_with_the_reason() -> None:
    panel = company().demand
    units = panel.units.copy()
    units[3, 250:] = units[3].max() * 6
    inputs = company(stock=None)
    blind = replace(inputs, stock=None, feeds=frozenset({"sales"}), demand=replace(panel, units=units))
    drafts, withheld = scan_of(blind)
    assert {one.kind for one in withheld} == {
        "stockout_risk",
        "supplier_delay_risk",
        "po_overdue",
        "overstock",
    }
    reasons = {one.kind: one.reason for one in withheld}
    assert "no stock feed" in reasons["stockout_risk"] and "no stock feed" in reasons["overstock"]
    assert "no purchasing feed" in reasons["po_overdue"]
    assert {draft.kind for draft in drafts} <= {"demand_spike", "demand_drop"}
    spike = next(draft for draft in drafts if draft.kind == "demand_spike")
    assert (spike.expected_loss, spike.action) == (0, None)
    assert "not priced" in spike.notes[0]


@pytest.mark.capability("S235")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"feeds": frozenset({"sales", "stock", "purchasing"})}, "cost"),
        ({"forecast": None}, "forecast"),
    ],
)
def test_without_cost_or_forecast_nothing_is_guessed(changes: dict[str, Any], reason: str) -> None:
    drafts, withheld = scan_of(company(**changes))
    assert not {draft.kind for draft in drafts} & {"stockout_risk", "overstock", "po_overdue"}
    assert all(reason in one.reason for one in withheld) and withheld


@pytest.mark.capability("S235")
def test_without_a_stock_feed_an_overdue_order_is_a_case_that_says_why_it_has_no_price() -> None:
    inputs = company(stock=None)
    pair = inputs.demand.item_ids[0], inputs.demand.location_ids[0]
    lines = orders_of(inputs.as_of, ((*pair, 40, -9), (*pair, 40, 30)))
    drafts, withheld = scan_of(
        replace(inputs, stock=None, feeds=frozenset({"sales", "purchasing"}), lines=lines)
    )
    assert {one.kind for one in withheld} == {"stockout_risk", "overstock"}
    (order,) = (draft for draft in drafts if draft.kind == "po_overdue")
    assert "PO-LATE-0" in order.title and "9 days overdue" in order.title
    assert (order.expected_loss, order.net_benefit, order.action) == (0, 0, None)
    assert "cannot be said" in order.notes[0]
    assert not any("PO-LATE-1" in draft.title for draft in drafts)


def test_cases_and_actions_name_the_item_beside_its_sku() -> None:
    inputs = company()
    item = inputs.demand.item_ids[0]
    record = Item(item, "LAMP-1", "Desk lamp, oak", "Light", "A", None, "piece", None, None, "active", None)
    directory = Directory({item: record}, {}, {})
    stranger = UUID(int=987_654)
    assert (directory.item(item), directory.item(stranger)) == ("Desk lamp, oak (LAMP-1)", str(stranger))
    assert inputs.stock is not None
    empty = inputs.stock.available.copy()
    empty[0] = 0
    drafts, _ = scan_of(replace(inputs, directory=directory, stock=replace(inputs.stock, available=empty)))
    case = next(draft for draft in drafts if ("item", item) in draft.subjects)
    assert case.title.startswith("Desk lamp, oak (LAMP-1) at ")
    assert "Desk lamp, oak (LAMP-1)" in case.action["label"]


def test_an_old_forecast_is_not_trusted() -> None:
    inputs = company()
    assert inputs.forecast is not None
    old = SimpleNamespace(
        **{name: getattr(inputs.forecast, name) for name in ("item_ids", "location_ids", "mean")}
    )
    old.version = replace(inputs.forecast.version, as_of=date(2025, 8, 1))
    _, withheld = scan_of(company(forecast=old))
    assert any("14 days old" in one.reason for one in withheld)


def test_an_item_without_cost_is_left_out_and_counted() -> None:
    inputs = company()
    assert inputs.stock is not None
    cost = inputs.stock.cost.copy()
    cost[5] = np.nan
    low = inputs.stock.available.copy()
    low[5] = 0
    drafts, withheld = scan_of(replace(inputs, stock=replace(inputs.stock, cost=cost, available=low)))
    assert not any(draft.subjects[0][1] == inputs.stock.item_ids[5] for draft in drafts)
    assert ("stockout_risk", "no unit cost or price", 1) in [tuple(one) for one in withheld]
