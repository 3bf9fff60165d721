"""Matching again: what was held because goods were still to come, or what was disputed, may be payable now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlalchemy import Connection, select

from erp_core.gate.contract import Command, Done, Event, IllegalTransition, Task, Transaction
from erp_core.procurement.commands.invoice_cases import Waiting, raise_waiting
from erp_core.procurement.commands.invoices import hold
from erp_core.procurement.invoices.book import Invoice, InvoiceBook
from erp_core.procurement.invoices.matcher import Document, Matcher
from erp_core.procurement.invoices.reading import Known, orders_of
from erp_core.procurement.invoices.rules import Finding
from erp_core.procurement.invoices.separation import take_duty
from erp_core.procurement.model.invoices import invoice_findings, supplier_invoices
from erp_core.procurement.ordering.purchase_orders import PurchaseOrders
from erp_core.storage.lookup import fetch_in

AT_ONCE = 2_000

_HELD = (
    select(supplier_invoices.c.id)
    .where(supplier_invoices.c.status == "held")
    .order_by(supplier_invoices.c.held_since, supplier_invoices.c.id)
    .limit(AT_ONCE)
)
_FINDINGS = (
    select(invoice_findings)
    .join(
        supplier_invoices,
        (supplier_invoices.c.id == invoice_findings.c.invoice_id)
        & (supplier_invoices.c.round == invoice_findings.c.round),
    )
    .order_by(invoice_findings.c.position)
)


class MatchSupplierInvoices(Command):
    """Match invoices again: those named, held or disputed, or all that are held where none is named.

    Credit notes come last, so that one finds its invoice payable. What is found as before stays as it is.
    """

    invoice_ids: Annotated[tuple[UUID, ...], Field(max_length=AT_ONCE)] = ()


def documents(connection: Connection, invoices: Sequence[Invoice]) -> list[Document]:
    """These invoices with what they bill."""
    known = Known.read(connection, [one.id for one in invoices])
    po_of = orders_of(connection, {line.po_line_id for lines in known.lines.values() for line in lines})
    return [Document(one, known.billed(one.id, one.currency, one.tax, one.total), po_of) for one in invoices]


def standing_findings(connection: Connection, invoice_ids: Iterable[UUID]) -> dict[UUID, list[Finding]]:
    """Why these invoices are held, as the last round found it."""
    found: dict[UUID, list[Finding]] = {}
    for row in fetch_in(connection, _FINDINGS, invoice_findings.c.invoice_id, invoice_ids):
        found.setdefault(row.invoice_id, []).append(
            Finding(row.code, row.expected, row.actual, row.allowed, row.po_line_id, row.po_id, row.other_id)
        )
    return found


def match_supplier_invoices(task: Task[MatchSupplierInvoices], tx: Transaction) -> Done:
    """Match, and let go what is payable now."""
    tx.flush()
    book, orders, named = InvoiceBook.of(tx), PurchaseOrders.of(tx), task.command.invoice_ids
    ids = list(named) or list(tx.connection.scalars(_HELD))
    book.load(ids)
    invoices = sorted((book.get(id_) for id_ in dict.fromkeys(ids)), key=lambda one: one.kind, reverse=True)
    invoices.sort(key=lambda one: (one.kind == "credit_note", one.recorded_on, one.id))
    for one in invoices:
        if one.status not in ("held", "disputed"):
            raise IllegalTransition(
                f"invoice {one.number} is {one.status}",
                field="invoice_ids",
                remedy="only what is held or disputed is matched again",
            )
    found = documents(tx.connection, invoices)
    if named:
        take_duty(task, tx, dict.fromkeys(po_id for one in found for po_id in one.po_ids), "matcher")
    before = standing_findings(tx.connection, [one.id for one in invoices])
    matcher = Matcher(tx.connection, orders, found)
    matched: list[Invoice] = []
    waiting: list[Waiting] = []
    events: list[Event] = []
    for document in found:
        invoice, findings = document.invoice, matcher.match(document)
        if findings:
            _hold_again(task, book, orders, document, findings, before.get(invoice.id, []))
            waiting.append(Waiting(task, document, findings))
            continue
        invoice.round += 1
        book.step_to(invoice, "matched", task)
        matched.append(invoice)
        events.append(
            Event(
                "SupplierInvoiceMatched",
                "supplier_invoice",
                invoice.id,
                invoice.version,
                {"status": "matched"},
            )
        )
    raise_waiting(tx, waiting, "found when it was matched again", [(task, one) for one in matched])
    after = {"matched": len(matched), "held": len(waiting)}
    return Done(after | {"matched": [str(one.id) for one in matched]}, tuple(events), after=after)


def _hold_again(
    task: Task[MatchSupplierInvoices],
    book: InvoiceBook,
    orders: PurchaseOrders,
    document: Document,
    findings: Sequence[Finding],
    before: Sequence[Finding],
) -> None:
    invoice = document.invoice
    disputed = invoice.status == "disputed"
    if list(findings) != list(before):
        invoice.round += 1
        book.found(invoice, findings)
        if not disputed:
            book.changed(invoice, task)
    if disputed:
        invoice.held_since = None
        hold(invoice, findings, document, orders, task.occurred_on)
        invoice.status = "disputed"
        book.step_to(invoice, "held", task)
