"""Past sales that an import brings: orders, their lines and the demand they were.

History is not stock: nothing here reserves, moves or costs anything. Rows carry their `import_id` and
are seen by readers only when that import is complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from erp_core.orders.model import demand_daily, order_lines, orders
from erp_core.storage.columnar import insert_columns
from erp_core.storage.derived import line_id


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
    """Write orders and lines; their demand is for `write_past_demand`."""
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


class PastDemand(NamedTuple):
    """What one item sold in a day at a location and channel: ordered less cancelled, by order day."""

    item_id: UUID
    location_id: UUID
    channel_id: UUID
    day: date
    units: int
    net_sales: int
    list_sales: int
    lines: int


def write_past_demand(connection: Connection, past: Iterable[PastDemand], *, import_id: UUID) -> None:
    """Write the daily demand of an import; each item, location, channel and day comes once.

    It is posted in chunks of its own, in the order of its key, which costs a third of adding it up
    beside the orders. Readers see it with the orders, when the import is complete.
    """
    rows = sorted(past, key=lambda row: (row.item_id.int, row.location_id.int, row.channel_id.int, row.day))
    if rows:
        columns = dict(zip(PastDemand._fields, zip(*rows, strict=True), strict=True))
        insert_columns(connection, demand_daily, columns | {"import_id": import_id})
