"""What is owed for goods that came, and what was paid for goods that did not, at the end of a day."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, literal, select

from erp_core.analytics.expressions import days_between
from erp_core.analytics.facts.fact import Fact, Measure, Scope
from erp_core.analytics.facts.purchasing import order_dimensions, ordered_lines, with_receipts
from erp_core.master.model import suppliers
from erp_core.procurement.model import po_lines, purchase_orders, receipt_lines, receipts
from erp_core.procurement.model.invoices import (
    invoice_steps,
    supplier_invoice_charges,
    supplier_invoice_lines,
    supplier_invoices,
)

_SIGN = case((supplier_invoices.c.kind == "credit_note", -1), else_=1)


def _paid(scope: Scope) -> ColumnElement[bool]:
    """Whether the invoice was paid by the scope's day."""
    step = invoice_steps.c
    return exists().where(
        step.invoice_id == supplier_invoices.c.id, step.status == "paid", step.happened_on <= scope.as_of
    )


def _payables(scope: Scope) -> tuple[Select[Any], ...]:
    """Goods accepted less what was paid for them; where nobody bills a line, until the supplier's payment days are over."""
    came = receipts.c.received_on <= scope.as_of
    value = (receipt_lines.c.accepted_quantity * po_lines.c.unit_price).label("value")
    billed = exists().where(
        supplier_invoice_lines.c.po_line_id == po_lines.c.id,
        supplier_invoice_lines.c.invoice_id == supplier_invoices.c.id,
        supplier_invoices.c.recorded_on <= scope.as_of,
        supplier_invoices.c.status != "rejected",
    )
    age = days_between(receipts.c.received_on, literal(scope.as_of))
    in_time = and_(~billed, age < suppliers.c.payment_days)
    unbilled = with_receipts(value, as_of=scope.as_of).join(
        suppliers, suppliers.c.id == purchase_orders.c.supplier_id
    )
    amount = -supplier_invoice_lines.c.quantity * supplier_invoice_lines.c.unit_price * _SIGN
    paid = (
        ordered_lines(amount.label("value"))
        .join(supplier_invoice_lines, supplier_invoice_lines.c.po_line_id == po_lines.c.id)
        .join(supplier_invoices, supplier_invoices.c.id == supplier_invoice_lines.c.invoice_id)
        .where(_paid(scope))
    )
    return unbilled.where(came, in_time), with_receipts(value, as_of=scope.as_of).where(came, billed), paid


def _prepayments(scope: Scope) -> Select[Any]:
    """Payments in advance that were paid, less what later invoices took off."""
    charge = supplier_invoice_charges.c
    amount = case((charge.kind == "deduction", -charge.amount), else_=charge.amount) * _SIGN
    return (
        select(*order_dimensions(), amount.label("value"))
        .select_from(supplier_invoice_charges)
        .join(supplier_invoices, supplier_invoices.c.id == charge.invoice_id)
        .join(purchase_orders, purchase_orders.c.id == charge.po_id)
        .where(charge.kind.in_(("prepayment", "deduction")), _paid(scope))
    )


_ORDER = frozenset({"supplier", "buyer", "warehouse", "po_status"})

FACTS = (
    Fact("payables", _payables, _ORDER | {"item"}, (Measure("value"),), past=True, records="po_line"),
    Fact("prepayments", _prepayments, _ORDER, (Measure("value"),), past=True, records="po"),
)
