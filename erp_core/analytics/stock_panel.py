"""Loads `StockPanel` and `PurchaseLines`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, func, select, union_all

from erp_core.analytics.demand_panel import item_attributes
from erp_core.analytics.facts import visible
from erp_core.analytics.facts.purchasing import is_placed
from erp_core.analytics.panel_types import PurchaseLines, StockPanel
from erp_core.finance.model import cost_balances, cost_entries
from erp_core.inventory.as_of import stock_at
from erp_core.master.model import data_feeds, items, suppliers
from erp_core.orders.model import demand_daily, order_lines, orders
from erp_core.orders.rules import COMMITTED
from erp_core.procurement.model import po_lines, purchase_orders, receipt_lines, receipts
from erp_core.procurement.receiving.reversing import stands
from erp_core.returns.figures import yields
from erp_core.storage.types import MONEY_SCALE

_PRICE_DAYS = 90


def stock_panel(connection: Connection, *, as_of: date) -> StockPanel:
    """Stock and backorders of every item-location that has any, as of the end of `as_of`.

    `price` is what was charged on average in the last 90 days, else the list price. `backordered` is NaN
    as of a day before the last day with sales: what was backordered then is not kept.
    """
    available, reserved, in_transit = (
        _balances(connection, state, as_of) for state in ("available", "reserved", "in_transit")
    )
    backordered = _backordered(connection) if _is_current(connection, "sales", as_of) else None
    returning = _returning(connection, as_of)
    series = sorted({*available, *reserved, *in_transit, *(backordered or {}), *returning})
    cost, price = _unit_costs(connection, as_of), _prices(connection, as_of)
    return StockPanel(
        as_of=as_of,
        item_ids=tuple(item for item, _ in series),
        location_ids=tuple(location for _, location in series),
        available=_floats(available.get(key, 0) for key in series),
        reserved=_floats(reserved.get(key, 0) for key in series),
        backordered=_floats(np.nan if backordered is None else backordered.get(key, 0) for key in series),
        cost=_floats(cost.get(item, np.nan) for item, _ in series),
        price=_floats(price.get(item, np.nan) for item, _ in series),
        returning=_floats(returning.get(key, 0) for key in series),
        in_transit=_floats(in_transit.get(key, 0) for key in series),
    )


def _returning(connection: Connection, as_of: date) -> dict[tuple[UUID, UUID], int]:
    """Units that lie there undecided or being refurbished, times the share of the item's that was restocked before."""
    found: dict[tuple[UUID, UUID], int] = {}
    for state in ("return_pending", "refurbishing"):
        for key, units in _balances(connection, state, as_of).items():
            found[key] = found.get(key, 0) + units
    if not any(found.values()):
        return {}
    known = yields(connection, as_of)
    shares = {item: one.of_decided for item, one in known.items() if one.of_decided is not None}
    expected = {key: int(units * shares.get(key[0], 0.0)) for key, units in found.items()}
    return {key: units for key, units in expected.items() if units}


def _floats(values: Iterable[float]) -> NDArray[np.float64]:
    return np.fromiter(values, np.float64)


def _is_current(connection: Connection, feed: str, as_of: date) -> bool:
    last_on = connection.execute(select(data_feeds.c.last_on).where(data_feeds.c.kind == feed)).scalar()
    return last_on is None or as_of >= last_on


def _pairs(connection: Connection, statement: Select[Any]) -> dict[tuple[UUID, UUID], int]:
    return {(item, location): int(units) for item, location, units in connection.execute(statement)}


def _balances(connection: Connection, state: str, as_of: date) -> dict[tuple[UUID, UUID], int]:
    day = None if _is_current(connection, "stock", as_of) else as_of
    stock = union_all(*stock_at(day)).subquery().c
    keys = (stock.item_id, stock.location_id)
    return _pairs(
        connection, select(*keys, func.sum(stock.units)).where(stock.state == state).group_by(*keys)
    )


def _backordered(connection: Connection) -> dict[tuple[UUID, UUID], int]:
    keys = (order_lines.c.item_id, order_lines.c.location_id)
    owed = (
        order_lines.c.quantity
        - order_lines.c.reserved_quantity
        - order_lines.c.shipped_quantity
        - order_lines.c.cancelled_quantity
    )
    return _pairs(
        connection,
        select(*keys, func.sum(owed))
        .join(orders, orders.c.id == order_lines.c.order_id)
        .where(visible(order_lines), orders.c.status.in_(COMMITTED), owed > 0)
        .group_by(*keys),
    )


def _unit_costs(connection: Connection, as_of: date) -> dict[UUID, float]:
    if _is_current(connection, "cost", as_of):
        statement = select(cost_balances.c.item_id, cost_balances.c.quantity, cost_balances.c.value)
    else:
        statement = (
            select(cost_entries.c.item_id, func.sum(cost_entries.c.quantity), func.sum(cost_entries.c.value))
            .where(cost_entries.c.occurred_on <= as_of)
            .group_by(cost_entries.c.item_id)
        )
    rows = connection.execute(statement)
    known = {item: float(value) / float(units) / MONEY_SCALE for item, units, value in rows if units > 0}
    listed = connection.execute(
        select(items.c.id, items.c.standard_cost).where(items.c.standard_cost.is_not(None))
    )
    return {item: cost / MONEY_SCALE for item, cost in listed} | known


