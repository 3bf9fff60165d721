"""Purchase orders in memory: one unit of work per transaction, read in bulk and written in bulk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, select

from erp_core.gate.contract import NotFound, Transaction
from erp_core.gate.statuses import require_step
from erp_core.inventory.locks import lock_documents
from erp_core.master.feeds import Feeds
from erp_core.procurement.model import po_lines, purchase_orders
from erp_core.procurement.rules import PURCHASE_ORDER_STEPS, expected_day
from erp_core.storage.bulk import insert_records, insert_rows, update_records
from erp_core.storage.lookup import fetch_in


@dataclass(slots=True)
class Line:
    """A purchase order line; its fields are the columns of `po_lines`."""

    id: UUID
    po_id: UUID
    line_no: int
    item_id: UUID
    quantity: int
    unit_price: int
    reference_price: int
    need_by: date | None
    first_promised_on: date | None = None
    promised_on: date | None = None
    expected_on: date | None = None
    confirmed_quantity: int | None = None
    confirmed_price: int | None = None
    asked_again_on: date | None = None
    accepted_quantity: int = 0
    accepted_by_promise: int = 0
    held_quantity: int = 0
    inspection_quantity: int = 0
    quarantined_quantity: int = 0
    rejected_quantity: int = 0
    cancelled_quantity: int = 0
    tolerated_quantity: int = 0
    completed_on: date | None = None
    delay_cause: str | None = None
    import_id: UUID | None = None
    contract_id: UUID | None = None

    @property
    def open_quantity(self) -> int:
        """Units still expected."""
        return self.quantity - self.accepted_quantity - self.cancelled_quantity

    @property
    def beyond_quantity(self) -> int:
        """Of the held units, those that came beyond the order."""
        return self.held_quantity - self.inspection_quantity - self.quarantined_quantity

    def expect(self, slip_days: int) -> None:
        """Set the day we expect it on, with the order's milestones so many days late."""
        self.expected_on = expected_day(self.first_promised_on, self.promised_on, slip_days)

    @property
    def is_confirmed(self) -> bool:
        """Whether the supplier confirmed it as it stands now, be it with other units or none."""
        answered = self.first_promised_on is not None or self.confirmed_quantity is not None
        return answered and self.asked_again_on is None


@dataclass(slots=True)
class PurchaseOrder:
    """A purchase order; its fields but `lines` are the columns of `purchase_orders`."""

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
    known_on: date
    proposal_id: UUID | None
    reason: str
    version: int
    import_id: UUID | None
    audit_id: UUID
    slip_days: int = 0
    lines: dict[UUID, Line] = field(default_factory=dict)

    def step_to(self, status: str) -> None:
        """Change the status along the graph. Raises `IllegalTransition`."""
        require_step(PURCHASE_ORDER_STEPS, self.status, status, f"purchase order {self.number}")
        self.status = status

    def follow_lines(self) -> None:
        """Let the status follow the lines; an order of which nothing was accepted, or that is over, stays as it is."""
        if self.status in ("received", "closed", "cancelled"):
            return
        if all(line.open_quantity == 0 for line in self.lines.values()):
            self.step_to("received")
        elif self.status != "partly_received" and any(one.accepted_quantity for one in self.lines.values()):
            self.step_to("partly_received")

    def line(self, line_id: UUID, named: str) -> Line:
        """One of its lines. Raises `NotFound`, with `named` as the command's field."""
        if line_id not in self.lines:
            raise NotFound(
                f"purchase order {self.number} has no such line",
                field=named,
                remedy="use a line of this purchase order",
            )
        return self.lines[line_id]


_ORDER_FIELDS = [part.name for part in fields(PurchaseOrder) if part.name != "lines"]
_LINE_FIELDS = [part.name for part in fields(Line)]
_ORDERS = select(*(purchase_orders.c[name] for name in _ORDER_FIELDS))
_LINES = select(*(po_lines.c[name] for name in _LINE_FIELDS)).order_by(po_lines.c.line_no)
_ORDER_CHANGES = ["status", "submitted_at", "approved_at", "sent_on", "proposal_id", "version", "audit_id"]
_ORDER_CHANGES += ["total", "freight_cost", "expedite_cost", "slip_days"]
_LINE_CHANGES = [
    "first_promised_on",
    "promised_on",
    "expected_on",
    "quantity",
    "unit_price",
    "need_by",
    "confirmed_quantity",
    "confirmed_price",
    "asked_again_on",
    "accepted_quantity",
    "accepted_by_promise",
    "held_quantity",
    "inspection_quantity",
    "quarantined_quantity",
    "rejected_quantity",
    "cancelled_quantity",
    "tolerated_quantity",
    "completed_on",
    "delay_cause",
]


