"""Goods that lie at our places and are nobody's to sell until somebody decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from sqlalchemy import Connection, func, select

from erp_core.procurement.model import po_lines, purchase_orders, receipt_lines, receipts
from erp_core.procurement.model.receiving import unordered_goods
from erp_core.procurement.receiving.reversing import stands
from erp_core.storage.lookup import fetch_in

HeldReason = Literal["beyond", "inspection", "quarantine", "not_ordered", "substituted"]


@dataclass(frozen=True, slots=True)
class HeldGoods:
    """Units that are held, why, and since when. Of goods that were not ordered `unordered_id` names them, and
    `po_line_id` the line that they stand in for, if any. `unit_price` is the order's; None of what was not ordered."""

    reason: HeldReason
    po_id: UUID
    number: str
    supplier_id: UUID
    location_id: UUID
    item_id: UUID
    po_line_id: UUID | None
    line_no: int | None
    unordered_id: UUID | None
    units: int
    since: date | None
    unit_price: int | None


def held_goods(connection: Connection, *, location_id: UUID | None = None) -> list[HeldGoods]:
    """What is held, the longest first."""
    lines = (
        select(
            po_lines.c.id,
            po_lines.c.po_id,
            purchase_orders.c.number,
            purchase_orders.c.supplier_id,
            purchase_orders.c.location_id,
            po_lines.c.item_id,
            po_lines.c.line_no,
            po_lines.c.unit_price,
            po_lines.c.held_quantity,
            po_lines.c.inspection_quantity,
            po_lines.c.quarantined_quantity,
        )
        .join(purchase_orders, purchase_orders.c.id == po_lines.c.po_id)
        .where(po_lines.c.held_quantity > 0)
    )
    strange = (
        select(unordered_goods, purchase_orders.c.number, purchase_orders.c.supplier_id, po_lines.c.line_no)
        .join(purchase_orders, purchase_orders.c.id == unordered_goods.c.po_id)
        .outerjoin(po_lines, po_lines.c.id == unordered_goods.c.instead_of_id)
        .where(unordered_goods.c.held_quantity > 0)
    )
    if location_id is not None:
        lines = lines.where(purchase_orders.c.location_id == location_id)
        strange = strange.where(unordered_goods.c.location_id == location_id)
    rows = connection.execute(lines).all()
    came = dict(
        map(tuple, fetch_in(connection, _LAST_HELD, receipt_lines.c.po_line_id, (row.id for row in rows)))
    )
    found = [
        HeldGoods(
            reason,
            row.po_id,
            row.number,
            row.supplier_id,
            row.location_id,
            row.item_id,
            row.id,
            row.line_no,
            None,
            units,
            came.get(row.id),
            row.unit_price,
        )
        for row in rows
        for reason, units in _parts(row.held_quantity, row.inspection_quantity, row.quarantined_quantity)
    ]
    found += [
        HeldGoods(
            row.reason,
            row.po_id,
            row.number,
            row.supplier_id,
            row.location_id,
            row.item_id,
            row.instead_of_id,
            row.line_no,
            row.id,
            row.held_quantity,
            row.received_on,
            None,
        )
        for row in connection.execute(strange)
    ]
    return sorted(found, key=lambda one: (one.since or date.max, one.number, one.line_no or 0, one.reason))


_LAST_HELD = (
    select(receipt_lines.c.po_line_id, func.max(receipts.c.received_on))
    .join(receipts, receipts.c.id == receipt_lines.c.receipt_id)
    .where(receipt_lines.c.held_quantity > 0, stands())
    .group_by(receipt_lines.c.po_line_id)
)


def _parts(held: int, inspection: int, quarantined: int) -> list[tuple[HeldReason, int]]:
    parts: list[tuple[HeldReason, int]] = [
        ("beyond", held - inspection - quarantined),
        ("inspection", inspection),
        ("quarantine", quarantined),
    ]
    return [(reason, units) for reason, units in parts if units]
