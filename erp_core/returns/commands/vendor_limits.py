"""What policy is told of goods that go back to a supplier: their cost, and what went back to it before."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, func, select

from erp_core.finance.model import cost_balances
from erp_core.finance.rules import issue_value
from erp_core.gate.contract import Asked, DomainError, Facts, NotFound
from erp_core.gate.model import audit_entries
from erp_core.gate.policies.unasked import Unasked, unasked_since
from erp_core.procurement.model import po_lines, purchase_orders, vendor_claims, vendor_returns
from erp_core.returns.commands.vendor_wishes import ReturnToVendor
from erp_core.storage.locks import lock_names
from erp_core.storage.lookup import AnyRow, fetch_in

_LINES = (
    select(
        po_lines.c.id,
        po_lines.c.unit_price,
        purchase_orders.c.supplier_id,
        cost_balances.c.quantity,
        cost_balances.c.value,
    )
    .join(purchase_orders, purchase_orders.c.id == po_lines.c.po_id)
    .outerjoin(cost_balances, cost_balances.c.item_id == po_lines.c.item_id)
)
_UNASKED = (
    select(
        vendor_claims.c.supplier_id,
        vendor_returns.c.occurred_at,
        func.coalesce(vendor_claims.c.expected, vendor_returns.c.quantity * po_lines.c.unit_price).label(
            "amount"
        ),
    )
    .join(vendor_claims, vendor_claims.c.vendor_return_id == vendor_returns.c.id)
    .join(po_lines, po_lines.c.id == vendor_returns.c.po_line_id)
    .join(audit_entries, audit_entries.c.id == vendor_returns.c.audit_id)
    .where(audit_entries.c.proposal_id.is_(None), vendor_claims.c.status != "withdrawn")
)


def vendor_return_facts(
    asked: Sequence[Asked[ReturnToVendor]], connection: Connection
) -> Sequence[Facts | DomainError]:
    """`amount` is what the goods cost, at the order's price while that is unknown; `cumulative_amount` with what went back
    to the supplier in the last days without anybody having been asked, so that parts meet the limit as a whole.
    """
    ids = {one.command.po_line_id for one in asked}
    lines = {row.id: row for row in fetch_in(connection, _LINES, po_lines.c.id, ids)}
    moments = [one.occurred_at for one in asked if one.occurred_at is not None]
    unasked = Unasked()
    if moments:
        suppliers = {row.supplier_id for row in lines.values()}
        lock_names(connection, (f"returns to {supplier_id}" for supplier_id in suppliers))
        lately = _UNASKED.where(vendor_returns.c.occurred_at > unasked_since(moments))
        for row in fetch_in(connection, lately, vendor_claims.c.supplier_id, suppliers):
            unasked.add(row.supplier_id, row.occurred_at, int(row.amount))
    return [_facts(one, lines, unasked) for one in asked]


def _facts(asked: Asked[ReturnToVendor], lines: dict[UUID, AnyRow], unasked: Unasked) -> Facts | DomainError:
    command = asked.command
    line = lines.get(command.po_line_id)
    if line is None:
        return NotFound(
            "there is no such purchase order line", field="po_line_id", remedy="look it up by its order"
        )
    amount = command.quantity * line.unit_price
    if line.quantity:
        amount = issue_value(min(command.quantity, line.quantity), line.quantity, line.value)
    told = {"amount": amount, "units": command.quantity, "reason": command.reason_code}
    if asked.occurred_at is None:
        return told
    return told | {"cumulative_amount": unasked.with_earlier(line.supplier_id, asked.occurred_at, amount)}
