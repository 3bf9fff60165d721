"""Purchasing: orders sent, what is open, what was due, receipts, lead times, approvals, payables."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Float, Select, and_, case, cast, func, literal, null, or_, select

from erp_core.analytics.dimensions import DELAY_CLASSES
from erp_core.analytics.expressions import day_of, days_between, divided, flag, only, seconds_between
from erp_core.analytics.facts.fact import Fact, Measure, Scope, visible
from erp_core.master.model import supplier_items, suppliers
from erp_core.procurement.model import (
    held_decisions,
    po_lines,
    purchase_orders,
    receipt_lines,
    receipts,
    vendor_claims,
    vendor_returns,
)
from erp_core.procurement.receiving.reversing import stands
from erp_core.returns.model import return_lines

COMMITTED = ("approved", "sent", "confirmed", "shipped", "partly_received")
WITH_SUPPLIER = ("sent", "confirmed", "shipped", "partly_received")
PLACED = (*WITH_SUPPLIER, "received", "closed")

_wanted = po_lines.c.quantity - po_lines.c.cancelled_quantity
_open = _wanted - po_lines.c.accepted_quantity
_due_on = func.coalesce(po_lines.c.first_promised_on, po_lines.c.promised_on, po_lines.c.need_by)


def order_dimensions() -> tuple[ColumnElement[Any], ...]:
    """What facts about purchase orders carry of the order."""
    return (
        purchase_orders.c.supplier_id.label("supplier"),
        purchase_orders.c.buyer_id.label("buyer"),
        purchase_orders.c.location_id.label("warehouse"),
        purchase_orders.c.status.label("po_status"),
    )


def ordered_lines(*columns: Any) -> Select[Any]:
    """Lines of purchase orders with what they carry, and these columns."""
    return (
        select(po_lines.c.item_id.label("item"), *order_dimensions(), *columns)
        .select_from(po_lines)
        .join(purchase_orders, purchase_orders.c.id == po_lines.c.po_id)
        .where(visible(purchase_orders))
    )


def _external() -> ColumnElement[bool]:
    """Orders placed outside: own warehouses that supply others are no suppliers to judge."""
    own = select(suppliers.c.id).where(suppliers.c.internal.is_(True))
    return purchase_orders.c.supplier_id.not_in(own)


def is_placed() -> ColumnElement[bool]:
    """Orders that went to the supplier, also those whose source does not say on which day."""
    return or_(purchase_orders.c.sent_on.is_not(None), purchase_orders.c.status.in_(PLACED))


def is_late(scope: Scope) -> ColumnElement[bool]:
    """An open line of a sent order whose first confirmed day (needed day without one) has passed."""
    return and_(purchase_orders.c.status.in_(WITH_SUPPLIER), _open > 0, _due_on < scope.today)


def _purchase_lines(scope: Scope) -> Select[Any]:
    return ordered_lines(purchase_orders.c.created_on.label("day"), po_lines.c.po_id.label("orders")).where(
        purchase_orders.c.status != "cancelled"
    )


def _sent_lines(scope: Scope) -> Select[Any]:
    listed = po_lines.c.quantity * po_lines.c.unit_price
    totals = (
        select(po_lines.c.po_id, func.sum(listed).label("value"), func.count().label("lines"))
        .group_by(po_lines.c.po_id)
        .subquery()
    )
    share = case(
        (totals.c.value != 0, divided(listed, totals.c.value)), else_=divided(literal(1), totals.c.lines)
    )
    value = _wanted * po_lines.c.unit_price
    sources = (
        select(supplier_items.c.item_id)
        .join(suppliers, suppliers.c.id == supplier_items.c.supplier_id)
        .where(suppliers.c.status == "active")
        .group_by(supplier_items.c.item_id)
        .having(func.count() > 1)
    )
    return (
        ordered_lines(
            func.coalesce(purchase_orders.c.sent_on, purchase_orders.c.created_on).label("day"),
            value.label("value"),
            only(po_lines.c.item_id.not_in(sources), value).label("single_source_value"),
            (purchase_orders.c.freight_cost * share).label("freight"),
            (purchase_orders.c.expedite_cost * share).label("expedite"),
        )
        .join(totals, totals.c.po_id == po_lines.c.po_id)
        .where(is_placed(), _external())
    )


def _open_purchases(scope: Scope) -> Select[Any]:
    late = is_late(scope)
    return ordered_lines(
        _open.label("units"),
        only(purchase_orders.c.status.in_(WITH_SUPPLIER), _open).label("on_order"),
        (_open * po_lines.c.unit_price).label("value"),
        flag(late).label("late_lines"),
        only(late, _open * po_lines.c.unit_price).label("late_value"),
    ).where(purchase_orders.c.status.in_(COMMITTED), _open > 0)


def _due_lines(scope: Scope) -> Select[Any]:
    """Lines that were due. Closing a short order forgives the supplier nothing; a cancelled line leaves the base."""
    on_time = po_lines.c.completed_on <= po_lines.c.first_promised_on
    faultless = po_lines.c.rejected_quantity == 0
    by_promise = po_lines.c.accepted_by_promise
    wanted = case((purchase_orders.c.status == "closed", po_lines.c.quantity), else_=_wanted)
    return ordered_lines(
        po_lines.c.first_promised_on.label("day"),
        literal(1).label("lines"),
        flag(on_time).label("on_time"),
        flag(po_lines.c.completed_on <= po_lines.c.promised_on).label("on_time_latest"),
        flag(and_(po_lines.c.accepted_quantity >= wanted, faultless)).label("in_full"),
        flag(and_(on_time, faultless)).label("otif"),
        wanted.label("units"),
        case((by_promise > wanted, wanted), else_=by_promise).label("units_on_time"),
    ).where(
        _external(),
        is_placed(),
        po_lines.c.first_promised_on < scope.today,
        wanted > 0,
    )


def with_receipts(*columns: Any, as_of: date | None = None) -> Select[Any]:
    """The same for each line of a receipt that was not reversed; `as_of`: not by the end of that day."""
    return (
        ordered_lines(*columns)
        .join(receipt_lines, receipt_lines.c.po_line_id == po_lines.c.id)
        .join(receipts, receipts.c.id == receipt_lines.c.receipt_id)
        .where(visible(receipts), stands(by=as_of))
    )


def _receipt_lines(scope: Scope) -> Select[Any]:
    accepted = receipt_lines.c.accepted_quantity
    value = accepted * po_lines.c.unit_price
    extra = purchase_orders.c.freight_cost + purchase_orders.c.expedite_cost
    return with_receipts(
        receipts.c.received_on.label("day"),
        literal(1).label("lines"),
        receipt_lines.c.exact,
        accepted.label("accepted"),
        receipt_lines.c.held_quantity.label("held"),
        receipt_lines.c.rejected_quantity.label("rejected"),
        value.label("value"),
        func.coalesce(cast(extra, Float) * divided(value, purchase_orders.c.total), 0.0).label(
            "landed_extra"
        ),
        (accepted * (po_lines.c.unit_price - po_lines.c.reference_price)).label("price_variance"),
    )


def _supplied_units(scope: Scope) -> tuple[Select[Any], ...]:
    """Units that came, and those found defective: at the door, on inspection, in stock, and claimed back afterwards.

    A unit that goes back from stock counts only where it was not counted on inspection, and while it is not taken back.
    """

    def columns(
        day: ColumnElement[Any], arrived: ColumnElement[Any], defects: ColumnElement[Any]
    ) -> tuple[ColumnElement[Any], ...]:
        return day.label("day"), arrived.label("arrived"), defects.label("defects")

    came = receipt_lines.c
    arrived = came.accepted_quantity + came.held_quantity + came.rejected_quantity
    received = with_receipts(
        *columns(receipts.c.received_on, arrived, came.rejected_quantity + came.quarantined_quantity)
    )
    found = held_decisions.c
    inspected = (
        ordered_lines(*columns(found.decided_on, literal(0), found.quantity))
        .join(held_decisions, found.po_line_id == po_lines.c.id)
        .where(found.held_for == "inspection", found.decision.in_(("return", "quarantine")))
    )
    nobody = cast(null(), purchase_orders.c.buyer_id.type).label("buyer")
    claimed = (
        select(
            vendor_claims.c.item_id.label("item"),
            vendor_claims.c.supplier_id.label("supplier"),
            nobody,
            return_lines.c.location_id.label("warehouse"),
            cast(null(), purchase_orders.c.status.type).label("po_status"),
            *columns(vendor_claims.c.opened_on, literal(0), vendor_claims.c.quantity),
        )
        .join(return_lines, return_lines.c.id == vendor_claims.c.return_line_id)
        .where(vendor_claims.c.supplier_id.is_not(None))
    )
    back = vendor_returns.c
    sent_back = (
        ordered_lines(*columns(back.returned_on, literal(0), back.new_defects))
        .join(vendor_returns, back.po_line_id == po_lines.c.id)
        .join(vendor_claims, vendor_claims.c.vendor_return_id == back.id)
        .where(back.new_defects > 0, vendor_claims.c.status != "withdrawn")
    )
    return received, inspected, claimed, sent_back


def _lead_times(scope: Scope) -> tuple[Select[Any], ...]:
    """Accepted receipts, and the open units of late lines at their age today."""

    def columns(day: ColumnElement[Any], units: ColumnElement[Any]) -> tuple[ColumnElement[Any], ...]:
        days = days_between(purchase_orders.c.sent_on, day)
        return (
            day.label("day"),
            units.label("units"),
            days.label("days"),
            (units * days).label("unit_days"),
            (units * days * days).label("unit_days_squared"),
            literal(1).label("records"),
        )

    sent = and_(purchase_orders.c.sent_on.is_not(None), _external())
    received = with_receipts(*columns(receipts.c.received_on, receipt_lines.c.accepted_quantity)).where(
        sent, receipt_lines.c.accepted_quantity > 0
    )
    late = ordered_lines(*columns(literal(scope.today), _open)).where(sent, is_late(scope))
    return received, late


def _adherence(scope: Scope) -> tuple[Select[Any], ...]:
    """Units by how many days after the first confirmed day they came; those still owed on late lines as late as today."""

    def columns(day: ColumnElement[Any], units: ColumnElement[Any]) -> tuple[ColumnElement[Any], ...]:
        gap = days_between(po_lines.c.first_promised_on, day)
        return (
            day.label("day"),
            units.label("units"),
            case((gap.is_(None), 0), else_=units).label("confirmed_units"),
            func.coalesce(units * gap, 0).label("unit_days"),
            _delay_class(gap).label("delay_class"),
        )

    received = with_receipts(*columns(receipts.c.received_on, receipt_lines.c.accepted_quantity)).where(
        _external(), receipt_lines.c.accepted_quantity > 0
    )
    late = ordered_lines(*columns(literal(scope.today), _open)).where(_external(), is_late(scope))
    return received, late


def _delay_class(days: ColumnElement[Any]) -> ColumnElement[str]:
    bounds = (-8, -1, 0, 7, 14, 30)
    return case(
        (days.is_(None), DELAY_CLASSES[-1]),
        *((days <= bound, DELAY_CLASSES[place]) for place, bound in enumerate(bounds)),
        else_=DELAY_CLASSES[len(bounds)],
    )


def _approvals(scope: Scope) -> Select[Any]:
    submitted, approved = purchase_orders.c.submitted_at, purchase_orders.c.approved_at
    return select(
        *order_dimensions(),
        day_of(approved).label("day"),
        literal(1).label("orders"),
        (cast(seconds_between(submitted, approved), Float) / 3600.0).label("hours"),
    ).where(visible(purchase_orders), submitted.is_not(None), approved.is_not(None))


_ORDER = frozenset({"supplier", "buyer", "warehouse", "po_status"})
_LINE = _ORDER | {"item"}


def _measures(*names: str) -> tuple[Measure, ...]:
    return tuple(Measure(name) for name in names)


FACTS = (
    Fact(
        "purchase_lines",
        _purchase_lines,
        _LINE,
        (Measure("orders", "distinct"),),
        dated=True,
        records="po_line",
    ),
    Fact(
        "sent_lines",
        _sent_lines,
        _LINE,
        (
            *_measures("value", "single_source_value"),
            Measure("freight", whole=False),
            Measure("expedite", whole=False),
        ),
        dated=True,
        records="po_line",
    ),
    Fact(
        "open_purchases",
        _open_purchases,
        _LINE,
        _measures("units", "on_order", "value", "late_lines", "late_value"),
        records="po_line",
    ),
    Fact(
        "due_lines",
        _due_lines,
        _LINE,
        _measures("lines", "on_time", "on_time_latest", "in_full", "otif", "units", "units_on_time"),
        dated=True,
        records="po_line",
    ),
    Fact(
        "receipt_lines",
        _receipt_lines,
        _LINE,
        (
            *_measures("lines", "exact", "accepted", "held", "rejected", "value", "price_variance"),
            Measure("landed_extra", whole=False),
        ),
        dated=True,
        records="po_line",
    ),
    Fact(
        "supplied_units",
        _supplied_units,
        _LINE,
        _measures("arrived", "defects"),
        dated=True,
        records="po_line",
    ),
    Fact(
        "lead_times",
        _lead_times,
        _LINE,
        (*_measures("units", "unit_days", "unit_days_squared", "records"), Measure("days", "value")),
        dated=True,
        records="po_line",
    ),
    Fact(
        "adherence",
        _adherence,
        _LINE | {"delay_class"},
        _measures("units", "confirmed_units", "unit_days"),
        dated=True,
        records="po_line",
    ),
    Fact(
        "approvals",
        _approvals,
        _ORDER,
        (Measure("orders"), Measure("hours", whole=False)),
        dated=True,
        records="po",
    ),
)
