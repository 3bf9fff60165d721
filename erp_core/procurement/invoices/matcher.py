"""A batch of invoices against orders, receipts and the invoices before them: what is payable, and what is held and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.procurement.claims.crediting import ClaimedGoods
from erp_core.procurement.invoices.book import Invoice
from erp_core.procurement.invoices.numbers import Numbered, alike, is_double
from erp_core.procurement.invoices.reading import NOTHING, Known, Ordered, numbered
from erp_core.procurement.invoices.rules import (
    PAYABLE,
    Billed,
    Creditable,
    Finding,
    match,
    match_credit,
    units_by_line,
)
from erp_core.procurement.model.invoices import supplier_invoices
from erp_core.procurement.ordering.purchase_orders import PurchaseOrders
from erp_core.storage.lookup import fetch_in, fetch_in_pairs

_TABLE = supplier_invoices.c
_TWINS = select(
    _TABLE.id,
    _TABLE.supplier_id,
    _TABLE.number_key,
    _TABLE.kind,
    _TABLE.currency,
    _TABLE.tax,
    _TABLE.total,
    _TABLE.invoiced_on,
).where(_TABLE.status != "rejected")
_CREDITED = select(_TABLE.id, _TABLE.status)
_CREDITS = select(_TABLE.id, _TABLE.credits_id).where(_TABLE.status.in_(PAYABLE))


@dataclass(frozen=True, slots=True)
class Document:
    """An invoice, what it bills, and the order of each of its lines."""

    invoice: Invoice
    billed: Billed
    po_of: Mapping[UUID, UUID]

    @property
    def po_ids(self) -> list[UUID]:
        """The orders that it bills, each once."""
        own = [self.po_of[line.po_line_id] for line in self.billed.lines]
        return list(dict.fromkeys([*own, *(charge.po_id for charge in self.billed.charges)]))

    @property
    def numbered(self) -> Numbered:
        """The document as its double would look."""
        return numbered(self.invoice.number_key, self.invoice.invoiced_on, self.billed)


class Matcher:
    """Matches document after document; what it finds payable counts for those that follow."""

    def __init__(self, connection: Connection, orders: PurchaseOrders, documents: Sequence[Document]) -> None:
        po_ids = [po_id for one in documents for po_id in one.po_ids]
        orders.load(po_ids)
        self._ordered = Ordered.read(connection, orders, po_ids)
        credited = {line.po_line_id for one in documents if one.invoice.sign < 0 for line in one.billed.lines}
        self._claimed = ClaimedGoods(connection, credited)
        self._twins = self._read_twins(connection, documents)
        self._read_credits(connection, {one.invoice.credits_id for one in documents} - {None})

    def match(self, document: Document) -> list[Finding]:
        """Why it is held; nothing when it is payable, and then it is counted."""
        invoice, billed = document.invoice, document.billed
        general = self._ordered.tolerances.of(invoice.supplier_id)
        charges = self._ordered.charges(document.po_ids)
        if invoice.credits_id is None:
            lines = self._ordered.lines(billed, document.po_of)
            tolerances = self._ordered.tolerances_of(lines, invoice.supplier_id)
            found = match(billed, lines, charges, tolerances, general)
        else:
            found = match_credit(billed, self._creditable(invoice.credits_id), charges, general)
        found += self._double(document, general.duplicate_days)
        if not found:
            self.count(document)
        return found

    def count(self, document: Document) -> None:
        """The document is payable from now on."""
        sign = document.invoice.sign
        sent_back = self._sent_back(document) if sign < 0 else NOTHING
        self._ordered.count(document.billed, document.po_of, sign, sent_back)
        credited = document.invoice.credits_id
        if credited is not None:
            self._credited.setdefault(credited, []).append(document.billed)

    def _sent_back(self, document: Document) -> dict[UUID, int]:
        """Units that the note credits because they went back: they may not be billed again."""
        found: dict[UUID, int] = {}
        lines = self._ordered.lines(document.billed, document.po_of)
        for line_id, credited in units_by_line(document.billed.lines).items():
            beyond = lines[line_id].invoiced - lines[line_id].accepted
            parts = self._claimed.take(line_id, credited, beyond, document.invoice.recorded_on)
            found[line_id] = sum(units for _, units in parts)
        return found

    def _double(self, document: Document, within_days: int) -> list[Finding]:
        invoice, own = document.invoice, document.numbered
        twins = self._twins.setdefault((invoice.supplier_id, invoice.kind, invoice.total), {})
        found = [
            id_ for id_, other in twins.items() if id_ != invoice.id and is_double(own, other, within_days)
        ]
        twins[invoice.id] = own
        total = invoice.total
        return [Finding("duplicate", total, total, 0, other_id=found[0])] if found else []

    @staticmethod
    def _read_twins(
        connection: Connection, documents: Sequence[Document]
    ) -> dict[tuple[UUID, str, int], dict[UUID, Numbered]]:
        keys: dict[tuple[UUID, int], list[str]] = {}
        for one in documents:
            keys.setdefault((one.invoice.supplier_id, one.invoice.total), []).append(one.invoice.number_key)
        same_total = fetch_in_pairs(connection, _TWINS, (_TABLE.supplier_id, _TABLE.total), keys)
        rows = [
            row
            for row in same_total
            if any(alike(row.number_key, key) for key in keys[row.supplier_id, row.total])
        ]
        known = Known.read(connection, [row.id for row in rows])
        found: dict[tuple[UUID, str, int], dict[UUID, Numbered]] = {}
        for row in rows:
            billed = known.billed(row.id, row.currency, row.tax, row.total)
            same = found.setdefault((row.supplier_id, row.kind, row.total), {})
            same[row.id] = numbered(row.number_key, row.invoiced_on, billed)
        return found

    def _read_credits(self, connection: Connection, wanted: Iterable[UUID | None]) -> None:
        ids = list(wanted)
        payable = {row.id for row in fetch_in(connection, _CREDITED, _TABLE.id, ids) if row.status in PAYABLE}
        notes = fetch_in(connection, _CREDITS, _TABLE.credits_id, payable)
        known = Known.read(connection, [*payable, *(row.id for row in notes)])
        self._invoiced = {id_: known.billed(id_, "", 0, 0) for id_ in payable}
        self._credited: dict[UUID, list[Billed]] = {}
        for row in notes:
            self._credited.setdefault(row.credits_id, []).append(known.billed(row.id, "", 0, 0))

    def _creditable(self, invoice_id: UUID) -> Creditable:
        units: dict[UUID, int] = {}
        values: dict[UUID, int] = {}
        charges: dict[tuple[UUID, str], int] = {}
        invoiced = [(self._invoiced[invoice_id], 1)] if invoice_id in self._invoiced else []
        for billed, sign in [*invoiced, *((one, -1) for one in self._credited.get(invoice_id, ()))]:
            for line in billed.lines:
                moved = 0 if line.price_only else sign * line.quantity
                units[line.po_line_id] = units.get(line.po_line_id, 0) + moved
                values[line.po_line_id] = values.get(line.po_line_id, 0) + sign * line.amount
            for charge in billed.charges:
                key = (charge.po_id, charge.kind)
                charges[key] = charges.get(key, 0) + sign * charge.amount
        return Creditable(units, values, charges)
