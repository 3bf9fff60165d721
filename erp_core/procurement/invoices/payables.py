"""What is owed to suppliers by invoice, at any date, told in two ways that must agree."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, case, func, select

from erp_core.procurement.model.invoices import invoice_steps, supplier_invoices, supplier_payments

_SIGN = case((supplier_invoices.c.kind == "credit_note", -1), else_=1)


def payables(connection: Connection, day: date) -> dict[str, int]:
    """What was booked less what was paid by the end of a day, by currency; credit notes count against it."""
    booked = (
        select(
            supplier_invoices.c.currency,
            func.sum(invoice_steps.c.booked * supplier_invoices.c.total * _SIGN),
        )
        .join(supplier_invoices, supplier_invoices.c.id == invoice_steps.c.invoice_id)
        .where(invoice_steps.c.happened_on <= day)
        .group_by(supplier_invoices.c.currency)
    )
    paid = (
        select(supplier_invoices.c.currency, -func.sum(supplier_payments.c.amount))
        .join(supplier_invoices, supplier_invoices.c.id == supplier_payments.c.invoice_id)
        .where(supplier_payments.c.paid_on <= day)
        .group_by(supplier_invoices.c.currency)
    )
    found: dict[str, int] = {}
    for currency, amount in (*connection.execute(booked), *connection.execute(paid)):
        found[currency] = found.get(currency, 0) + int(amount)
    return {currency: amount for currency, amount in sorted(found.items()) if amount}


def payables_by_invoice(connection: Connection, day: date) -> dict[str, int]:
    """The totals of the invoices whose status was *matched* at the end of a day, by currency."""
    newest = (
        select(invoice_steps.c.invoice_id, func.max(invoice_steps.c.version).label("version"))
        .where(invoice_steps.c.happened_on <= day)
        .group_by(invoice_steps.c.invoice_id)
        .subquery()
    )
    open_ones = (
        select(supplier_invoices.c.currency, func.sum(supplier_invoices.c.total * _SIGN))
        .join(invoice_steps, invoice_steps.c.invoice_id == supplier_invoices.c.id)
        .join(
            newest,
            (newest.c.invoice_id == invoice_steps.c.invoice_id)
            & (newest.c.version == invoice_steps.c.version),
        )
        .where(invoice_steps.c.status == "matched")
        .group_by(supplier_invoices.c.currency)
    )
    return {
        currency: int(amount) for currency, amount in sorted(connection.execute(open_ones).all()) if amount
    }
