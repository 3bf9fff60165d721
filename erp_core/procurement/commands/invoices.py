"""What suppliers bill: recorded as it came, and matched at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from sqlalchemy import Table, select

from erp_core.finance.journal import Journal
from erp_core.gate.contract import Command, DomainError, Done, Duty, Event, NotFound, Task, Transaction
from erp_core.gate.supplier_logins import require_own_supplier
from erp_core.master.commands.records import unknown
from erp_core.master.model import suppliers
from erp_core.master.values import LARGEST_AMOUNT, Amount, Currency, Units
from erp_core.procurement.commands.invoice_cases import Waiting, raise_waiting
from erp_core.procurement.invoices.book import Invoice, InvoiceBook
from erp_core.procurement.invoices.errors import InvoiceExists, NotTheSuppliersOrder
from erp_core.procurement.invoices.matcher import Document, Matcher
from erp_core.procurement.invoices.numbers import number_key
from erp_core.procurement.invoices.reading import orders_of
from erp_core.procurement.invoices.resolutions import Owner, resolve
from erp_core.procurement.invoices.rules import Billed, BilledCharge, BilledLine, Finding
from erp_core.procurement.model import purchase_orders
from erp_core.procurement.model.invoices import (
    supplier_invoice_charges,
    supplier_invoice_lines,
    supplier_invoices,
)
from erp_core.procurement.ordering.purchase_orders import PurchaseOrders
from erp_core.storage.locks import lock_names
from erp_core.storage.lookup import AnyRow, fetch_in, fetch_in_pairs, there

InvoiceNumber = Annotated[
    str, StringConstraints(strip_whitespace=True, pattern=r"^[^\W_][\w .,:#/+-]{0,39}$", max_length=40)
]


class InvoiceLine(BaseModel):
    """Units of a purchase order line at a price, in the currency of the invoice.

    On a credit note `price_only` gives back a part of the price of these units, and none of the units.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    po_id: UUID
    po_line_id: UUID
    quantity: Units
    unit_price: Amount
    price_only: bool = False


class InvoiceCharge(BaseModel):
    """Beside goods: `freight` of an order, a `prepayment` for it, or the `deduction` of one that was paid."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    po_id: UUID
    kind: Literal["freight", "prepayment", "deduction"]
    amount: Annotated[int, Field(ge=1, le=LARGEST_AMOUNT, description="money in ten-thousandths")]


class RecordSupplierInvoice(Command):
    """A supplier's invoice, or its credit note (`credits` names the invoice that it is about), as it came.

    It is matched at once with what was ordered, accepted and billed before: payable, or held with the reasons. The same
    number of the same supplier, however it is spelt, is refused unless the first was rejected.
    """

    invoice_id: UUID
    supplier_id: UUID
    number: InvoiceNumber
    kind: Literal["invoice", "credit_note"] = "invoice"
    credits: UUID | None = None
    currency: Currency
    invoiced_on: date
    due_on: date | None = Field(default=None, description="left out: by the supplier's payment days")
    lines: tuple[InvoiceLine, ...] = Field(default=(), max_length=500)
    charges: tuple[InvoiceCharge, ...] = Field(default=(), max_length=100)
    tax: Amount = 0
    total: Amount

    @model_validator(mode="after")
    def _bills_something(self) -> Self:
        if not self.lines and not self.charges:
            raise ValueError("lines and charges are empty: an invoice bills something")
        if (self.kind == "credit_note") != (self.credits is not None):
            raise ValueError(
                "credits names the invoice that a credit note is about, and only a credit note's"
            )
        if self.kind == "invoice" and any(line.price_only for line in self.lines):
            raise ValueError("lines.price_only is for credit notes")
        if len({(one.po_id, one.kind) for one in self.charges}) < len(self.charges):
            raise ValueError("charges name an order and a kind once: add them up")
        return self

    @property
    def subject(self) -> tuple[str, UUID]:
        """The invoice."""
        return ("supplier_invoice", self.invoice_id)

    @property
    def po_ids(self) -> list[UUID]:
        """The orders that it bills, each once."""
        parts = [*(line.po_id for line in self.lines), *(charge.po_id for charge in self.charges)]
        return list(dict.fromkeys(parts))

    @property
    def billed(self) -> Billed:
        """What it bills, in the form that the match takes."""
        return Billed(
            self.currency,
            [
                BilledLine(line.po_line_id, line.quantity, line.unit_price, line.price_only)
                for line in self.lines
            ],
            [BilledCharge(one.po_id, one.kind, one.amount) for one in self.charges],
            self.tax,
            self.total,
        )


def matcher_of(command: RecordSupplierInvoice) -> list[Duty]:
    """Who records an invoice matches it, and has not received what it bills."""
    return [Duty("purchase_order", po_id, "matcher") for po_id in command.po_ids]


def record_supplier_invoices(
    tasks: Sequence[Task[RecordSupplierInvoice]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Keep the invoices and match them, one after the other."""
    book, connection = InvoiceBook.of(tx), tx.connection
    tx.flush()
    commands = [task.command for task in tasks]
    numbers = {(one.supplier_id, number_key(one.number)) for one in commands}
    lock_names(connection, (f"invoice {supplier_id} {key}" for supplier_id, key in numbers))
    checks, journal = _Checks.read(tx, commands, numbers), Journal.of(tx)
    outcomes: list[Done | DomainError | None] = [checks.refusal(task, journal) for task in tasks]
    documents = [
        _document(task, checks) if outcome is None else None
        for task, outcome in zip(tasks, outcomes, strict=True)
    ]
    matcher = Matcher(connection, PurchaseOrders.of(tx), [one for one in documents if one is not None])
    done: list[Done | DomainError] = []
    waiting: list[Waiting] = []
    for task, outcome, document in zip(tasks, outcomes, documents, strict=True):
        if outcome is not None or document is None:
            assert outcome is not None
            done.append(outcome)
            continue
        findings = matcher.match(document)
        invoice = document.invoice
        if findings:
            hold(invoice, findings, document, PurchaseOrders.of(tx), task.occurred_on)
            waiting.append(Waiting(task, document, findings))
        else:
            invoice.status = "matched"
        book.add(invoice, _rows(document), task)
        book.found(invoice, findings)
        done.append(told("SupplierInvoiceRecorded", invoice, findings))
    raise_waiting(tx, waiting, "found when the invoice was matched")
    return done


