"""What suppliers owe for goods that went back, on any day: what is not credited yet, and credits that no note took yet."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import Connection, case, func, or_, select

from erp_core.finance.journal import own_currency
from erp_core.finance.model_journal import journal_entries
from erp_core.procurement.model.claims import credited_returns, vendor_claims
from erp_core.procurement.model.invoices import invoice_steps, supplier_invoices

_CLAIM = vendor_claims.c
_ROW = credited_returns.c


def claimed(connection: Connection, day: date) -> dict[str, int]:
    """What the goods of claims that are open at the end of a day cost, by currency: the company's own."""
    expected = connection.scalar(
        select(func.sum(_CLAIM.expected)).where(
            _CLAIM.opened_on <= day, or_(_CLAIM.settled_on.is_(None), _CLAIM.settled_on > day)
        )
    )
    return _sums([(own_currency(connection), expected)])


def credits_to_be_taken(connection: Connection, day: date) -> dict[str, int]:
    """What claims were settled at by the end of a day, less what credit notes payable then give for them, by currency.

    What a note gives for a claim that was refused before is no credit to be taken: it lowered the loss. Below zero where
    notes give for claims that are open, or more than a claim was settled at.
    """
    settled = connection.scalar(select(func.sum(_CLAIM.credited)).where(_CLAIM.settled_on <= day))
    given = (
        select(supplier_invoices.c.currency, func.sum(-_ROW.amount * invoice_steps.c.booked))
        .join(supplier_invoices, supplier_invoices.c.id == _ROW.invoice_id)
        .join(invoice_steps, invoice_steps.c.invoice_id == _ROW.invoice_id)
        .where(invoice_steps.c.happened_on <= day)
        .group_by(supplier_invoices.c.currency)
    )
    return _sums(
        [
            (own_currency(connection), settled),
            *connection.execute(given),
            *_taken_from_losses(connection, day),
        ]
    )


def _taken_from_losses(connection: Connection, day: date) -> Iterable[Any]:
    """What notes for refused claims lowered losses by. Which claims were refused first no record tells: the journal does."""
    entry = journal_entries.c
    refused = (
        select(_ROW.invoice_id)
        .join(vendor_claims, _CLAIM.id == _ROW.claim_id)
        .where(_CLAIM.status == "refused")
    )
    return connection.execute(
        select(entry.currency, func.sum(case((entry.credit == "stock_losses", 1), else_=-1) * entry.amount))
        .where(
            or_(entry.credit == "stock_losses", entry.debit == "stock_losses"),
            entry.document_kind == "supplier_invoice",
            entry.document_id.in_(refused),
            entry.occurred_on <= day,
        )
        .group_by(entry.currency)
    )


def _sums(parts: Iterable[Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for currency, amount in parts:
        found[currency] = found.get(currency, 0) + int(amount or 0)
    return {currency: amount for currency, amount in found.items() if amount}
