"""Reads of suppliers' invoices: what is held, why, since when, whose it is and what is proposed about it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, func, select

from erp_core.procurement.invoices.numbers import number_key
from erp_core.procurement.invoices.resolutions import Resolution, resolve
from erp_core.procurement.invoices.rules import Finding
from erp_core.procurement.model import po_lines
from erp_core.procurement.model.invoices import (
    invoice_findings,
    invoice_steps,
    supplier_invoice_lines,
    supplier_invoices,
)
from erp_core.storage.lookup import fetch_in


@dataclass(frozen=True, slots=True)
class SupplierInvoice:
    """An invoice as a list shows it. `age_days` counts since it is held or disputed; None when it is neither."""

    id: UUID
    supplier_id: UUID
    number: str
    kind: str
    credits_id: UUID | None
    currency: str
    tax: int
    total: int
    invoiced_on: date
    due_on: date
    status: str
    held_since: date | None
    age_days: int | None
    round: int
    owner_role: str | None
    owner_id: UUID | None
    reason_code: str | None
    version: int


@dataclass(frozen=True, slots=True)
class HoldReason:
    """Why an invoice is held, in figures, with the proposal about it."""

    code: str
    po_line_id: UUID | None
    po_id: UUID | None
    other_id: UUID | None
    expected: int
    actual: int
    allowed: int
    owner: str
    action: str
    amount: int | None
    explanation: str


@dataclass(frozen=True, slots=True)
class InvoiceStep:
    """A status that the invoice took."""

    status: str
    happened_on: date
    user_id: UUID
    reason_code: str | None


@dataclass(frozen=True, slots=True)
class SupplierInvoiceDetail:
    """An invoice with what holds it and what happened to it."""

    invoice: SupplierInvoice
    reasons: Sequence[HoldReason]
    steps: Sequence[InvoiceStep]


_TABLE = supplier_invoices.c
_COLUMNS = (
    _TABLE.id,
    _TABLE.supplier_id,
    _TABLE.number,
    _TABLE.kind,
    _TABLE.credits_id,
    _TABLE.currency,
    _TABLE.tax,
    _TABLE.total,
    _TABLE.invoiced_on,
    _TABLE.due_on,
    _TABLE.status,
    _TABLE.held_since,
    _TABLE.round,
    _TABLE.owner_role,
    _TABLE.owner_id,
    _TABLE.reason_code,
    _TABLE.version,
)


def list_supplier_invoices(
    connection: Connection,
    today: date,
    *,
    statuses: Collection[str] | None = None,
    supplier_id: UUID | None = None,
    owner_id: UUID | None = None,
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[SupplierInvoice], int]:
    """A page of invoices, those that wait longest first and then the latest, and how many there are."""
    conditions: list[ColumnElement[bool]] = []
    if statuses is not None:
        conditions.append(_TABLE.status.in_(list(statuses)))
    if supplier_id is not None:
        conditions.append(_TABLE.supplier_id == supplier_id)
    if owner_id is not None:
        conditions.append(_TABLE.owner_id == owner_id)
    total = connection.scalar(select(func.count()).select_from(supplier_invoices).where(*conditions)) or 0
    statement = select(*_COLUMNS).where(*conditions)
    ordered = statement.order_by(
        _TABLE.held_since.is_(None), _TABLE.held_since, _TABLE.invoiced_on.desc(), _TABLE.id
    )
    rows = connection.execute(ordered.limit(limit).offset(offset)).all()
    return [_shown(row, today) for row in rows], total


def supplier_invoice(connection: Connection, invoice_id: UUID, today: date) -> SupplierInvoiceDetail | None:
    """One invoice in full, or None when there is none."""
    row = connection.execute(select(*_COLUMNS).where(_TABLE.id == invoice_id)).one_or_none()
    if row is None:
        return None
    steps = connection.execute(
        select(
            invoice_steps.c.status,
            invoice_steps.c.happened_on,
            invoice_steps.c.user_id,
            invoice_steps.c.reason_code,
        )
        .where(invoice_steps.c.invoice_id == invoice_id)
        .order_by(invoice_steps.c.version)
    )
    shown = _shown(row, today)
    reasons = hold_reasons(connection, shown) if shown.age_days is not None else []
    return SupplierInvoiceDetail(shown, reasons, [InvoiceStep(*step) for step in steps])


def any_held(connection: Connection) -> bool:
    """Whether an invoice is held that goods may have made payable since."""
    return connection.scalar(select(_TABLE.id).where(_TABLE.status == "held").limit(1)) is not None


def hold_reasons(connection: Connection, invoice: SupplierInvoice) -> list[HoldReason]:
    """What the last round of matching found, each with its owner, proposal and explanation."""
    table = invoice_findings.c
    rows = connection.execute(
        select(invoice_findings)
        .where(table.invoice_id == invoice.id, table.round == invoice.round)
        .order_by(table.position)
    ).all()
    lines = {
        row.id: row
        for row in fetch_in(
            connection,
            select(po_lines.c.id, po_lines.c.quantity, po_lines.c.unit_price),
            po_lines.c.id,
            [row.po_line_id for row in rows if row.po_line_id is not None],
        )
    }
    billed = select(
        supplier_invoice_lines.c.po_line_id, func.sum(supplier_invoice_lines.c.quantity).label("units")
    )
    units = {
        row.po_line_id: int(row.units)
        for row in connection.execute(
            billed.where(supplier_invoice_lines.c.invoice_id == invoice.id).group_by(
                supplier_invoice_lines.c.po_line_id
            )
        )
    }
    return [_reason(row, lines.get(row.po_line_id), units.get(row.po_line_id, 0)) for row in rows]


def _reason(row: Any, line: Any, units: int) -> HoldReason:
    finding = Finding(
        row.code, row.expected, row.actual, row.allowed, row.po_line_id, row.po_id, row.other_id
    )
    told: Resolution = resolve(
        finding,
        ordered=0 if line is None else line.quantity,
        units=units,
        unit_price=0 if line is None else line.unit_price,
    )
    return HoldReason(
        row.code,
        row.po_line_id,
        row.po_id,
        row.other_id,
        row.expected,
        row.actual,
        row.allowed,
        told.owner,
        told.action,
        told.amount,
        told.explanation,
    )


def _shown(row: Any, today: date) -> SupplierInvoice:
    age = None if row.held_since is None else (today - row.held_since).days
    return SupplierInvoice(age_days=age, **row._mapping)


def find_supplier_invoice(connection: Connection, supplier_id: UUID, number: str) -> UUID | None:
    """The supplier's invoice of this number, however it is spelt, that was not rejected; credit notes are none."""
    return connection.scalar(
        select(_TABLE.id).where(
            _TABLE.supplier_id == supplier_id,
            _TABLE.number_key == number_key(number),
            _TABLE.kind == "invoice",
            _TABLE.status != "rejected",
        )
    )
