"""A plan becomes one SQL statement: a grouped select per fact, joined by UNION ALL, then the formulas,
then what is derived from their values (share, rank, running), then having, order and limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Float,
    FromClause,
    Select,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    null,
    or_,
    select,
    true,
    union_all,
)

from erp_core.analytics import ordering
from erp_core.analytics.dimensions import Dimension
from erp_core.analytics.expressions import days_later, divided, months_later
from erp_core.analytics.facts import FACTS, Fact, Measure, Scope
from erp_core.analytics.feeds import data_end
from erp_core.analytics.formulas import Columns, measure_named, missing_of, parts_of, rows_of, value_of
from erp_core.analytics.metrics import Metric
from erp_core.analytics.model import calendar
from erp_core.analytics.output import Compiled, Output
from erp_core.analytics.periods import whole_months
from erp_core.analytics.plan import Filter, Plan, calendar_key, is_time
from erp_core.analytics.query import Between
from erp_core.master.model import items, supplier_items

_BEFORE = "before."


def compile_plan(plan: Plan, dialect: str) -> Compiled:
    """The statement for a plan whose `answerable` metrics are not empty."""
    base = _base(plan)
    values, outputs = _values(plan, base)
    derived = values.cte("derived")
    windows, more = _windows(plan, derived)
    final = windows.cte("windowed")
    shown = [output for output in (*outputs, *more) if _is_shown(plan, output)]
    return ordering.finish(plan, final, derived, shown, _gaps(plan), dialect)


def _is_shown(plan: Plan, output: Output) -> bool:
    return output.kind != "metric" or "value" in plan.query.show


# ---- sums of measures ------------------------------------------------------------------------------------------


def _base(plan: Plan) -> FromClause:
    """Sums of all measures by group, of the period and, with `before.`, of the compared one."""
    needed: dict[str, dict[str, Measure]] = {}
    for name in dict.fromkeys(name for metric in plan.answerable for name in metric.measures):
        needed.setdefault(name.partition(".")[0], {})[name] = measure_named(name)
    branches = [(FACTS[fact], measures, False) for fact, measures in needed.items()]
    if plan.compared is not None:
        branches += [(FACTS[fact], measures, True) for fact, measures in needed.items()]
    columns: dict[str, Any] = {}
    for _, measures, before in branches:
        for name, measure in measures.items():
            columns |= dict.fromkeys(_names(name, measure, before), BigInteger)
            if not measure.whole:
                columns[_names(name, measure, before)[0]] = Float
    selects = [_branch(plan, fact, measures, before, columns) for fact, measures, before in branches]
    if len(selects) == 1:
        return selects[0].subquery("summed")
    parts = union_all(*selects).subquery("parts")
    keys = [parts.c[dimension.name] for dimension in plan.by]
    sums = [cast(func.sum(parts.c[name]), kind).label(name) for name, kind in columns.items()]
    return select(*keys, *sums).group_by(*keys).subquery("summed")


def _names(name: str, measure: Measure, before: bool) -> tuple[str, ...]:
    prefix = _BEFORE if before else ""
    names = (prefix + name,)
    return (*names, prefix + rows_of(name), prefix + missing_of(name)) if measure.nullable else names


def _branch(
    plan: Plan, fact: Fact, measures: dict[str, Measure], before: bool, columns: dict[str, Any]
) -> Select[Any]:
    as_of = plan.compared_as_of if before else plan.as_of
    used = (*plan.by, *(entry.dimension for entry in plan.filters))
    rows: FromClause = fact.build(Scope(plan.today, as_of, _wanted(fact, used))).subquery(fact.name)
    if used and all(is_time(dimension) for dimension in used) and all(map(_adds_up, measures.values())):
        rows = _by_day(rows, measures)
    source, expressions = _with_dimensions(plan, fact, rows, used, before)
    keys = [expressions[dimension.name].label(dimension.name) for dimension in plan.by]
    own: dict[str, ColumnElement[Any]] = {}
    for name, measure in measures.items():
        own |= dict(
            zip(_names(name, measure, before), _aggregates(rows.c[measure.name], measure), strict=True)
        )
    sums = [own.get(name, cast(null(), kind)).label(name) for name, kind in columns.items()]
    conditions = [_condition(expressions[entry.dimension.name], entry) for entry in plan.filters]
    period = plan.compared if before else plan.period
    if fact.dated and period is not None:
        conditions.append(rows.c.day.between(period.start, period.end))
    statement = select(*keys, *sums).select_from(source).where(*conditions)
    return statement.group_by(*(expressions[dimension.name] for dimension in plan.by))


def _adds_up(measure: Measure) -> bool:
    return measure.aggregate == "sum" and not measure.nullable


def _by_day(rows: FromClause, measures: dict[str, Measure]) -> FromClause:
    """Sums by day, so that the calendar is joined to hundreds of days and not to every line."""
    sums = [func.sum(rows.c[measure.name]).label(measure.name) for measure in measures.values()]
    return select(rows.c.day, *sums).group_by(rows.c.day).subquery("by_day")


def _aggregates(column: ColumnElement[Any], measure: Measure) -> tuple[ColumnElement[Any], ...]:
    if measure.aggregate == "distinct":
        return (func.count(column.distinct()),)
    total = cast(func.sum(column), BigInteger if measure.whole else Float)
    return (total, func.count(), func.count() - func.count(column)) if measure.nullable else (total,)


def _wanted(fact: Fact, used: Sequence[Dimension]) -> frozenset[str]:
    names = {dimension.name for dimension in used}
    if names - fact.own:
        names.add("item")
    return frozenset(names)


def _with_dimensions(
    plan: Plan, fact: Fact, rows: FromClause, used: Sequence[Dimension], before: bool
) -> tuple[FromClause, dict[str, ColumnElement[Any]]]:
    """The fact's rows joined to what the dimensions need, and the expression of each dimension."""
    source: FromClause = rows
    expressions: dict[str, ColumnElement[Any]] = {}
    joined: set[str] = set()
    for dimension in used:
        if dimension.name in fact.own:
            expressions[dimension.name] = rows.c[dimension.name]
        elif is_time(dimension):
            if "calendar" not in joined:
                source = source.join(calendar, calendar.c.day == _axis(plan, rows.c.day, before))
                joined.add("calendar")
            expressions[dimension.name] = calendar.c[dimension.name]
        elif dimension.item_column is not None:
            if "items" not in joined:
                source = source.outerjoin(items, items.c.id == rows.c.item)
                joined.add("items")
            expressions[dimension.name] = items.c[dimension.item_column]
        elif dimension.name not in expressions:
            preferred = preferred_suppliers().subquery("preferred")
            source = source.outerjoin(preferred, preferred.c.item_id == rows.c.item)
            expressions[dimension.name] = preferred.c.supplier_id
    return source, expressions


