"""Sums of a fact's measures by the dimensions of a query: one grouped select per arm of the fact.

Rows are added up by their own keys before anything is joined to them: by item before the item's category
is looked up, by day before the calendar, so that a join meets hundreds of sums and not every line.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    FromClause,
    Select,
    cast,
    func,
    literal,
    null,
    or_,
    select,
)

from erp_core.analytics.dimensions import DIMENSIONS
from erp_core.analytics.expressions import days_later, months_later
from erp_core.analytics.facts import Fact, Measure, Scope
from erp_core.analytics.facts.fact import TIME
from erp_core.analytics.formulas import missing_of
from erp_core.analytics.formulas import rows_of as rows_column
from erp_core.analytics.model import calendar
from erp_core.analytics.periods import whole_months
from erp_core.analytics.plan import Filter, Plan, is_time
from erp_core.master.model import items, locations, supplier_items

BEFORE = "before."


@dataclass(frozen=True, slots=True)
class Branch:
    """The measures of one fact that a query needs, of its period or of the one `before`."""

    fact: Fact
    measures: dict[str, Measure]
    before: bool


def columns_of(branch: Branch) -> dict[str, Any]:
    """Names and types of the columns that a branch gives beside the dimensions."""
    columns: dict[str, Any] = {}
    for name, measure in branch.measures.items():
        columns |= dict.fromkeys(_names(name, measure, branch.before), BigInteger)
        if not measure.whole:
            columns[_names(name, measure, branch.before)[0]] = Float
    return columns


def selects_of(plan: Plan, branch: Branch, columns: dict[str, Any]) -> list[Select[Any]]:
    """The grouped selects of a branch; columns of other branches are NULL in them."""
    return [_select(plan, branch, rows, columns) for rows in rows_of(plan, branch)]


def rows_of(plan: Plan, branch: Branch) -> list[FromClause]:
    """The rows of the branch's fact, arm by arm, with what the query needs of them."""
    as_of = plan.compared_as_of if branch.before else plan.as_of
    used = {*(dimension.name for dimension in plan.by), *(entry.dimension.name for entry in plan.filters)}
    wanted = used | _followed(used - branch.fact.own - TIME)
    wanted |= {measure.name for measure in branch.measures.values()}
    arms = branch.fact.arms(Scope(plan.today, as_of, frozenset(wanted)))
    return [arm.subquery(branch.fact.name) for arm in arms]


def conditions_of(plan: Plan, branch: Branch, rows: FromClause) -> list[ColumnElement[bool]]:
    """What the query asks of the rows: its filters, and its period where they are dated."""
    conditions = [condition(plan, branch, rows, entry) for entry in plan.filters]
    period = plan.compared if branch.before else plan.period
    if branch.fact.dated and period is not None:
        conditions.append(rows.c.day.between(period.start, period.end))
    return conditions


def _names(name: str, measure: Measure, before: bool) -> tuple[str, ...]:
    prefix = BEFORE if before else ""
    names = (prefix + name,)
    return (*names, prefix + rows_column(name), prefix + missing_of(name)) if measure.nullable else names


def _select(plan: Plan, branch: Branch, rows: FromClause, columns: dict[str, Any]) -> Select[Any]:
    conditions = conditions_of(plan, branch, rows)
    sums: dict[str, ColumnElement[Any]] = {}
    for name, measure in branch.measures.items():
        aggregates = _aggregates(rows.c[measure.name], measure)
        sums |= dict(zip(_names(name, measure, branch.before), aggregates, strict=True))
    stages = _stages([dimension.name for dimension in plan.by], branch)
    for stage in stages[:-1]:
        source, keys = with_keys(plan, branch, rows, stage)
        named = [column.label(name) for name, column in (keys | sums).items()]
        added_up = select(*named).select_from(source).where(*conditions).group_by(*fast(keys))
        rows, conditions = added_up.subquery("added_up"), []
        sums = {name: cast(func.sum(rows.c[name]), columns[name]) for name in sums}
    source, keys = with_keys(plan, branch, rows, stages[-1])
    values = {name: sums.get(name, cast(null(), kind)) for name, kind in columns.items()}
    named = [column.label(name) for name, column in (keys | values).items()]
    return select(*named).select_from(source).where(*conditions).group_by(*fast(keys))


