"""Which units of suppliers' credit notes are for goods that went back: what a claim covers is credited once.

A credit note says nothing of claims. Its units first take back what was billed beyond what was accepted; the others are for
goods that went back, as far as claims are not covered yet: those of the order line first, then those of the supplier and
item that no line is known for, the oldest first. What is left reverses the invoice.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, func, select

from erp_core.inventory.locks import lock_documents
from erp_core.procurement.claims.rules import Owed, take_covered
from erp_core.procurement.model import po_lines, purchase_orders
from erp_core.procurement.model.claims import credited_returns, vendor_claims
from erp_core.procurement.model.invoices import supplier_invoices
from erp_core.storage.lookup import fetch_in

_CLAIM = vendor_claims.c
_FIRST = (_CLAIM.opened_on, _CLAIM.id)
_NAMED = (
    select(_CLAIM.id, _CLAIM.po_line_id, _CLAIM.quantity, _CLAIM.opened_on)
    .where(_CLAIM.status != "withdrawn")
    .order_by(*_FIRST)
)
_UNNAMED = (
    select(_CLAIM.id, po_lines.c.id.label("po_line_id"), _CLAIM.quantity, _CLAIM.opened_on)
    .join(po_lines, po_lines.c.item_id == _CLAIM.item_id)
    .join(
        purchase_orders,
        (purchase_orders.c.id == po_lines.c.po_id) & (purchase_orders.c.supplier_id == _CLAIM.supplier_id),
    )
    .where(_CLAIM.status != "withdrawn", _CLAIM.po_line_id.is_(None))
    .order_by(*_FIRST)
)
_COVERED: Select[Any] = (
    select(credited_returns.c.claim_id, func.sum(credited_returns.c.quantity).label("units"))
    .join(supplier_invoices, supplier_invoices.c.id == credited_returns.c.invoice_id)
    .where(supplier_invoices.c.status != "rejected")
    .group_by(credited_returns.c.claim_id)
)
_LOCKED = select(_CLAIM.id, _CLAIM.status)


class ClaimedGoods:
    """What claims are still owed for these order lines; what is taken counts at once. Reading it locks the claims."""

    def __init__(self, connection: Connection, po_line_ids: Iterable[UUID]) -> None:
        wanted = set(po_line_ids)
        rows = [
            *fetch_in(connection, _NAMED, _CLAIM.po_line_id, wanted),
            *fetch_in(connection, _UNNAMED, po_lines.c.id, wanted),
        ]
        locked = lock_documents(connection, _LOCKED, _CLAIM.id, {row.id for row in rows})
        ids = {row.id for row in locked if row.status != "withdrawn"}
        covered = covered_units(connection, ids)
        owed = {
            row.id: Owed(row.id, row.quantity - covered.get(row.id, 0), row.opened_on)
            for row in rows
            if row.id in ids
        }
        self._owed: dict[UUID, list[Owed]] = {}
        for row in rows:
            if row.id in owed:
                self._owed.setdefault(row.po_line_id, []).append(owed[row.id])

    def take(self, po_line_id: UUID, credited: int, beyond: int, on: date) -> list[tuple[UUID, int]]:
        """Claims open by a day with their units, of so many credited ones; `beyond` of the line were billed too much."""
        units = max(credited - max(beyond, 0), 0)
        open_by_then = [one for one in self._owed.get(po_line_id, ()) if one.opened_on <= on]
        return list(take_covered(units, open_by_then))


def covered_units(connection: Connection, claim_ids: Iterable[UUID]) -> dict[UUID, int]:
    """Units of claims that credit notes cover, also notes that are held up: nobody else's note covers them too."""
    rows = fetch_in(connection, _COVERED, credited_returns.c.claim_id, claim_ids)
    return {row.claim_id: int(row.units) for row in rows}
