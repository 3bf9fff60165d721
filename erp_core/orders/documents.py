"""Customer invoices and credit notes of a transaction, and their revenue: collected, then numbered and written at the end.

Documents are numbered without a gap for each seller and kind. What is written is never recomputed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from erp_core.finance.journal import Journal, JournalSource, own
from erp_core.gate.contract import Transaction
from erp_core.master.model import legal_entities
from erp_core.master.queries.taxes import COMPANY
from erp_core.orders.model_documents import (
    document_series,
    revenue_entries,
    sales_document_lines,
    sales_documents,
)
from erp_core.orders.prepayments import apply_prepayments
from erp_core.orders.rules.documents import (
    Credit,
    InvoicedLine,
    Refund,
    RefundLine,
    by_document,
    credits_of,
    from_deferred,
)
from erp_core.orders.taxation import Invoice
from erp_core.storage.bulk import insert_rows, upsert_add
from erp_core.storage.lookup import fetch_in, fetch_in_pairs

_PREFIX = {"invoice": "INV", "credit_note": "CN"}
_LAST = select(document_series.c.seller_id, document_series.c.kind, document_series.c.last)
_CODES = select(legal_entities.c.id, legal_entities.c.code)
_ENTRY = revenue_entries.c
_STILL_DEFERRED = select(_ENTRY.document_id, func.sum(_ENTRY.deferred).label("deferred")).group_by(
    _ENTRY.document_id
)
_LINE, _DOCUMENT = sales_document_lines.c, sales_documents.c
_OF_ORDER_LINES = (
    select(sales_document_lines, _DOCUMENT.kind, _DOCUMENT.seller_id, _DOCUMENT.recognise_at)
    .join(sales_documents, _DOCUMENT.id == _LINE.document_id)
    .order_by(_DOCUMENT.kind.desc(), _DOCUMENT.issued_on, _DOCUMENT.sequence, _LINE.line_no)
)
_INVOICED = [part.name for part in fields(InvoicedLine) if not part.name.startswith("credited")]


class SalesDocuments:
    """The transaction's customer invoices and credit notes."""

    def __init__(self, tx: Transaction) -> None:
        self._tx, self._journal = tx, Journal.of(tx)
        self._invoiced: dict[UUID, list[InvoicedLine]] = {}
        self._seller_of: dict[UUID, UUID] = {}
        self._deferred: dict[UUID, int] = {}
        self._codes: dict[UUID, str] = {COMPANY: ""}
        self._documents: list[dict[str, Any]] = []
        self._lines: list[dict[str, Any]] = []
        self._entries: list[dict[str, Any]] = []

    @classmethod
    def of(cls, tx: Transaction) -> SalesDocuments:
        """The transaction's sales documents."""
        return tx.unit(cls, cls)

    def issue(self, invoice: Invoice, issued_on: date, audit_id: UUID) -> None:
        """Write an invoice when the transaction does: the money is owed, and revenue counts or is deferred.

        What was paid in advance of the order is set against it then.
        """
        supply, id_ = invoice.supply, self._tx.new_id()
        net, tax = sum(one.net for one in invoice.lines), sum(one.tax for one in invoice.lines)
        self._documents.append(
            {
                "id": id_,
                "kind": "invoice",
                "seller_id": invoice.seller.id,
                "order_id": supply.order_id,
                "shipment_id": supply.shipment_id,
                "return_id": None,
                "credit_id": None,
                "issued_on": issued_on,
                "supplied_on": supply.supplied_on,
                "customer_country": supply.customer_country,
                "customer_tax_id": invoice.tax_id,
                "recognise_at": invoice.recognise_at,
                "net": net,
                "tax": tax,
                "audit_id": audit_id,
            }
        )
        self._lines += [
            {
                "document_id": id_,
                "line_no": number,
                "order_line_id": one.line.order_line_id,
                "quantity": one.line.quantity,
                "net": one.net,
                "tax": one.tax,
                "tax_class": one.tax_class,
                "treatment": one.rule.treatment,
                "rate": one.rule.rate,
                "reason": one.rule.reason,
                "rule_id": one.rule.id,
                "rule_version": one.rule.version,
                "invoice_id": None,
                "invoice_line_no": None,
                "return_line_id": None,
            }
            for number, one in enumerate(invoice.lines, 1)
        ]
        now = invoice.recognise_at == "shipment"
        source = JournalSource("sales_invoice", "sales_document", id_, issued_on, audit_id)
        self._journal.post("receivables", "revenue" if now else "deferred_revenue", own(net), source)
        self._journal.post("receivables", "sales_tax_payable", own(tax), source)
        self._revenue(id_, net if now else 0, 0 if now else net, source)

    def load_invoiced(self, order_line_ids: Iterable[UUID]) -> None:
        """Read what was invoiced and credited of these order lines. Their orders must be locked."""
        self._tx.flush()
        by_place: dict[tuple[UUID, int], InvoicedLine] = {}
        waiting = set()
        wanted = set(order_line_ids) - self._invoiced.keys()
        for row in fetch_in(self._tx.connection, _OF_ORDER_LINES, _LINE.order_line_id, wanted):
            if row.kind == "credit_note":
                line = by_place[row.invoice_id, row.invoice_line_no]
                line.credited_net += row.net
                line.credited_tax += row.tax
                continue
            line = InvoicedLine(**{name: getattr(row, name) for name in _INVOICED})
            by_place[line.document_id, line.line_no] = line
            self._invoiced.setdefault(line.order_line_id, []).append(line)
            self._seller_of[line.document_id] = row.seller_id
            if row.recognise_at == "delivery":
                waiting.add(line.document_id)
        self.load_deferred(waiting)

    def load_deferred(self, document_ids: Iterable[UUID]) -> None:
        """Read how much revenue of these invoices is still deferred."""
        wanted = set(document_ids) - self._deferred.keys()
        for row in fetch_in(self._tx.connection, _STILL_DEFERRED, _ENTRY.document_id, wanted):
            self._deferred[row.document_id] = int(row.deferred)

    def credit(self, refund: Refund, day: date, audit_id: UUID) -> int:
        """Credit a refund against what was invoiced. Gives the tax that goes back with it.

        What was never invoiced is not credited. There is a credit note for each seller whose invoices it touches.
        """
        by_seller: dict[UUID, list[tuple[Credit, RefundLine]]] = {}
        for line in refund.lines:
            for one in credits_of(self._invoiced.get(line.order_line_id, ()), line.amount):
                by_seller.setdefault(self._seller_of[one.line.document_id], []).append((one, line))
        for seller_id, parts in by_seller.items():
            self._credit_note(seller_id, parts, refund, day, audit_id)
        return sum(one.tax for parts in by_seller.values() for one, _ in parts)

    def _credit_note(
        self,
        seller_id: UUID,
        parts: Sequence[tuple[Credit, RefundLine]],
        refund: Refund,
        day: date,
        audit_id: UUID,
    ) -> None:
        id_, credits = self._tx.new_id(), [one for one, _ in parts]
        tax = sum(one.tax for one in credits)
        self._documents.append(
            {
                "id": id_,
                "kind": "credit_note",
                "seller_id": seller_id,
                "order_id": refund.order_id,
                "shipment_id": None,
                "return_id": refund.return_id,
                "credit_id": refund.credit_id,
                "issued_on": day,
                "supplied_on": day,
                "customer_country": refund.customer_country,
                "customer_tax_id": None,
                "recognise_at": "shipment",
                "net": sum(one.net for one in credits),
                "tax": tax,
                "audit_id": audit_id,
            }
        )
        self._lines += [
            {
                "document_id": id_,
                "line_no": number,
                "order_line_id": one.line.order_line_id,
                "quantity": line.quantity,
                "net": one.net,
                "tax": one.tax,
                "tax_class": one.line.tax_class,
                "treatment": one.line.treatment,
                "rate": one.line.rate,
                "reason": one.line.reason,
                "rule_id": one.line.rule_id,
                "rule_version": one.line.rule_version,
                "invoice_id": one.line.document_id,
                "invoice_line_no": one.line.line_no,
                "return_line_id": line.return_line_id,
            }
            for number, (one, line) in enumerate(parts, 1)
        ]
        source = JournalSource("credit_note", "sales_document", id_, day, audit_id)
        self._journal.post("sales_tax_payable", "refunds_payable", own(tax), source)
        for invoice_id, given_back in by_document(credits).items():
            recognised, deferred = from_deferred(given_back, self._deferred.get(invoice_id, 0))
            if deferred:
                self._deferred[invoice_id] -= deferred
            self._journal.post("sales_returns", "refunds_payable", own(recognised), source)
            self._journal.post("deferred_revenue", "refunds_payable", own(deferred), source)
            self._revenue(invoice_id, -recognised, -deferred, source)

    def recognise(self, invoice_id: UUID, day: date, audit_id: UUID) -> int:
        """Let what is still deferred of an invoice count. Gives it."""
        amount = self._deferred.get(invoice_id, 0)
        if amount:
            self._deferred[invoice_id] = 0
            source = JournalSource("delivery", "sales_document", invoice_id, day, audit_id)
            self._journal.post("deferred_revenue", "revenue", own(amount), source)
            self._revenue(invoice_id, amount, -amount, source)
        return amount

    def _revenue(self, invoice_id: UUID, recognised: int, deferred: int, source: JournalSource) -> None:
        self._entries.append(
            {
                "id": self._tx.new_id(),
                "document_id": invoice_id,
                "booked_on": source.occurred_on,
                "recognised": recognised,
                "deferred": deferred,
                "audit_id": source.audit_id,
            }
        )

    def flush(self) -> None:
        """Number and write what is pending. Others of the same seller wait for the transaction's end from here on."""
        connection = self._tx.connection
        if self._documents:
            self._number()
            insert_rows(connection, sales_documents, self._documents)
            insert_rows(connection, sales_document_lines, self._lines)
            apply_prepayments(self._tx, [one for one in self._documents if one["kind"] == "invoice"])
        insert_rows(connection, revenue_entries, self._entries)
        self._documents, self._lines, self._entries = [], [], []

    def _number(self) -> None:
        connection = self._tx.connection
        counts = Counter((one["seller_id"], one["kind"]) for one in self._documents)
        rows = [
            {"seller_id": seller_id, "kind": kind, "last": counts[seller_id, kind]}
            for seller_id, kind in sorted(counts)
        ]
        upsert_add(connection, document_series, rows, ["last"])
        series = (document_series.c.seller_id, document_series.c.kind)
        last = {
            (row.seller_id, row.kind): row.last
            for row in fetch_in_pairs(connection, _LAST, series, list(counts))
        }
        unknown = {seller_id for seller_id, _ in counts} - self._codes.keys()
        for row in fetch_in(connection, _CODES, legal_entities.c.id, unknown):
            self._codes[row.id] = f"{row.code}-"
        for one in self._documents:
            key = one["seller_id"], one["kind"]
            counts[key] -= 1
            one["sequence"] = last[key] - counts[key]
            one["number"] = f"{self._codes[one['seller_id']]}{_PREFIX[one['kind']]}-{one['sequence']:07d}"

    def discard(self) -> None:
        """Forget what is pending and what was read."""
        self._invoiced, self._seller_of, self._deferred = {}, {}, {}
        self._documents, self._lines, self._entries = [], [], []
