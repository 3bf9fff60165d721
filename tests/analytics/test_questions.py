"""The six questions of the business have complete answers."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import Connection, select

from erp_core.analytics.exposure import StockoutRisk, exposed_orders, late_lines, stockout_risks
from erp_core.analytics.query import Where
from erp_core.analytics.questions import QUESTIONS, QuestionAnswer, answer_question
from erp_core.master.model import channels
from tests.analytics.company import TODAY, Company

RIGHTS = frozenset({"see_cost"})
NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)


def answered(connection: Connection, name: str, rights: frozenset[str] = RIGHTS) -> QuestionAnswer:
    return answer_question(connection, name, today=TODAY, rights=rights, computed_at=NOW, limit=500)


@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_each_question_is_answered_with_figures_or_records(connection: Connection, name: str) -> None:
    answer = answered(connection, name)
    assert answer.results or answer.tables
    assert any(result.rows for result in answer.results) or any(table.rows for table in answer.tables)


@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_who_may_not_see_cost_gets_the_rest_and_is_told_what_is_left_out(
    connection: Connection, name: str
) -> None:
    answer = answered(connection, name, frozenset())
    metrics = {column.metric for result in answer.results for column in result.columns}
    columns = {column.name for table in answer.tables for column in table.columns}
    assert not metrics & {"expected_loss", "excess_value", "gross_margin", "late_po_value"}
    assert not columns & {"expected_loss", "open_value"}
    if name not in ("forecast_accuracy",):
        assert any("see_cost" in note for note in answer.notes)


@pytest.mark.capability("S195")
def test_late_inbound_names_its_lines_and_the_orders_that_wait_for_them(
    connection: Connection, company: Company
) -> None:
    late = late_lines(connection, today=TODAY)
    assert late and all(line.open_units > 0 and line.days_late > 0 for line in late)
    assert [line.days_late for line in late] == sorted((line.days_late for line in late), reverse=True)
    lines = company.by_id("order_lines")
    places = {(line.item_id, line.location_id): line for line in late}
    exposed = exposed_orders(connection, today=TODAY)
    assert exposed
    for order in exposed:
        line = lines[order.line_id]
        assert (line["item_id"], line["location_id"]) in places
        parts = ("reserved_quantity", "shipped_quantity", "cancelled_quantity")
        assert order.short_units == line["quantity"] - sum(line[part] for part in parts) > 0
        if order.expected_on is not None and order.promised_on is not None:
            assert order.promised_on < order.expected_on


def test_exposure_can_be_asked_for_certain_lines_only(connection: Connection) -> None:
    exposed = exposed_orders(connection, today=TODAY)
    chosen = exposed[0].po_line_id
    assert {order.po_line_id for order in exposed_orders(connection, today=TODAY, po_line_ids=[chosen])} == {
        chosen
    }
    assert exposed_orders(connection, today=TODAY, po_line_ids=[]) == []


@pytest.mark.capability("S194")
def test_the_loss_of_a_stockout_case_is_split_over_channels_by_demand(
    connection: Connection, company: Company
) -> None:
    loss = {row["id"]: Decimal(row["expected_loss"]) / 10_000 for row in company.rows["cases"]}
    by_case: dict[UUID, list[StockoutRisk]] = {}
    for risk in stockout_risks(connection, today=TODAY):
        by_case.setdefault(risk.case_id, []).append(risk)
    assert by_case
    for case, parts in by_case.items():
        assert abs(sum(part.demand_share for part in parts) - 1) < Decimal("1e-4")
        assert abs(sum(part.expected_loss for part in parts) - loss[case]) < Decimal("0.01")


@pytest.mark.parametrize("name", ["excess", "stockout_risk"])
def test_a_filter_narrows_the_figures_of_a_question(connection: Connection, name: str) -> None:
    def warehouses(answer: QuestionAnswer) -> set[str]:
        found = set()
        for result in answer.results:
            names = [column.name for column in result.columns]
            if "warehouse" in names:
                cells = (row[names.index("warehouse")] for row in result.rows)
                found |= {str(cell) for cell in cells if cell is not None}
        return found

    everywhere = warehouses(answered(connection, name))
    left_out = sorted(everywhere)[0]
    narrowed = answer_question(
        connection,
        name,
        today=TODAY,
        rights=RIGHTS,
        computed_at=NOW,
        limit=500,
        where=(Where(dim="warehouse", op="not_in", values=(left_out,)),),
    )
    assert warehouses(narrowed) == everywhere - {left_out}


def test_figures_that_a_filter_cannot_cut_are_left_out_and_named(connection: Connection) -> None:
    channel = connection.scalars(select(channels.c.code).order_by(channels.c.code)).first()
    narrowed = answer_question(
        connection,
        "margin_effects",
        today=TODAY,
        rights=RIGHTS,
        computed_at=NOW,
        where=(Where(dim="channel", op="eq", values=(str(channel),)),),
    )
    assert narrowed.results
    assert all("channel" in {one.dim for one in result.query.where} for result in narrowed.results)
    assert any("cannot be cut by channel" in note for note in narrowed.notes)
