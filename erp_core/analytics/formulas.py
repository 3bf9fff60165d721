"""Formulas of metrics as SQL over summed measures.

A group without any row counts as 0 where the company's feeds cover it, and as unknown elsewhere. A group
whose rows hold no value at all (a cost not known yet) is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Float, and_, case, cast, func, literal, null, or_

from erp_core.analytics.expressions import divided
from erp_core.analytics.facts import FACTS, Measure
from erp_core.analytics.metrics import Metric, Quantile, Ratio, Spread, Total

Columns = Mapping[str, ColumnElement[Any]]


def measure_named(name: str) -> Measure:
    """The measure behind ``fact.measure``."""
    fact, _, measure = name.partition(".")
    return FACTS[fact].measure(measure)


def rows_of(name: str) -> str:
    """The column that counts the rows of a nullable measure."""
    return f"{name}.rows"


def missing_of(name: str) -> str:
    """The column that counts the rows in which a nullable measure has no value."""
    return f"{name}.missing"


def quantile_of(metric: Metric) -> str:
    """The column that holds the value of a metric that is a quantile."""
    return f"quantile.{metric.name}"


def value_of(metric: Metric, columns: Columns, covered: ColumnElement[bool]) -> ColumnElement[Any]:
    """The metric's value; `covered` says whether no row means 0 (else it means unknown)."""
    formula = metric.formula
    if isinstance(formula, Total):
        return total_of(formula, columns, covered)
    if isinstance(formula, Ratio):
        return _ratio(formula, columns, covered)
    if isinstance(formula, Quantile):
        return columns[quantile_of(metric)]
    return _spread(formula, columns)


def parts_of(
    metric: Metric, columns: Columns, covered: ColumnElement[bool]
) -> tuple[ColumnElement[Any], ...]:
    """Numerator and denominator of a ratio; nothing for other formulas."""
    formula = metric.formula
    if not isinstance(formula, Ratio):
        return ()
    return (total_of(formula.numerator, columns, covered), total_of(formula.denominator, columns, covered))


def total_of(formula: Total, columns: Columns, covered: ColumnElement[bool]) -> ColumnElement[Any]:
    """The sum of the measures, NULL where it is unknown."""
    value: ColumnElement[Any] | None = None
    for name in formula.plus:
        part = func.coalesce(columns[name], 0)
        value = part if value is None else value + part
    assert value is not None
    for name in formula.minus:
        value = value - func.coalesce(columns[name], 0)
    unknown = [
        and_(columns[name].is_(None), func.coalesce(columns[rows_of(name)], 0) > 0)
        for name in formula.measures
        if measure_named(name).nullable
    ]
    present = or_(covered, *(columns[name].is_not(None) for name in formula.measures))
    if unknown:
        return case((or_(*unknown), null()), (present, value))
    return case((present, value))


def _ratio(formula: Ratio, columns: Columns, covered: ColumnElement[bool]) -> ColumnElement[Any]:
    top = total_of(formula.numerator, columns, covered)
    bottom = total_of(formula.denominator, columns, covered)
    quotient = divided(top, bottom)
    if formula.unbounded:
        return case((and_(top > 0, bottom == 0), literal(float("inf"), Float)), else_=quotient)
    return literal(1.0, Float) - quotient if formula.complement else quotient


def _spread(formula: Spread, columns: Columns) -> ColumnElement[Any]:
    mean = divided(columns[formula.weighted], columns[formula.weight])
    variance = divided(columns[formula.squared], columns[formula.weight]) - mean * mean
    root = func.sqrt(case((variance > 0, variance), else_=cast(0, Float)), type_=Float)
    return case((columns[formula.records] >= 2, root))
