"""Receipts against what shipping notices announced: what did not come, within tolerance or as a case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.exceptions.draft import CaseDraft
from erp_core.exceptions.rules import CaseKey
from erp_core.gate.contract import Transaction
from erp_core.procurement.commands.held_goods import read_receipt_tolerances
from erp_core.procurement.model import receipt_lines, receipts, shipping_notice_lines, shipping_notices
from erp_core.procurement.ordering.purchase_orders import Line, PurchaseOrder
from erp_core.procurement.receiving.reversing import stands
from erp_core.procurement.receiving.rules import tolerance_of
from erp_core.procurement.receiving.short import Announced, short_case, short_key
from erp_core.storage.lookup import fetch_in

_ANNOUNCED = (
    select(
        shipping_notice_lines.c.po_line_id,
        shipping_notices.c.id,
        shipping_notices.c.expected_on,
        shipping_notices.c.shipped_on,
        shipping_notice_lines.c.quantity,
    )
    .join(shipping_notices, shipping_notices.c.id == shipping_notice_lines.c.notice_id)
    .order_by(shipping_notices.c.expected_on, shipping_notices.c.id)
)
_ARRIVED = (
    select(
        receipt_lines.c.po_line_id,
        receipts.c.received_on,
        receipt_lines.c.accepted_quantity + receipt_lines.c.held_quantity + receipt_lines.c.rejected_quantity,
    )
    .join(receipts, receipts.c.id == receipt_lines.c.receipt_id)
    .where(receipts.c.import_id.is_(None), stands())
)


def read_announced(connection: Connection, line_ids: Iterable[UUID]) -> dict[UUID, Announced]:
    """What notices announced of each line, and what came since the first of them left; a line that nobody announced is not
    there, and where none is, no receipt is read.
    """
    notices: dict[UUID, list[tuple[date, int]]] = {}
    since: dict[UUID, date] = {}
    deliveries: dict[UUID, dict[UUID, int]] = {}
    for row in fetch_in(connection, _ANNOUNCED, shipping_notice_lines.c.po_line_id, line_ids):
        notices.setdefault(row.po_line_id, []).append((row.expected_on, row.quantity))
        whole = deliveries.setdefault(row.po_line_id, {})
        whole[row.id] = whole.get(row.id, 0) + row.quantity
        since[row.po_line_id] = min(row.shipped_on, since.get(row.po_line_id, row.shipped_on))
    found = {
        line_id: Announced(parts, 0, list(deliveries[line_id].values())) for line_id, parts in notices.items()
    }
    for line_id, day, units in fetch_in(connection, _ARRIVED, receipt_lines.c.po_line_id, notices):
        if day >= since[line_id]:
            found[line_id].arrived += units
    return found


def shortfalls(
    tx: Transaction,
    order: PurchaseOrder,
    came: Iterable[tuple[Line, int]],
    announced: Mapping[UUID, Announced],
    occurred_at: datetime,
) -> tuple[list[CaseDraft], list[CaseKey]]:
    """Count what `came` of lines now: the cases of those that lack too much, and the keys of all that were announced."""
    wanted: dict[UUID, Line] = {}
    for line, units in came:
        if line.id in announced:
            wanted[line.id] = line
            announced[line.id].arrived += units
    short = [line for line in wanted.values() if short_case(order, line, announced[line.id], 0, occurred_at)]
    tolerances = read_receipt_tolerances(tx.connection) if short else {}
    drafts = []
    for line in short:
        under = tolerance_of(tolerances, order.supplier_id, line.item_id)
        if draft := short_case(order, line, announced[line.id], under, occurred_at):
            drafts.append(draft)
    return drafts, [short_key(line) for line in wanted.values()]
