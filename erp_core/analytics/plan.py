"""From a `MetricQuery` to a plan: every name resolved, every right checked, every value found."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import Connection

from erp_core.analytics.dimensions import TIME_DIMENSIONS, Dimension, Member, matching, members
from erp_core.analytics.errors import (
    AmbiguousMember,
    DimensionNotCarried,
    MissingRight,
    PastNotKept,
    QueryError,
    UnknownMember,
    UnknownName,
    nearest_names,
)
from erp_core.analytics.facts import FACTS, Fact
from erp_core.analytics.feeds import Feed, feeds_of_company
from erp_core.analytics.metrics import Metric, Total, catalogue
from erp_core.analytics.periods import absolute_period, compared_period, first_day, resolve_period
from erp_core.analytics.query import Between, MetricQuery, Where

T = TypeVar("T")

_BOUNDS = {"lt", "le", "gt", "ge", "between"}
_ARITY = {"eq": 1, "ne": 1, "lt": 1, "le": 1, "gt": 1, "ge": 1, "contains": 1, "between": 2}


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition on a dimension with resolved values: member ids for `in` and `not_in`, else calendar keys."""

    dimension: Dimension
    op: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A question ready to compile. `metrics` are those asked for; `answerable` those the company has feeds for."""

    query: MetricQuery
    metrics: tuple[Metric, ...]
    answerable: tuple[Metric, ...]
    by: tuple[Dimension, ...]
    filters: tuple[Filter, ...]
    period: Between | None
    compared: Between | None
    today: date
    as_of: date
    compared_as_of: date
    feeds: dict[str, Feed]
    notes: tuple[str, ...]


def facts_of(metric: Metric) -> tuple[Fact, ...]:
    """The facts that a metric's measures come from."""
    names = dict.fromkeys(measure.partition(".")[0] for measure in metric.measures)
    return tuple(FACTS[name] for name in names)


def dimensions_of(metric: Metric) -> tuple[str, ...]:
    """The dimensions that a metric can be cut by, in catalogue order."""
    carried = frozenset.intersection(*(fact.dimensions for fact in facts_of(metric)))
    return tuple(name for name in catalogue().dimensions if name in carried)


def metric_named(name: str, field: str = "metrics") -> Metric:
    """The metric of this name; `UnknownName` with the nearest names where there is none."""
    return _named(catalogue().metrics, "metric", name, field)


def dimension_named(name: str, field: str = "by") -> Dimension:
    """The dimension of this name; `UnknownName` with the nearest names where there is none."""
    return _named(catalogue().dimensions, "dimension", name, field)


def _named(table: dict[str, T], kind: str, name: str, field: str) -> T:
    if name not in table:
        raise UnknownName(kind, name, nearest_names(name, table), field)
    return table[name]


def make_plan(connection: Connection, query: MetricQuery, *, today: date, rights: Collection[str]) -> Plan:
    """Resolve and check a query. Raises a `QueryError` that names the field and a remedy."""
    metrics = tuple(metric_named(name) for name in dict.fromkeys(query.metrics))
    for metric in metrics:
        if metric.right is not None and metric.right not in rights:
            raise MissingRight(metric.name, metric.right)
    grain = (query.grain,) if query.grain and query.grain not in query.by else ()
    by = tuple(dimension_named(name) for name in dict.fromkeys((*query.by, *grain)))
    _check_carried(metrics, [dimension.name for dimension in by] + [where.dim for where in query.where])
    _check_shape(query, metrics, by)
    period = resolve_period(query.period, today)
    compared = _compared(query, period)
    as_of, notes = _as_of(query, metrics, period, today)
    compared_as_of = compared.end if compared else as_of
    if compared is not None:
        _check_past(metrics, compared_as_of, today)
    feeds = feeds_of_company(connection)
    answerable = tuple(metric for metric in metrics if all(feed in feeds for feed in metric.feeds))
    return Plan(
        query=query,
        metrics=metrics,
        answerable=answerable,
        by=by,
        filters=tuple(resolve_filter(connection, where) for where in query.where),
        period=period,
        compared=compared,
        today=today,
        as_of=as_of,
        compared_as_of=compared_as_of,
        feeds=feeds,
        notes=notes,
    )


def _check_carried(metrics: tuple[Metric, ...], names: list[str]) -> None:
    for name in names:
        dimension_named(name)
        for metric in metrics:
            possible = dimensions_of(metric)
            if name not in possible:
                labels = [dimension_named(one).label.lower() for one in (name, *possible)]
                said = (metric.label, labels[0], tuple(labels[1:]))
                raise DimensionNotCarried(metric.name, name, possible, said)


def _check_shape(query: MetricQuery, metrics: tuple[Metric, ...], by: tuple[Dimension, ...]) -> None:
    names = {dimension.name for dimension in by}
    if query.per is not None and query.per not in names:
        raise QueryError(
            f"per {query.per!r} is not among the dimensions of the query", field="per", remedy="add it to by"
        )
    for show in ("share", "running"):
        if show in query.show:
            for metric in metrics:
                if not isinstance(metric.formula, Total):
                    raise QueryError(
                        f"{metric.name} is a rate or mean: it has no {show}",
                        field="show",
                        remedy="ask for its value, or use show ratio for its parts",
                    )


