"""Daily sums of imported order lines: what models and figures read instead of the lines, which do not change.

They follow from the lines alone: `past_sum_differences` adds up again and compares.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Table, case, func, literal, or_, select, true, union_all

from erp_core.master.model import import_visibility, items
from erp_core.orders.model import demand_daily, order_lines, past_sales_daily
from erp_core.storage.types import Id


def add_up_past_lines(connection: Connection, item_ids: Collection[UUID], *, import_id: UUID) -> None:
    """Write the sums of these items' imported lines: their demand, and what figures read. Once per item.

    Added up when all lines of the import are in, which costs a third of keeping sums beside the lines.
    """
    add_up_past_demand(connection, item_ids, import_id=import_id)
    add_up_past_sales(connection, item_ids, import_id=import_id)


def add_up_past_demand(connection: Connection, item_ids: Collection[UUID], *, import_id: UUID) -> None:
    """Demand by item, location, channel and order day: ordered less cancelled."""
    _add_up(connection, _DEMAND, item_ids, import_id)


def add_up_past_sales(connection: Connection, item_ids: Collection[UUID], *, import_id: UUID) -> None:
    """Units and money by item, order day, shipping day, location, channel and country."""
    _add_up(connection, _SALES, item_ids, import_id)


@dataclass(frozen=True, slots=True)
class _Sums:
    """A table of sums: what of an order line are its keys (beside the import), what is summed, which lines count."""

    table: Table
    keys: Mapping[str, ColumnElement[Any]]
    measures: Mapping[str, ColumnElement[Any]]
    counted: ColumnElement[bool]


_LEFT = order_lines.c.quantity - order_lines.c.cancelled_quantity
_SHIPPED = order_lines.c.shipped_quantity
_MARKED_DOWN = order_lines.c.list_price - order_lines.c.unit_price

_DEMAND = _Sums(
    demand_daily,
    {
        "item_id": order_lines.c.item_id,
        "location_id": order_lines.c.location_id,
        "channel_id": order_lines.c.channel_id,
        "day": order_lines.c.ordered_on,
    },
    {
        "units": _LEFT,
        "net_sales": _LEFT * order_lines.c.unit_price,
        "list_sales": _LEFT * order_lines.c.list_price,
        "lines": literal(1),
    },
    _LEFT > 0,
)
_SALES = _Sums(
    past_sales_daily,
    {
        "item_id": order_lines.c.item_id,
        "ordered_on": order_lines.c.ordered_on,
        "shipped_on": func.coalesce(order_lines.c.shipped_on, order_lines.c.ordered_on),
        "location_id": order_lines.c.location_id,
        "channel_id": order_lines.c.channel_id,
        "customer_country": order_lines.c.customer_country,
    },
    {
        "ordered_units": order_lines.c.quantity,
        "cancelled_units": order_lines.c.cancelled_quantity,
        "shipped_units": _SHIPPED,
        "net_sales": _SHIPPED * order_lines.c.unit_price,
        "markdown": _SHIPPED * case((_MARKED_DOWN > 0, _MARKED_DOWN), else_=0),
    },
    true(),
)


def _add_up(connection: Connection, sums: _Sums, item_ids: Collection[UUID], import_id: UUID) -> None:
    keys = list(sums.keys.values())
    grouped = (
        select(*keys, literal(import_id, Id), *map(func.sum, sums.measures.values()))
        .where(order_lines.c.import_id == import_id, order_lines.c.item_id.in_(item_ids), sums.counted)
        .group_by(*keys)
        .order_by(*keys)
    )
    connection.execute(sums.table.insert().from_select([*sums.keys, "import_id", *sums.measures], grouped))


@dataclass(frozen=True, slots=True)
class SumDifference:
    """A daily sum that is not what its lines add up to.

    `key` names the row of `table` by column; `lacking` is, by column, what the lines give beyond what is stored.
    """

    table: str
    sku: str
    day: date
    key: Mapping[str, Any]
    lacking: Mapping[str, int]


def past_sum_differences(connection: Connection) -> list[SumDifference]:
    """Add up the lines of all complete imports again: every daily sum that differs, none if all is well.

    Reads every imported line.
    """
    return [*_differences(connection, _DEMAND), *_differences(connection, _SALES)]


def _differences(connection: Connection, sums: _Sums) -> list[SumDifference]:
    complete = select(import_visibility.c.import_id).where(import_visibility.c.complete)
    names = [*sums.keys, "import_id"]
    of_lines = select(
        *(column.label(name) for name, column in sums.keys.items()),
        order_lines.c.import_id,
        *(column.label(name) for name, column in sums.measures.items()),
    ).where(order_lines.c.import_id.in_(complete), sums.counted)
    stored = select(
        *(sums.table.c[name] for name in names), *(-sums.table.c[name] for name in sums.measures)
    ).where(sums.table.c.import_id.in_(complete))
    both = union_all(of_lines, stored).subquery()
    lacking = {name: func.sum(both.c[name]) for name in sums.measures}
    keys = [both.c[name] for name in names]
    wrong = (
        select(*keys, *(value.label(name) for name, value in lacking.items()))
        .group_by(*keys)
        .having(or_(*(value != 0 for value in lacking.values())))
        .subquery()
    )
    statement = (
        select(items.c.sku, *wrong.c)
        .join_from(wrong, items, items.c.id == wrong.c.item_id)
        .order_by(items.c.sku, *wrong.c)
    )
    found = []
    for sku, *cells in connection.execute(statement):
        key = dict(zip(names, cells, strict=False))
        gap = dict(zip(lacking, map(int, cells[len(names) :]), strict=True))
        found.append(SumDifference(sums.table.name, sku, key.get("day") or key["ordered_on"], key, gap))
    return found