def preferred_suppliers() -> Select[Any]:
    """The first-ranked supplier of each item."""
    place = func.row_number().over(
        partition_by=supplier_items.c.item_id, order_by=(supplier_items.c.rank, supplier_items.c.supplier_id)
    )
    ranked = select(supplier_items.c.item_id, supplier_items.c.supplier_id, place.label("place")).subquery()
    return select(ranked.c.item_id, ranked.c.supplier_id).where(ranked.c.place == 1)


def _axis(plan: Plan, day: ColumnElement[Any], before: bool) -> ColumnElement[Any]:
    """The day in the calendar of the period asked for that a fact's day stands at."""
    if not before or plan.compared is None or plan.period is None:
        return day
    if plan.query.compare == "previous_year":
        return months_later(day, literal(12))
    months = whole_months(plan.period)
    if months:
        return months_later(day, literal(months))
    return days_later(day, literal((plan.period.start - plan.compared.start).days))


def _condition(column: ColumnElement[Any], entry: Filter) -> ColumnElement[bool]:
    values = entry.values
    if entry.op in ("in", "eq"):
        return column.in_(values)
    if entry.op in ("not_in", "ne"):
        return or_(column.is_(None), column.not_in(values))
    if entry.op == "between":
        return column.between(values[0], values[1])
    if entry.op == "contains":
        return column.in_(values)
    bounds: dict[str, ColumnElement[bool]] = {
        "lt": column < values[0],
        "le": column <= values[0],
        "gt": column > values[0],
        "ge": column >= values[0],
    }
    return bounds[entry.op]


# ---- values of metrics -----------------------------------------------------------------------------------------


def _values(plan: Plan, base: FromClause) -> tuple[Select[Any], list[Output]]:
    """Dimensions and metric values, with compared values and the parts of ratios where asked."""
    columns: list[ColumnElement[Any]] = [base.c[dimension.name] for dimension in plan.by]
    outputs: list[Output] = []
    now: Columns = {name: column for name, column in base.c.items() if not name.startswith(_BEFORE)}
    before: Columns = {
        name.removeprefix(_BEFORE): column for name, column in base.c.items() if name.startswith(_BEFORE)
    }
    for metric in plan.metrics:
        if metric not in plan.answerable:
            now_value: ColumnElement[Any] = cast(null(), Float)
            entries = [(Output(metric.name, metric.label, "metric", metric.unit, metric.name), now_value)]
        else:
            entries = _metric_columns(plan, metric, base, now, before)
        for output, column in entries:
            outputs.append(output)
            columns.append(column.label(output.name))
    for measure, _ in _gaps(plan):
        columns += [base.c[missing_of(measure)], base.c[rows_of(measure)]]
    return select(*columns), outputs