def hold(
    invoice: Invoice, findings: Sequence[Finding], document: Document, orders: PurchaseOrders, since: date
) -> None:
    """The invoice waits, since when and for whom: finance where it is wrong in itself, else the order's buyer."""
    owners: set[Owner] = {resolve(one, ordered=0, units=0, unit_price=0).owner for one in findings}
    invoice.status, invoice.held_since = "held", invoice.held_since or since
    invoice.owner_role = "finance" if "finance" in owners else "buyer"
    buyer = orders.get(document.po_ids[0]).buyer_id
    invoice.owner_id = buyer if invoice.owner_role == "buyer" else None


def told(event: str, invoice: Invoice, findings: Sequence[Finding], before: str | None = None) -> Done:
    """The outcome: the status, and the reasons where it is held."""
    codes = list(dict.fromkeys(one.code for one in findings))
    result: dict[str, Any] = {
        "invoice_id": str(invoice.id),
        "number": invoice.number,
        "status": invoice.status,
        "reasons": codes,
    }
    happened = Event(event, "supplier_invoice", invoice.id, invoice.version, result)
    after = {"status": invoice.status, "reasons": codes, "total": invoice.total}
    return Done(result, (happened,), before=None if before is None else {"status": before}, after=after)


class _Checks:
    """What a batch of invoices is checked against before it is matched."""

    def __init__(
        self,
        taken: set[UUID],
        numbers: dict[tuple[UUID, str], str],
        supplier_days: dict[UUID, int | None],
        supplier_of: dict[UUID, UUID],
        po_of: dict[UUID, UUID],
        credited: dict[UUID, AnyRow],
    ) -> None:
        self._taken, self._numbers, self._days = taken, numbers, supplier_days
        self._supplier_of, self.po_of, self._credited = supplier_of, po_of, credited

    @classmethod
    def read(
        cls, tx: Transaction, commands: Sequence[RecordSupplierInvoice], numbers: set[tuple[UUID, str]]
    ) -> _Checks:
        connection, table = tx.connection, supplier_invoices.c
        same = select(table.supplier_id, table.number_key, table.number).where(table.status != "rejected")
        known = fetch_in_pairs(connection, same, (table.supplier_id, table.number_key), numbers)
        days = select(suppliers.c.id, suppliers.c.payment_days)
        orders = select(purchase_orders.c.id, purchase_orders.c.supplier_id)
        credited = select(table.id, table.supplier_id, table.kind)
        return cls(
            there(connection, table.id, [one.invoice_id for one in commands]),
            {(row.supplier_id, row.number_key): row.number for row in known},
            {
                row.id: row.payment_days
                for row in fetch_in(connection, days, suppliers.c.id, {one.supplier_id for one in commands})
            },
            {
                row.id: row.supplier_id
                for row in fetch_in(
                    connection, orders, purchase_orders.c.id, {id_ for one in commands for id_ in one.po_ids}
                )
            },
            orders_of(connection, {line.po_line_id for one in commands for line in one.lines}),
            {
                row.id: row
                for row in fetch_in(
                    connection, credited, table.id, {one.credits for one in commands if one.credits}
                )
            },
        )

    def refusal(self, task: Task[RecordSupplierInvoice], journal: Journal) -> DomainError | None:
        """Why the invoice cannot be kept at all; a good one takes its id and number."""
        command = task.command
        key = (command.supplier_id, number_key(command.number))
        try:
            require_own_supplier(task.principal, command.command_name, command.supplier_id)
            if command.supplier_id not in self._days:
                raise unknown("supplier", command.supplier_id)
            if command.invoice_id in self._taken:
                raise InvoiceExists(
                    "this invoice is recorded already", field="invoice_id", remedy="use a new id for another"
                )
            if key in self._numbers:
                raise InvoiceExists(
                    f"invoice {self._numbers[key]} of this supplier is recorded already",
                    field="number",
                    remedy="it is the same invoice; a corrected one has a number of its own, or the first is rejected",
                    number=self._numbers[key],
                )
            self._require_orders(command)
            journal.worth(command.currency, 0, task.occurred_on)
        except DomainError as error:
            return error
        self._taken.add(command.invoice_id)
        self._numbers[key] = command.number
        return None

    def _require_orders(self, command: RecordSupplierInvoice) -> None:
        for po_id in command.po_ids:
            if self._supplier_of.get(po_id) != command.supplier_id:
                raise NotTheSuppliersOrder(
                    "the supplier has no such purchase order",
                    field="lines.po_id",
                    remedy="bill an order of this supplier",
                )
        for line in command.lines:
            if self.po_of.get(line.po_line_id) != line.po_id:
                raise NotFound(
                    "the order has no such line", field="lines.po_line_id", remedy="bill a line of the order"
                )
        if command.credits is not None:
            credited = self._credited.get(command.credits)
            if credited is None or credited.supplier_id != command.supplier_id or credited.kind != "invoice":
                raise NotFound(
                    "the supplier has no such invoice",
                    field="credits",
                    remedy="name the invoice that the credit note is about",
                )

    def due_on(self, command: RecordSupplierInvoice) -> date:
        """The day it is to be paid: its own, else after the supplier's payment days."""
        return command.due_on or command.invoiced_on + timedelta(days=self._days[command.supplier_id] or 0)


