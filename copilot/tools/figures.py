"""Tools over the semantic layer: metric queries and the vocabulary itself."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pydantic import Field

from copilot.agents.answer import AnswerTable, Source
from copilot.agents.untrusted import label
from copilot.tools.tool import Fact, Tool, ToolContext, ToolError, ToolInput, ToolOutput, table
from erp_core.analytics.dimensions import TIME_DIMENSIONS
from erp_core.analytics.metrics import catalogue
from erp_core.analytics.query import (
    Between,
    Compare,
    Grain,
    Having,
    MetricQuery,
    MetricResult,
    Order,
    Show,
    Where,
)
from erp_core.analytics.run import run

ROWS = 200


class QueryMetrics(ToolInput):
    """A `MetricQuery`, field by field. Names come from `describe_vocabulary`."""

    metrics: tuple[str, ...] = Field(min_length=1, max_length=8, description="metric names")
    by: tuple[str, ...] = Field(default=(), max_length=4, description="dimensions to group by")
    where: tuple[Where, ...] = Field(default=(), description="filters on dimensions: dim, op, values")
    having: tuple[Having, ...] = Field(default=(), description="filters on metrics after grouping")
    period: Between | str | None = Field(
        default=None, description="last_month, 2026-05, 2026-Q1, last_90_days, {from, to} ..."
    )
    grain: Grain | None = None
    compare: Compare | None = None
    show: tuple[Show, ...] = ("value",)
    order: tuple[Order, ...] = ()
    limit: int | None = Field(default=None, ge=1, le=ROWS)
    per: str | None = None
    as_of: str | None = Field(default=None, description="a past day, for stock")


def query_metrics(given: QueryMetrics, context: ToolContext) -> ToolOutput:
    """Answer one metric query."""
    fields = given.model_dump(mode="json", by_alias=True, exclude_none=True)
    query = MetricQuery.model_validate(fields)
    if query.limit is None:
        query = query.model_copy(update={"limit": ROWS})
    time = next((name for name in query.by if name in TIME_DIMENSIONS), query.grain)
    if time and not query.order:
        query = query.model_copy(update={"order": (Order(by=time, dir="asc"),)})
    with context.reading() as connection:
        result = run(
            connection,
            query,
            today=context.today,
            rights=context.rights,
            computed_at=context.gate.clock.now(),
        )
    return from_result(result, fields)


def from_result(
    result: MetricResult, fields: dict[str, Any] | None = None, title: str | None = None
) -> ToolOutput:
    """A metric result as a tool's output: its table, its definitions as sources, its notes."""
    metrics = [catalogue().metrics[name] for name in result.query.metrics]
    made = AnswerTable(
        title=title or ", ".join(metric.label for metric in metrics),
        columns=tuple(
            {
                "name": c.name,
                "label": c.label,
                "unit": c.unit,
                "kind": c.kind,
                "metric": c.metric,
                "currency": c.currency,
            }
            for c in result.columns
        ),
        rows=tuple(tuple(_cell(cell) for cell in row) for row in result.rows),
        total_rows=result.total_rows,
        cut=result.cut,
        query_id=result.query_id,
    )
    query = result.query.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    source = Source(
        kind="query",
        id=result.query_id,
        label=made.title,
        detail={
            "query": query,
            "definitions": dict(result.definitions),
            "version": result.definitions_version,
            "as_of": result.as_of.isoformat(),
            "computed_at": result.computed_at.isoformat(),
            "freshness": {name: day.isoformat() if day else None for name, day in result.freshness.items()},
            "period": result.period.model_dump(mode="json", by_alias=True) if result.period else None,
            "drill": result.drill,
        },
    )
    return ToolOutput(
        tables=(made,), sources=(source,), notes=result.notes, query=fields or query, as_of=result.as_of
    )


def _cell(cell: Any) -> Any:
    """A cell as people and models see it; an infinite value (no demand, so stock for ever) is said so."""
    if isinstance(cell, str):
        return label(cell)
    return "unbounded" if isinstance(cell, Decimal) and not cell.is_finite() else cell


class DescribeVocabulary(ToolInput):
    """A metric or dimension to explain; without one, all of them are listed."""

    term: str | None = Field(default=None, max_length=80)


def describe_vocabulary(given: DescribeVocabulary, context: ToolContext) -> ToolOutput:
    """Definitions, or the list of what can be asked."""
    known = catalogue()
    if given.term is None:
        rows = [
            (name, known.metrics[name].label, domain, known.metrics[name].unit)
            for domain, names in known.domains.items()
            for name in names
            if _may_see(known.metrics[name].right, context)
        ]
        dims = [(one.name, one.label, one.definition) for one in known.dimensions.values()]
        return ToolOutput(
            tables=(
                table(
                    "Measures",
                    [
                        ("name", "Name", None),
                        ("label", "Measure", None),
                        ("domain", "Area", None),
                        ("unit", "Unit", None),
                    ],
                    rows,
                ),
                table(
                    "Dimensions",
                    [("name", "Name", None), ("label", "Dimension", None), ("definition", "Meaning", None)],
                    dims,
                ),
            ),
            sources=(Source(kind="document", id=f"definitions {known.version}", label="Metric definitions"),),
        )
    return _definition(given.term, context)


def _may_see(right: str | None, context: ToolContext) -> bool:
    return right is None or right in context.rights


def _definition(term: str, context: ToolContext) -> ToolOutput:
    known = catalogue()
    wanted = term.strip().casefold()
    for metric in known.metrics.values():
        if wanted in (metric.name, metric.label.casefold(), *(s.casefold() for s in metric.synonyms)):
            facts = {
                "definition": Fact(value=metric.definition, label=metric.label),
                "unit": Fact(value=metric.unit),
                "owner": Fact(value=metric.owner),
                "time": Fact(value=metric.axis),
                "synonyms": Fact(value=", ".join(metric.synonyms)),
            }
            source = Source(
                kind="document",
                id=f"definitions {known.version}",
                label=f"Definition of {metric.label}",
                detail={"metric": metric.name},
            )
            return ToolOutput(
                facts=facts, sources=(source,), data={"label": metric.label, "name": metric.name}
            )
    for dimension in known.dimensions.values():
        if wanted in (
            dimension.name,
            dimension.label.casefold(),
            *(s.casefold() for s in dimension.synonyms),
        ):
            return ToolOutput(
                facts={"definition": Fact(value=dimension.definition, label=dimension.label)},
                sources=(
                    Source(
                        kind="document",
                        id=f"definitions {known.version}",
                        label=f"Meaning of {dimension.label}",
                    ),
                ),
                data={"label": dimension.label, "name": dimension.name},
            )
    from rapidfuzz import fuzz, process

    names = [*known.metrics, *known.dimensions]
    near = tuple(
        name
        for name, _, _ in process.extract(
            wanted.replace(" ", "_"), names, scorer=fuzz.WRatio, limit=4, score_cutoff=60
        )
    )
    raise ToolError(
        "unknown_name",
        f"there is no measure or dimension {term!r}",
        field="term",
        remedy="leave term out to list all",
        nearest=near,
    )


TOOLS: tuple[Tool[Any], ...] = (
    Tool(
        "query_metrics",
        "Answer a question about figures with one metric query. Returns a table with units, total rows and notes.",
        QueryMetrics,
        "read_metrics",
        "read",
        ROWS,
        query_metrics,
    ),
    Tool(
        "describe_vocabulary",
        "List all metrics and dimensions, or give the definition of one.",
        DescribeVocabulary,
        "ask",
        "read",
        200,
        describe_vocabulary,
    ),
)
