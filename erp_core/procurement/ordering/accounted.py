"""Orders held against what the audit log says: bought without a command, or for an amount that none gave them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, exists, select

from erp_core.gate.model import audit_entries, executions
from erp_core.procurement.model import purchase_orders

_UNDECIDED = ("draft", "submitted", "cancelled")
_SET_TOTALS = (
    "CreatePurchaseOrder",
    "ChangePurchaseOrder",
    "ReceiveGoods",
    "DecideHeldGoods",
    "DecideUnorderedGoods",
    "ReverseReceipt",
)


@dataclass(frozen=True, slots=True)
class UnaccountedOrder:
    """An order that is not what commands made it, and why."""

    po_id: UUID
    number: str
    problem: str


def unaccounted_orders(connection: Connection) -> list[UnaccountedOrder]:
    """Orders that read as bought although no command says so, or as asked about although that never ran.

    Imported history was bought elsewhere and is left out.
    """
    said = exists().where(
        audit_entries.c.subject_id == purchase_orders.c.id,
        audit_entries.c.command == "SubmitPurchaseOrder",
        audit_entries.c.outcome == "executed",
    )
    ran = exists().where(executions.c.proposal_id == purchase_orders.c.proposal_id)
    bought = select(purchase_orders.c.id, purchase_orders.c.number).where(
        purchase_orders.c.status.not_in(_UNDECIDED), purchase_orders.c.import_id.is_(None)
    )
    found = [
        UnaccountedOrder(row.id, row.number, f"no command of the log bought {row.number}")
        for row in connection.execute(bought.where(~said))
    ]
    found += [
        UnaccountedOrder(row.id, row.number, f"the proposal that {row.number} names was never executed")
        for row in connection.execute(bought.where(purchase_orders.c.proposal_id.is_not(None), ~ran))
    ]
    return found + _other_totals(connection)


def _other_totals(connection: Connection) -> list[UnaccountedOrder]:
    told = (
        select(purchase_orders.c.id, purchase_orders.c.number, purchase_orders.c.total, audit_entries.c.after)
        .join(audit_entries, audit_entries.c.subject_id == purchase_orders.c.id)
        .where(
            audit_entries.c.command.in_(_SET_TOTALS),
            audit_entries.c.outcome == "executed",
            purchase_orders.c.import_id.is_(None),
        )
    )
    orders: dict[UUID, tuple[str, int]] = {}
    totals: dict[UUID, set[int]] = {}
    for row in connection.execute(told.execution_options(yield_per=1_000)):
        if row.after is not None and "total" in row.after:
            orders[row.id] = (row.number, row.total)
            totals.setdefault(row.id, set()).add(row.after["total"])
    return [
        UnaccountedOrder(po_id, number, f"the total of {number} is none that a command gave it")
        for po_id, (number, total) in orders.items()
        if total not in totals[po_id]
    ]
