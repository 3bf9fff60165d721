"""Sales: what was ordered, promised and shipped, and what is open."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal, null, or_, select

from erp_core.analytics.expressions import at_least_zero, days_between, divided, flag
from erp_core.analytics.facts.fact import Fact, Measure, Scope, visible
from erp_core.master.model import reason_codes
from erp_core.master.rules.reasons import REASONS
from erp_core.orders.model import (
    late_costs,
    order_lines,
    orders,
    past_sales_daily,
    shipment_lines,
    shipments,
)
from erp_core.orders.rules import BY_COMPANY, CANCEL_REASONS, COMMITTED, GONE
from erp_core.returns.model import return_lines, returns

FAULTS = ("damaged_in_transit", "defective", "wrong_item")
"""Return reasons that spoil a perfect order."""


def _cancelled_by_company() -> ColumnElement[bool]:
    own = select(reason_codes.c.code).where(
        reason_codes.c.kind == CANCEL_REASONS, reason_codes.c.effect == BY_COMPANY
    )
    given = sorted(one.code for one in REASONS.values() if one.effect == BY_COMPANY)
    return or_(orders.c.cancel_reason.in_(given), orders.c.cancel_reason.in_(own))


def demanded_units() -> ColumnElement[int]:
    """Units of an order line less those the customer cancelled; what the company cancelled was demand."""
    company = select(orders.c.id).where(_cancelled_by_company())
    kept = case((order_lines.c.order_id.in_(company), 0), else_=order_lines.c.cancelled_quantity)
    return order_lines.c.quantity - kept


def _line_dimensions(scope: Scope) -> tuple[ColumnElement[Any], ...]:
    status = (
        select(orders.c.status)
        .where(orders.c.id == order_lines.c.order_id)
        .correlate(order_lines)
        .scalar_subquery()
        if scope.wants("order_status")
        else null()
    )
    return (
        order_lines.c.order_id.label("order"),
        order_lines.c.item_id.label("item"),
        order_lines.c.location_id.label("warehouse"),
        order_lines.c.channel_id.label("channel"),
        order_lines.c.customer_country,
        status.label("order_status"),
    )


def _ordered(scope: Scope) -> Select[Any] | tuple[Select[Any], ...]:
    """Order lines, imported ones as their daily sums where nothing is asked that only lines know."""
    if scope.wants("orders") and not scope.wants("item", "warehouse", "units", "gross_units", "cancelled"):
        return _placed_orders()
    units = demanded_units()
    lines = select(
        *_line_dimensions(scope),
        order_lines.c.ordered_on.label("day"),
        case((units > 0, order_lines.c.order_id)).label("orders"),
        units.label("units"),
        order_lines.c.quantity.label("gross_units"),
        order_lines.c.cancelled_quantity.label("cancelled"),
    )
    if scope.wants("orders", "order_status"):
        return lines.where(visible(order_lines))
    past = _past_sales(
        past_sales_daily.c.ordered_on,
        (past_sales_daily.c.ordered_units - past_sales_daily.c.cancelled_units).label("units"),
        past_sales_daily.c.ordered_units.label("gross_units"),
        past_sales_daily.c.cancelled_units.label("cancelled"),
    )
    live = lines.join(orders, orders.c.id == order_lines.c.order_id).where(orders.c.import_id.is_(None))
    return live, past


def _placed_orders() -> Select[Any]:
    """Orders of which the customer left something."""
    left = exists().where(
        order_lines.c.order_id == orders.c.id, order_lines.c.quantity > order_lines.c.cancelled_quantity
    )
    demanded = or_(_cancelled_by_company(), left)
    return select(*_order_dimensions(), orders.c.ordered_on.label("day"), orders.c.id.label("orders")).where(
        visible(orders), demanded
    )


def _shipped(scope: Scope) -> tuple[Select[Any], ...]:
    """Live shipments line by line; imported history, which has no shipments, by its daily sums or its lines."""

    def columns(day: Any, units: Any, cost: Any) -> tuple[ColumnElement[Any], ...]:
        sales = units * order_lines.c.unit_price
        return (
            *_line_dimensions(scope),
            day.label("day"),
            units.label("units"),
            sales.label("net_sales"),
            case((cost.is_not(None), sales)).label("costed_sales"),
            case((cost.is_not(None), units)).label("costed_units"),
            cost.label("cost"),
            (units * at_least_zero(order_lines.c.list_price - order_lines.c.unit_price)).label("markdown"),
        )

    live = (
        select(*columns(shipments.c.shipped_on, shipment_lines.c.quantity, shipment_lines.c.cost))
        .select_from(shipment_lines)
        .join(shipments, shipments.c.id == shipment_lines.c.shipment_id)
        .join(order_lines, order_lines.c.id == shipment_lines.c.order_line_id)
    )
    if not scope.wants("costed_sales", "cost", "order_status", "order"):
        past = _past_sales(
            past_sales_daily.c.shipped_on,
            past_sales_daily.c.shipped_units.label("units"),
            past_sales_daily.c.net_sales,
            past_sales_daily.c.markdown,
        )
        return live, past.where(past_sales_daily.c.shipped_units > 0)
    lines = select(*columns(order_lines.c.shipped_on, order_lines.c.shipped_quantity, order_lines.c.cost))
    imported = (order_lines.c.import_id.is_not(None), visible(order_lines))
    late = (
        select(*columns(late_costs.c.booked_on, literal(0), late_costs.c.amount))
        .select_from(late_costs)
        .join(order_lines, order_lines.c.id == late_costs.c.order_line_id)
    )
    return live, late, lines.where(*imported, order_lines.c.shipped_quantity > 0)


def _past_sales(day: ColumnElement[Any], *measures: ColumnElement[Any]) -> Select[Any]:
    return select(
        past_sales_daily.c.item_id.label("item"),
        past_sales_daily.c.location_id.label("warehouse"),
        past_sales_daily.c.channel_id.label("channel"),
        past_sales_daily.c.customer_country,
        day.label("day"),
        *measures,
    ).where(visible(past_sales_daily))


def _freight_out(scope: Scope) -> Select[Any]:
    totals = (
        select(shipment_lines.c.shipment_id, func.sum(shipment_lines.c.quantity).label("units"))
        .group_by(shipment_lines.c.shipment_id)
        .subquery()
    )
    share = divided(shipments.c.freight_cost * shipment_lines.c.quantity, totals.c.units)
    return (
        select(*_line_dimensions(scope), shipments.c.shipped_on.label("day"), share.label("cost"))
        .select_from(shipment_lines)
        .join(shipments, shipments.c.id == shipment_lines.c.shipment_id)
        .join(totals, totals.c.shipment_id == shipments.c.id)
        .join(order_lines, order_lines.c.id == shipment_lines.c.order_line_id)
        .where(shipments.c.freight_cost != 0)
    )


def _promised(scope: Scope) -> Select[Any]:
    units = demanded_units()
    return select(
        *_line_dimensions(scope),
        order_lines.c.promised_on.label("day"),
        units.label("units"),
        order_lines.c.shipped_by_promise.label("shipped_on_time"),
    ).where(visible(order_lines), order_lines.c.promised_on < scope.today, units > 0)


def _open_orders(scope: Scope) -> Select[Any]:
    open_units = order_lines.c.quantity - order_lines.c.shipped_quantity - order_lines.c.cancelled_quantity
    return (
        select(
            *_line_dimensions(scope),
            open_units.label("units"),
            (open_units - order_lines.c.reserved_quantity).label("backordered"),
        )
        .join(orders, orders.c.id == order_lines.c.order_id)
        .where(
            visible(order_lines),
            orders.c.status.in_(COMMITTED),
            open_units > 0,
        )
    )


def _order_dimensions() -> tuple[ColumnElement[Any], ...]:
    return (
        orders.c.channel_id.label("channel"),
        orders.c.customer_country,
        orders.c.status.label("order_status"),
    )


def _order_outcomes(scope: Scope) -> Select[Any]:
    lines = (
        select(order_lines.c.order_id, func.sum(order_lines.c.shipped_quantity).label("units"))
        .group_by(order_lines.c.order_id)
        .subquery()
    )
    return (
        select(
            *_order_dimensions(),
            orders.c.shipped_on.label("day"),
            literal(1).label("shipped_orders"),
            days_between(orders.c.ordered_on, orders.c.shipped_on).label("cycle_days"),
            flag(lines.c.units > 1).label("multi_unit_orders"),
            flag(and_(lines.c.units > 1, orders.c.shipments > 1)).label("split_orders"),
        )
        .join(lines, lines.c.order_id == orders.c.id)
        .where(orders.c.import_id.is_(None), orders.c.status.in_(GONE), orders.c.shipped_on.is_not(None))
    )


def _order_promises(scope: Scope) -> Select[Any]:
    units = demanded_units()
    lines = (
        select(
            order_lines.c.order_id,
            func.sum(units).label("units"),
            func.sum(order_lines.c.shipped_by_promise).label("on_time"),
        )
        .where(order_lines.c.promised_on.is_not(None))
        .group_by(order_lines.c.order_id)
        .subquery()
    )
    faulty = (
        select(returns.c.order_id)
        .join(return_lines, return_lines.c.return_id == returns.c.id)
        .where(return_lines.c.reason.in_(FAULTS), returns.c.order_id.is_not(None), visible(returns))
    )
    perfect = and_(lines.c.on_time >= lines.c.units, orders.c.id.not_in(faulty))
    return (
        select(
            *_order_dimensions(),
            orders.c.promised_on.label("day"),
            literal(1).label("orders"),
            flag(perfect).label("perfect"),
        )
        .join(lines, lines.c.order_id == orders.c.id)
        .where(visible(orders), orders.c.promised_on < scope.today, lines.c.units > 0)
    )


_LINE = frozenset({"item", "warehouse", "channel", "customer_country", "order_status"})
_ORDER = frozenset({"channel", "customer_country", "order_status"})

FACTS = (
    Fact(
        "ordered",
        _ordered,
        _LINE,
        (Measure("orders", "distinct"), Measure("units"), Measure("gross_units"), Measure("cancelled")),
        dated=True,
        records="order_line",
    ),
    Fact(
        "shipped",
        _shipped,
        _LINE,
        (
            Measure("units"),
            Measure("net_sales"),
            Measure("costed_sales", nullable=True),
            Measure("cost", nullable=True),
            Measure("markdown"),
        ),
        dated=True,
        records="order_line",
    ),
    Fact(
        "freight_out", _freight_out, _LINE, (Measure("cost", whole=False),), dated=True, records="order_line"
    ),
    Fact(
        "promised",
        _promised,
        _LINE,
        (Measure("units"), Measure("shipped_on_time")),
        dated=True,
        records="order_line",
    ),
    Fact(
        "open_orders", _open_orders, _LINE, (Measure("units"), Measure("backordered")), records="order_line"
    ),
    Fact(
        "order_outcomes",
        _order_outcomes,
        _ORDER,
        tuple(
            Measure(name) for name in ("shipped_orders", "cycle_days", "multi_unit_orders", "split_orders")
        ),
        dated=True,
        records="order",
    ),
    Fact(
        "order_promises",
        _order_promises,
        _ORDER,
        (Measure("orders"), Measure("perfect")),
        dated=True,
        records="order",
    ),
)
