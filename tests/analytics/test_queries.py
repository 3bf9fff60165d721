"""What a query can express: filters, periods, comparison, shares, ranks, bounds, limits, on both databases."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import Connection, Engine

from erp_core.analytics.errors import (
    DimensionNotCarried,
    MissingRight,
    PastNotKept,
    QueryError,
    UnknownMember,
    UnknownName,
)
from erp_core.analytics.metrics import catalogue
from erp_core.analytics.plan import dimensions_of
from erp_core.analytics.query import MetricQuery, MetricResult
from erp_core.analytics.run import run
from erp_core.master.model import data_feeds
from erp_core.storage.engine import gate_writing, reading
from tests.analytics.company import TODAY, Company, make_company
from tests.analytics.oracle import Oracle
from tests.analytics.oracle_metrics import RULES, answer
from tests.analytics.test_metrics_match_the_oracle import differences, figures, same
from tests.conftest import size

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
RIGHTS = frozenset({"see_cost"})


def ask(connection: Connection, rights: frozenset[str] = RIGHTS, **query: Any) -> MetricResult:
    return run(connection, MetricQuery.model_validate(query), today=TODAY, rights=rights, computed_at=NOW)


def column(result: MetricResult, name: str) -> list[Any]:
    place = [column.name for column in result.columns].index(name)
    return [row[place] for row in result.rows]


CORE = (
    "ordered_units",
    "net_sales",
    "shipped_units",
    "gross_margin_pct",
    "order_fill_rate",
    "spend",
    "on_time_rate",
    "lead_time_days",
    "returned_units",
    "return_rate",
    "on_hand_units",
    "inventory_value",
    "open_po_units",
)


def random_query(
    rng: random.Random, oracle: Oracle
) -> tuple[dict[str, Any], Callable[[Any], bool], tuple[str, ...]]:
    """A random question with the filter it means for the oracle."""
    metric = rng.choice(CORE)
    carried = [name for name in dimensions_of(catalogue().metrics[metric]) if name not in ("day", "week")]
    by = tuple(rng.sample(carried, rng.randint(0, 2)))
    query: dict[str, Any] = {"metrics": [metric], "by": by, "where": []}
    tests: list[tuple[str, str, tuple[str, ...]]] = []
    plain = [name for name in carried if name not in ("month", "quarter", "year")]
    for name in rng.sample(plain, min(len(plain), rng.randint(0, 2))):
        known = sorted(
            {str(dims[name]) for dims, _, _ in RULES[metric].rows(oracle, by) if dims.get(name) is not None}
        )
        if not known:
            continue
        op = rng.choice(("eq", "ne", "in", "not_in", "contains", "ge", "between"))
        count = {"eq": 1, "ne": 1, "contains": 1, "ge": 1, "between": 2}.get(op, min(2, len(known)))
        values = tuple(sorted(rng.choice(known) for _ in range(count)))
        if op == "contains":
            values = (values[0][1:4].upper(),)
        query["where"].append({"dim": name, "op": op, "values": values})
        tests.append((name, op, values))
    if rng.random() < 0.6:
        start = date(2025, 4, 1) + timedelta(days=rng.randint(0, 300))
        query["period"] = {"from": start, "to": start + timedelta(days=rng.randint(0, 200))}
        if catalogue().metrics[metric].kind == "position":
            query["as_of"] = TODAY

    def kept(dims: dict[str, Any]) -> bool:
        return all(holds(dims.get(name), op, values) for name, op, values in tests)

    return query, kept, tuple(name for name, _, _ in tests)


def holds(value: Any, op: str, values: tuple[str, ...]) -> bool:
    if value is None:
        return op in ("ne", "not_in")
    text = str(value).casefold()
    wanted = [one.casefold() for one in values]
    return {
        "eq": text in wanted,
        "in": text in wanted,
        "ne": text not in wanted,
        "not_in": text not in wanted,
        "contains": wanted[0] in text,
        "ge": text >= wanted[0],
        "between": wanted[0] <= text <= wanted[-1],
    }[op]


@pytest.mark.capability("S189")
def test_random_questions_are_answered_as_the_oracle_answers_them(
    connection: Connection, company: Company
) -> None:
    rng, oracle = random.Random(7), Oracle(company)
    wrong, filled = [], 0
    for number in range(size(200, 2_000)):
        query, kept, filtered = random_query(rng, oracle)
        (metric,), by = query["metrics"], query["by"]
        result = ask(connection, **query)
        period = result.period if catalogue().metrics[metric].kind == "flow" else None
        expected = answer(
            oracle,
            metric,
            by,
            where=kept,
            filtered=filtered,
            period=(period.start, period.end) if period else None,
        )
        gaps = differences(figures(result, metric, by), expected, catalogue().metrics[metric].unit)
        filled += any(expected.values())
        assert result.total_rows == len(result.rows)
        if gaps:
            wrong.append((number, query, gaps[:3]))
    assert not wrong, wrong[:3]
    assert filled > size(100, 1_000)


@pytest.mark.capability("S4")
@pytest.mark.parametrize(
    "metric", ["net_sales", "on_hand_units", "spend", "returned_units", "expected_loss", "freight_out_cost"]
)
def test_a_parent_is_the_sum_of_its_children_in_every_dimension(connection: Connection, metric: str) -> None:
    unit = catalogue().metrics[metric].unit
    total = ask(connection, metrics=[metric]).rows[0][0]
    assert total
    for dimension in dimensions_of(catalogue().metrics[metric]):
        parts = column(ask(connection, metrics=[metric], by=[dimension]), metric)
        tolerance = Decimal("0.0001") * len(parts) if unit == "money" else 0
        assert abs(sum(part or 0 for part in parts) - total) <= tolerance, dimension


def test_shares_add_up_to_one_within_each_member_of_per(connection: Connection) -> None:
    result = ask(
        connection, metrics=["net_sales"], by=["channel", "category"], show=["value", "share"], per="channel"
    )
    by_channel: dict[Any, Decimal] = {}
    for channel, share in zip(column(result, "channel"), column(result, "net_sales_share"), strict=True):
        by_channel[channel] = by_channel.get(channel, Decimal(0)) + share
    assert by_channel and all(abs(total - 1) < Decimal("1e-7") for total in by_channel.values())


def test_a_limit_takes_the_top_rows_within_each_member_of_per_and_says_that_rows_are_missing(
    connection: Connection,
) -> None:
    everything = ask(connection, metrics=["net_sales"], by=["warehouse", "item"])
    top = ask(
        connection,
        metrics=["net_sales"],
        by=["warehouse", "item"],
        limit=2,
        per="warehouse",
        show=["value", "rank"],
    )
    assert top.total_rows == everything.total_rows and top.cut and not everything.cut
    for place in set(column(top, "warehouse")):
        kept = [
            row
            for row, at in zip(column(top, "net_sales"), column(top, "warehouse"), strict=True)
            if at == place
        ]
        known = zip(column(everything, "net_sales"), column(everything, "warehouse"), strict=True)
        assert (
            sorted(kept, reverse=True) == sorted((row for row, at in known if at == place), reverse=True)[:2]
        )
    assert set(column(top, "net_sales_rank")) <= {1, 2}


def test_a_running_total_ends_at_the_total(connection: Connection) -> None:
    result = ask(connection, metrics=["net_sales"], by=["month"], show=["value", "running"])
    months = column(result, "month")
    assert months == sorted(months)
    assert column(result, "net_sales_running")[-1] == sum(column(result, "net_sales"))


def test_a_ratio_shows_its_parts(connection: Connection) -> None:
    result = ask(connection, metrics=["return_rate"], by=["category"], show=["value", "ratio"])
    for rate, top, bottom in zip(
        *(column(result, f"return_rate{part}") for part in ("", "_numerator", "_denominator")), strict=True
    ):
        assert rate is None or abs(rate - Decimal(top) / Decimal(bottom)) < Decimal("1e-8")


@pytest.mark.parametrize("compare", ["previous_period", "previous_year"])
def test_a_comparison_lines_up_the_months_of_both_periods(connection: Connection, compare: str) -> None:
    result = ask(connection, metrics=["ordered_units"], by=["month"], period="2026-Q2", compare=compare)
    before = {"previous_period": "2026-Q1", "previous_year": "2025-Q2"}[compare]
    earlier = ask(connection, metrics=["ordered_units"], by=["month"], period=before)
    was = dict(
        zip([month[-2:] for month in column(earlier, "month")], column(earlier, "ordered_units"), strict=True)
    )
    shift = {"previous_period": 3, "previous_year": 0}[compare]
    assert column(result, "month") == ["2026-04", "2026-05", "2026-06"]
    for month, now, then, change in zip(
        *(
            column(result, name)
            for name in ("month", "ordered_units", "ordered_units_previous", "ordered_units_change")
        ),
        strict=True,
    ):
        assert then == was.get(f"{int(month[-2:]) - shift:02}", 0)
        assert change == now - then


def test_bounds_on_figures_may_be_relative_to_all_groups(connection: Connection) -> None:
    everything = column(ask(connection, metrics=["net_sales"], by=["item"]), "net_sales")
    for of, bound in (
        ("mean", sum(everything) / len(everything)),
        ("max", max(everything)),
        ("median", None),
    ):
        having = [{"metric": "net_sales", "op": "ge", "values": [{"times": "1", "of": of}]}]
        kept = column(ask(connection, metrics=["net_sales"], by=["item"], having=having), "net_sales")
        if bound is None:
            assert len(kept) == (len(everything) + 1) // 2
        else:
            assert sorted(kept) == sorted(value for value in everything if value >= bound)
    low, high = sorted(everything)[2], sorted(everything)[-2]
    between = [{"metric": "net_sales", "op": "between", "values": [str(low), str(high)]}]
    result = ask(connection, metrics=["net_sales"], by=["item"], having=between)
    assert result.total_rows == sum(low <= value <= high for value in everything) < len(everything)


def test_several_facts_are_joined_on_the_dimensions_they_share(
    connection: Connection, company: Company
) -> None:
    names = ["net_sales", "returned_units", "on_hand_units", "open_po_units"]
    result, oracle = ask(connection, metrics=names, by=["item"]), Oracle(company)
    for name in names:
        unit = catalogue().metrics[name].unit
        assert not differences(figures(result, name, ("item",)), answer(oracle, name, ("item",)), unit)


def test_members_are_found_by_code_or_name_whatever_the_case(connection: Connection) -> None:
    wanted = [
        ask(connection, metrics=["net_sales"], where=[{"dim": "item", "op": "eq", "values": [text]}]).rows
        for text in ("SKU-01", "sku-01", "thing 1", " Thing 1 ")
    ]
    assert wanted[0][0][0] and all(rows == wanted[0] for rows in wanted)


@pytest.mark.parametrize(
    ("query", "error", "offer"),
    [
        ({"metrics": ["net_sale"]}, UnknownName, "net_sales"),
        ({"metrics": ["net_sales"], "by": ["warehous"]}, UnknownName, "warehouse"),
        ({"metrics": ["net_sales"], "by": ["po_status"]}, DimensionNotCarried, "channel"),
        ({"metrics": ["net_sales"], "order": [{"by": "sales"}]}, UnknownName, "net_sales"),
        (
            {"metrics": ["net_sales"], "where": [{"dim": "item", "op": "eq", "values": ["SKU-0l"]}]},
            UnknownMember,
            "SKU-0",
        ),
        (
            {"metrics": ["net_sales"], "where": [{"dim": "category", "op": "eq", "values": ["Kitchn"]}]},
            UnknownMember,
            "Kitchen",
        ),
        (
            {"metrics": ["net_sales"], "where": [{"dim": "month", "op": "eq", "values": ["2026"]}]},
            QueryError,
            "2026-05",
        ),
        (
            {"metrics": ["net_sales"], "where": [{"dim": "item", "op": "between", "values": ["a"]}]},
            QueryError,
            "two values",
        ),
        ({"metrics": ["net_sales"], "compare": "previous_year"}, QueryError, "period"),
        ({"metrics": ["gross_margin_pct"], "by": ["item"], "show": ["share"]}, QueryError, "ratio"),
        ({"metrics": ["net_sales"], "per": "item"}, QueryError, "by"),
        ({"metrics": ["open_po_units"], "as_of": "2026-01-01"}, PastNotKept, "as_of"),
        ({"metrics": ["on_hand_units"], "as_of": "2027-01-01"}, QueryError, "forecast"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_the_field_and_a_remedy(
    connection: Connection, query: dict[str, Any], error: type[QueryError], offer: str
) -> None:
    with pytest.raises(error) as refusal:
        ask(connection, **query)
    assert refusal.value.field and offer in refusal.value.remedy
    assert refusal.value.as_dict()["remedy"]


def test_unknown_fields_of_a_query_are_refused() -> None:
    with pytest.raises(ValidationError, match="metrik"):
        MetricQuery.model_validate({"metrics": ["net_sales"], "metrik": 1})


@pytest.mark.capability("S210")
def test_a_cost_figure_is_refused_without_the_right_to_see_cost(connection: Connection) -> None:
    with pytest.raises(MissingRight) as refusal:
        ask(connection, frozenset(), metrics=["net_sales", "gross_margin"])
    assert (refusal.value.metric, refusal.value.right) == ("gross_margin", "see_cost")
    assert ask(connection, frozenset(), metrics=["net_sales"]).rows[0][0]


def test_no_data_is_no_value_never_zero_and_never_full_marks(connection: Connection) -> None:
    long_ago = {"from": "2020-01-01", "to": "2020-12-31"}
    result = ask(
        connection, metrics=["net_sales", "on_time_rate", "ordered_units", "lead_time_std"], period=long_ago
    )
    assert result.rows == ((None, None, None, None),)
    assert any("begin on 2025-04-01" in note for note in result.notes)


def test_after_the_last_data_there_is_no_value_and_a_note_says_so(engine: Engine) -> None:
    make_company(3).write(engine)
    with gate_writing(engine) as connection:
        connection.execute(data_feeds.update().values(last_on=date(2026, 2, 28)))
    with reading(engine) as connection:
        result = ask(connection, metrics=["net_sales"], period={"from": "2030-01-01", "to": "2030-01-31"})
    assert result.rows == ((None,),) and "data end on 2026-02-28" in result.notes[0]


def test_a_day_without_orders_inside_the_history_counts_zero(
    connection: Connection, company: Company
) -> None:
    busy = {row["ordered_on"] for row in company.rows["orders"]}
    quiet = next(day for day in (TODAY - timedelta(days=n) for n in range(400)) if day not in busy)
    result = ask(connection, metrics=["ordered_units", "cancel_rate"], period={"from": quiet, "to": quiet})
    assert result.rows == ((0, None),)


@pytest.mark.capability("S235")
def test_without_a_feed_a_metric_has_no_value_and_the_note_says_why(engine: Engine) -> None:
    make_company(3).write(engine)
    with gate_writing(engine) as connection:
        connection.execute(data_feeds.delete().where(data_feeds.c.kind == "stock"))
    with reading(engine) as connection:
        alone = ask(connection, metrics=["on_hand_units"])
        mixed = ask(connection, metrics=["ordered_units", "inventory_value"], by=["item"])
    assert alone.rows == ((None,),) and "no data on stock" in alone.notes[0]
    assert set(column(mixed, "inventory_value")) == {None} and any(column(mixed, "ordered_units"))
    assert mixed.freshness == {"sales": TODAY, "stock": None, "cost": TODAY}


def test_rows_of_an_import_under_way_are_not_counted(connection: Connection, company: Company) -> None:
    complete = {row["import_id"] for row in company.rows["import_visibility"] if row["complete"]}
    hidden = [row for row in company.rows["order_lines"] if row["import_id"] not in complete | {None}]
    assert hidden
    expected = answer(Oracle(company), "ordered_units")[()]
    assert same(ask(connection, metrics=["ordered_units"]).rows[0][0], expected, "units")


def test_the_same_question_has_the_same_id_and_another_day_another(connection: Connection) -> None:
    first, again = (ask(connection, metrics=["on_hand_units"]) for _ in range(2))
    past = ask(connection, metrics=["on_hand_units"], as_of="2026-03-01")
    assert first.query_id == again.query_id != past.query_id
    assert first.definitions_version == catalogue().version
    assert first.definitions["on_hand_units"] == catalogue().metrics["on_hand_units"].definition


def test_an_unbounded_supply_is_shown_as_unbounded(connection: Connection) -> None:
    result = ask(connection, metrics=["days_of_supply"], by=["item"])
    cells = column(result, "days_of_supply")
    assert any(cell is not None and cell.is_infinite() for cell in cells)
    assert any("unbounded" in note for note in result.notes)
    assert MetricResult.model_validate_json(result.model_dump_json()).rows
