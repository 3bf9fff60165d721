"""Credit notes that become payable, against claims: what each covers is kept, and a claim that is covered is settled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import func, select

from erp_core.finance.accounts import AccountCode
from erp_core.finance.journal import Journal
from erp_core.gate.contract import Transaction
from erp_core.procurement.claims.crediting import ClaimedGoods
from erp_core.procurement.events import ClaimCovered, ClaimsCovered
from erp_core.procurement.invoices.rules import PAYABLE, BilledLine, units_by_line
from erp_core.procurement.model import po_lines
from erp_core.procurement.model.claims import credited_returns, vendor_claims
from erp_core.procurement.model.invoices import invoice_steps, supplier_invoices
from erp_core.procurement.receiving.reversing import billed_units
from erp_core.storage.bulk import insert_rows
from erp_core.storage.lookup import fetch_in

_ROW = credited_returns.c
_CLAIM = vendor_claims.c
_KEPT = (
    select(_ROW.invoice_id, _ROW.po_line_id, _ROW.claim_id, _ROW.quantity)
    .join(vendor_claims, _CLAIM.id == _ROW.claim_id)
    .order_by(_CLAIM.po_line_id.is_(None), _CLAIM.opened_on, _CLAIM.id)
)
_BOOKED_BEFORE = select(invoice_steps.c.invoice_id).where(invoice_steps.c.booked < 0)
_ACCEPTED = select(po_lines.c.id, po_lines.c.accepted_quantity)
_STATUS = select(_CLAIM.id, _CLAIM.status, _CLAIM.quantity)
_PAYABLE = (
    select(_ROW.claim_id, func.sum(_ROW.quantity).label("units"), func.sum(_ROW.value).label("value"))
    .join(supplier_invoices, supplier_invoices.c.id == _ROW.invoice_id)
    .where(supplier_invoices.c.status.in_(PAYABLE))
    .group_by(_ROW.claim_id)
)


class CreditNote(Protocol):
    """What is read of a credit note."""

    id: UUID
    number: str
    currency: str


@dataclass(frozen=True, slots=True)
class Credited:
    """A credit note that became payable, with what it credits."""

    note: CreditNote
    lines: Sequence[BilledLine]
    on: date
    audit_id: UUID


@dataclass(frozen=True, slots=True)
class Covered:
    """Units of one line of a credit note that are for a claim, and the account that they clear."""

    po_line_id: UUID
    claim_id: UUID
    quantity: int
    amount: int
    account: AccountCode


Parts = Mapping[UUID, Mapping[int, Sequence[Covered]]]
"""By credit note and position of its line."""


def cover(tx: Transaction, notes: Sequence[Credited]) -> Parts:
    """What the notes cover: as it was kept when they were payable before, else by the rule, and kept now."""
    if not notes:
        return {}
    ids = [one.note.id for one in notes]
    before = {
        row.invoice_id for row in fetch_in(tx.connection, _BOOKED_BEFORE, invoice_steps.c.invoice_id, ids)
    }
    kept: dict[UUID, dict[UUID, list[tuple[UUID, int]]]] = {}
    for row in fetch_in(tx.connection, _KEPT, _ROW.invoice_id, before):
        kept.setdefault(row.invoice_id, {}).setdefault(row.po_line_id, []).append(
            (row.claim_id, row.quantity)
        )
    new = [one for one in notes if one.note.id not in before]
    kept |= _chosen(tx, new)
    claim_ids = {claim_id for lines in kept.values() for parts in lines.values() for claim_id, _ in parts}
    refused = {
        row.id for row in fetch_in(tx.connection, _STATUS, _CLAIM.id, claim_ids) if row.status == "refused"
    }
    found = {one.note.id: _by_line(one.lines, kept.get(one.note.id, {}), refused) for one in notes}
    _keep(tx, new, found)
    return found


def settle_covered(tx: Transaction, notes: Sequence[Credited], parts: Parts) -> None:
    """Let the claims that payable notes now cover wholly be settled at what the notes give."""
    touched = {
        part.claim_id: one
        for one in notes
        for covered in parts.get(one.note.id, {}).values()
        for part in covered
    }
    claims = {row.id: row for row in fetch_in(tx.connection, _STATUS, _CLAIM.id, touched)}
    settled = [
        ClaimCovered(row.claim_id, int(row.value), note.note.number, note.on, note.audit_id)
        for row in fetch_in(tx.connection, _PAYABLE, _ROW.claim_id, touched)
        if (claim := claims[row.claim_id]).status == "open" and int(row.units) == claim.quantity
        for note in (touched[row.claim_id],)
    ]
    if settled:
        tx.publish(ClaimsCovered(settled))


def _chosen(tx: Transaction, notes: Sequence[Credited]) -> dict[UUID, dict[UUID, list[tuple[UUID, int]]]]:
    units = {one.note.id: units_by_line(one.lines) for one in notes}
    line_ids = {line_id for lines in units.values() for line_id in lines}
    if not line_ids:
        return {}
    goods = ClaimedGoods(tx.connection, line_ids)
    accepted = {
        row.id: row.accepted_quantity for row in fetch_in(tx.connection, _ACCEPTED, po_lines.c.id, line_ids)
    }
    billed = billed_units(tx.connection, line_ids)
    for lines in units.values():
        for line_id, credited in lines.items():
            billed[line_id] = billed.get(line_id, 0) + credited
    found: dict[UUID, dict[UUID, list[tuple[UUID, int]]]] = {}
    for one in notes:
        for line_id, credited in units[one.note.id].items():
            parts = goods.take(line_id, credited, billed[line_id] - accepted[line_id], one.on)
            billed[line_id] -= credited - sum(part for _, part in parts)
            found.setdefault(one.note.id, {})[line_id] = parts
    return found


def _by_line(
    lines: Sequence[BilledLine], kept: Mapping[UUID, Sequence[tuple[UUID, int]]], refused: set[UUID]
) -> dict[int, list[Covered]]:
    left = {line_id: dict(parts) for line_id, parts in kept.items()}
    found: dict[int, list[Covered]] = {}
    for position, line in enumerate(lines):
        room = 0 if line.price_only else line.quantity
        claims = left.get(line.po_line_id, {})
        for claim_id in claims:
            taken = min(room, claims[claim_id])
            if taken:
                claims[claim_id] -= taken
                room -= taken
                account: AccountCode = "stock_losses" if claim_id in refused else "supplier_credits"
                found.setdefault(position, []).append(
                    Covered(line.po_line_id, claim_id, taken, taken * line.unit_price, account)
                )
    return found


def _keep(tx: Transaction, notes: Sequence[Credited], parts: Parts) -> None:
    journal = Journal.of(tx)
    rows: list[dict[str, Any]] = []
    for one in notes:
        sums: dict[tuple[UUID, UUID], list[int]] = {}
        for covered in parts[one.note.id].values():
            for part in covered:
                total = sums.setdefault((part.po_line_id, part.claim_id), [0, 0])
                total[0] += part.quantity
                total[1] += part.amount
        rows += [
            {
                "invoice_id": one.note.id,
                "po_line_id": line_id,
                "claim_id": claim_id,
                "quantity": quantity,
                "amount": amount,
                "value": journal.worth(one.note.currency, amount, one.on).value,
            }
            for (line_id, claim_id), (quantity, amount) in sums.items()
        ]
    insert_rows(tx.connection, credited_returns, rows)
