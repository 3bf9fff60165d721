"""What a supplier sees of its own orders: what was ordered, what it answered, and what is still asked of it.

Never our reasons, people, reference prices, or another supplier's documents.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection, Select, func, or_, select

from erp_core.gate.model import audit_entries, users
from erp_core.master.model import items, locations
from erp_core.master.rules.workflows import CONFIRMATION
from erp_core.procurement.model import (
    confirmation_chases,
    po_milestones,
    po_revisions,
    purchase_orders,
    shipping_notices,
)
from erp_core.procurement.ordering.purchase_orders import Line, PurchaseOrder, read_orders
from erp_core.procurement.ordering.steps import due_steps
from erp_core.procurement.rules import INBOUND
from erp_core.storage.lookup import fetch_in

HISTORY = 200
"""So many of the latest steps of an order are shown."""


@dataclass(frozen=True, slots=True)
class SuppliersOrder:
    """An order in the supplier's list; `to_confirm` lines wait for its answer."""

    id: UUID
    number: str
    status: str
    currency: str
    sent_on: date
    lines: int
    to_confirm: int


@dataclass(frozen=True, slots=True)
class SuppliersLine:
    """A line as the supplier sees it; money in ten-thousandths of the order's currency."""

    id: UUID
    line_no: int
    sku: str
    item_name: str
    quantity: int
    open_quantity: int
    unit_price: int
    need_by: date | None
    first_promised_on: date | None
    promised_on: date | None
    confirmed_quantity: int | None
    confirmed_price: int | None
    to_confirm: bool


@dataclass(frozen=True, slots=True)
class Notice:
    """A shipping notice that it sent."""

    reference: str
    shipped_on: date
    expected_on: date
    cartons: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A step that is still asked of it, by which day, and how often it was chased."""

    step: str
    due_on: date
    late_days: int
    chases: int


@dataclass(frozen=True, slots=True)
class Step:
    """What happened to the order, when, and whether the supplier did it."""

    at: datetime
    command: str
    outcome: str
    by_supplier: bool


@dataclass(frozen=True, slots=True)
class SuppliersOrderDetail:
    """An order in full."""

    order: SuppliersOrder
    deliver_to: str
    revision: int
    lines: Sequence[SuppliersLine]
    notices: Sequence[Notice]
    milestones: Sequence[tuple[str, date]]
    asked: Sequence[Asked]
    history: Sequence[Step]


@dataclass(frozen=True, slots=True)
class Sent:
    """Something that the supplier sent by any way in, and what became of it."""

    at: datetime
    command: str
    subject_id: UUID | None
    outcome: str
    error: str | None
    remedy: str | None


def suppliers_orders(
    connection: Connection, supplier_id: UUID, *, statuses: Collection[str] | None = None, limit: int = 100
) -> tuple[SuppliersOrder, ...]:
    """The orders that were sent to the supplier, the newest first."""
    table = purchase_orders.c
    statement = (
        select(table.id)
        .where(table.supplier_id == supplier_id, table.sent_on.is_not(None), table.import_id.is_(None))
        .order_by(table.sent_on.desc(), table.id.desc())
        .limit(limit)
    )
    if statuses is not None:
        statement = statement.where(table.status.in_(list(statuses)))
    ids = list(connection.scalars(statement))
    orders = read_orders(connection, ids)
    return tuple(_header(orders[id_]) for id_ in ids)


def suppliers_order(
    connection: Connection, supplier_id: UUID, po_id: UUID, today: date
) -> SuppliersOrderDetail | None:
    """One of the supplier's orders; None for another's, or for one that was never sent."""
    order = read_orders(connection, [po_id]).get(po_id)
    if order is None or order.supplier_id != supplier_id or order.sent_on is None:
        return None
    lines = sorted(order.lines.values(), key=lambda line: line.line_no)
    names = {
        row.id: row
        for row in fetch_in(
            connection,
            select(items.c.id, items.c.sku, items.c.name),
            items.c.id,
            [one.item_id for one in lines],
        )
    }
    place = select(locations.c.code).where(locations.c.id == order.location_id)
    revision = select(func.max(po_revisions.c.revision)).where(po_revisions.c.po_id == po_id)
    return SuppliersOrderDetail(
        _header(order),
        str(connection.scalar(place)),
        int(connection.scalar(revision) or 0),
        [_line(one, names[one.item_id].sku, names[one.item_id].name, order.status) for one in lines],
        _notices(connection, po_id),
        _milestones(connection, po_id),
        _asked(connection, po_id, today),
        _history(connection, supplier_id, po_id),
    )


def sent_by_supplier(connection: Connection, supplier_id: UUID, *, limit: int = 100) -> tuple[Sent, ...]:
    """What the supplier's logins sent, taken or refused, the newest first."""
    table = audit_entries.c
    statement = (
        select(table.recorded_at, table.command, table.subject_id, table.outcome, table.error)
        .where(table.principal_id.in_(_logins(supplier_id)), table.command.in_(SENT))
        .order_by(table.recorded_at.desc(), table.id.desc())
        .limit(limit)
    )
    return tuple(
        Sent(at, command, subject_id, outcome, error and error["message"], error and error["remedy"])
        for at, command, subject_id, outcome, error in connection.execute(statement)
    )


