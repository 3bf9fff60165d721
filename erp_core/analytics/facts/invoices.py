"""Suppliers' invoices: how they matched, what waits, and what they charge beside the price that was agreed.

An invoice may bill several orders: its parts carry their orders' dimensions, and an amount of the whole is shared over
them by value.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Float,
    Select,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    select,
    union_all,
)

from erp_core.analytics.expressions import divided
from erp_core.analytics.facts.fact import Fact, Measure, Scope
from erp_core.analytics.facts.purchasing import order_dimensions
from erp_core.finance.model import exchange_rates
from erp_core.finance.rules import RATE_SCALE
from erp_core.gate.model import company
from erp_core.procurement.invoices.rules import PAYABLE
from erp_core.procurement.model import po_lines, purchase_orders
from erp_core.procurement.model.invoices import (
    invoice_steps,
    supplier_invoice_charges,
    supplier_invoice_lines,
    supplier_invoices,
)

WAITING = ("held", "disputed")

_INVOICE, _LINE, _CHARGE = supplier_invoices.c, supplier_invoice_lines.c, supplier_invoice_charges.c


def rate_on(currency: ColumnElement[str], day: ColumnElement[date]) -> ColumnElement[Any]:
    """Company currency for one unit of a currency on a day; NULL where there is no rate. Where the company names no
    currency, every one is its own.
    """
    own = select(company.c.value).where(company.c.key == "currency").scalar_subquery()
    newest = (
        select(exchange_rates.c.rate)
        .where(exchange_rates.c.currency == currency, exchange_rates.c.valid_from <= day)
        .order_by(exchange_rates.c.valid_from.desc())
        .limit(1)
        .correlate_except(exchange_rates)
        .scalar_subquery()
    )
    return case(
        (func.coalesce(own, currency) == currency, literal(1.0, Float)),
        else_=cast(newest, Float) / RATE_SCALE,
    )


def _parts() -> Select[Any]:
    """Lines and charges with the order and the item that each is for, and its share of the invoice."""
    lines = select(
        _LINE.invoice_id,
        po_lines.c.po_id,
        po_lines.c.item_id,
        (_LINE.quantity * _LINE.unit_price).label("amount"),
    ).join(po_lines, po_lines.c.id == _LINE.po_line_id)
    charges = select(
        _CHARGE.invoice_id,
        _CHARGE.po_id,
        cast(null(), po_lines.c.item_id.type),
        case((_CHARGE.kind == "deduction", 0), else_=_CHARGE.amount),
    )
    both = union_all(lines, charges).subquery("both").c
    whole: dict[str, Any] = {"partition_by": both.invoice_id}
    amount, parts = func.sum(both.amount).over(**whole), func.count().over(**whole)
    share = case((amount != 0, divided(both.amount, amount)), else_=divided(literal(1), parts))
    return select(both.invoice_id, both.po_id, both.item_id, share.label("share"))


def _invoice_parts(*columns: Any) -> Select[Any]:
    parts = _parts().subquery("parts")
    return (
        select(
            parts.c.item_id.label("item"),
            *order_dimensions(),
            *(column(parts.c.share) if callable(column) else column for column in columns),
        )
        .select_from(parts)
        .join(supplier_invoices, _INVOICE.id == parts.c.invoice_id)
        .join(purchase_orders, purchase_orders.c.id == parts.c.po_id)
        .where(_INVOICE.kind == "invoice")
    )


def _took(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether one of the invoice's steps holds these."""
    return exists().where(invoice_steps.c.invoice_id == _INVOICE.id, *conditions)


def _recorded(scope: Scope) -> Select[Any]:
    by_itself = and_(_INVOICE.status.in_(PAYABLE), ~_took(invoice_steps.c.reason_code.is_not(None)))
    return _invoice_parts(
        _INVOICE.recorded_on.label("day"),
        _INVOICE.id.label("invoices"),
        case((by_itself, _INVOICE.id)).label("matched"),
        case((_took(invoice_steps.c.status.in_(WAITING)), _INVOICE.id)).label("waited"),
    )


def _waiting(scope: Scope) -> Select[Any]:
    """Invoices held or disputed at the end of the scope's day."""
    worth = rate_on(_INVOICE.currency, _INVOICE.invoiced_on)

    def value(share: ColumnElement[Any]) -> ColumnElement[Any]:
        return (cast(_INVOICE.total, Float) * share * worth).label("value")

    rows = _invoice_parts(value)
    if scope.as_of >= scope.today:
        return rows.where(_INVOICE.status.in_(WAITING))
    newest = (
        select(invoice_steps.c.invoice_id, func.max(invoice_steps.c.version).label("version"))
        .where(invoice_steps.c.happened_on <= scope.as_of)
        .group_by(invoice_steps.c.invoice_id)
        .subquery("newest")
    )
    stood = and_(
        invoice_steps.c.version == newest.c.version,
        invoice_steps.c.invoice_id == newest.c.invoice_id,
        invoice_steps.c.status.in_(WAITING),
    )
    return rows.join(newest, newest.c.invoice_id == _INVOICE.id).join(invoice_steps, stood)


def _billed(scope: Scope) -> Select[Any]:
    """Lines of payable invoices and credit notes: what price and currency did since the order was made."""
    sign = case((_INVOICE.kind == "credit_note", -1), else_=1)
    units = case((_LINE.price_only == 1, 0), else_=_LINE.quantity)
    paid = cast(_LINE.quantity * _LINE.unit_price * sign, Float)
    agreed = cast(units * po_lines.c.reference_price * sign, Float)
    ordered = rate_on(_INVOICE.currency, purchase_orders.c.created_on)
    billed = rate_on(_INVOICE.currency, _INVOICE.invoiced_on)
    return (
        select(
            po_lines.c.item_id.label("item"),
            *order_dimensions(),
            _INVOICE.invoiced_on.label("day"),
            ((paid - agreed) * ordered).label("price_variance"),
            (paid * (billed - ordered)).label("currency_variance"),
        )
        .select_from(supplier_invoice_lines)
        .join(supplier_invoices, _INVOICE.id == _LINE.invoice_id)
        .join(po_lines, po_lines.c.id == _LINE.po_line_id)
        .join(purchase_orders, purchase_orders.c.id == po_lines.c.po_id)
        .where(_INVOICE.status.in_(PAYABLE))
    )


_DIMENSIONS = frozenset({"supplier", "buyer", "warehouse", "po_status", "item"})

FACTS = (
    Fact(
        "invoices",
        _recorded,
        _DIMENSIONS,
        (Measure("invoices", "distinct"), Measure("matched", "distinct"), Measure("waited", "distinct")),
        dated=True,
        records="supplier_invoice",
    ),
    Fact(
        "waiting_invoices",
        _waiting,
        _DIMENSIONS,
        (Measure("value", whole=False, nullable=True),),
        past=True,
        records="supplier_invoice",
    ),
    Fact(
        "billed_lines",
        _billed,
        _DIMENSIONS,
        (
            Measure("price_variance", whole=False, nullable=True),
            Measure("currency_variance", whole=False, nullable=True),
        ),
        dated=True,
        records="po_line",
    ),
)
