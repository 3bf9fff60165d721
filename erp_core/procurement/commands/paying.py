"""Paying suppliers: whole invoices that are matched, less credit notes that are, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlalchemy import Connection, select

from erp_core.finance.journal import Journal, JournalSource
from erp_core.finance.queries import rates_on
from erp_core.finance.rules import converted
from erp_core.gate.contract import Asked, Command, DomainError, Done, Event, Facts, Task, Transaction
from erp_core.master.commands.records import AlreadyExists
from erp_core.procurement.commands.matching import documents
from erp_core.procurement.invoices.book import Invoice, InvoiceBook
from erp_core.procurement.invoices.errors import NotPayable
from erp_core.procurement.invoices.separation import take_duty
from erp_core.procurement.model.invoices import supplier_invoices, supplier_payments
from erp_core.storage.bulk import insert_rows
from erp_core.storage.lookup import fetch_in, there


class PaySupplierInvoices(Command):
    """Pay a supplier these invoices less these credit notes, all matched and in one currency. Governed by the amount."""

    payment_id: UUID
    supplier_id: UUID
    invoice_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=500)]

    @property
    def subject(self) -> tuple[str, UUID]:
        """The payment."""
        return ("supplier_payment", self.payment_id)


def pay(task: Task[PaySupplierInvoices], tx: Transaction) -> Done:
    """Write a payment for each invoice, and step it to paid. The database refuses one that is not matched."""
    command, book = task.command, InvoiceBook.of(tx)
    tx.flush()
    ids = list(dict.fromkeys(command.invoice_ids))
    book.load(ids)
    invoices = [book.get(id_) for id_ in ids]
    _check(command, invoices)
    if there(tx.connection, supplier_payments.c.payment_id, [command.payment_id]):
        raise AlreadyExists(
            "this payment is made already", field="payment_id", remedy="make a new id for another payment"
        )
    orders = dict.fromkeys(po_id for one in documents(tx.connection, invoices) for po_id in one.po_ids)
    take_duty(task, tx, orders, "payer")
    insert_rows(
        tx.connection,
        supplier_payments,
        [
            {
                "payment_id": command.payment_id,
                "invoice_id": one.id,
                "supplier_id": command.supplier_id,
                "amount": one.sign * one.total,
                "paid_on": task.occurred_on,
                "audit_id": task.audit_id,
            }
            for one in invoices
        ],
    )
    for one in invoices:
        book.step_to(one, "paid", task)
    _post(task, Journal.of(tx), invoices)
    amount = sum(one.sign * one.total for one in invoices)
    result = {"payment_id": str(command.payment_id), "amount": amount, "invoices": len(invoices)}
    event = Event("SupplierPaid", "supplier_payment", command.payment_id, 1, result)
    return Done(result, (event,), after={"amount": amount, "invoices": [str(one.id) for one in invoices]})


def _post(task: Task[PaySupplierInvoices], journal: Journal, invoices: Sequence[Invoice]) -> None:
    """From the bank, at the rate of the day; what an invoice was worth more or less is an exchange difference."""
    day, audit_id = task.occurred_on, task.audit_id
    source = JournalSource("payment", "supplier_payment", task.command.payment_id, day, audit_id)
    for one in invoices:
        paid = journal.worth(one.currency, one.sign * one.total, day)
        journal.post("payables", "bank", paid, source, debit_of=one.id)


def _check(command: PaySupplierInvoices, invoices: Sequence[Invoice]) -> None:
    for one in invoices:
        if one.supplier_id != command.supplier_id:
            raise NotPayable(
                f"invoice {one.number} is another supplier's",
                field="invoice_ids",
                remedy="pay each supplier on its own",
            )
        if one.status != "matched":
            raise NotPayable(
                f"invoice {one.number} is {one.status}",
                field="invoice_ids",
                remedy="leave it out; what is held or disputed is resolved first",
                status=one.status,
            )
    if len({one.currency for one in invoices}) > 1:
        raise NotPayable(
            "the invoices are in several currencies",
            field="invoice_ids",
            remedy="pay each currency on its own",
        )
    if sum(one.sign * one.total for one in invoices) < 0:
        raise NotPayable(
            "the credit notes come to more than the invoices",
            field="invoice_ids",
            remedy="keep a credit note for later invoices",
        )


def payment_facts(
    asked: Sequence[Asked[PaySupplierInvoices]], connection: Connection
) -> Sequence[Facts | DomainError]:
    """What the policy weighs: the amount in company currency; none where a currency has no rate."""
    table = supplier_invoices.c
    statement = select(table.id, table.kind, table.currency, table.total)
    ids = {id_ for one in asked for id_ in one.command.invoice_ids}
    rows = {row.id: row for row in fetch_in(connection, statement, table.id, ids)}
    found: list[Facts | DomainError] = []
    for one in asked:
        own = [rows[id_] for id_ in dict.fromkeys(one.command.invoice_ids) if id_ in rows]
        day = one.occurred_at.date() if one.occurred_at else None
        rates = {} if day is None else rates_on(connection, {row.currency for row in own}, day)
        if not own or any(row.currency not in rates for row in own):
            found.append({})
            continue
        due = [(-1 if row.kind == "credit_note" else 1, row) for row in own]
        found.append({"amount": sum(sign * converted(row.total, rates[row.currency]) for sign, row in due)})
    return found
