"""Reads of sales orders. Rows of imports that are not complete are seen by nobody."""

from __future__ import annotations

from erp_core.orders.queries.records import (
    ExposedLine,
    Order,
    OrderDetail,
    OrderLine,
    Parcel,
    backordered_pairs,
    backordered_units,
    exposed_lines,
    find_order,
    get_order,
    list_orders,
    order_lines_by_id,
    order_lines_of,
    visible_demand,
    visible_order_lines,
    visible_orders,
)

__all__ = [
    "ExposedLine",
    "Order",
    "OrderDetail",
    "OrderLine",
    "Parcel",
    "backordered_pairs",
    "backordered_units",
    "exposed_lines",
    "find_order",
    "get_order",
    "list_orders",
    "order_lines_by_id",
    "order_lines_of",
    "visible_demand",
    "visible_order_lines",
    "visible_orders",
]
