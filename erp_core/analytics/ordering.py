"""The last step of a compiled query: labels, having, order, limit and the count of all rows."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sqlalchemy import CTE, ColumnElement, Float, FromClause, cast, func, literal, select

from erp_core.analytics.errors import QueryError, UnknownName, nearest_names
from erp_core.analytics.formulas import missing_of, rows_of
from erp_core.analytics.metrics import catalogue
from erp_core.analytics.output import Compiled, Output
from erp_core.analytics.plan import Plan, is_time
from erp_core.analytics.query import Having, Relative
from erp_core.storage.types import MONEY_SCALE

MAX_ROWS = 10_000


def rank_order(plan: Plan, name: str, value: ColumnElement[Any]) -> ColumnElement[Any]:
    """Largest first, unless the query orders by the metric the other way."""
    ascending = any(order.by == name and order.dir == "asc" for order in plan.query.order)
    return value.asc().nulls_last() if ascending else value.desc().nulls_last()


def running_order(plan: Plan, source: FromClause) -> list[ColumnElement[Any]]:
    """Through time where the query has a time dimension, else in the order of the result."""
    times: list[ColumnElement[Any]] = [
        source.c[dimension.name].asc() for dimension in plan.by if is_time(dimension)
    ]
    rest = [source.c[dimension.name].asc() for dimension in plan.by if not is_time(dimension)]
    if times:
        return times + rest
    metrics = {metric.name for metric in plan.metrics}
    ordered = [
        source.c[order.by].asc().nulls_last()
        if order.dir == "asc"
        else source.c[order.by].desc().nulls_last()
        for order in plan.query.order
        if order.by in metrics
    ]
    return [*(ordered or [source.c[plan.metrics[0].name].desc().nulls_last()]), *rest]


def finish(
    plan: Plan,
    final: CTE,
    derived: CTE,
    outputs: list[Output],
    gaps: tuple[tuple[str, str], ...],
    dialect: str,
) -> Compiled:
    """Add labels, filter by having, order, and cut to the limit."""
    source: FromClause = final
    keys: dict[str, ColumnElement[Any]] = {}
    labelled: list[tuple[Output, ColumnElement[Any]]] = []
    for dimension in plan.by:
        column = final.c[dimension.name]
        if dimension.kind != "entity":
            keys[dimension.name] = column
            labelled.append((Output(dimension.name, dimension.label, "dimension"), column))
            continue
        assert dimension.table is not None
        members = dimension.table.alias(f"{dimension.name}_members")
        source = source.outerjoin(members, members.c.id == column)
        keys[dimension.name] = members.c[dimension.code or "code"]
        title = f"{dimension.name}_name"
        labelled.append((Output(dimension.name, dimension.label, "dimension"), keys[dimension.name]))
        labelled.append((Output(title, f"{dimension.label} name", "dimension"), members.c[dimension.title]))
    figures = [(output, final.c[output.name]) for output in outputs]
    sortable = {name: _sortable(column, dialect, name) for name, column in keys.items()}
    sortable |= {name: column for name, column in final.c.items() if name not in keys}
    order = _order(plan, sortable)
    conditions = [_having(having, final, derived, plan) for having in plan.query.having]
    hidden = [
        func.sum(final.c[counter(name)]).over().label(f"gap_{place}_{part}")
        for place, (name, _) in enumerate(gaps)
        for part, counter in enumerate((missing_of, rows_of))
    ]
    selected = [column.label(output.name) for output, column in (*labelled, *figures)]
    count = func.count().over().label("total_rows")
    answer = select(*selected, count, *hidden).select_from(source).where(*conditions)
    limit = plan.query.limit or MAX_ROWS
    if plan.query.per is None:
        statement = answer.order_by(*order).limit(min(limit, MAX_ROWS))
    else:
        place = func.row_number().over(partition_by=[final.c[plan.query.per]], order_by=order)
        overall = func.row_number().over(order_by=order)
        rows = answer.add_columns(place.label("row_place"), overall.label("row_order")).subquery("answer")
        kept = [column for name, column in rows.c.items() if name not in ("row_place", "row_order")]
        statement = select(*kept).where(rows.c.row_place <= limit).order_by(rows.c.row_order).limit(MAX_ROWS)
    return Compiled(statement, tuple(output for output, _ in (*labelled, *figures)), gaps)


def _sortable(column: ColumnElement[Any], dialect: str, name: str) -> ColumnElement[Any]:
    """Text in the same order on both databases: by code point."""
    dated = name in ("day", "week")
    return column.collate("C") if dialect == "postgresql" and not dated else column


def _order(plan: Plan, columns: dict[str, ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    """The order asked for; without one through time, else by the first metric, largest first."""
    terms: list[ColumnElement[Any]] = []
    for order in plan.query.order:
        if order.by not in columns:
            raise UnknownName("column of the query", order.by, nearest_names(order.by, columns), "order")
        column = columns[order.by]
        terms.append(column.asc().nulls_last() if order.dir == "asc" else column.desc().nulls_last())
    times = [dimension.name for dimension in plan.by if is_time(dimension)]
    if not terms:
        cut = plan.query.limit is not None
        if cut or not times:
            terms.append(columns[plan.metrics[0].name].desc().nulls_last())
        else:
            terms += [columns[name].asc() for name in times]
    return terms + [columns[dimension.name].asc().nulls_last() for dimension in plan.by]


def _having(having: Having, final: CTE, derived: CTE, plan: Plan) -> ColumnElement[bool]:
    names = [name for name, _ in final.c.items() if name not in {dimension.name for dimension in plan.by}]
    if having.metric not in names:
        raise UnknownName("column of the query", having.metric, nearest_names(having.metric, names), "having")
    expected = {"between": 2, "in": None, "not_in": None}.get(having.op, 1)
    if having.op == "contains" or not having.values or (expected and len(having.values) != expected):
        raise QueryError(
            f"having {having.metric} {having.op} takes {expected or 'some'} value(s)",
            field="having",
            remedy="compare a figure with eq, ne, lt, le, gt, ge, between, in or not_in",
        )
    column = final.c[having.metric]
    scale = MONEY_SCALE if _is_money(having.metric) else 1
    values = [_bound(value, derived, having.metric, scale) for value in having.values]
    tests: dict[str, Callable[[], ColumnElement[bool]]] = {
        "eq": lambda: column == values[0],
        "ne": lambda: column != values[0],
        "lt": lambda: column < values[0],
        "le": lambda: column <= values[0],
        "gt": lambda: column > values[0],
        "ge": lambda: column >= values[0],
        "between": lambda: column.between(values[0], values[-1]),
        "in": lambda: column.in_(values),
        "not_in": lambda: column.not_in(values),
    }
    return tests[having.op]()


def _is_money(name: str) -> bool:
    metrics = catalogue().metrics
    for suffix in ("", "_previous", "_change", "_running"):
        metric = metrics.get(name.removesuffix(suffix)) if name.endswith(suffix) else None
        if metric is not None:
            return metric.unit == "money"
    return False


def _bound(value: Decimal | Relative, derived: CTE, name: str, scale: int) -> ColumnElement[Any]:
    if isinstance(value, Decimal):
        return literal(float(value * scale), Float)
    if name not in derived.c:
        raise QueryError(
            f"a relative bound on {name} is not possible", field="having", remedy="bound the metric itself"
        )
    column = cast(derived.c[name], Float)
    times = literal(float(value.times), Float)
    if value.of == "median":
        place = func.row_number().over(order_by=column).label("place")
        count = func.count().over().label("count")
        ranked = select(column.label("value"), place, count).where(column.is_not(None)).subquery()
        middle = select(func.avg(ranked.c.value)).where(
            ranked.c.place * 2 >= ranked.c.count, ranked.c.place * 2 <= ranked.c.count + 2
        )
        return times * middle.scalar_subquery()
    aggregates = {"mean": func.avg(column), "max": func.max(column), "total": func.sum(column)}
    return times * select(aggregates[value.of]).scalar_subquery()
