"""Daily sums of imported order lines: what models and figures read instead of the lines, which do not change.

They follow from the lines alone: `past_sum_differences` adds up again and compares.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    case,
    cast,
    func,
    literal,
    select,
)

from erp_core.master.model import import_visibility, items
from erp_core.orders.model import demand_daily, order_lines, past_sales_daily
from erp_core.storage.lookup import fetch_in
from erp_core.storage.types import Id, Quantity


def add_up_past_lines(connection: Connection, item_ids: Collection[UUID], *, import_id: UUID) -> None:
    """Write the sums of these items' imported lines: their demand, and what figures read. Once per item.

    Added up when all lines of the import are in, which costs a third of keeping sums beside the lines.
    """
    add_up_past_demand(connection, item_ids, import_id=import_id)
    add_up_past_sales(connection, item_ids, import_id=import_id)


def add_up_past_demand(connection: Connection, item_ids: Collection[UUID], *, import_id: UUID) -> None:
    """Demand by item, location, channel and order day: ordered less cancelled."""
    _write(connection, demand_daily, _demand(literal(import_id, Id), _of_import(import_id, item_ids)))


def add_up_past_sales(connection: Connection, item_ids: Collection[UUID], *, import_id: UUID) -> None:
    """Units and money by item, order day, shipping day, location, channel and country."""
    _write(connection, past_sales_daily, _sales(literal(import_id, Id), _of_import(import_id, item_ids)))


def _of_import(import_id: UUID, item_ids: Collection[UUID]) -> ColumnElement[bool]:
    return and_(order_lines.c.import_id == import_id, order_lines.c.item_id.in_(item_ids))


def _write(connection: Connection, table: Table, sums: Select[Any]) -> None:
    connection.execute(table.insert().from_select(sums.selected_columns.keys(), sums))


def _demand(import_id: ColumnElement[UUID], condition: ColumnElement[bool]) -> Select[Any]:
    units = order_lines.c.quantity - order_lines.c.cancelled_quantity
    return _summed(
        [
            order_lines.c.item_id,
            order_lines.c.location_id,
            order_lines.c.channel_id,
            order_lines.c.ordered_on.label("day"),
            import_id.label("import_id"),
        ],
        {
            "units": func.sum(units),
            "net_sales": func.sum(units * order_lines.c.unit_price),
            "list_sales": func.sum(units * order_lines.c.list_price),
            "lines": func.count(),
        },
        and_(condition, units > 0),
    )


def _sales(import_id: ColumnElement[UUID], condition: ColumnElement[bool]) -> Select[Any]:
    shipped = order_lines.c.shipped_quantity
    marked_down = order_lines.c.list_price - order_lines.c.unit_price
    return _summed(
        [
            order_lines.c.item_id,
            order_lines.c.ordered_on,
            func.coalesce(order_lines.c.shipped_on, order_lines.c.ordered_on).label("shipped_on"),
            order_lines.c.location_id,
            order_lines.c.channel_id,
            order_lines.c.customer_country,
            import_id.label("import_id"),
        ],
        {
            "ordered_units": func.sum(order_lines.c.quantity),
            "cancelled_units": func.sum(order_lines.c.cancelled_quantity),
            "shipped_units": func.sum(shipped),
            "net_sales": func.sum(shipped * order_lines.c.unit_price),
            "markdown": func.sum(shipped * case((marked_down > 0, marked_down), else_=0)),
        },
        condition,
    )


def _summed(
    keys: list[ColumnElement[Any]], sums: dict[str, ColumnElement[Any]], condition: ColumnElement[bool]
) -> Select[Any]:
    """The sums by all keys; keys that are the same for all rows are not grouped by."""
    grouped = [key for key in keys if not isinstance(getattr(key, "element", key), BindParameter)]
    columns = [cast(value, Quantity).label(name) for name, value in sums.items()]
    return select(*keys, *columns).where(condition).group_by(*grouped).order_by(*grouped)


@dataclass(frozen=True, slots=True)
class SumDifference:
    """A daily sum that is not what its lines add up to; None where one of the two is not there.

    `key` names the row of `table` by column; the figures stand in the order of its other columns.
    """

    table: str
    sku: str
    day: date
    key: Mapping[str, Any]
    stored: tuple[int, ...] | None
    added_up: tuple[int, ...] | None


def past_sum_differences(connection: Connection) -> list[SumDifference]:
    """Add up the lines of all complete imports again: every daily sum that differs, none if all is well.

    Reads every imported line.
    """
    complete = select(import_visibility.c.import_id).where(import_visibility.c.complete)
    of = order_lines.c.import_id
    return [
        *_differences(connection, demand_daily, _demand(of, of.in_(complete)), complete),
        *_differences(connection, past_sales_daily, _sales(of, of.in_(complete)), complete),
    ]


def _differences(
    connection: Connection, table: Table, added_up: Select[Any], complete: Select[Any]
) -> list[SumDifference]:
    names = added_up.selected_columns.keys()
    stored = select(*(table.c[name] for name in names)).where(table.c.import_id.in_(complete))
    added_up = added_up.order_by(None)
    width = len(table.primary_key.columns)
    wrong = {row[:width]: row[width:] for row in connection.execute(stored.except_(added_up))}
    right = {row[:width]: row[width:] for row in connection.execute(added_up.except_(stored))}
    keys = [dict(zip(names, cells, strict=False)) for cells in (right | wrong)]
    named = select(items.c.id, items.c.sku)
    of_keys = fetch_in(connection, named, items.c.id, (key["item_id"] for key in keys))
    skus = {item_id: sku for item_id, sku in of_keys}
    found = [
        SumDifference(
            table.name,
            skus.get(key["item_id"], str(key["item_id"])),
            key.get("day") or key["ordered_on"],
            key,
            wrong.get(cells),
            right.get(cells),
        )
        for key, cells in zip(keys, right | wrong, strict=True)
    ]
    return sorted(found, key=lambda one: (one.sku, one.day))