def _metric_columns(
    plan: Plan, metric: Metric, base: FromClause, now: Columns, before: Columns
) -> list[tuple[Output, ColumnElement[Any]]]:
    name, label, unit = metric.name, metric.label, metric.unit
    covered = _covered(plan, metric, plan.period, plan.as_of, base)
    value = value_of(metric, now, covered)
    entries = [(Output(name, label, "metric", unit, name), value)]
    if "ratio" in plan.query.show:
        for part, column in zip(("numerator", "denominator"), parts_of(metric, now, covered), strict=False):
            entries.append(
                (
                    Output(f"{name}_{part}", f"{label}: {part}", "derived", part_unit(metric, part), name),
                    column,
                )
            )
    if plan.compared is not None:
        earlier = value_of(metric, before, _covered(plan, metric, plan.compared, plan.compared_as_of, None))
        change = value - earlier
        relative = case((earlier != 0, divided(change, func.abs(earlier))))
        entries += [
            (Output(f"{name}_previous", f"{label}, before", "derived", unit, name), earlier),
            (Output(f"{name}_change", f"{label}, change", "derived", unit, name), change),
            (Output(f"{name}_change_pct", f"{label}, change %", "derived", "percent", name), relative),
        ]
    return entries


def part_unit(metric: Metric, part: str) -> str:
    """The unit of a ratio's numerator or denominator: money where its measures are money."""
    formula = getattr(metric.formula, part)
    names = {measure.partition(".")[2] for measure in formula.measures}
    money = {
        "value",
        "cost",
        "net_sales",
        "costed_sales",
        "shipped_cost",
        "mean_value",
        "recovered",
        "written_off",
    }
    return "money" if names & (money | {"single_source_value"}) else "units"


def _covered(
    plan: Plan, metric: Metric, period: Between | None, as_of: date, base: FromClause | None
) -> ColumnElement[bool]:
    """Whether the company's feeds cover the group, so that no row means 0."""
    conditions: list[ColumnElement[bool]] = []
    for name in metric.feeds:
        feed = plan.feeds[name]
        if metric.kind == "position":
            conditions.append(true() if as_of >= feed.first_on else false())
            continue
        last_on = data_end(plan.feeds, name)
        if period is not None:
            conditions.append(true() if period.end >= feed.first_on and period.start <= last_on else false())
        if base is not None:
            for dimension in plan.by:
                if is_time(dimension):
                    first, last = (calendar_key(dimension.name, day) for day in (feed.first_on, last_on))
                    conditions.append(base.c[dimension.name].between(first, last))
    return and_(true(), *conditions)


def _gaps(plan: Plan) -> tuple[tuple[str, str], ...]:
    """Nullable measures of the query with the metric they matter to."""
    found: dict[str, str] = {}
    for metric in plan.answerable:
        for name in metric.measures:
            if measure_named(name).nullable:
                found.setdefault(name, metric.name)
    return tuple(found.items())


# ---- what follows from the values ------------------------------------------------------------------------------


def _windows(plan: Plan, derived: CTE) -> tuple[Select[Any], list[Output]]:
    """Share of the total, rank and running total, within each member of `per` where given."""
    columns: list[ColumnElement[Any]] = []
    outputs: list[Output] = []
    within = [derived.c[plan.query.per]] if plan.query.per else None
    for metric in plan.metrics:
        value = derived.c[metric.name]
        name, label = metric.name, metric.label
        if "share" in plan.query.show:
            columns.append(divided(value, func.sum(value).over(partition_by=within)).label(f"{name}_share"))
            outputs.append(Output(f"{name}_share", f"{label}, share", "derived", "percent", name))
        if "rank" in plan.query.show:
            order = ordering.rank_order(plan, name, value)
            place = func.rank().over(partition_by=within, order_by=order)
            columns.append(case((value.is_not(None), place)).label(f"{name}_rank"))
            outputs.append(Output(f"{name}_rank", f"{label}, rank", "derived", "count", name))
        if "running" in plan.query.show:
            order_by = ordering.running_order(plan, derived)
            running = func.sum(value).over(partition_by=within, order_by=order_by, rows=(None, 0))
            columns.append(running.label(f"{name}_running"))
            outputs.append(Output(f"{name}_running", f"{label}, running", "derived", metric.unit, name))
    return select(derived, *columns), outputs
