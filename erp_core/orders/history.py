"""Past sales that an import brings: orders, their lines and the demand they were.

History is not stock: nothing here reserves, moves or costs anything. Rows carry their `import_id` and
are seen by readers only when that import is complete.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Table, and_, case, func, literal, select

from erp_core.orders.model import demand_daily, order_lines, orders, past_sales_daily
from erp_core.storage.columnar import insert_columns
from erp_core.storage.derived import line_id
from erp_core.storage.types import Id


class PastLine(NamedTuple):
    """A line as it was sold; what was not cancelled was shipped. Prices in ten-thousandths."""

    line_no: int
    item_id: UUID
    location_id: UUID
    quantity: int
    cancelled: int
    unit_price: int
    list_price: int


class PastOrder(NamedTuple):
    """An order that is history. Its id is a `derived_id`."""

    id: UUID
    number: str
    external_ref: str
    channel_id: UUID
    customer_id: UUID | None
    customer_country: str
    ordered_at: datetime
    ordered_on: date
    known_on: date
    promised_on: date | None
    shipped_on: date | None
    lines: Sequence[PastLine]


def write_past_orders(
    connection: Connection, past: Sequence[PastOrder], *, import_id: UUID, audit_id: UUID
) -> None:
    """Write orders and lines; their sums are for `add_up_past_lines`."""
    if not past:
        return
    shipped = [any(line.quantity > line.cancelled for line in order.lines) for order in past]
    insert_columns(
        connection,
        orders,
        {
            "id": [order.id for order in past],
            "number": [order.number for order in past],
            "external_ref": [order.external_ref for order in past],
            "channel_id": [order.channel_id for order in past],
            "customer_id": [order.customer_id for order in past],
            "customer_country": [order.customer_country for order in past],
            "status": ["shipped" if left else "cancelled" for left in shipped],
            "ordered_at": [order.ordered_at for order in past],
            "ordered_on": [order.ordered_on for order in past],
            "known_on": [order.known_on for order in past],
            "promised_on": [order.promised_on for order in past],
            "shipped_on": [
                order.shipped_on if left else None for order, left in zip(past, shipped, strict=True)
            ],
            "cancel_reason": [None if left else "customer" for left in shipped],
            "freight_cost": 0,
            "shipments": [int(left) for left in shipped],
            "version": 1,
            "import_id": import_id,
            "audit_id": audit_id,
        },
    )
    _write_lines(connection, past, import_id)


def _write_lines(connection: Connection, past: Sequence[PastOrder], import_id: UUID) -> None:
    rows = [(order, line) for order in past for line in order.lines]
    left = [line.quantity - line.cancelled for _, line in rows]
    insert_columns(
        connection,
        order_lines,
        {
            "id": [line_id(order.id, line.line_no) for order, line in rows],
            "order_id": [order.id for order, _ in rows],
            "line_no": [line.line_no for _, line in rows],
            "item_id": [line.item_id for _, line in rows],
            "location_id": [line.location_id for _, line in rows],
            "channel_id": [order.channel_id for order, _ in rows],
            "customer_country": [order.customer_country for order, _ in rows],
            "ordered_on": [order.ordered_on for order, _ in rows],
            "promised_on": [order.promised_on for order, _ in rows],
            "shipped_on": [
                order.shipped_on if units else None for (order, _), units in zip(rows, left, strict=True)
            ],
            "quantity": [line.quantity for _, line in rows],
            "reserved_quantity": 0,
            "shipped_quantity": left,
            "shipped_by_promise": [
                units if _in_time(order) else 0 for (order, _), units in zip(rows, left, strict=True)
            ],
            "cancelled_quantity": [line.cancelled for _, line in rows],
            "unit_price": [line.unit_price for _, line in rows],
            "list_price": [line.list_price for _, line in rows],
            "import_id": import_id,
        },
    )


def _in_time(order: PastOrder) -> bool:
    return (
        order.promised_on is not None
        and order.shipped_on is not None
        and order.shipped_on <= order.promised_on
    )


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