SENT = (
    "ConfirmPurchaseOrder",
    "ChangePurchaseOrderDates",
    "RecordMilestone",
    "RecordSupplierMessage",
    "RecordSupplierInvoice",
    "SendShippingNotice",
    "ReceiveInterchange",
)
"""What a supplier sends."""
_SHOWN = (
    *SENT,
    "SendPurchaseOrder",
    "ChangePurchaseOrder",
    "ReceiveGoods",
    "CancelPurchaseOrder",
    "ClosePurchaseOrder",
)


def _logins(supplier_id: UUID) -> Select[tuple[UUID]]:
    return select(users.c.id).where(users.c.supplier_id == supplier_id)


def _header(order: PurchaseOrder) -> SuppliersOrder:
    assert order.sent_on is not None
    waiting = sum(_to_confirm(line, order.status) for line in order.lines.values())
    return SuppliersOrder(
        order.id, order.number, order.status, order.currency, order.sent_on, len(order.lines), waiting
    )


def _to_confirm(line: Line, status: str) -> bool:
    return status in INBOUND and line.open_quantity > 0 and not line.is_confirmed


def _line(line: Line, sku: str, name: str, status: str) -> SuppliersLine:
    return SuppliersLine(
        line.id,
        line.line_no,
        sku,
        name,
        line.quantity,
        line.open_quantity,
        line.unit_price,
        line.need_by,
        line.first_promised_on,
        line.promised_on,
        line.confirmed_quantity,
        line.confirmed_price,
        _to_confirm(line, status),
    )


def _notices(connection: Connection, po_id: UUID) -> list[Notice]:
    table = shipping_notices.c
    statement = (
        select(table.reference, table.shipped_on, table.expected_on, table.cartons)
        .where(table.po_id == po_id)
        .order_by(table.shipped_on, table.reference)
    )
    return [Notice(*row) for row in connection.execute(statement)]


def _milestones(connection: Connection, po_id: UUID) -> list[tuple[str, date]]:
    table = po_milestones.c
    statement = select(table.milestone, table.reached_on).where(table.po_id == po_id)
    return [(name, day) for name, day in connection.execute(statement.order_by(table.reached_on))]


def _asked(connection: Connection, po_id: UUID, today: date) -> list[Asked]:
    chases = connection.scalar(
        select(func.count()).select_from(confirmation_chases).where(confirmation_chases.c.po_id == po_id)
    )
    return [
        Asked(one.step, one.due_on, one.late_days, int(chases or 0) if one.step == CONFIRMATION else 0)
        for one in due_steps(connection, today, po_id)
    ]


def _history(connection: Connection, supplier_id: UUID, po_id: UUID) -> list[Step]:
    """What was done with the order; attempts that were refused only where they were the supplier's own."""
    table = audit_entries.c
    own = table.principal_id.in_(_logins(supplier_id))
    statement = (
        select(table.recorded_at, table.command, table.outcome, own.label("own"))
        .where(
            table.subject_kind == "purchase_order",
            table.subject_id == po_id,
            table.command.in_(_SHOWN),
            or_(table.outcome == "executed", own),
        )
        .order_by(table.recorded_at.desc(), table.id.desc())
        .limit(HISTORY)
    )
    return [
        Step(at, command, outcome, bool(by)) for at, command, outcome, by in connection.execute(statement)
    ]
