"""Lines on their way, late ones, and what is committed to suppliers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, select

from erp_core.master.queries import visible
from erp_core.procurement.model import po_lines, purchase_orders
from erp_core.procurement.queries.reading import records
from erp_core.procurement.rules import COMMITTED, INBOUND, ON_TIME_GRACE_DAYS

_OPEN_QUANTITY = po_lines.c.quantity - po_lines.c.accepted_quantity - po_lines.c.cancelled_quantity


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
class Commitment:
    """What is still to come from a supplier, in a month of promised (or needed) days; None where undated."""

    supplier_id: UUID
    month: str | None
    lines: int
    units: int
    value: int


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
    lines = records(OpenLine, connection.execute(statement))
    if late_on is None:
        return lines
    return tuple(line for line in lines if line.late_days(late_on))


def late_lines(connection: Connection, today: date) -> tuple[OpenLine, ...]:
    """Open lines past their first promise and the grace."""
    return open_lines(connection, late_on=today)


def commitments_by_supplier(connection: Connection) -> tuple[Commitment, ...]:
    """Approved and not yet received, by supplier and month of the promised, else needed, day."""
    sums: dict[tuple[UUID, str | None], list[int]] = {}
    for line in records(OpenLine, connection.execute(_open_lines(COMMITTED))):
        day = line.promised_on or line.need_by
        part = sums.setdefault((line.supplier_id, None if day is None else f"{day:%Y-%m}"), [0, 0, 0])
        part[0] += 1
        part[1] += line.open_quantity
        part[2] += line.open_value
    ordered = sorted(sums.items(), key=lambda entry: (str(entry[0][0]), entry[0][1] or "9999"))
    return tuple(Commitment(supplier, month, *numbers) for (supplier, month), numbers in ordered)


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
