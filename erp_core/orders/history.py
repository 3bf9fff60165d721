"""Past sales that an import brings: orders, their lines and the demand they were.

History is not stock: nothing here reserves, moves or costs anything. Rows carry their `import_id` and
are seen by readers only when that import is complete.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain, islice, repeat
from operator import mul, sub
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Table, and_, case, func, literal, select

from erp_core.orders.model import demand_daily, order_lines, orders, past_sales_daily
from erp_core.storage.columnar import insert_columns
from erp_core.storage.derived import line_id
from erp_core.storage.types import Id

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PastOrders:
    """Orders that are history, by column; known on the day they were placed. Ids are `derived_id`s.

    `lines` says how many of `PastLines` each has.
    """

    id: Sequence[UUID]
    number: Sequence[str]
    external_ref: Sequence[str]
    channel_id: Sequence[UUID]
    customer_id: Sequence[UUID | None]
    customer_country: Sequence[str]
    ordered_at: Sequence[datetime]
    ordered_on: Sequence[date]
    promised_on: Sequence[date | None]
    shipped_on: Sequence[date | None]
    lines: Sequence[int]


@dataclass(frozen=True, slots=True)
class PastLines:
    """Lines as they were sold, by column, order by order; what was not cancelled was shipped.

    Prices in ten-thousandths.
    """

    line_no: Sequence[int]
    item_id: Sequence[UUID]
    location_id: Sequence[UUID]
    quantity: Sequence[int]
    cancelled: Sequence[int]
    unit_price: Sequence[int]
    list_price: Sequence[int]


def write_past_orders(
    connection: Connection, past: PastOrders, lines: PastLines, *, import_id: UUID, audit_id: UUID
) -> None:
    """Write orders and lines; their sums are for `add_up_past_lines`."""
    left = list(map(sub, lines.quantity, lines.cancelled))
    rest = iter(left)
    shipped = [any(list(islice(rest, count))) for count in past.lines]
    insert_columns(
        connection,
        orders,
        {
            "id": past.id,
            "number": past.number,
            "external_ref": past.external_ref,
            "channel_id": past.channel_id,
            "customer_id": past.customer_id,
            "customer_country": past.customer_country,
            "status": ["shipped" if any_left else "cancelled" for any_left in shipped],
            "ordered_at": past.ordered_at,
            "ordered_on": past.ordered_on,
            "known_on": past.ordered_on,
            "promised_on": past.promised_on,
            "shipped_on": _where(shipped, past.shipped_on),
            "cancel_reason": [None if any_left else "customer" for any_left in shipped],
            "freight_cost": 0,
            "shipments": list(map(int, shipped)),
            "version": 1,
            "import_id": import_id,
            "audit_id": audit_id,
        },
    )

    def of_order(values: Iterable[T]) -> list[T]:
        return list(chain.from_iterable(map(repeat, values, past.lines)))

    order_ids = of_order(past.id)
    insert_columns(
        connection,
        order_lines,
        {
            "id": list(map(line_id, order_ids, lines.line_no)),
            "order_id": order_ids,
            "line_no": lines.line_no,
            "item_id": lines.item_id,
            "location_id": lines.location_id,
            "channel_id": of_order(past.channel_id),
            "customer_country": of_order(past.customer_country),
            "ordered_on": of_order(past.ordered_on),
            "promised_on": of_order(past.promised_on),
            "shipped_on": _where(left, of_order(past.shipped_on)),
            "quantity": lines.quantity,
            "reserved_quantity": 0,
            "shipped_quantity": left,
            "shipped_by_promise": list(
                map(mul, left, of_order(map(_in_time, past.shipped_on, past.promised_on)))
            ),
            "cancelled_quantity": lines.cancelled,
            "unit_price": lines.unit_price,
            "list_price": lines.list_price,
            "import_id": import_id,
        },
    )


def _where(conditions: Iterable[object], values: Iterable[T]) -> list[T | None]:
    return [value if condition else None for condition, value in zip(conditions, values, strict=True)]


def _in_time(shipped_on: date | None, promised_on: date | None) -> bool:
    return promised_on is not None and shipped_on is not None and shipped_on <= promised_on


def add_up_past_lines(connection: Connection, item_ids: Collection[UUID], *, import_id: UUID) -> None:
    """Write the sums of these items' imported lines: their demand, and what figures read. Once per item.

    Added up when all lines of the import are in, which costs a third of keeping sums beside the lines.
    """
    add_up_past_demand(connection, item_ids, import_id=import_id)
    add_up_past_sales(connection, item_ids, import_id=import_id)


def add_up_past_demand(connection: Connection, item_ids: Collection[UUID], *, import_id: UUID) -> None:
    """Demand by item, location, channel and order day: ordered less cancelled."""
    units = order_lines.c.quantity - order_lines.c.cancelled_quantity
    keys = [order_lines.c[name] for name in ("item_id", "location_id", "channel_id", "ordered_on")]
    sums = {
        "units": func.sum(units),
        "net_sales": func.sum(units * order_lines.c.unit_price),
        "list_sales": func.sum(units * order_lines.c.list_price),
        "lines": func.count(),
    }
    _add_up(
        connection,
        demand_daily,
        ["item_id", "location_id", "channel_id", "day"],
        keys,
        sums,
        _of_import(import_id, item_ids) & (units > 0),
        import_id,
    )


def add_up_past_sales(connection: Connection, item_ids: Collection[UUID], *, import_id: UUID) -> None:
    """Units and money by item, order day, shipping day, location, channel and country."""
    shipped = order_lines.c.shipped_quantity
    marked_down = order_lines.c.list_price - order_lines.c.unit_price
    names = ["item_id", "ordered_on", "shipped_on", "location_id", "channel_id", "customer_country"]
    keys: list[ColumnElement[Any]] = [order_lines.c[name] for name in names]
    keys[names.index("shipped_on")] = func.coalesce(order_lines.c.shipped_on, order_lines.c.ordered_on)
    sums = {
        "ordered_units": func.sum(order_lines.c.quantity),
        "cancelled_units": func.sum(order_lines.c.cancelled_quantity),
        "shipped_units": func.sum(shipped),
        "net_sales": func.sum(shipped * order_lines.c.unit_price),
        "markdown": func.sum(shipped * case((marked_down > 0, marked_down), else_=0)),
    }
    _add_up(connection, past_sales_daily, names, keys, sums, _of_import(import_id, item_ids), import_id)


def _of_import(import_id: UUID, item_ids: Collection[UUID]) -> ColumnElement[bool]:
    return and_(order_lines.c.import_id == import_id, order_lines.c.item_id.in_(item_ids))


def _add_up(
    connection: Connection,
    table: Table,
    names: Sequence[str],
    keys: Sequence[ColumnElement[Any]],
    sums: Mapping[str, ColumnElement[Any]],
    condition: ColumnElement[bool],
    import_id: UUID,
) -> None:
    grouped = select(*keys, literal(import_id, Id), *sums.values()).where(condition).group_by(*keys)
    connection.execute(table.insert().from_select([*names, "import_id", *sums], grouped.order_by(*keys)))