def read_orders(connection: Connection, ids: Iterable[UUID]) -> dict[UUID, PurchaseOrder]:
    """These purchase orders as they are stored, not locked; those that are not there are left out."""
    wanted = set(ids)
    found = {
        row.id: PurchaseOrder(*row) for row in fetch_in(connection, _ORDERS, purchase_orders.c.id, wanted)
    }
    for row in fetch_in(connection, _LINES, po_lines.c.po_id, found):
        found[row.po_id].lines[row.id] = Line(*row)
    return found


class PurchaseOrders:
    """The transaction's purchase orders. `load` locks them; `changed` and `add` are written at flush."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._orders: dict[UUID, PurchaseOrder] = {}
        self._added: dict[UUID, PurchaseOrder] = {}
        self._changed: dict[UUID, PurchaseOrder] = {}
        self._changed_lines: dict[UUID, Line] = {}
        self._added_lines: dict[UUID, Line] = {}
        self._rows: dict[Table, list[dict[str, Any]]] = {}
        self._days: set[date] = set()

    @classmethod
    def of(cls, tx: Transaction) -> PurchaseOrders:
        """The transaction's purchase orders."""
        return tx.unit(cls, cls)

    def load(self, ids: Iterable[UUID]) -> None:
        """Read and lock these purchase orders with their lines; those already read stay as they are."""
        wanted = [po_id for po_id in ids if po_id not in self._orders]
        if not wanted:
            return
        for row in lock_documents(self._tx.connection, _ORDERS, purchase_orders.c.id, wanted):
            self._orders[row.id] = PurchaseOrder(*tuple(row))
        for row in fetch_in(self._tx.connection, _LINES, po_lines.c.po_id, wanted):
            self._orders[row.po_id].lines[row.id] = Line(*tuple(row))

    def find(self, po_id: UUID) -> PurchaseOrder | None:
        """The loaded purchase order, or None when there is none."""
        return self._orders.get(po_id)

    def get(self, po_id: UUID) -> PurchaseOrder:
        """The loaded purchase order. Raises `NotFound`."""
        order = self._orders.get(po_id)
        if order is None:
            raise NotFound(
                "there is no such purchase order", field="po_id", remedy="look it up by its number"
            )
        return order

    def add(self, order: PurchaseOrder) -> None:
        """A new purchase order with its lines."""
        self._orders[order.id] = self._added[order.id] = order

    def changed(self, order: PurchaseOrder, audit_id: UUID | None = None, lines: Iterable[Line] = ()) -> None:
        """Note that the order, and these lines, changed under an audit entry; gives the order its next version."""
        order.version += 1
        order.audit_id = audit_id or order.audit_id
        if order.id not in self._added:
            self._changed[order.id] = order
            self._changed_lines.update((line.id, line) for line in lines if line.id not in self._added_lines)

    def add_line(self, order: PurchaseOrder, line: Line) -> None:
        """Another line of an order that is there."""
        order.lines[line.id] = self._added_lines[line.id] = line

    def insert(self, table: Table, row: dict[str, Any]) -> None:
        """A row of another table of procurement, written with the orders."""
        self._rows.setdefault(table, []).append(row)

    def purchasing_on(self, day: date) -> None:
        """Note that the company has purchasing facts on this day."""
        self._days.add(day)

    def flush(self) -> None:
        """Write what was added and changed."""
        connection = self._tx.connection
        added = self._added.values()
        new_lines = [line for order in added for line in order.lines.values()]
        new_lines += self._added_lines.values()
        insert_records(connection, purchase_orders, added, _ORDER_FIELDS)
        insert_records(connection, po_lines, new_lines, _LINE_FIELDS)
        update_records(connection, purchase_orders, self._changed.values(), _ORDER_CHANGES)
        update_records(connection, po_lines, self._changed_lines.values(), _LINE_CHANGES)
        for table, rows in self._rows.items():
            insert_rows(connection, table, rows)
        if self._days:
            Feeds.of(self._tx).touch("purchasing", min(self._days), max(self._days))
        self._forget_pending()

    def discard(self) -> None:
        """Forget everything that was read, added or changed."""
        self._orders = {}
        self._forget_pending()

    def _forget_pending(self) -> None:
        self._added, self._changed, self._changed_lines, self._rows, self._days = {}, {}, {}, {}, set()
        self._added_lines = {}
