"""Why lines come late: each late day is the planner's, our approval's or the supplier's, and the days add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, func, or_, select

from erp_core.master.model import supplier_items, suppliers
from erp_core.master.queries import visible
from erp_core.procurement.model import po_lines, purchase_orders
from erp_core.procurement.rules import INBOUND, Lateness, split_lateness

_DUE = func.coalesce(po_lines.c.need_by, po_lines.c.first_promised_on)
_LEAD = func.coalesce(supplier_items.c.lead_time_days, suppliers.c.lead_time_days)
_OPEN = po_lines.c.quantity - po_lines.c.accepted_quantity - po_lines.c.cancelled_quantity
_LINES = (
    select(
        po_lines.c.id,
        po_lines.c.po_id,
        purchase_orders.c.number,
        po_lines.c.line_no,
        purchase_orders.c.supplier_id,
        po_lines.c.item_id,
        _DUE.label("due_on"),
        po_lines.c.completed_on,
        purchase_orders.c.created_on,
        purchase_orders.c.sent_on,
        _LEAD.label("lead_days"),
    )
    .join(purchase_orders, purchase_orders.c.id == po_lines.c.po_id)
    .join(suppliers, suppliers.c.id == purchase_orders.c.supplier_id)
    .outerjoin(
        supplier_items,
        (supplier_items.c.supplier_id == purchase_orders.c.supplier_id)
        & (supplier_items.c.item_id == po_lines.c.item_id),
    )
    .where(purchase_orders.c.sent_on.is_not(None), visible(purchase_orders.c.import_id))
    .order_by(_DUE, purchase_orders.c.number, po_lines.c.line_no)
)


@dataclass(frozen=True, slots=True)
class LateLine:
    """A line that came late, or is late and still open: days late, and whose they are."""

    line_id: UUID
    po_id: UUID
    number: str
    line_no: int
    supplier_id: UUID
    item_id: UUID
    due_on: date
    came_on: date | None
    lateness: Lateness

    @property
    def cause(self) -> str:
        """Who has most of the days: planning, approval, supplier, or unknown where no lead time is agreed."""
        return self.lateness.cause


def late_causes(
    connection: Connection, today: date, *, since: date, supplier_id: UUID | None = None
) -> Sequence[LateLine]:
    """Lines due from `since` on that were completed after they were due, or are open past it, the earliest due first.

    A line is due when it was needed; where nobody said so, on the supplier's first confirmed day. Lines without
    either are neither in time nor late; units that were cancelled are not waited for.
    """
    came_late = po_lines.c.completed_on > _DUE
    still_open = (purchase_orders.c.status.in_(INBOUND)) & (_OPEN > 0) & (today > _DUE)
    statement = _LINES.where(since <= _DUE, or_(came_late, still_open))
    if supplier_id is not None:
        statement = statement.where(purchase_orders.c.supplier_id == supplier_id)
    return [
        LateLine(
            row.id,
            row.po_id,
            row.number,
            row.line_no,
            row.supplier_id,
            row.item_id,
            row.due_on,
            row.completed_on,
            split_lateness(row.due_on, row.created_on, row.sent_on, row.completed_on or today, row.lead_days),
        )
        for row in connection.execute(statement)
    ]
