"""Reads of procurement. Money in ten-thousandths, quantities in base units.

Rows of an import that is not complete are never seen.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, Table, bindparam, exists, func, select

from erp_core.finance.rules import converted
from erp_core.inventory.queries import available_units
from erp_core.master.model import items, suppliers
from erp_core.master.queries import visible
from erp_core.orders.queries import backordered_units
from erp_core.procurement.model import po_lines, purchase_orders, receipt_lines, receipts, supplier_messages
from erp_core.procurement.rules import COMMITTED, INBOUND, ON_TIME_GRACE_DAYS, Position
from erp_core.storage.lookup import AnyRow, fetch_in

Pair = tuple[UUID, UUID]


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line on its way: `open_quantity` is still expected; `late_days` counts past the first promise."""

    line_id: UUID
    po_id: UUID
    number: str
    status: str
    supplier_id: UUID
    location_id: UUID
    item_id: UUID
    line_no: int
    quantity: int
    open_quantity: int
    unit_price: int
    sent_on: date | None
    need_by: date | None
    first_promised_on: date | None
    promised_on: date | None
    delay_cause: str | None

    @property
    def open_value(self) -> int:
        """What is still expected, at the order's price."""
        return self.open_quantity * self.unit_price

    def late_days(self, today: date) -> int | None:
        """Days past the first promise and the grace; 0 while in time, None without a promise."""
        if self.first_promised_on is None:
            return None
        return max((today - self.first_promised_on).days - ON_TIME_GRACE_DAYS, 0)


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
    """What arrived for a line on a day."""

    receipt_id: UUID
    received_on: date
    po_line_id: UUID
    accepted_quantity: int
    held_quantity: int
    rejected_quantity: int


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


@dataclass(frozen=True, slots=True)
class Commitment:
    """What is still to come from a supplier, in a month of promised (or needed) days; None where undated."""

    supplier_id: UUID
    month: str | None
    lines: int
    units: int
    value: int


R = TypeVar("R")


def open_lines(
    connection: Connection,
    *,
    supplier_id: UUID | None = None,
    item_ids: Collection[UUID] | None = None,
    location_id: UUID | None = None,
    late_on: date | None = None,
) -> tuple[OpenLine, ...]:
    """Lines on their way, the earliest promise first; with `late_on` those past their first promise on that day."""
    statement = _open_lines(INBOUND)
    if supplier_id is not None:
        statement = statement.where(purchase_orders.c.supplier_id == supplier_id)
    if location_id is not None:
        statement = statement.where(purchase_orders.c.location_id == location_id)
    if item_ids is not None:
        statement = statement.where(po_lines.c.item_id.in_(list(item_ids)))
    lines = _read(OpenLine, connection.execute(statement))
    if late_on is None:
        return lines
    return tuple(line for line in lines if line.late_days(late_on))


def late_lines(connection: Connection, today: date) -> tuple[OpenLine, ...]:
    """Open lines past their first promise and the grace."""
    return open_lines(connection, late_on=today)


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
    statement = select(*_columns(PurchaseOrderHeader, table)).where(*conditions)
    newest_first = (
        statement.order_by(table.c.created_on.desc(), table.c.id.desc()).limit(limit).offset(offset)
    )
    return _read(PurchaseOrderHeader, connection.execute(newest_first)), total


def find_purchase_order(connection: Connection, number: str) -> PurchaseOrderHeader | None:
    """The purchase order of this number, in any case, or None."""
    table = purchase_orders
    statement = select(*_columns(PurchaseOrderHeader, table)).where(visible(table.c.import_id))
    found = _read(
        PurchaseOrderHeader, connection.execute(statement.where(func.lower(table.c.number) == number.lower()))
    )
    return found[0] if len(found) == 1 else None


def purchase_order(connection: Connection, po_id: UUID) -> PurchaseOrderDetail | None:
    """One purchase order in full, or None when there is none."""
    table = purchase_orders
    header = select(*_columns(PurchaseOrderHeader, table)).where(
        table.c.id == po_id, visible(table.c.import_id)
    )
    orders = _read(PurchaseOrderHeader, connection.execute(header))
    if not orders:
        return None
    lines = (
        select(*_columns(PurchaseOrderLine, po_lines))
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
        )
        .join(receipt_lines, receipt_lines.c.receipt_id == receipts.c.id)
        .where(receipts.c.po_id == po_id)
        .order_by(receipts.c.received_on, receipt_lines.c.id)
    )
    return PurchaseOrderDetail(
        orders[0],
        _read(PurchaseOrderLine, connection.execute(lines)),
        _read(ReceiptLine, connection.execute(arrived)),
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
        select(*_columns(SupplierMessage, table))
        .order_by(table.c.received_at.desc(), table.c.id)
        .limit(limit)
    )
    if po_id is not None:
        statement = statement.where(table.c.po_id == po_id)
    if supplier_id is not None:
        statement = statement.where(table.c.supplier_id == supplier_id)
    return _read(SupplierMessage, connection.execute(statement))


def commitments_by_supplier(connection: Connection) -> tuple[Commitment, ...]:
    """Approved and not yet received, by supplier and month of the promised, else needed, day."""
    sums: dict[tuple[UUID, str | None], list[int]] = {}
    for line in _read(OpenLine, connection.execute(_open_lines(COMMITTED))):
        day = line.promised_on or line.need_by
        part = sums.setdefault((line.supplier_id, None if day is None else f"{day:%Y-%m}"), [0, 0, 0])
        part[0] += 1
        part[1] += line.open_quantity
        part[2] += line.open_value
    ordered = sorted(sums.items(), key=lambda entry: (str(entry[0][0]), entry[0][1] or "9999"))
    return tuple(Commitment(supplier, month, *numbers) for (supplier, month), numbers in ordered)


