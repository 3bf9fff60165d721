"""What suppliers' invoices post: when one becomes payable all of it, and when it ceases to be the contra of what stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol
from uuid import UUID

from sqlalchemy import select

from erp_core.finance.accounts import AccountCode
from erp_core.finance.journal import Journal, JournalSource
from erp_core.gate.contract import Transaction
from erp_core.procurement.claims.covering import Covered, Credited, cover, settle_covered
from erp_core.procurement.invoices.reading import Known
from erp_core.procurement.invoices.rules import Billed
from erp_core.procurement.model import po_lines, purchase_orders
from erp_core.storage.lookup import AnyRow, fetch_in

_ORDERED = select(po_lines.c.id, po_lines.c.unit_price, purchase_orders.c.currency).join(
    purchase_orders, purchase_orders.c.id == po_lines.c.po_id
)


class Payable(Protocol):
    """What is posted of an invoice."""

    id: UUID
    number: str
    currency: str
    tax: int
    total: int

    @property
    def sign(self) -> int:
        """1, or -1 for a credit note."""


@dataclass(frozen=True, slots=True)
class Booked:
    """A step of an invoice that made it payable (`by` 1), or after which it no longer was (-1)."""

    invoice: Payable
    by: int
    on: date
    audit_id: UUID


def post_invoices(tx: Transaction, booked: Sequence[Booked]) -> None:
    """Post these steps; lines and charges of the invoices must be written. Any number costs the same statements.

    Goods leave *received and not invoiced* at the order's price, and the rest of a line is price variance. What goods that
    came at another rate are worth less or more is an exchange difference. Units of a credit note that a claim covers went
    back: they are *credits to be taken*, and settle the claim once all of it is covered.
    """
    if not booked:
        return
    journal = Journal.of(tx)
    made, undone = [one for one in booked if one.by > 0], [one for one in booked if one.by < 0]
    ids = [one.invoice.id for one in made]
    known = Known.read(tx.connection, ids)
    line_ids = {line.po_line_id for lines in known.lines.values() for line in lines}
    ordered = {row.id: row for row in fetch_in(tx.connection, _ORDERED, po_lines.c.id, line_ids)}
    notes = [
        Credited(one.invoice, known.lines.get(one.invoice.id, []), one.on, one.audit_id)
        for one in made
        if one.invoice.sign < 0
    ]
    covered = cover(tx, notes)
    for one in made:
        invoice = one.invoice
        billed = known.billed(invoice.id, invoice.currency, invoice.tax, invoice.total)
        _Posting(journal, one).all_of(billed, ordered, covered.get(invoice.id, {}))
    settle_covered(tx, notes, covered)
    if undone:
        journal.reverse({one.invoice.id: _source(one) for one in undone})
    journal.flush()


def _source(one: Booked) -> JournalSource:
    return JournalSource(
        "invoice" if one.by > 0 else "invoice_reversal",
        "supplier_invoice",
        one.invoice.id,
        one.on,
        one.audit_id,
    )


class _Posting:
    def __init__(self, journal: Journal, booked: Booked) -> None:
        self._journal, self._booked, self._source = journal, booked, _source(booked)

    def all_of(
        self, billed: Billed, ordered: dict[UUID, AnyRow], covered: Mapping[int, Sequence[Covered]]
    ) -> None:
        """Every part of the invoice: they add up to its total."""
        for position, line in enumerate(billed.lines):
            order, sent_back = ordered[line.po_line_id], covered.get(position, ())
            for part in sent_back:
                self._owed(part.account, part.amount)
            units = 0 if line.price_only else line.quantity - sum(part.quantity for part in sent_back)
            amount = line.amount - sum(part.amount for part in sent_back)
            goods = units * order.unit_price
            if order.currency == billed.currency:
                self._owed("goods_received_not_invoiced", goods, line.po_line_id)
                self._owed("price_variance", amount - goods)
                continue
            self._against_exchange(order.currency, goods, line.po_line_id)
            self._owed("exchange_differences", amount)
        for charge in billed.charges:
            if charge.kind == "freight":
                self._owed("landed_cost_accrued", charge.amount)
            else:
                sign = -1 if charge.kind == "deduction" else 1
                self._owed("prepayments", sign * charge.amount, charge.po_id)
        self._owed("tax_recoverable", billed.tax)
        self._owed("rounding", billed.total - billed.adds_up_to)

    def _owed(self, account: AccountCode, amount: int, item: UUID | None = None) -> None:
        invoice = self._booked.invoice
        self._journal.post(
            account,
            "payables",
            self._journal.worth(invoice.currency, invoice.sign * amount, self._booked.on),
            self._source,
            debit_of=item,
            credit_of=invoice.id,
        )

    def _against_exchange(self, currency: str, amount: int, item: UUID) -> None:
        """Goods that were ordered in another currency than they are billed in, which a person accepted."""
        self._journal.post(
            "goods_received_not_invoiced",
            "exchange_differences",
            self._journal.worth(currency, self._booked.invoice.sign * amount, self._booked.on),
            self._source,
            debit_of=item,
        )
