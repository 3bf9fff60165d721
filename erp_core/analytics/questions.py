"""The six questions that must have a complete answer, each as metric results and tables.

Agent, API and dashboards call the same functions. Metrics that the asker may not see are left out and
named in `notes`; nothing is estimated in their place.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from erp_core.analytics.dimensions import members
from erp_core.analytics.exposure import exposed_orders, late_lines, stockout_risks
from erp_core.analytics.metrics import catalogue
from erp_core.analytics.plan import dimensions_of
from erp_core.analytics.query import Between, MetricQuery, MetricResult, Order, ResultColumn, Where
from erp_core.analytics.run import run

_COST_COLUMNS = frozenset({"open_value", "expected_loss"})


@dataclass(frozen=True, slots=True)
class QuestionTable:
    """A table of records beside the metric results. Money is `Decimal` in currency units."""

    name: str
    title: str
    columns: tuple[ResultColumn, ...]
    rows: tuple[tuple[Any, ...], ...]
    total_rows: int

    @property
    def cut(self) -> bool:
        """Whether rows are missing."""
        return len(self.rows) < self.total_rows


@dataclass(frozen=True, slots=True)
class QuestionAnswer:
    """A complete answer: metric results, record tables, and what was left out."""

    question: str
    title: str
    results: tuple[MetricResult, ...]
    tables: tuple[QuestionTable, ...]
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Asker:
    """Runs the queries of one question for one person."""

    connection: Connection
    today: date
    rights: Collection[str]
    computed_at: datetime
    notes: list[str]
    where: tuple[Where, ...] = ()

    def ask(self, metrics: tuple[str, ...], **parts: Any) -> MetricResult | None:
        """The result for the metrics this person may see; None when there is none of them."""
        known = catalogue().metrics
        seen = tuple(
            name for name in metrics if known[name].right is None or known[name].right in self.rights
        )
        for name in metrics:
            if name not in seen:
                self.notes.append(f"{name} is left out: it needs the right {known[name].right}")
        for one in self.where:
            for name in seen:
                if one.dim not in dimensions_of(known[name]):
                    self.notes.append(f"{known[name].label} is left out: it cannot be cut by {one.dim}")
            seen = tuple(name for name in seen if one.dim in dimensions_of(known[name]))
        if not seen:
            return None
        parts["where"] = (*parts.get("where", ()), *self.where)
        order = tuple(entry for entry in parts.pop("order", ()) if entry.by in seen)
        query = MetricQuery(metrics=seen, order=order, **parts)
        return run(self.connection, query, today=self.today, rights=self.rights, computed_at=self.computed_at)

    def answer(
        self,
        question: str,
        results: tuple[MetricResult | None, ...],
        tables: tuple[QuestionTable, ...] = (),
    ) -> QuestionAnswer:
        """Put the parts together, each note once."""
        given = tuple(result for result in results if result is not None)
        notes = dict.fromkeys([*self.notes, *(note for result in given for note in result.notes)])
        return QuestionAnswer(question, QUESTIONS[question].title, given, tables, tuple(notes))


def _table(
    asker: _Asker,
    name: str,
    title: str,
    columns: tuple[tuple[str, str, str | None], ...],
    rows: list[Any],
    limit: int,
) -> QuestionTable:
    """Rows (dataclasses) as a table; cost columns only for those who may see cost."""
    shown = [column for column in columns if column[0] not in _COST_COLUMNS or "see_cost" in asker.rights]
    if len(shown) < len(columns):
        asker.notes.append(f"{title}: amounts are left out: they need the right see_cost")
    return QuestionTable(
        name,
        title,
        tuple(
            ResultColumn(name=key, label=label, unit=unit, kind="dimension" if unit is None else "derived")
            for key, label, unit in shown
        ),
        tuple(tuple(getattr(row, key) for key, _, _ in shown) for row in rows[:limit]),
        len(rows),
    )


def stockout_risk(asker: _Asker, limit: int, period: Between | str | None) -> QuestionAnswer:
    """Which SKUs are at immediate stockout risk, by channel and warehouse."""
    risky = (Where(dim="exception_kind", op="eq", values=("stockout_risk",)),)
    by_place = (
        asker.ask(("exceptions_open", "expected_loss"), by=("warehouse",), where=risky)
        if _has_kind(asker, "stockout_risk")
        else None
    )
    rows = stockout_risks(asker.connection, today=asker.today)
    table = _table(
        asker,
        "stockout_risks",
        "SKUs at stockout risk by channel and warehouse",
        (
            ("item", "Item", None),
            ("item_name", "Item name", None),
            ("warehouse", "Warehouse", None),
            ("channel", "Channel", None),
            ("demand_share", "Share of demand", "percent"),
            ("probability", "Probability", "percent"),
            ("deadline", "Deadline", None),
            ("available", "Available", "units"),
            ("on_order", "On order", "units"),
            ("expected_loss", "Expected loss", "money"),
        ),
        rows,
        limit,
    )
    return asker.answer("stockout_risk", (by_place,), (table,))


def _has_kind(asker: _Asker, kind: str) -> bool:
    known = members(asker.connection, catalogue().dimensions["exception_kind"])
    if all(member.code != kind for member in known):
        asker.notes.append(f"no exception of kind {kind} was ever found")
        return False
    return True


def delayed_inbound(asker: _Asker, limit: int, period: Between | str | None) -> QuestionAnswer:
    """What inbound is delayed, and which customer orders are exposed."""
    by_supplier = asker.ask(
        ("late_po_lines", "late_po_value", "on_order_units"),
        by=("supplier",),
        order=(Order(by="late_po_lines"),),
        limit=limit,
    )
    late = late_lines(asker.connection, today=asker.today)
    exposed = exposed_orders(asker.connection, today=asker.today)
    inbound = _table(
        asker,
        "late_lines",
        "Delayed inbound",
        (
            ("po_number", "PO", None),
            ("line_no", "Line", None),
            ("supplier", "Supplier", None),
            ("item", "Item", None),
            ("item_name", "Item name", None),
            ("warehouse", "Warehouse", None),
            ("first_promised_on", "First promised", None),
            ("expected_on", "Expected now", None),
            ("days_late", "Days late", "days"),
            ("open_units", "Open units", "units"),
            ("open_value", "Open value", "money"),
        ),
        late,
        limit,
    )
    orders = _table(
        asker,
        "exposed_orders",
        "Customer orders exposed",
        (
            ("order_number", "Order", None),
            ("channel", "Channel", None),
            ("item", "Item", None),
            ("warehouse", "Warehouse", None),
            ("promised_on", "Promised", None),
            ("short_units", "Units not covered", "units"),
            ("sales_value", "Sales value", "money"),
            ("po_number", "Waits for PO", None),
            ("expected_on", "Expected", None),
        ),
        exposed,
        limit,
    )
    return asker.answer("delayed_inbound", (by_supplier,), (inbound, orders))


def excess(asker: _Asker, limit: int, period: Between | str | None) -> QuestionAnswer:
    """Where excess builds up and what capital it ties up."""
    money_first = (Order(by="excess_value"), Order(by="excess_units"))
    return asker.answer(
        "excess",
        (
            asker.ask(
                ("excess_value", "excess_units"), by=("category", "warehouse"), order=money_first, limit=limit
            ),
            asker.ask(
                ("excess_value", "excess_units", "days_of_supply", "available_units"),
                by=("item", "warehouse"),
                order=money_first,
                limit=limit,
            ),
            asker.ask(("inventory_value_by_age",), by=("age_bucket",), show=("value", "share")),
            asker.ask(("inventory_value", "working_capital_exposure", "aged_inventory_value")),
        ),
    )


def supplier_reliability(asker: _Asker, limit: int, period: Between | str | None) -> QuestionAnswer:
    """Which suppliers miss lead times or ship incomplete."""
    rates = asker.ask(
        (
            "otif_rate",
            "on_time_rate",
            "on_time_latest_rate",
            "in_full_rate",
            "supplier_fill_rate",
            "lead_time_days",
            "lead_time_std",
        ),
        by=("supplier",),
        period=period or "last_12_months",
        order=(Order(by="otif_rate", dir="asc"),),
        limit=limit,
    )
    late = asker.ask(
        ("late_po_lines", "late_po_value"), by=("supplier",), order=(Order(by="late_po_lines"),), limit=limit
    )
    return asker.answer("supplier_reliability", (rates, late))


def forecast_accuracy(asker: _Asker, limit: int, period: Between | str | None) -> QuestionAnswer:
    """How accurate forecasts are by category, and where a planner is needed."""
    metrics = ("forecast_wape", "naive_wape", "forecast_bias")
    worst = (Order(by="forecast_wape"),)
    return asker.answer(
        "forecast_accuracy",
        (
            asker.ask(metrics, by=("category",), period=period, order=worst),
            asker.ask(metrics, by=("item",), period=period, order=worst, limit=limit),
            asker.ask(metrics, period=period),
        ),
    )


def margin_effects(asker: _Asker, limit: int, period: Between | str | None) -> QuestionAnswer:
    """What freight, returns, markdowns and purchase price variance do to margin."""
    metrics = (
        "net_sales",
        "gross_margin",
        "markdown_value",
        "freight_out_cost",
        "returns_loss",
        "price_variance",
        "freight_cost",
        "contribution_margin",
    )
    span = period or "last_12_months"
    return asker.answer(
        "margin_effects",
        (
            asker.ask(metrics, period=span),
            asker.ask(metrics, by=("category",), period=span, order=(Order(by="net_sales"),), limit=limit),
            asker.ask(metrics, by=("month",), period=span),
        ),
    )


@dataclass(frozen=True, slots=True)
class Question:
    """A question by name: what it asks and the function that answers it."""

    name: str
    title: str
    answer: Callable[[_Asker, int, Between | str | None], QuestionAnswer]


QUESTIONS: dict[str, Question] = {
    question.name: question
    for question in (
        Question("stockout_risk", "SKUs at immediate stockout risk, by channel and warehouse", stockout_risk),
        Question("delayed_inbound", "Delayed inbound and the customer orders it exposes", delayed_inbound),
        Question("excess", "Where excess builds up and what capital it ties up", excess),
        Question(
            "supplier_reliability", "Suppliers that miss lead times or ship incomplete", supplier_reliability
        ),
        Question(
            "forecast_accuracy",
            "Forecast accuracy by category, and where a planner is needed",
            forecast_accuracy,
        ),
        Question(
            "margin_effects",
            "What freight, returns, markdowns and price variance do to margin",
            margin_effects,
        ),
    )
}


def answer_question(
    connection: Connection,
    name: str,
    *,
    today: date,
    rights: Collection[str],
    computed_at: datetime,
    limit: int = 20,
    period: Between | str | None = None,
    where: tuple[Where, ...] = (),
) -> QuestionAnswer:
    """Answer one of `QUESTIONS` for somebody with these rights. `KeyError` for another name.

    `period` narrows the questions about a stretch of time (suppliers, forecasts, margin: last twelve months
    without one); the others are about today. `where` filters the figures; those that do not carry its dimensions are left out, with a note.
    """
    asker = _Asker(connection, today, rights, computed_at, [], where)
    return QUESTIONS[name].answer(asker, limit, period)
