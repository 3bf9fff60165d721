"""Advances of customers: an invoice takes what was paid of its order before it, in the transaction that writes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from erp_core.finance.journal import Journal, JournalSource, own
from erp_core.gate.contract import Transaction
from erp_core.orders.model_payments import applied_prepayments
from erp_core.orders.queries.customer_accounts import prepaid_of
from erp_core.storage.bulk import insert_rows


def apply_prepayments(tx: Transaction, invoices: Sequence[Mapping[str, Any]]) -> None:
    """Set what was paid in advance of their orders against these invoices, rows of `sales_documents`, in their order.

    The orders must be locked. Where nothing was paid in advance it costs one read.
    """
    left: dict[UUID, int] = prepaid_of(tx.connection, {one["order_id"] for one in invoices})
    if not left:
        return
    journal, rows = Journal.of(tx), []
    for one in invoices:
        amount = min(left.get(one["order_id"], 0), one["net"] + one["tax"])
        if amount <= 0:
            continue
        left[one["order_id"]] -= amount
        source = JournalSource(
            "sales_invoice", "sales_document", one["id"], one["issued_on"], one["audit_id"]
        )
        journal.post("customer_prepayments", "receivables", own(amount), source)
        rows.append(
            {
                "document_id": one["id"],
                "order_id": one["order_id"],
                "amount": amount,
                "applied_on": one["issued_on"],
                "audit_id": one["audit_id"],
            }
        )
    insert_rows(tx.connection, applied_prepayments, rows)
    journal.flush()