def _compared(query: MetricQuery, period: Between | None) -> Between | None:
    if query.compare is None:
        return None
    if period is None:
        raise QueryError("compare needs a period", field="compare", remedy="give a period such as last_month")
    return compared_period(period, query.compare)


def _as_of(
    query: MetricQuery, metrics: tuple[Metric, ...], period: Between | None, today: date
) -> tuple[date, tuple[str, ...]]:
    """The day of position metrics: as asked; else the end of a past period if only positions are asked; else today."""
    if query.as_of is not None:
        if query.as_of > today:
            raise QueryError(
                f"{query.as_of} is in the future",
                field="as_of",
                remedy=f"give a day up to {today}, or ask for a forecast",
            )
        _check_past(metrics, query.as_of, today)
        return query.as_of, ()
    positions = [metric for metric in metrics if metric.kind == "position"]
    if not positions or period is None:
        return today, ()
    ends = min(period.end, today)
    if len(positions) == len(metrics) and ends < today:
        if all(_knows_past(metric) for metric in positions):
            return ends, (f"a position at the end of the period, {ends}",)
    if ends < today:
        listed = ", ".join(metric.label for metric in positions)
        return today, (f"{listed}: a position as of {today}, whatever the period",)
    return today, ()


def _knows_past(metric: Metric) -> bool:
    return metric.kind == "flow" or all(fact.past for fact in facts_of(metric))


def _check_past(metrics: tuple[Metric, ...], day: date, today: date) -> None:
    if day >= today:
        return
    for metric in metrics:
        if not _knows_past(metric):
            raise PastNotKept(
                f"{metric.label} is known as of today only, not as of {day}",
                field="as_of",
                remedy="leave as_of and compare out",
                metric=metric.name,
            )


def resolve_filter(connection: Connection, where: Where) -> Filter:
    """A filter with its values found by code, name or alias. Raises `UnknownMember` with the nearest names."""
    dimension = dimension_named(where.dim, "where")
    expected = _ARITY.get(where.op)
    if not where.values or (expected is not None and len(where.values) != expected):
        wanted = {1: "one value", 2: "two values"}.get(expected or 0, "at least one value")
        raise QueryError(
            f"{where.op} on {where.dim} takes {wanted}, not {len(where.values)}",
            field="where",
            remedy=f"give {wanted}",
        )
    if dimension.kind == "time":
        return Filter(dimension, where.op, tuple(_calendar_key(dimension, value) for value in where.values))
    known = members(connection, dimension)
    if where.op in _BOUNDS or where.op == "contains":
        return Filter(dimension, "in", tuple(member.id for member in known if _holds(member, where)))
    found = [member.id for value in where.values for member in find_members(dimension, known, value)]
    return Filter(dimension, "not_in" if where.op in ("ne", "not_in") else "in", tuple(dict.fromkeys(found)))


def find_members(dimension: Dimension, known: list[Member], value: str) -> list[Member]:
    """The member called `value`; several only where text members differ in case alone."""
    found = matching(known, value)
    if not found:
        names = {text: member for member in known for text in (member.code, member.name)}
        raise UnknownMember(dimension.name, value, nearest_names(value, names))
    if len(found) > 1 and dimension.kind == "entity":
        raise AmbiguousMember(dimension.name, value, tuple(member.code for member in found[:5]))
    return found


def _holds(member: Member, where: Where) -> bool:
    code, values = member.code.casefold(), [value.strip().casefold() for value in where.values]
    tests: dict[str, Callable[[], bool]] = {
        "contains": lambda: values[0] in code or values[0] in member.name.casefold(),
        "lt": lambda: code < values[0],
        "le": lambda: code <= values[0],
        "gt": lambda: code > values[0],
        "ge": lambda: code >= values[0],
        "between": lambda: values[0] <= code <= values[-1],
    }
    return tests[where.op]()


def _calendar_key(dimension: Dimension, value: str) -> date | str:
    """The calendar's own key for a day, week, month, quarter or year given as text."""
    period = absolute_period(value.strip())
    if period is None or calendar_key(dimension.name, period.start) != calendar_key(
        dimension.name, period.end
    ):
        raise QueryError(
            f"{value!r} is no {dimension.name}",
            field="where",
            remedy="write a day as 2026-05-04, a month as 2026-05, a quarter as 2026-Q2, a year as 2026",
        )
    return calendar_key(dimension.name, period.start)


def calendar_key(dimension: str, day: date) -> date | str:
    """What the calendar calls the day in a time dimension."""
    keys: dict[str, date | str] = {
        "day": day,
        "week": first_day(day, "week"),
        "month": f"{day:%Y-%m}",
        "quarter": f"{day.year}-Q{(day.month + 2) // 3}",
        "year": f"{day.year}",
    }
    return keys[dimension]


def is_time(dimension: Dimension) -> bool:
    """Whether the dimension comes from the calendar."""
    return dimension.name in TIME_DIMENSIONS
