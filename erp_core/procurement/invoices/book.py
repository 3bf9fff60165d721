"""Suppliers' invoices in memory: one unit of work per transaction. Every change of status is a step that stays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Table, select

from erp_core.gate.contract import NotFound, Task, Transaction
from erp_core.gate.statuses import require_step
from erp_core.inventory.locks import lock_documents
from erp_core.procurement.invoices.posting import Booked, post_invoices
from erp_core.procurement.invoices.rules import INVOICE_STEPS, PAYABLE, Finding
from erp_core.procurement.model.invoices import invoice_findings, invoice_steps, supplier_invoices
from erp_core.storage.bulk import insert_records, insert_rows, update_records


@dataclass(slots=True)
class Invoice:
    """An invoice; its fields are the columns of `supplier_invoices`."""

    id: UUID
    supplier_id: UUID
    number: str
    number_key: str
    kind: str
    credits_id: UUID | None
    currency: str
    tax: int
    total: int
    invoiced_on: date
    due_on: date
    recorded_on: date
    status: str
    held_since: date | None
    round: int
    owner_role: str | None
    owner_id: UUID | None
    reason_code: str | None
    version: int
    audit_id: UUID

    @property
    def sign(self) -> int:
        """1, or -1 for a credit note."""
        return -1 if self.kind == "credit_note" else 1


_FIELDS = [part.name for part in fields(Invoice)]
_INVOICES = select(*(supplier_invoices.c[name] for name in _FIELDS))
_CHANGES = [
    "status",
    "held_since",
    "round",
    "owner_role",
    "owner_id",
    "reason_code",
    "version",
    "audit_id",
]


class InvoiceBook:
    """The transaction's invoices. `load` locks them; what is added or changed is written, and posted, at flush."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._invoices: dict[UUID, Invoice] = {}
        self._added: dict[UUID, Invoice] = {}
        self._changed: dict[UUID, Invoice] = {}
        self._rows: dict[Table, list[dict[str, Any]]] = {}
        self._booked: list[Booked] = []

    @classmethod
    def of(cls, tx: Transaction) -> InvoiceBook:
        """The transaction's invoices."""
        return tx.unit(cls, cls)

    def load(self, ids: Iterable[UUID]) -> None:
        """Read and lock these invoices; those already read stay as they are."""
        wanted = [id_ for id_ in ids if id_ not in self._invoices]
        for row in lock_documents(self._tx.connection, _INVOICES, supplier_invoices.c.id, wanted):
            self._invoices[row.id] = Invoice(*tuple(row))

    def get(self, invoice_id: UUID) -> Invoice:
        """The loaded invoice. Raises `NotFound`."""
        found = self._invoices.get(invoice_id)
        if found is None:
            raise NotFound(
                "there is no such invoice", field="invoice_id", remedy="look it up by its supplier and number"
            )
        return found

    def add(self, invoice: Invoice, rows: Sequence[tuple[Table, dict[str, Any]]], task: Task[Any]) -> None:
        """A new invoice with the rows of its other tables, at its first status."""
        self._invoices[invoice.id] = self._added[invoice.id] = invoice
        for table, row in rows:
            self._insert(table, row)
        self._step(invoice, task, int(invoice.status in PAYABLE))

    def found(self, invoice: Invoice, findings: Sequence[Finding]) -> None:
        """Keep what a round of matching found."""
        for position, one in enumerate(findings, 1):
            self._insert(
                invoice_findings,
                {
                    "invoice_id": invoice.id,
                    "round": invoice.round,
                    "position": position,
                    "code": one.code,
                    "expected": one.expected,
                    "actual": one.actual,
                    "allowed": one.allowed,
                    "po_line_id": one.po_line_id,
                    "po_id": one.po_id,
                    "other_id": one.other_id,
                },
            )

    def step_to(self, invoice: Invoice, status: str, task: Task[Any]) -> None:
        """Change the status along the graph. Raises `IllegalTransition`."""
        require_step(INVOICE_STEPS, invoice.status, status, f"invoice {invoice.number}")
        was = invoice.status
        invoice.status = status
        if status in ("held", "disputed"):
            invoice.held_since = invoice.held_since or task.occurred_on
        else:
            invoice.held_since = invoice.owner_role = invoice.owner_id = None
        self.changed(invoice, task)
        self._step(invoice, task, (status in PAYABLE) - (was in PAYABLE))

    def changed(self, invoice: Invoice, task: Task[Any]) -> None:
        """Note a change under the task's audit entry; gives the invoice its next version."""
        invoice.version += 1
        invoice.audit_id = task.audit_id
        if invoice.id not in self._added:
            self._changed[invoice.id] = invoice

    def _step(self, invoice: Invoice, task: Task[Any], booked: int) -> None:
        if booked:
            self._booked.append(Booked(invoice, booked, task.occurred_on, task.audit_id))
        self._insert(
            invoice_steps,
            {
                "invoice_id": invoice.id,
                "version": invoice.version,
                "status": invoice.status,
                "booked": booked,
                "happened_on": task.occurred_on,
                "happened_at": task.occurred_at,
                "user_id": task.principal.user_id,
                "reason_code": invoice.reason_code,
                "audit_id": task.audit_id,
            },
        )

    def _insert(self, table: Table, row: dict[str, Any]) -> None:
        self._rows.setdefault(table, []).append(row)

    def flush(self) -> None:
        """Write what was added and changed."""
        connection = self._tx.connection
        insert_records(connection, supplier_invoices, self._added.values(), _FIELDS)
        update_records(connection, supplier_invoices, self._changed.values(), _CHANGES)
        for table, rows in self._rows.items():
            insert_rows(connection, table, rows)
        post_invoices(self._tx, self._booked)
        self._forget_pending()

    def discard(self) -> None:
        """Forget everything that was read, added or changed."""
        self._invoices = {}
        self._forget_pending()

    def _forget_pending(self) -> None:
        self._added, self._changed, self._rows, self._booked = {}, {}, {}, []
