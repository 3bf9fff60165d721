"""Goods received and not invoiced, at any date, and what prices did to cost on the way from order to invoice.

Both are read from documents that are only added (receipts, decisions about held goods, the steps of invoices), so that a
past day gives today what it gave then.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, case, func, select

from erp_core.procurement.model import credited_returns, po_lines, purchase_orders, receipt_lines, receipts
from erp_core.procurement.model.invoices import invoice_steps, supplier_invoice_lines, supplier_invoices
from erp_core.procurement.model.receiving import held_decisions, unordered_decisions
from erp_core.procurement.receiving.reversing import stands
from erp_core.storage.lookup import fetch_in


@dataclass(frozen=True, slots=True)
class Accrual:
    """A line received and not, or not wholly, invoiced; below zero where more was invoiced than received.

    `value` is at the order's price, in the order's currency: what was taken into stock for these units.
    """

    po_line_id: UUID
    po_id: UUID
    supplier_id: UUID
    currency: str
    received: int
    invoiced: int
    unit_price: int

    @property
    def units(self) -> int:
        """Received and not invoiced."""
        return self.received - self.invoiced

    @property
    def value(self) -> int:
        """What is owed for them and not billed."""
        return self.units * self.unit_price


@dataclass(frozen=True, slots=True)
class PriceVariance:
    """What a line costs more than the price in force when it was ordered, at each stage; None where that is not reached.

    Money for all units concerned: ordered, confirmed, accepted, invoiced.
    """

    po_line_id: UUID
    ordered: int
    at_confirmation: int | None
    at_receipt: int | None
    at_invoice: int | None


_PRICES = select(
    po_lines.c.id,
    po_lines.c.quantity,
    po_lines.c.unit_price,
    po_lines.c.reference_price,
    po_lines.c.accepted_quantity,
    po_lines.c.confirmed_quantity,
    po_lines.c.confirmed_price,
)
_SIGN = case((supplier_invoices.c.kind == "credit_note", -1), else_=1)
_LINE = supplier_invoice_lines.c
_UNITS = case((_LINE.price_only == 1, 0), else_=_LINE.quantity)


def accruals(connection: Connection, day: date) -> list[Accrual]:
    """Every line whose received and invoiced units differ at the end of a day. Imported history is left out.

    Credited units that a claim covers stay received and invoiced: they went back by themselves.
    """
    came = (
        select(receipt_lines.c.po_line_id, func.sum(receipt_lines.c.accepted_quantity).label("units"))
        .join(receipts, receipts.c.id == receipt_lines.c.receipt_id)
        .where(receipts.c.received_on <= day, receipts.c.import_id.is_(None), stands(by=day))
        .group_by(receipt_lines.c.po_line_id)
    )
    booked = (
        select(_LINE.po_line_id, func.sum(_UNITS * _SIGN * invoice_steps.c.booked).label("units"))
        .join(supplier_invoices, supplier_invoices.c.id == _LINE.invoice_id)
        .join(invoice_steps, invoice_steps.c.invoice_id == _LINE.invoice_id)
        .where(invoice_steps.c.happened_on <= day, invoice_steps.c.booked != 0)
        .group_by(_LINE.po_line_id)
    )
    kept = (
        select(held_decisions.c.po_line_id, func.sum(held_decisions.c.quantity).label("units"))
        .where(held_decisions.c.decision == "accept", held_decisions.c.decided_on <= day)
        .group_by(held_decisions.c.po_line_id)
    )
    agreed = (
        select(unordered_decisions.c.po_line_id, func.sum(unordered_decisions.c.quantity).label("units"))
        .where(unordered_decisions.c.decision == "accept", unordered_decisions.c.decided_on <= day)
        .group_by(unordered_decisions.c.po_line_id)
    )
    received: dict[UUID, int] = {}
    for row in (*connection.execute(came), *connection.execute(kept), *connection.execute(agreed)):
        received[row.po_line_id] = received.get(row.po_line_id, 0) + int(row.units)
    sent_back = (
        select(
            credited_returns.c.po_line_id,
            func.sum(credited_returns.c.quantity * invoice_steps.c.booked).label("units"),
        )
        .join(invoice_steps, invoice_steps.c.invoice_id == credited_returns.c.invoice_id)
        .where(invoice_steps.c.happened_on <= day, invoice_steps.c.booked != 0)
        .group_by(credited_returns.c.po_line_id)
    )
    invoiced: dict[UUID, int] = {}
    for row in (*connection.execute(booked), *connection.execute(sent_back)):
        invoiced[row.po_line_id] = invoiced.get(row.po_line_id, 0) + int(row.units)
    differing = [
        line_id
        for line_id in received.keys() | invoiced.keys()
        if received.get(line_id, 0) != invoiced.get(line_id, 0)
    ]
    statement = (
        select(
            po_lines.c.id,
            po_lines.c.po_id,
            purchase_orders.c.supplier_id,
            purchase_orders.c.currency,
            po_lines.c.unit_price,
        )
        .join(purchase_orders, purchase_orders.c.id == po_lines.c.po_id)
        .order_by(purchase_orders.c.number, po_lines.c.line_no)
    )
    return [
        Accrual(
            row.id,
            row.po_id,
            row.supplier_id,
            row.currency,
            received.get(row.id, 0),
            invoiced.get(row.id, 0),
            row.unit_price,
        )
        for row in fetch_in(connection, statement, po_lines.c.id, differing)
    ]


def price_variances(connection: Connection, po_line_ids: Iterable[UUID]) -> list[PriceVariance]:
    """By line and stage, above zero where it is dearer. Invoices count while they are payable."""
    wanted = list(po_line_ids)
    billed = (
        select(
            _LINE.po_line_id,
            func.sum(_LINE.quantity * _LINE.unit_price * _SIGN).label("value"),
            func.sum(_UNITS * _SIGN).label("units"),
        )
        .join(supplier_invoices, supplier_invoices.c.id == _LINE.invoice_id)
        .where(supplier_invoices.c.status.in_(("matched", "paid")))
        .group_by(_LINE.po_line_id)
    )
    invoiced = {row.po_line_id: row for row in fetch_in(connection, billed, _LINE.po_line_id, wanted)}
    found = []
    for row in fetch_in(connection, _PRICES, po_lines.c.id, wanted):
        units, price = row.confirmed_quantity, row.confirmed_price
        bill = invoiced.get(row.id)
        found.append(
            PriceVariance(
                row.id,
                (row.unit_price - row.reference_price) * row.quantity,
                None
                if price is None
                else (price - row.reference_price) * (row.quantity if units is None else units),
                (row.unit_price - row.reference_price) * row.accepted_quantity
                if row.accepted_quantity
                else None,
                None if bill is None else int(bill.value) - int(bill.units) * row.reference_price,
            )
        )
    return found