def _prices(connection: Connection, as_of: date) -> dict[UUID, float]:
    listed = connection.execute(select(items.c.id, items.c.list_price).where(items.c.list_price.is_not(None)))
    charged = connection.execute(
        select(demand_daily.c.item_id, func.sum(demand_daily.c.net_sales), func.sum(demand_daily.c.units))
        .where(
            demand_daily.c.day.between(as_of - timedelta(days=_PRICE_DAYS - 1), as_of), visible(demand_daily)
        )
        .group_by(demand_daily.c.item_id)
        .having(func.sum(demand_daily.c.units) > 0)
    )
    return {item: price / MONEY_SCALE for item, price in listed} | {
        item: float(sales) / float(units) / MONEY_SCALE for item, sales, units in charged
    }


def purchase_lines(connection: Connection, *, as_of: date) -> PurchaseLines:
    """Lines of purchase orders sent to suppliers by `as_of`, with what was known then; `sent_on` may be NaT.

    Own warehouses that supply others are left out. Accepted units are those of receipts known by `as_of`; as
    of a past day the latest promise is not known, so the first one stands for it, and a cancellation counts.
    Attributes (m,): category, segment, delivery_terms, supplier_country as text, agreed_lead_time in days.
    """
    accepted = {
        line: int(units)
        for line, units in connection.execute(
            select(receipt_lines.c.po_line_id, func.sum(receipt_lines.c.accepted_quantity))
            .join(receipts, receipts.c.id == receipt_lines.c.receipt_id)
            .where(receipts.c.received_on <= as_of, receipts.c.known_on <= as_of, visible(receipts))
            .where(stands(by=as_of))
            .group_by(receipt_lines.c.po_line_id)
        )
    }
    rows = connection.execute(
        select(
            po_lines,
            purchase_orders.c.number,
            purchase_orders.c.supplier_id,
            purchase_orders.c.location_id,
            purchase_orders.c.sent_on,
            suppliers.c.segment,
            suppliers.c.delivery_terms,
            suppliers.c.country,
            suppliers.c.lead_time_days,
        )
        .join(purchase_orders, purchase_orders.c.id == po_lines.c.po_id)
        .join(suppliers, suppliers.c.id == purchase_orders.c.supplier_id)
        .where(
            func.coalesce(purchase_orders.c.sent_on, purchase_orders.c.created_on) <= as_of,
            purchase_orders.c.known_on <= as_of,
            is_placed(),
            suppliers.c.internal.is_(False),
            visible(purchase_orders),
        )
        .order_by(purchase_orders.c.sent_on, po_lines.c.id)
    ).all()
    current = _is_current(connection, "purchasing", as_of)
    done = [row.completed_on is not None and row.completed_on <= as_of for row in rows]
    left = [
        0 if finished else max(row.quantity - row.cancelled_quantity - accepted.get(row.id, 0), 0)
        for row, finished in zip(rows, done, strict=True)
    ]
    return PurchaseLines(
        as_of=as_of,
        line_ids=tuple(row.id for row in rows),
        po_ids=tuple(row.po_id for row in rows),
        po_numbers=tuple(row.number for row in rows),
        supplier_ids=tuple(row.supplier_id for row in rows),
        item_ids=tuple(row.item_id for row in rows),
        location_ids=tuple(row.location_id for row in rows),
        sent_on=_dates(row.sent_on for row in rows),
        first_promised_on=_dates(row.first_promised_on for row in rows),
        promised_on=_dates(row.promised_on if current else row.first_promised_on for row in rows),
        completed_on=_dates(
            row.completed_on if finished else None for row, finished in zip(rows, done, strict=True)
        ),
        units=_floats(row.quantity for row in rows),
        open_units=_floats(left),
        unit_price=_floats(row.unit_price / MONEY_SCALE for row in rows),
        attributes={
            "category": item_attributes(connection, [row.item_id for row in rows])["category"],
            "segment": _texts(row.segment for row in rows),
            "delivery_terms": _texts(row.delivery_terms for row in rows),
            "supplier_country": _texts(row.country for row in rows),
            "agreed_lead_time": _floats(
                np.nan if row.lead_time_days is None else row.lead_time_days for row in rows
            ),
        },
    )


def _dates(values: Iterable[date | None]) -> NDArray[np.datetime64]:
    return np.array(
        [np.datetime64("NaT") if value is None else value for value in values], dtype="datetime64[D]"
    )


def _texts(values: Iterable[str | None]) -> NDArray[Any]:
    return np.array([value or "" for value in values], dtype=str)
