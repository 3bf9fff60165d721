"""Receipts that are taken back: which still stand, what an order is without one, and what forbids it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, case, func, select

from erp_core.gate.contract import DomainError
from erp_core.procurement.claims.reading import went_back
from erp_core.procurement.invoices.rules import PAYABLE
from erp_core.procurement.model import (
    credited_returns,
    drop_ship_lines,
    receipt_lines,
    receipts,
    shipping_notices,
)
from erp_core.procurement.model.invoices import invoice_steps, supplier_invoice_lines, supplier_invoices
from erp_core.procurement.model.landed import landed_charges, landed_reversals, landed_shares
from erp_core.procurement.model.receiving import (
    held_decisions,
    receipt_reversals,
    unordered_decisions,
    unordered_goods,
)
from erp_core.procurement.ordering.purchase_orders import Line, PurchaseOrder
from erp_core.procurement.rules import in_time
from erp_core.storage.lookup import AnyRow, fetch_in, there


class ReceiptNotReversible(DomainError):
    """Something rests on the receipt, or nothing of it was posted here."""

    code = "receipt_not_reversible"


@dataclass(slots=True)
class Came:
    """What a receipt brought of a line, all its parts together."""

    accepted: int = 0
    held: int = 0
    inspection: int = 0
    quarantined: int = 0
    rejected: int = 0

    @property
    def kept(self) -> int:
        """Units that entered stock."""
        return self.accepted + self.held

    @property
    def held_for(self) -> set[str]:
        """Why units of it were held."""
        parts = {"inspection": self.inspection, "quarantine": self.quarantined}
        parts["beyond"] = self.held - self.inspection - self.quarantined
        return {why for why, units in parts.items() if units}


def stands(by: date | None = None) -> ColumnElement[bool]:
    """Of `receipts`, those that were not reversed, ever or by the end of a day."""
    gone = select(receipt_reversals.c.receipt_id)
    return receipts.c.id.not_in(gone if by is None else gone.where(receipt_reversals.c.reversed_on <= by))


def what_came(connection: Connection, receipt_id: UUID) -> dict[UUID, Came]:
    """What a receipt brought, by line of the order."""
    table = receipt_lines.c
    found: dict[UUID, Came] = {}
    for row in connection.execute(select(receipt_lines).where(table.receipt_id == receipt_id)):
        came = found.setdefault(row.po_line_id, Came())
        came.accepted += row.accepted_quantity
        came.held += row.held_quantity
        came.inspection += row.inspection_quantity
        came.quarantined += row.quarantined_quantity
        came.rejected += row.rejected_quantity
    return found


def take_back(order: PurchaseOrder, line: Line, came: Came, received_on: date) -> None:
    """The line as if that had not come: awaited again, and what was only tolerated is no part of the order any more."""
    line.accepted_quantity -= came.accepted
    line.held_quantity -= came.held
    line.inspection_quantity -= came.inspection
    line.quarantined_quantity -= came.quarantined
    line.rejected_quantity -= came.rejected
    if in_time(received_on, line.first_promised_on):
        line.accepted_by_promise -= came.accepted
    line.accepted_by_promise = min(max(line.accepted_by_promise, 0), line.accepted_quantity)
    asked_for = line.quantity - line.tolerated_quantity
    still = line.accepted_quantity + line.inspection_quantity + line.cancelled_quantity
    fewer = line.tolerated_quantity - min(line.tolerated_quantity, max(still - asked_for, 0))
    line.tolerated_quantity -= fewer
    line.quantity -= fewer
    order.total -= fewer * line.unit_price
    if line.open_quantity:
        line.completed_on = None


def status_without(order: PurchaseOrder, announced: bool) -> str:
    """Where the order stands by its lines, after some of them were taken back."""
    lines = order.lines.values()
    if all(line.open_quantity == 0 for line in lines):
        return "received"
    if any(line.accepted_quantity for line in lines):
        return "partly_received"
    if announced:
        return "shipped"
    asked_again = any(line.asked_again_on is not None for line in lines)
    return "confirmed" if not asked_again and any(line.is_confirmed for line in lines) else "sent"


def was_announced(connection: Connection, po_id: UUID) -> bool:
    """Whether the supplier sent a shipping notice for the order."""
    table = shipping_notices.c
    return connection.execute(select(table.id).where(table.po_id == po_id).limit(1)).first() is not None


def require_nothing_rests_on_it(
    connection: Connection,
    order: PurchaseOrder,
    receipt: AnyRow,
    came: Mapping[UUID, Came],
    strange: Iterable[UUID],
) -> None:
    """Raise `ReceiptNotReversible` where goods of it went straight to a customer, were decided about, carry landed cost, went
    back, or were billed: what stays received would not cover what is payable.
    """
    if there(connection, drop_ship_lines.c.po_line_id, came):
        raise ReceiptNotReversible(
            "the supplier sent the goods to a customer",
            field="receipt_id",
            remedy="authorise a return of the customer's, or claim from the supplier",
        )
    if _decided(connection, receipt, came) or there(connection, unordered_decisions.c.goods_id, strange):
        raise ReceiptNotReversible(
            "goods that it brought were decided about or inspected since",
            field="receipt_id",
            remedy="send back or adjust what is there: a decision is not taken back with the receipt",
        )
    charge = _landed_on(connection, receipt, [id_ for id_, one in came.items() if one.accepted])
    if charge is not None:
        raise ReceiptNotReversible(
            f"landed cost {charge} was shared over its goods",
            field="receipt_id",
            remedy="take the charge back first, with ReverseLandedCost",
            charge_id=str(charge),
        )
    back = went_back(connection, came)
    for line_id, one in came.items():
        line = order.lines[line_id]
        if one.accepted and back.get(line_id, 0) > line.accepted_quantity - one.accepted:
            raise ReceiptNotReversible(
                f"{back[line_id]} units of line {line.line_no} went back to the supplier since",
                field="receipt_id",
                remedy="take the return to the supplier back first, with ReverseVendorReturn",
                went_back=back[line_id],
            )
    billed = billed_units(connection, came)
    for line_id, one in came.items():
        line = order.lines[line_id]
        left = line.accepted_quantity - one.accepted
        if one.accepted and billed.get(line_id, 0) > left:
            raise ReceiptNotReversible(
                f"{billed[line_id]} units of line {line.line_no} are payable, {left} would stay received",
                field="receipt_id",
                remedy="dispute the invoice or record its credit note first",
                payable=billed[line_id],
                left=left,
            )


CREDITED_BACK = (
    select(credited_returns.c.po_line_id, func.sum(credited_returns.c.quantity).label("units"))
    .join(supplier_invoices, supplier_invoices.c.id == credited_returns.c.invoice_id)
    .where(supplier_invoices.c.status.in_(PAYABLE))
    .group_by(credited_returns.c.po_line_id)
)
"""Units by line of payable credit notes that are for goods a claim covers."""


def billed_units(connection: Connection, po_line_ids: Iterable[UUID]) -> dict[UUID, int]:
    """Units by line that are payable now, less those credited; what was credited because it went back stays billed."""
    line, step = supplier_invoice_lines.c, invoice_steps.c
    sign = case((supplier_invoices.c.kind == "credit_note", -1), else_=1)
    units = func.sum(case((line.price_only == 1, 0), else_=line.quantity) * sign * step.booked)
    statement = (
        select(line.po_line_id, units.label("units"))
        .join(supplier_invoices, supplier_invoices.c.id == line.invoice_id)
        .join(invoice_steps, step.invoice_id == line.invoice_id)
        .where(step.booked != 0)
        .group_by(line.po_line_id)
    )
    wanted = list(po_line_ids)
    billed = {
        row.po_line_id: int(row.units) for row in fetch_in(connection, statement, line.po_line_id, wanted)
    }
    for row in fetch_in(connection, CREDITED_BACK, credited_returns.c.po_line_id, wanted):
        billed[row.po_line_id] = billed.get(row.po_line_id, 0) + int(row.units)
    return billed


def _decided(connection: Connection, receipt: AnyRow, came: Mapping[UUID, Came]) -> bool:
    """Whether units of such a kind were decided about since it came: which ones they were cannot be told apart."""
    table = held_decisions.c
    statement = select(table.po_line_id, table.held_for).where(table.decided_on >= receipt.received_on)
    rows = fetch_in(connection, statement, table.po_line_id, [id_ for id_, one in came.items() if one.held])
    return any(row.held_for in came[row.po_line_id].held_for for row in rows)


def _landed_on(connection: Connection, receipt: AnyRow, line_ids: Sequence[UUID]) -> UUID | None:
    """A charge that still stands, on this receipt or on all there were of its order when it was booked."""
    charge = landed_charges.c
    statement = (
        select(charge.id)
        .join(landed_shares, landed_shares.c.charge_id == charge.id)
        .where(
            charge.id.not_in(select(landed_reversals.c.charge_id)),
            (charge.receipt_id == receipt.id)
            | (charge.receipt_id.is_(None) & (charge.booked_on >= receipt.received_on)),
        )
    )
    rows = fetch_in(connection, statement, landed_shares.c.po_line_id, line_ids)
    return rows[0].id if rows else None


def strange_goods(connection: Connection, receipt_id: UUID) -> list[AnyRow]:
    """What the receipt brought that was not ordered."""
    table = unordered_goods
    return list(connection.execute(select(table).where(table.c.receipt_id == receipt_id)).all())
