"""Ask the semantic layer: `run` answers a `MetricQuery` with a `MetricResult`."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, select

from erp_core.analytics.compiler import compile_plan
from erp_core.analytics.feeds import LABELS, data_end
from erp_core.analytics.metrics import Metric, catalogue
from erp_core.analytics.output import Compiled, Output
from erp_core.analytics.plan import Plan, facts_of, make_plan
from erp_core.analytics.query import Cell, MetricQuery, MetricResult, ResultColumn
from erp_core.analytics.record_kinds import KINDS
from erp_core.gate.model import company
from erp_core.master.queries.quality import QualityKind, quality_notes
from erp_core.storage.types import MONEY_SCALE, canonical_json

RETURN_WINDOW_DAYS = 30
_PRECISION = 9


def run(
    connection: Connection, query: MetricQuery, *, today: date, rights: Collection[str], computed_at: datetime
) -> MetricResult:
    """Answer a query as of the business date `today`, for somebody with these rights.

    Raises a `QueryError`: unknown names and values with the nearest ones, a dimension that a metric does
    not carry, a missing right, a period that is none. A metric whose feed the company lacks gives None
    in every row, with a note.
    """
    plan = make_plan(connection, query, today=today, rights=rights)
    currency = connection.execute(select(company.c.value).where(company.c.key == "currency")).scalar()
    if plan.answerable:
        compiled = compile_plan(plan, connection.dialect.name)
        fetched = connection.execute(compiled.statement).all()
        outputs: Sequence[Output] = compiled.outputs
        rows = tuple(_cells(row, outputs) for row in fetched)
        total_rows = int(fetched[0][len(outputs)]) if fetched else 0
        notes = plan.notes + _notes(plan, compiled, fetched) + _quality(connection, plan, outputs, rows)
    else:
        outputs = _without_feed(plan)
        rows = () if plan.by else (tuple(None for _ in outputs),)
        total_rows = len(rows)
        notes = plan.notes + _missing_feeds(plan)
    return MetricResult(
        query=query,
        query_id=query_id(query, today, plan.as_of),
        period=plan.period,
        columns=tuple(_column(output, currency) for output in outputs),
        rows=rows,
        total_rows=total_rows,
        cut=len(rows) < total_rows,
        definitions={metric.name: metric.definition for metric in plan.metrics},
        definitions_version=catalogue().version,
        as_of=plan.as_of,
        computed_at=computed_at,
        freshness=_freshness(plan),
        notes=notes,
        drill=_drill(plan),
    )


def query_id(query: MetricQuery, today: date, as_of: date) -> str:
    """The same short id for the same question about the same day."""
    payload = query.model_dump(mode="json", by_alias=True)
    text = canonical_json({"query": _texts(payload), "today": today.isoformat(), "as_of": as_of.isoformat()})
    return f"q{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _texts(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_texts(part) for part in value]
    return str(value) if isinstance(value, float) else value


def _cells(row: Sequence[Any], outputs: Sequence[Output]) -> tuple[Cell, ...]:
    return tuple(_cell(value, output) for value, output in zip(row, outputs, strict=False))


def _cell(value: Any, output: Output) -> Cell:
    if value is None:
        return None
    if output.kind == "dimension":
        return value.isoformat() if isinstance(value, date) else str(value)
    if output.unit == "money":
        return Decimal(round(value)) / MONEY_SCALE
    if isinstance(value, float):
        rounded = Decimal(repr(round(value, _PRECISION)))
        whole = output.unit in ("units", "count") and rounded == rounded.to_integral_value()
        return int(rounded) if whole else rounded
    return int(value)


def _column(output: Output, currency: str | None) -> ResultColumn:
    return ResultColumn(
        name=output.name,
        label=output.label,
        kind=output.kind,
        unit=output.unit,
        metric=output.metric,
        currency=currency if output.unit == "money" else None,
    )


def _without_feed(plan: Plan) -> list[Output]:
    dimensions = [Output(dimension.name, dimension.label, "dimension") for dimension in plan.by]
    return dimensions + [
        Output(metric.name, metric.label, "metric", metric.unit, metric.name) for metric in plan.metrics
    ]


def _missing_feeds(plan: Plan) -> tuple[str, ...]:
    notes = []
    for metric in plan.metrics:
        missing = [LABELS[feed] for feed in metric.feeds if feed not in plan.feeds]
        if missing:
            notes.append(f"{metric.label} has no value: the company has no data on {' and '.join(missing)}")
    return tuple(notes)


def _notes(plan: Plan, compiled: Compiled, fetched: Sequence[Sequence[Any]]) -> tuple[str, ...]:
    notes = list(_missing_feeds(plan))
    place = len(compiled.outputs) + 1
    for number, (measure, metric) in enumerate(compiled.gaps):
        missing, rows = fetched[0][place + 2 * number : place + 2 * number + 2] if fetched else (0, 0)
        if missing:
            what = measure.partition(".")[2].replace("_", " ")
            notes.append(
                f"{catalogue().metrics[metric].label}: {int(missing)} of {int(rows)} records have no known {what} and are left out"
            )
    for position, output in enumerate(compiled.outputs):
        if output.kind == "metric" and output.unit == "days":
            unbounded = sum(1 for row in fetched if row[position] == float("inf"))
            if unbounded:
                notes.append(f"{output.label}: {unbounded} rows are unbounded, as no demand is forecast")
    notes += [note for metric in plan.answerable for note in _period_notes(plan, metric)]
    return tuple(dict.fromkeys(notes))


def _quality(
    connection: Connection, plan: Plan, outputs: Sequence[Output], rows: Sequence[Sequence[Cell]]
) -> tuple[str, ...]:
    """Which of the items and suppliers that the question or the rows name have poor data."""
    wanted: dict[QualityKind, set[str]] = {"item": set(), "supplier": set()}
    for kind, codes in wanted.items():
        for where in plan.query.where:
            if where.dim == kind and where.op in ("eq", "in"):
                codes.update(str(value) for value in where.values)
        for position, output in enumerate(outputs):
            if output.kind == "dimension" and output.name == kind:
                codes.update(str(row[position]) for row in rows if row[position] is not None)
    return quality_notes(connection, wanted)


def _period_notes(plan: Plan, metric: Metric) -> list[str]:
    notes: list[str] = []
    if plan.period is None:
        return notes
    if metric.name == "return_rate" and (plan.today - plan.period.end).days < RETURN_WINDOW_DAYS:
        notes.append(
            f"{metric.label}: the return window of shipments after {plan.period.start} is still open"
        )
    if metric.kind == "position":
        return notes
    for name in metric.feeds:
        feed, last_on = plan.feeds[name], data_end(plan.feeds, name)
        if plan.period.start > last_on:
            notes.append(f"{LABELS[name]} data end on {last_on}, before the period")
        elif plan.period.end < feed.first_on:
            notes.append(f"{LABELS[name]} data begin on {feed.first_on}, after the period")
        elif plan.period.start < feed.first_on:
            notes.append(f"{LABELS[name]} data begin on {feed.first_on}, inside the period")
    return notes


def _freshness(plan: Plan) -> dict[str, date | None]:
    names = dict.fromkeys(feed for metric in plan.metrics for feed in metric.feeds)
    return {name: plan.feeds[name].fresh_on if name in plan.feeds else None for name in names}


def _drill(plan: Plan) -> dict[str, Any]:
    """Record kind and filters, as `find_records` takes them, for the records behind the first metric."""
    metric = plan.metrics[0]
    kind = next((fact.records for fact in facts_of(metric) if fact.records), None)
    if kind is None:
        return {}
    filters: dict[str, Any] = {
        where.dim: {"op": where.op, "values": list(where.values)} for where in plan.query.where
    }
    if plan.period is not None and metric.kind == "flow" and KINDS[kind].day is not None:
        filters |= {"from": plan.period.start.isoformat(), "to": plan.period.end.isoformat()}
    return {"kind": kind, "filters": filters}
