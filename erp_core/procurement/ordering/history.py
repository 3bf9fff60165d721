"""Past purchase orders that an import brings, open or received: no stock moves, no approvals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from erp_core.procurement.model import po_lines, purchase_orders, receipt_lines, receipts
from erp_core.storage.columnar import insert_columns
from erp_core.storage.derived import line_id


class PastReceipt(NamedTuple):
    """What was accepted and rejected of a line on a day, and the day it became known."""

    received_on: date
    known_on: date
    accepted: int
    rejected: int


class PastPoLine(NamedTuple):
    """A line with what was promised and what came, first receipt first. Price in ten-thousandths."""

    line_no: int
    item_id: UUID
    quantity: int
    unit_price: int
    first_promised_on: date | None
    promised_on: date | None
    cancelled: int
    receipts: Sequence[PastReceipt]

    @property
    def accepted(self) -> int:
        """Units accepted so far."""
        return sum(receipt.accepted for receipt in self.receipts)

    @property
    def open(self) -> int:
        """Units still to come."""
        return self.quantity - self.cancelled - self.accepted

    def accepted_by(self, day: date | None) -> int:
        """Units accepted no later than `day`; none without a day."""
        return sum(
            receipt.accepted for receipt in self.receipts if day is not None and receipt.received_on <= day
        )


class PastPurchaseOrder(NamedTuple):
    """A purchase order as it was. Its id is a `derived_id`."""

    id: UUID
    number: str
    supplier_id: UUID
    location_id: UUID
    buyer_id: UUID
    currency: str
    created_on: date
    sent_on: date | None
    known_on: date
    freight_cost: int
    lines: Sequence[PastPoLine]

    @property
    def status(self) -> str:
        """Sent, partly received, received or cancelled, as its lines say."""
        if all(line.cancelled == line.quantity for line in self.lines):
            return "cancelled"
        if all(line.open == 0 for line in self.lines):
            return "received"
        return "partly_received" if any(line.receipts for line in self.lines) else "sent"


def write_past_purchases(
    connection: Connection, past: Sequence[PastPurchaseOrder], *, import_id: UUID, audit_id: UUID
) -> None:
    """Write purchase orders with lines and receipts; the price charged is also the reference price."""
    if not past:
        return
    insert_columns(
        connection,
        purchase_orders,
        {
            "id": [po.id for po in past],
            "number": [po.number for po in past],
            "supplier_id": [po.supplier_id for po in past],
            "location_id": [po.location_id for po in past],
            "buyer_id": [po.buyer_id for po in past],
            "currency": [po.currency for po in past],
            "status": [po.status for po in past],
            "total": [sum(line.quantity * line.unit_price for line in po.lines) for po in past],
            "freight_cost": [po.freight_cost for po in past],
            "expedite_cost": 0,
            "created_on": [po.created_on for po in past],
            "sent_on": [po.sent_on for po in past],
            "known_on": [po.known_on for po in past],
            "reason": "imported",
            "version": 1,
            "import_id": import_id,
            "audit_id": audit_id,
        },
    )
    rows = [(po, line) for po in past for line in po.lines]
    insert_columns(
        connection,
        po_lines,
        {
            "id": [line_id(po.id, line.line_no) for po, line in rows],
            "po_id": [po.id for po, _ in rows],
            "line_no": [line.line_no for _, line in rows],
            "item_id": [line.item_id for _, line in rows],
            "quantity": [line.quantity for _, line in rows],
            "unit_price": [line.unit_price for _, line in rows],
            "reference_price": [line.unit_price for _, line in rows],
            "first_promised_on": [line.first_promised_on for _, line in rows],
            "promised_on": [line.promised_on for _, line in rows],
            "accepted_quantity": [line.accepted for _, line in rows],
            "accepted_by_promise": [line.accepted_by(line.first_promised_on) for _, line in rows],
            "held_quantity": 0,
            "rejected_quantity": [sum(receipt.rejected for receipt in line.receipts) for _, line in rows],
            "cancelled_quantity": [line.cancelled for _, line in rows],
            "completed_on": [_completed_on(line) for _, line in rows],
            "import_id": import_id,
        },
    )
    _write_receipts(connection, past, import_id, audit_id)


def _completed_on(line: PastPoLine) -> date | None:
    return line.receipts[-1].received_on if line.receipts and line.open == 0 else None


def _write_receipts(
    connection: Connection, past: Sequence[PastPurchaseOrder], import_id: UUID, audit_id: UUID
) -> None:
    headers: dict[UUID, tuple[UUID, UUID, date, date]] = {}
    lines: list[tuple[UUID, UUID, UUID, PastReceipt, PastPoLine]] = []
    for po in past:
        days = sorted({(one.received_on, one.known_on) for line in po.lines for one in line.receipts})
        ids = {key: line_id(po.id, number) for number, key in enumerate(days, start=1)}
        headers |= {id_: (po.id, po.location_id, *key) for key, id_ in ids.items()}
        place = 0
        for line in po.lines:
            for one in line.receipts:
                place += 1
                receipt = ids[one.received_on, one.known_on]
                lines.append((line_id(po.id, place), receipt, line_id(po.id, line.line_no), one, line))
    if not lines:
        return
    insert_columns(
        connection,
        receipts,
        {
            "id": list(headers),
            "po_id": [header[0] for header in headers.values()],
            "location_id": [header[1] for header in headers.values()],
            "received_on": [header[2] for header in headers.values()],
            "known_on": [header[3] for header in headers.values()],
            "import_id": import_id,
            "audit_id": audit_id,
        },
    )
    insert_columns(
        connection,
        receipt_lines,
        {
            "id": [row[0] for row in lines],
            "receipt_id": [row[1] for row in lines],
            "po_line_id": [row[2] for row in lines],
            "accepted_quantity": [row[3].accepted for row in lines],
            "held_quantity": 0,
            "rejected_quantity": [row[3].rejected for row in lines],
            "exact": [int(not row[3].rejected and row[3].accepted == row[4].quantity) for row in lines],
        },
    )
