"""What people do with an invoice that is not simply payable: dispute it, give it an owner, accept it, reject it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.finance.queries import rates_on
from erp_core.finance.rules import converted
from erp_core.gate.contract import (
    Asked,
    Command,
    DomainError,
    Done,
    Event,
    Facts,
    NotFound,
    Task,
    Transaction,
)
from erp_core.gate.model import users
from erp_core.master.queries.reasons import Reasons
from erp_core.master.values import Comment, ReasonCode
from erp_core.procurement.commands.invoice_cases import Waiting, raise_waiting
from erp_core.procurement.commands.matching import documents, standing_findings
from erp_core.procurement.invoices.book import Invoice, InvoiceBook
from erp_core.procurement.invoices.errors import InvoiceMoved
from erp_core.procurement.invoices.separation import take_duty
from erp_core.procurement.model import po_lines
from erp_core.procurement.model.invoices import (
    supplier_invoice_charges,
    supplier_invoice_lines,
    supplier_invoices,
)
from erp_core.procurement.ordering.purchase_orders import PurchaseOrders
from erp_core.storage.lookup import fetch_in, there


class _OnInvoice(Command):
    invoice_id: UUID

    @property
    def subject(self) -> tuple[str, UUID]:
        """The invoice."""
        return ("supplier_invoice", self.invoice_id)


class DisputeSupplierInvoice(_OnInvoice):
    """The company does not agree with an invoice, held or matched: nothing is paid until that is settled.

    It has an owner who settles it with the supplier; then it is matched again, accepted or rejected.
    """

    reason_code: ReasonCode
    owner_id: UUID
    comment: Comment | None = None


class AssignSupplierInvoice(_OnInvoice):
    """Give an invoice that is held or disputed to somebody."""

    owner_id: UUID


class AcceptSupplierInvoice(_OnInvoice):
    """Make an invoice payable as it is, whatever its round of matching found. Governed: it is paid beyond the match."""

    round: int
    reason_code: ReasonCode
    comment: Comment | None = None


class RejectSupplierInvoice(_OnInvoice):
    """Send an invoice back: it is never paid, and its number may come again."""

    reason_code: ReasonCode
    comment: Comment | None = None


def dispute(task: Task[DisputeSupplierInvoice], tx: Transaction) -> Done:
    """From held or matched to disputed."""
    command, book = task.command, InvoiceBook.of(tx)
    Reasons.of(tx).require("invoice_dispute", command.reason_code)
    _require_user(tx, command.owner_id)
    invoice = _load(book, command.invoice_id)
    invoice.reason_code = command.reason_code
    before = invoice.status
    if before == "held":
        invoice.held_since = None
    book.step_to(invoice, "disputed", task)
    invoice.owner_role, invoice.owner_id = "finance", command.owner_id
    (document,) = documents(tx.connection, [invoice])
    PurchaseOrders.of(tx).load(document.po_ids)
    findings = standing_findings(tx.connection, [invoice.id]) if before == "held" else {}
    waiting = Waiting(task, document, findings.get(invoice.id, []))
    raise_waiting(tx, [waiting], "the invoice is disputed")
    return _told("SupplierInvoiceDisputed", invoice, before)


def assign(task: Task[AssignSupplierInvoice], tx: Transaction) -> Done:
    """Write the owner."""
    command, book = task.command, InvoiceBook.of(tx)
    _require_user(tx, command.owner_id)
    invoice = _load(book, command.invoice_id)
    if invoice.held_since is None:
        raise InvoiceMoved(
            f"invoice {invoice.number} is {invoice.status}",
            field="invoice_id",
            remedy="only what is held or disputed has an owner",
        )
    invoice.owner_id = command.owner_id
    book.changed(invoice, task)
    return _told("SupplierInvoiceAssigned", invoice, invoice.status)


def accept(task: Task[AcceptSupplierInvoice], tx: Transaction) -> Done:
    """From held or disputed to matched, by a person's word."""
    command, book = task.command, InvoiceBook.of(tx)
    Reasons.of(tx).require("invoice_acceptance", command.reason_code)
    invoice = _load(book, command.invoice_id)
    if invoice.round != command.round:
        raise InvoiceMoved(
            f"invoice {invoice.number} was matched again since",
            field="round",
            remedy="look at what holds it now, and decide on that",
            round=invoice.round,
        )
    (document,) = documents(tx.connection, [invoice])
    take_duty(task, tx, document.po_ids, "matcher")
    invoice.reason_code = command.reason_code
    before = invoice.status
    book.step_to(invoice, "matched", task)
    raise_waiting(tx, [], over=[(task, invoice)])
    return _told("SupplierInvoiceAccepted", invoice, before)


