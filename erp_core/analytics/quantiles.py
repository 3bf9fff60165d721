"""Quantiles by group: no sums add up to them, so each is found among the weighted values of its own group."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Select, case, cast, func, null, select, union_all

from erp_core.analytics.branches import BEFORE, Branch, Stage, conditions_of, rows_of, with_keys
from erp_core.analytics.facts import FACTS
from erp_core.analytics.formulas import measure_named, quantile_of
from erp_core.analytics.metrics import Metric, Quantile
from erp_core.analytics.plan import Plan


def quantiles_of(plan: Plan) -> dict[str, tuple[Metric, bool]]:
    """The columns that hold quantiles, with the metric and whether they are of the compared period."""
    sides = (False,) if plan.compared is None else (False, True)
    wanted = [metric for metric in plan.answerable if isinstance(metric.formula, Quantile)]
    return {
        (BEFORE if before else "") + quantile_of(metric): (metric, before)
        for before in sides
        for metric in wanted
    }


def quantile_select(
    plan: Plan, name: str, metric: Metric, before: bool, columns: dict[str, Any]
) -> Select[Any]:
    """The quantile of each group of the query; all other `columns` are NULL."""
    formula = metric.formula
    assert isinstance(formula, Quantile)
    measures = {measure: measure_named(measure) for measure in formula.measures}
    fact = FACTS[formula.weight.partition(".")[0]]
    branch = Branch(fact, measures, before)
    weight, value = (measures[measure].name for measure in formula.measures)
    stage = Stage(tuple(dimension.name for dimension in plan.by), fact.own)
    arms = []
    for rows in rows_of(plan, branch):
        source, keys = with_keys(plan, branch, rows, stage)
        named = [column.label(f"key.{key}") for key, column in keys.items()]
        arms.append(
            select(*named, rows.c[value].label("value"), rows.c[weight].label("weight"))
            .select_from(source)
            .where(*conditions_of(plan, branch, rows), rows.c[weight] > 0, rows.c[value].is_not(None))
        )
    weighed = union_all(*arms).subquery("weighed")
    keys = {key: weighed.c[f"key.{key}"] for key in stage.names}
    ordered: dict[str, Any] = {"partition_by": list(keys.values()) or None, "order_by": weighed.c.value}
    placed = select(
        *weighed.c,
        func.sum(weighed.c.weight).over(**ordered, range_=(None, 0)).label("through"),
        func.sum(weighed.c.weight).over(partition_by=ordered["partition_by"]).label("whole"),
    ).subquery("placed")
    reached = case((placed.c.through * 100 >= placed.c.whole * formula.percent, placed.c.value))
    values = dict.fromkeys(columns) | {name: cast(func.min(reached), BigInteger)}
    shown = [
        (cast(null(), columns[column]) if found is None else found).label(column)
        for column, found in values.items()
    ]
    groups = [placed.c[f"key.{key}"] for key in stage.names]
    named = [column.label(key) for key, column in zip(stage.names, groups, strict=True)]
    return select(*named, *shown).group_by(*groups) if groups else select(*shown)