def positions(connection: Connection, pairs: Iterable[Pair]) -> dict[Pair, Position]:
    """The inventory position of each (item, location): every open order counts once, drafts not at all."""
    wanted = list(dict.fromkeys(pairs))
    item_ids = {item_id for item_id, _ in wanted}
    available = available_units(connection, item_ids)
    ordered = on_order_units(connection, item_ids)
    owed = backordered_units(connection, item_ids)
    return {
        pair: Position(available.get(pair, 0), ordered.get(pair, 0), owed.get(pair, 0)) for pair in wanted
    }


def on_order_units(connection: Connection, item_ids: Iterable[UUID]) -> dict[Pair, int]:
    """Units approved and not yet received by (item, location), where there are any."""
    statement = (
        select(po_lines.c.item_id, purchase_orders.c.location_id, func.sum(_OPEN_QUANTITY))
        .join(purchase_orders, purchase_orders.c.id == po_lines.c.po_id)
        .where(purchase_orders.c.status.in_(COMMITTED), visible(purchase_orders.c.import_id))
        .group_by(po_lines.c.item_id, purchase_orders.c.location_id)
    )
    rows = fetch_in(connection, statement, po_lines.c.item_id, item_ids)
    return {(item_id, location_id): int(units) for item_id, location_id, units in rows if units}


def ever_ordered_from(connection: Connection, supplier_ids: Iterable[UUID]) -> set[UUID]:
    """Those of the suppliers to whom a purchase order was ever sent."""
    return {row.id for row in fetch_in(connection, _SENT_TO, suppliers.c.id, supplier_ids)}


def unasked_purchases(
    connection: Connection, supplier_ids: Iterable[UUID], since: datetime
) -> Sequence[AnyRow]:
    """Orders to these suppliers that took effect after a moment without anybody having been asked: id, supplier_id,
    currency, total, approved_at."""
    return fetch_in(connection, _UNASKED, purchase_orders.c.supplier_id, supplier_ids, since=since)


_UNASKED = select(
    purchase_orders.c.id,
    purchase_orders.c.supplier_id,
    purchase_orders.c.currency,
    purchase_orders.c.total,
    purchase_orders.c.approved_at,
).where(
    purchase_orders.c.approved_at > bindparam("since"),
    purchase_orders.c.proposal_id.is_(None),
    purchase_orders.c.status != "cancelled",
)


def committed_by_category(
    connection: Connection, wanted: Iterable[tuple[str, date]], rates: Mapping[str, int]
) -> dict[tuple[str, date], int]:
    """Goods ordered in a month by category, in company currency, for these categories and months.

    An order counts in the month in which it took effect; one whose currency has no rate does not count.
    """
    keys = list(wanted)
    months = {month for _, month in keys}
    first = datetime.combine(min(months), time.min, UTC)
    last = datetime.combine(max(months) + timedelta(days=31), time.min, UTC)
    rows = fetch_in(
        connection, _COMMITTED, items.c.category, {name for name, _ in keys}, first=first, last=last
    )
    found: dict[tuple[str, date], int] = {}
    for row in rows:
        key = (row.category, row.approved_at.date().replace(day=1))
        if row.currency in rates:
            found[key] = found.get(key, 0) + converted(int(row.value), rates[row.currency])
    return found


_COMMITTED = (
    select(
        items.c.category,
        purchase_orders.c.approved_at,
        purchase_orders.c.currency,
        func.sum(po_lines.c.unit_price * (po_lines.c.quantity - po_lines.c.cancelled_quantity)).label(
            "value"
        ),
    )
    .join(purchase_orders, purchase_orders.c.id == po_lines.c.po_id)
    .join(items, items.c.id == po_lines.c.item_id)
    .where(
        purchase_orders.c.approved_at >= bindparam("first"),
        purchase_orders.c.approved_at < bindparam("last"),
        purchase_orders.c.status != "cancelled",
    )
    .group_by(items.c.category, purchase_orders.c.approved_at, purchase_orders.c.currency)
)
_SENT_TO = select(suppliers.c.id).where(
    exists().where(purchase_orders.c.supplier_id == suppliers.c.id, purchase_orders.c.sent_on.is_not(None))
)
_OPEN_QUANTITY = po_lines.c.quantity - po_lines.c.accepted_quantity - po_lines.c.cancelled_quantity


def _open_lines(statuses: Collection[str]) -> Select[Any]:
    return (
        select(
            po_lines.c.id,
            po_lines.c.po_id,
            purchase_orders.c.number,
            purchase_orders.c.status,
            purchase_orders.c.supplier_id,
            purchase_orders.c.location_id,
            po_lines.c.item_id,
            po_lines.c.line_no,
            po_lines.c.quantity,
            _OPEN_QUANTITY,
            po_lines.c.unit_price,
            purchase_orders.c.sent_on,
            po_lines.c.need_by,
            po_lines.c.first_promised_on,
            po_lines.c.promised_on,
            po_lines.c.delay_cause,
        )
        .join(purchase_orders, purchase_orders.c.id == po_lines.c.po_id)
        .where(
            purchase_orders.c.status.in_(statuses), _OPEN_QUANTITY > 0, visible(purchase_orders.c.import_id)
        )
        .order_by(po_lines.c.promised_on, purchase_orders.c.number, po_lines.c.line_no)
    )


def _columns(record: type[Any], table: Table) -> list[Any]:
    return [table.c[part.name] for part in fields(record)]


def _read(record: Callable[..., R], rows: Iterable[AnyRow]) -> tuple[R, ...]:
    return tuple(record(*row) for row in rows)