def fast(keys: dict[str, ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    """The keys in the order in which a sort has least to compare: rows lie by item, and days differ most."""
    first = {"item": 0} | dict.fromkeys(TIME, 1)
    return [keys[name] for name in sorted(keys, key=lambda name: first.get(name, 2))]


@dataclass(frozen=True, slots=True)
class Stage:
    """Group by `names`; those in `ready` are columns of the rows, the others need a join."""

    names: tuple[str, ...]
    ready: frozenset[str]


def _stages(by: Sequence[str], branch: Branch) -> tuple[Stage, ...]:
    """In how many steps to add up. Different values are counted in one step, for counts do not add up.

    Where the item's own dimensions are asked for, first by item and all the others; under a time
    dimension, first by day, unless by item and day there is little to add up.
    """
    own, last = branch.fact.own, Stage(tuple(by), branch.fact.own)
    if any(measure.aggregate == "distinct" for measure in branch.measures.values()):
        return (last,)
    if not own.union(TIME).issuperset(by):
        followed = _followed(set(by) - own - frozenset(TIME))
        first = dict.fromkeys((*(name for name in by if name in own or name in TIME), *sorted(followed)))
        return (Stage(tuple(first), own), Stage(tuple(by), frozenset(first)))
    if not TIME.isdisjoint(by) and "item" not in by:
        days = (*(name for name in by if name in own), "day")
        return (Stage(days, own | {"day"}), last)
    return (last,)


def _followed(names: AbstractSet[str]) -> set[str]:
    """What these dimensions, which no fact has itself, follow from."""
    return {"warehouse" if name in _OF_PLACE else "item" for name in names}


def _aggregates(column: ColumnElement[Any], measure: Measure) -> tuple[ColumnElement[Any], ...]:
    if measure.aggregate == "distinct":
        return (func.count(column.distinct()),)
    total = cast(func.sum(column), BigInteger if measure.whole else Float)
    return (total, func.count(), func.count() - func.count(column)) if measure.nullable else (total,)


def with_keys(
    plan: Plan, branch: Branch, rows: FromClause, stage: Stage
) -> tuple[FromClause, dict[str, ColumnElement[Any]]]:
    """The rows joined to what a stage needs, and the expression of each of its names."""
    keys = {name: rows.c[name] for name in stage.names if name in stage.ready}
    missing = [name for name in stage.names if name not in keys]
    source = rows
    if not TIME.isdisjoint(missing):
        source = source.join(calendar, calendar.c.day == _axis(plan, rows.c.day, branch.before))
    if not _OF_ITEM.keys().isdisjoint(missing):
        source = source.outerjoin(items, items.c.id == rows.c.item)
    if not _OF_PLACE.keys().isdisjoint(missing):
        source = source.outerjoin(locations, locations.c.id == rows.c.warehouse)
    if "supplier" in missing:
        preferred = preferred_suppliers().subquery("preferred")
        source = source.outerjoin(preferred, preferred.c.item_id == rows.c.item)
        keys["supplier"] = preferred.c.supplier_id
    keys |= {name: calendar.c[name] for name in missing if name in TIME}
    keys |= {name: _FOLLOWING[name] for name in missing if name in _FOLLOWING}
    return source, {name: keys[name] for name in stage.names}


_OF_ITEM = {
    dimension.name: items.c[dimension.item_column]
    for dimension in DIMENSIONS
    if dimension.item_column is not None
}
_OF_PLACE = {
    dimension.name: locations.c[dimension.place_column]
    for dimension in DIMENSIONS
    if dimension.place_column is not None
}
_FOLLOWING = _OF_ITEM | _OF_PLACE


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


# ---- conditions ------------------------------------------------------------------------------------------------


def condition(plan: Plan, branch: Branch, rows: FromClause, entry: Filter) -> ColumnElement[bool]:
    """A filter on the fact's own rows: what follows from item or day is looked up as a set of these."""
    name = entry.dimension.name
    if name in branch.fact.own:
        return _holds(rows.c[name], entry)
    if is_time(entry.dimension):
        days = select(calendar.c.day).where(_holds(calendar.c[name], entry))
        return _axis(plan, rows.c.day, branch.before).in_(days)
    source = rows.c.warehouse if name in _OF_PLACE else rows.c.item
    if name in _OF_PLACE:
        found = select(locations.c.id).where(_OF_PLACE[name].in_(entry.values))
    elif name in _OF_ITEM:
        found = select(items.c.id).where(_OF_ITEM[name].in_(entry.values))
    else:
        preferred = preferred_suppliers().subquery("preferred_filter")
        found = select(preferred.c.item_id).where(preferred.c.supplier_id.in_(entry.values))
    if entry.op == "not_in":
        return or_(source.is_(None), source.not_in(found))
    return source.in_(found)


def _holds(column: ColumnElement[Any], entry: Filter) -> ColumnElement[bool]:
    values = entry.values
    if entry.op in ("in", "eq"):
        return column.in_(values)
    if entry.op in ("not_in", "ne"):
        return or_(column.is_(None), column.not_in(values))
    if entry.op == "between":
        return column.between(values[0], values[1])
    bounds: dict[str, ColumnElement[bool]] = {
        "lt": column < values[0],
        "le": column <= values[0],
        "gt": column > values[0],
        "ge": column >= values[0],
    }
    return bounds[entry.op]
