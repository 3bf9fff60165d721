"""Purchase orders with lines, receipts and messages."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, func, select

from erp_core.master.queries import visible
from erp_core.procurement.model import po_lines, purchase_orders, receipt_lines, receipts, supplier_messages
from erp_core.procurement.model.receiving import receipt_reversals
from erp_core.procurement.queries.reading import columns_of, records
from erp_core.storage.lookup import fetch_in


@dataclass(frozen=True, slots=True)
class PurchaseOrderHeader:
    """A purchase order without its lines. `total` is goods, freight and expedite."""

    id: UUID
    number: str
    supplier_id: UUID
    location_id: UUID
    buyer_id: UUID
    currency: str
    status: str
    total: int
    freight_cost: int
    expedite_cost: int
    created_on: date
    submitted_at: datetime | None
    approved_at: datetime | None
    sent_on: date | None
    proposal_id: UUID | None
    reason: str
    version: int


@dataclass(frozen=True, slots=True)
class PurchaseOrderLine:
    """A line with what became of it."""

    id: UUID
    line_no: int
    item_id: UUID
    quantity: int
    unit_price: int
    reference_price: int
    need_by: date | None
    first_promised_on: date | None
    promised_on: date | None
    accepted_quantity: int
    accepted_by_promise: int
    held_quantity: int
    rejected_quantity: int
    cancelled_quantity: int
    completed_on: date | None
    delay_cause: str | None


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """What arrived for a line on a day. `reversed_on`: the whole receipt was taken back then; None while it stands."""

    receipt_id: UUID
    received_on: date
    po_line_id: UUID
    accepted_quantity: int
    held_quantity: int
    rejected_quantity: int
    reversed_on: date | None = None


@dataclass(frozen=True, slots=True)
class SupplierMessage:
    """A supplier's message. `body` is untrusted text: show it as data, give it to no language model."""

    id: UUID
    supplier_id: UUID
    po_id: UUID | None
    received_at: datetime
    body: str


@dataclass(frozen=True, slots=True)
class PurchaseOrderDetail:
    """A purchase order with lines, receipts and messages."""

    order: PurchaseOrderHeader
    lines: Sequence[PurchaseOrderLine]
    receipts: Sequence[ReceiptLine]
    messages: Sequence[SupplierMessage]


def list_purchase_orders(
    connection: Connection,
    *,
    statuses: Collection[str] | None = None,
    supplier_id: UUID | None = None,
    limit: int = 50,
    offset: int = 0,
) -> tuple[tuple[PurchaseOrderHeader, ...], int]:
    """A page of purchase orders, the newest first, and how many there are in all."""
    table = purchase_orders
    conditions: list[ColumnElement[bool]] = [visible(table.c.import_id)]
    if statuses is not None:
        conditions.append(table.c.status.in_(list(statuses)))
    if supplier_id is not None:
        conditions.append(table.c.supplier_id == supplier_id)
    total = connection.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one()
    statement = select(*columns_of(PurchaseOrderHeader, table)).where(*conditions)
    newest_first = (
        statement.order_by(table.c.created_on.desc(), table.c.id.desc()).limit(limit).offset(offset)
    )
    return records(PurchaseOrderHeader, connection.execute(newest_first)), total


def find_purchase_order(connection: Connection, number: str) -> PurchaseOrderHeader | None:
    """The purchase order of this number, in any case, or None."""
    table = purchase_orders
    statement = select(*columns_of(PurchaseOrderHeader, table)).where(visible(table.c.import_id))
    found = records(
        PurchaseOrderHeader, connection.execute(statement.where(func.lower(table.c.number) == number.lower()))
    )
    return found[0] if len(found) == 1 else None


def purchase_order(connection: Connection, po_id: UUID) -> PurchaseOrderDetail | None:
    """One purchase order in full, or None when there is none."""
    table = purchase_orders
    header = select(*columns_of(PurchaseOrderHeader, table)).where(
        table.c.id == po_id, visible(table.c.import_id)
    )
    orders = records(PurchaseOrderHeader, connection.execute(header))
    if not orders:
        return None
    lines = (
        select(*columns_of(PurchaseOrderLine, po_lines))
        .where(po_lines.c.po_id == po_id)
        .order_by(po_lines.c.line_no)
    )
    arrived = (
        select(
            receipts.c.id,
            receipts.c.received_on,
            receipt_lines.c.po_line_id,
            receipt_lines.c.accepted_quantity,
            receipt_lines.c.held_quantity,
            receipt_lines.c.rejected_quantity,
            receipt_reversals.c.reversed_on,
        )
        .join(receipt_lines, receipt_lines.c.receipt_id == receipts.c.id)
        .outerjoin(receipt_reversals, receipt_reversals.c.receipt_id == receipts.c.id)
        .where(receipts.c.po_id == po_id)
        .order_by(receipts.c.received_on, receipt_lines.c.id)
    )
    return PurchaseOrderDetail(
        orders[0],
        records(PurchaseOrderLine, connection.execute(lines)),
        records(ReceiptLine, connection.execute(arrived)),
        supplier_messages_of(connection, po_id=po_id),
    )


def receipts_under(connection: Connection, audit_ids: Iterable[UUID]) -> list[UUID]:
    """The receipts that were posted under these audit entries."""
    statement = select(receipts.c.id, receipts.c.audit_id).order_by(receipts.c.id)
    return [row.id for row in fetch_in(connection, statement, receipts.c.audit_id, audit_ids)]


def supplier_messages_of(
    connection: Connection, *, po_id: UUID | None = None, supplier_id: UUID | None = None, limit: int = 50
) -> tuple[SupplierMessage, ...]:
    """Messages about a purchase order or from a supplier, the newest first."""
    table = supplier_messages
    statement = (
        select(*columns_of(SupplierMessage, table))
        .order_by(table.c.received_at.desc(), table.c.id)
        .limit(limit)
    )
    if po_id is not None:
        statement = statement.where(table.c.po_id == po_id)
    if supplier_id is not None:
        statement = statement.where(table.c.supplier_id == supplier_id)
    return records(SupplierMessage, connection.execute(statement))