def reject(task: Task[RejectSupplierInvoice], tx: Transaction) -> Done:
    """From held or disputed to rejected."""
    command, book = task.command, InvoiceBook.of(tx)
    Reasons.of(tx).require("invoice_dispute", command.reason_code)
    invoice = _load(book, command.invoice_id)
    invoice.reason_code = command.reason_code
    before = invoice.status
    book.step_to(invoice, "rejected", task)
    raise_waiting(tx, [], over=[(task, invoice)])
    return _told("SupplierInvoiceRejected", invoice, before)


def acceptance_facts(
    asked: Sequence[Asked[AcceptSupplierInvoice]], connection: Connection
) -> Sequence[Facts | DomainError]:
    """What the policy weighs: the invoice's total in company currency, and that no receiver approves it."""
    table = supplier_invoices.c
    statement = select(table.id, table.currency, table.total, table.invoiced_on)
    ids = [one.command.invoice_id for one in asked]
    rows = {row.id: row for row in fetch_in(connection, statement, table.id, ids)}
    orders = _orders_by_invoice(connection, ids)
    found: list[Facts | DomainError] = []
    for id_ in ids:
        row = rows.get(id_)
        if row is None:
            found.append(
                NotFound("there is no such invoice", field="invoice_id", remedy="look it up by its number")
            )
            continue
        rate = rates_on(connection, [row.currency], row.invoiced_on).get(row.currency)
        facts: dict[str, Any] = {
            "approver_duties": [("purchase_order", str(po_id), "matcher") for po_id in orders.get(id_, ())]
        }
        found.append(facts if rate is None else facts | {"amount": converted(row.total, rate)})
    return found


def _orders_by_invoice(connection: Connection, invoice_ids: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    lines = select(supplier_invoice_lines.c.invoice_id, po_lines.c.po_id).join(
        po_lines, po_lines.c.id == supplier_invoice_lines.c.po_line_id
    )
    charges = select(supplier_invoice_charges.c.invoice_id, supplier_invoice_charges.c.po_id)
    found: dict[UUID, dict[UUID, None]] = {}
    for statement, column in (
        (lines.distinct(), supplier_invoice_lines.c.invoice_id),
        (charges.distinct(), supplier_invoice_charges.c.invoice_id),
    ):
        for row in fetch_in(connection, statement, column, invoice_ids):
            found.setdefault(row.invoice_id, {})[row.po_id] = None
    return {id_: sorted(orders) for id_, orders in found.items()}


def acceptance_read_sets(
    asked: Sequence[Asked[AcceptSupplierInvoice]], connection: Connection
) -> Sequence[list[dict[str, Any]] | DomainError]:
    """A proposal rests on the status and on the round that was looked at."""
    table = supplier_invoices.c
    statement = select(table.id, table.status, table.round)
    ids = [one.command.invoice_id for one in asked]
    rows = {row.id: row for row in fetch_in(connection, statement, table.id, ids)}
    return [
        [{"fact": f"invoice {id_}", "value": [rows[id_].status, rows[id_].round], "tolerance": None}]
        if id_ in rows
        else NotFound("there is no such invoice", field="invoice_id", remedy="look it up by its number")
        for id_ in ids
    ]


def _load(book: InvoiceBook, invoice_id: UUID) -> Invoice:
    book.load([invoice_id])
    return book.get(invoice_id)


def _require_user(tx: Transaction, user_id: UUID) -> None:
    if not there(tx.connection, users.c.id, [user_id]):
        raise NotFound("there is no such user", field="owner_id", remedy="give the id of a user")


def _told(event: str, invoice: Invoice, before: str) -> Done:
    result = {"invoice_id": str(invoice.id), "number": invoice.number, "status": invoice.status}
    happened = Event(event, "supplier_invoice", invoice.id, invoice.version, result)
    return Done(result, (happened,), before={"status": before}, after={"status": invoice.status})
