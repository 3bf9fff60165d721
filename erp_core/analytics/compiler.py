"""A plan becomes one SQL statement: a grouped select per fact, joined by UNION ALL, then the formulas,
then what is derived from their values (share, rank, running), then having, order and limit.
"""

from __future__ import annotations

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
    null,
    select,
    true,
    union_all,
)

from erp_core.analytics import ordering
from erp_core.analytics.branches import BEFORE, Branch, columns_of, selects_of
from erp_core.analytics.expressions import divided
from erp_core.analytics.facts import FACTS, Measure
from erp_core.analytics.feeds import data_end
from erp_core.analytics.formulas import Columns, measure_named, missing_of, parts_of, rows_of, value_of
from erp_core.analytics.metrics import Metric, Quantile
from erp_core.analytics.output import Compiled, Output
from erp_core.analytics.plan import Plan, calendar_key, is_time
from erp_core.analytics.quantiles import quantile_select, quantiles_of
from erp_core.analytics.query import Between


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
    added_up = [metric for metric in plan.answerable if not isinstance(metric.formula, Quantile)]
    for name in dict.fromkeys(name for metric in added_up for name in metric.measures):
        needed.setdefault(name.partition(".")[0], {})[name] = measure_named(name)
    sides = (False,) if plan.compared is None else (False, True)
    branches = [
        Branch(FACTS[fact], measures, before) for before in sides for fact, measures in needed.items()
    ]
    columns: dict[str, Any] = {}
    for branch in branches:
        columns |= columns_of(branch)
    quantiles = quantiles_of(plan)
    columns |= dict.fromkeys(quantiles, BigInteger)
    selects = [arm for branch in branches for arm in selects_of(plan, branch, columns)]
    selects += [quantile_select(plan, name, *one, columns) for name, one in quantiles.items()]
    if len(selects) == 1:
        return selects[0].subquery("summed")
    parts = union_all(*selects).subquery("parts")
    keys = [parts.c[dimension.name] for dimension in plan.by]
    sums = [cast(func.sum(parts.c[name]), kind).label(name) for name, kind in columns.items()]
    return select(*keys, *sums).group_by(*keys).subquery("summed")


# ---- values of metrics -----------------------------------------------------------------------------------------


def _values(plan: Plan, base: FromClause) -> tuple[Select[Any], list[Output]]:
    """Dimensions and metric values, with compared values and the parts of ratios where asked."""
    columns: list[ColumnElement[Any]] = [base.c[dimension.name] for dimension in plan.by]
    outputs: list[Output] = []
    now: Columns = {name: column for name, column in base.c.items() if not name.startswith(BEFORE)}
    before: Columns = {
        name.removeprefix(BEFORE): column for name, column in base.c.items() if name.startswith(BEFORE)
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
