"""Suppliers' invoices as records. Their numbers, which suppliers write, are told only to people, by the invoice itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, select, union

from erp_core.analytics.record_kind import RecordKind
from erp_core.master.model import items, locations, suppliers
from erp_core.procurement.model import po_lines, purchase_orders
from erp_core.procurement.model.invoices import (
    supplier_invoice_charges,
    supplier_invoice_lines,
    supplier_invoices,
)

_INVOICE = supplier_invoices.c


def _of_order(column: ColumnElement[Any]) -> Callable[[tuple[Any, ...]], ColumnElement[bool]]:
    """Invoices that bill something of an order with one of these members."""

    def condition(ids: tuple[Any, ...]) -> ColumnElement[bool]:
        orders = (
            select(purchase_orders.c.id)
            .join(locations, locations.c.id == purchase_orders.c.location_id)
            .where(column.in_(ids))
        )
        lines = (
            select(supplier_invoice_lines.c.invoice_id)
            .join(po_lines, po_lines.c.id == supplier_invoice_lines.c.po_line_id)
            .where(po_lines.c.po_id.in_(orders))
        )
        charges = select(supplier_invoice_charges.c.invoice_id).where(
            supplier_invoice_charges.c.po_id.in_(orders)
        )
        return _INVOICE.id.in_(union(lines, charges))

    return condition


def _of_item(column: ColumnElement[Any]) -> Callable[[tuple[Any, ...]], ColumnElement[bool]]:
    """Invoices that bill one of these items."""
    return lambda ids: _INVOICE.id.in_(
        select(supplier_invoice_lines.c.invoice_id)
        .join(po_lines, po_lines.c.id == supplier_invoice_lines.c.po_line_id)
        .join(items, items.c.id == po_lines.c.item_id)
        .where(column.in_(ids))
    )


SUPPLIER_INVOICE = RecordKind(
    "supplier_invoice",
    supplier_invoices,
    lambda: supplier_invoices.join(suppliers, suppliers.c.id == _INVOICE.supplier_id),
    {
        "supplier": suppliers.c.code,
        "supplier_name": suppliers.c.name,
        "kind": _INVOICE.kind,
        "status": _INVOICE.status,
        "currency": _INVOICE.currency,
        "total": _INVOICE.total,
        "invoiced_on": _INVOICE.invoiced_on,
        "recorded_on": _INVOICE.recorded_on,
        "due_on": _INVOICE.due_on,
        "held_since": _INVOICE.held_since,
        "owner_role": _INVOICE.owner_role,
        "reason_code": _INVOICE.reason_code,
    },
    _INVOICE.number,
    {"supplier": _INVOICE.supplier_id},
    _INVOICE.recorded_on,
    (_INVOICE.recorded_on.desc(), _INVOICE.id),
    frozenset({"total"}),
    {"total": "see_cost"},
    _INVOICE.kind == "invoice",
    linked={
        **{name: _of_item(items.c[name]) for name in ("category", "brand", "abc_class")},
        "item": _of_item(items.c.id),
        "buyer": _of_order(purchase_orders.c.buyer_id),
        "warehouse": _of_order(purchase_orders.c.location_id),
        "po_status": _of_order(purchase_orders.c.status),
        "legal_entity": _of_order(locations.c.legal_entity_id),
    },
)
