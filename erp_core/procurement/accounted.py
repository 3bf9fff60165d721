"""Orders held against what the audit log says: bought without a command, or for another amount than was drafted."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, exists, select

from erp_core.gate.model import audit_entries, executions
from erp_core.procurement.model import purchase_orders

_UNDECIDED = ("draft", "submitted", "cancelled")


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
    drafted = (
        select(purchase_orders.c.id, purchase_orders.c.number, purchase_orders.c.total, audit_entries.c.after)
        .join(audit_entries, audit_entries.c.subject_id == purchase_orders.c.id)
        .where(
            audit_entries.c.command == "CreatePurchaseOrder",
            audit_entries.c.outcome == "executed",
            purchase_orders.c.import_id.is_(None),
        )
    )
    return [
        UnaccountedOrder(row.id, row.number, f"the total of {row.number} is not what was drafted")
        for row in connection.execute(drafted.execution_options(yield_per=1_000))
        if row.after is not None and row.after.get("total") != row.total
    ]
