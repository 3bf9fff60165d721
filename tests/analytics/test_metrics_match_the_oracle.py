"""Every metric is recomputed in plain Python from its definition and must agree, on both databases."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from erp_core.analytics.metrics import catalogue
from erp_core.analytics.plan import dimensions_of
from erp_core.analytics.query import MetricQuery, MetricResult
from erp_core.analytics.records import find_records
from erp_core.analytics.run import run
from erp_core.storage.engine import reading
from tests.analytics.company import TODAY, make_company
from tests.analytics.oracle import Oracle
from tests.analytics.oracle_metrics import RULES, answer
from tests.conftest import size

RIGHTS = frozenset({"see_cost", "see_customers"})
NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)


def ask(connection: Connection, **query: Any) -> MetricResult:
    return run(connection, MetricQuery.model_validate(query), today=TODAY, rights=RIGHTS, computed_at=NOW)


def figures(result: MetricResult, metric: str, by: tuple[str, ...]) -> dict[tuple[Any, ...], Any]:
    names = [column.name for column in result.columns]
    places = [names.index(name) for name in by]
    return {tuple(row[place] for place in places): row[names.index(metric)] for row in result.rows}


def same(found: Any, expected: float | None, unit: str) -> bool:
    if expected is None or found is None:
        return found is expected
    if math.isinf(expected):
        return Decimal(found).is_infinite()
    wanted = expected / 10_000 if unit == "money" else expected
    return math.isclose(float(found), wanted, rel_tol=1e-7, abs_tol=1e-4 if unit == "money" else 1e-8)


def without_nothing(groups: dict[Any, Any]) -> dict[Any, Any]:
    return {key: value for key, value in groups.items() if value is not None and value != 0}


def differences(found: dict[Any, Any], expected: dict[Any, Any], unit: str) -> list[Any]:
    """Groups that differ; a group without any figure may be missing."""
    keys = without_nothing(found).keys() | without_nothing(expected).keys()
    return [
        (key, found.get(key), expected.get(key))
        for key in sorted(keys, key=str)
        if not same(found.get(key), expected.get(key), unit)
    ]


def together(names: list[str]) -> Iterator[list[str]]:
    """Metrics in groups that one query can ask for."""
    for start in range(0, len(names), 8):
        yield names[start : start + 8]


@pytest.mark.capability("S4")
@pytest.mark.capability("S189")
@pytest.mark.capability("S190")
@pytest.mark.capability("S166")
@pytest.mark.capability("S182")
@pytest.mark.capability("S93")
@pytest.mark.capability("S126")
def test_every_metric_agrees_with_its_definition_in_total_and_by_every_dimension(engine: Engine) -> None:
    metrics = catalogue().metrics
    oracle = Oracle(make_company(0).write(engine))
    wrong = []
    with reading(engine) as connection:
        for names in together(list(RULES)):
            total = ask(connection, metrics=names)
            for name, found in zip(names, total.rows[0], strict=True):
                expected = answer(oracle, name)[()]
                if not same(found, expected, metrics[name].unit):
                    wrong.append((name, "total", found, expected))
        for dimension in catalogue().dimensions:
            by = (dimension,)
            carried = [name for name in RULES if dimension in dimensions_of(metrics[name])]
            for names in together(carried):
                result = ask(connection, metrics=names, by=by)
                for name in names:
                    gaps = differences(
                        figures(result, name, by), answer(oracle, name, by), metrics[name].unit
                    )
                    wrong += [(name, dimension, *gap) for gap in gaps]
    assert len(RULES) >= 70
    assert not wrong, wrong[:10]


def test_every_metric_of_the_catalogue_has_an_oracle_and_shows_in_the_generated_company() -> None:
    assert set(catalogue().metrics) == set(RULES)
    oracle = Oracle(make_company(0))
    assert [name for name in RULES if not answer(oracle, name)[()]] == []


@pytest.mark.parametrize("seed", range(1, size(2, 9)))
def test_flows_of_a_period_by_two_dimensions_agree_with_their_definitions(engine: Engine, seed: int) -> None:
    oracle, metrics = Oracle(make_company(seed).write(engine)), catalogue().metrics
    start, end = date(2025, 10, 1), date(2026, 3, 31)
    flows: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name in RULES:
        if metrics[name].kind == "flow":
            flows[dimensions_of(metrics[name])[0], "month"].append(name)
    wrong = []
    with reading(engine) as connection:
        for by, names in ((by, part) for by, flow in flows.items() for part in together(flow)):
            result = ask(connection, metrics=names, by=by, period={"from": start, "to": end})
            for name in names:
                expected = answer(oracle, name, by, period=(start, end))
                gaps = differences(figures(result, name, by), expected, metrics[name].unit)
                wrong += [(name, *gap) for gap in gaps]
    assert not wrong, wrong[:10]


@pytest.mark.capability("S182")
@pytest.mark.capability("S108")
def test_invoices_that_wait_are_told_as_of_a_past_day_and_drill_down_to_the_invoices(engine: Engine) -> None:
    oracle, past = Oracle(make_company(0).write(engine)), date(2026, 2, 1)
    with reading(engine) as connection:
        result = ask(connection, metrics=["disputed_invoice_value"], by=["supplier"], as_of=past)
        now = ask(
            connection,
            metrics=["disputed_invoice_value"],
            where=[{"dim": "warehouse", "op": "eq", "values": ["WH-1"]}],
        )
        records = find_records(connection, **now.drill, limit=1_000, rights=RIGHTS).records
    expected: dict[tuple[str, ...], float] = {}
    for dims, _, part in oracle.waiting_invoices(past):
        if part["value"] is not None:
            expected[dims["supplier"],] = expected.get((dims["supplier"],), 0) + part["value"]
    found = figures(result, "disputed_invoice_value", ("supplier",))
    assert expected and differences(found, expected, "money") == []
    unknown = any(part["value"] is None for _, _, part in oracle.waiting_invoices(past))
    assert any("no known value" in note for note in result.notes) == unknown, "left out, but not in silence"
    billing = {invoice["id"] for invoice, dims, _ in oracle.invoice_parts() if dims["warehouse"] == "WH-1"}
    assert {one["id"] for one in records} == billing
    assert all("number" not in one and one["total"] is not None for one in records)


@pytest.mark.capability("S53")
def test_stock_as_of_a_past_day_is_what_the_moves_up_to_then_leave(engine: Engine) -> None:
    company = make_company(5).write(engine)
    oracle, past = Oracle(company), date(2026, 1, 15)
    with reading(engine) as connection:
        result = ask(connection, metrics=["on_hand_units"], by=["item", "warehouse"], as_of=past)
        value = ask(connection, metrics=["inventory_value"], as_of=past)
    expected: dict[tuple[str, str], int] = {}
    for dims, _, part in oracle.positions(past):
        if part["state"] != "in_transit":
            key = dims["item"], dims["warehouse"]
            expected[key] = expected.get(key, 0) + part["units"]
    assert without_nothing(figures(result, "on_hand_units", ("item", "warehouse"))) == expected
    worth = sum(part["value"] or 0 for _, _, part in oracle.valued(past))
    assert same(value.rows[0][0], worth, "money")
    assert result.as_of == past