def _document(task: Task[RecordSupplierInvoice], checks: _Checks) -> Document:
    command = task.command
    invoice = Invoice(
        id=command.invoice_id,
        supplier_id=command.supplier_id,
        number=command.number,
        number_key=number_key(command.number),
        kind=command.kind,
        credits_id=command.credits,
        currency=command.currency,
        tax=command.tax,
        total=command.total,
        invoiced_on=command.invoiced_on,
        due_on=checks.due_on(command),
        recorded_on=task.occurred_on,
        status="held",
        held_since=None,
        round=1,
        owner_role=None,
        owner_id=None,
        reason_code=None,
        version=1,
        audit_id=task.audit_id,
    )
    return Document(invoice, command.billed, {line.po_line_id: line.po_id for line in command.lines})


def _rows(document: Document) -> list[tuple[Table, dict[str, Any]]]:
    invoice_id = document.invoice.id
    lines: list[tuple[Table, dict[str, Any]]] = [
        (
            supplier_invoice_lines,
            {
                "invoice_id": invoice_id,
                "line_no": number,
                "po_line_id": line.po_line_id,
                "quantity": line.quantity,
                "unit_price": line.unit_price,
                "price_only": int(line.price_only),
            },
        )
        for number, line in enumerate(document.billed.lines, 1)
    ]
    charges = [
        (
            supplier_invoice_charges,
            {"invoice_id": invoice_id, "po_id": one.po_id, "kind": one.kind, "amount": one.amount},
        )
        for one in document.billed.charges
    ]
    return lines + charges
