"""Returns: by return day, by ship cohort, by disposition day, and what waits; and credits without a return."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, String, cast, func, literal, null, select

from erp_core.analytics.expressions import days_between, only
from erp_core.analytics.facts.fact import Fact, Measure, Scope, visible
from erp_core.orders.model import order_lines
from erp_core.returns.model import return_lines, returns
from erp_core.returns.model_credits import customer_credit_lines, customer_credits
from erp_core.returns.rules import NOTHING_BACK, STRANDED_AFTER_DAYS


def _lines(*columns: Any) -> Select[Any]:
    """Lines of returns that came back; an authorisation alone is no return."""
    dimensions: tuple[ColumnElement[Any], ...] = (
        returns.c.order_id.label("order"),
        return_lines.c.item_id.label("item"),
        return_lines.c.location_id.label("warehouse"),
        return_lines.c.channel_id.label("channel"),
        return_lines.c.customer_country,
        return_lines.c.reason.label("return_reason"),
        return_lines.c.disposition,
    )
    return (
        select(*dimensions, *columns)
        .select_from(return_lines)
        .join(returns, returns.c.id == return_lines.c.return_id)
        .where(visible(returns), returns.c.status.not_in(NOTHING_BACK))
    )


def _returned(scope: Scope) -> Select[Any]:
    return _lines(
        return_lines.c.returned_on.label("day"),
        return_lines.c.return_id.label("returns"),
        return_lines.c.quantity.label("units"),
        return_lines.c.refund,
        (return_lines.c.refund - func.coalesce(return_lines.c.recovered, 0)).label("loss"),
    )


def _return_cohort(scope: Scope) -> Select[Any]:
    return _lines(return_lines.c.shipped_on.label("day"), return_lines.c.quantity.label("units")).where(
        return_lines.c.shipped_on.is_not(None)
    )


def _disposed(scope: Scope) -> Select[Any]:
    restocked = return_lines.c.disposition == "restock"
    days = days_between(return_lines.c.returned_on, return_lines.c.disposed_on)
    return _lines(
        return_lines.c.disposed_on.label("day"),
        return_lines.c.recovered,
        return_lines.c.written_off,
        only(restocked, return_lines.c.quantity).label("restock_units"),
        only(restocked, return_lines.c.quantity * days).label("restock_unit_days"),
        days.label("days"),
    ).where(return_lines.c.disposed_on.is_not(None))


def _undisposed(scope: Scope) -> Select[Any]:
    age = days_between(return_lines.c.returned_on, literal(scope.today))
    return _lines(return_lines.c.quantity.label("stranded_units")).where(
        return_lines.c.disposed_on.is_(None), returns.c.import_id.is_(None), age > STRANDED_AFTER_DAYS
    )


def _credited(scope: Scope) -> Select[Any]:
    """Nothing came back, so that neither a return's reason nor a disposition is known of it."""
    return (
        select(
            order_lines.c.order_id.label("order"),
            order_lines.c.item_id.label("item"),
            order_lines.c.location_id.label("warehouse"),
            order_lines.c.channel_id.label("channel"),
            order_lines.c.customer_country,
            cast(null(), String).label("return_reason"),
            cast(null(), String).label("disposition"),
            customer_credits.c.credited_on.label("day"),
            customer_credit_lines.c.amount,
        )
        .select_from(customer_credit_lines)
        .join(customer_credits, customer_credits.c.id == customer_credit_lines.c.credit_id)
        .join(order_lines, order_lines.c.id == customer_credit_lines.c.order_line_id)
        .where(visible(order_lines))
    )


_LINE = frozenset({"item", "warehouse", "channel", "customer_country", "return_reason", "disposition"})

FACTS = (
    Fact(
        "returned",
        _returned,
        _LINE,
        (Measure("returns", "distinct"), Measure("units"), Measure("refund"), Measure("loss")),
        dated=True,
        records="return_line",
    ),
    Fact("return_cohort", _return_cohort, _LINE, (Measure("units"),), dated=True, records="return_line"),
    Fact(
        "disposed",
        _disposed,
        _LINE,
        (
            Measure("recovered", nullable=True),
            Measure("written_off", nullable=True),
            Measure("restock_units"),
            Measure("restock_unit_days"),
            Measure("days", "value"),
        ),
        dated=True,
        records="return_line",
    ),
    Fact("credited", _credited, _LINE, (Measure("amount"),), dated=True, records="order_line"),
    Fact("undisposed", _undisposed, _LINE, (Measure("stranded_units"),), records="return_line"),
)
