"""A supplier's risk class after it came in: who changed it and why stands in the audit log, and lowering it is governed."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.gate.contract import (
    Asked,
    Command,
    DomainError,
    Done,
    Facts,
    IllegalTransition,
    ReadSet,
    Registration,
    Registry,
    Task,
    Transaction,
    facts_each,
)
from erp_core.master.commands.records import existing, unknown
from erp_core.master.model import suppliers
from erp_core.master.queries.owners import owner_logins
from erp_core.master.queries.reasons import Reasons
from erp_core.master.rules.records import RISK_CLASSES, RiskClass
from erp_core.master.values import Comment, ReasonCode
from erp_core.storage.bulk import update_rows
from erp_core.storage.lookup import fetch_in


class SetSupplierRisk(Command):
    """Put a supplier into another risk class, for a reason. Governed: the class routes approvals of its purchases.

    Orders that are drafted or wait for approval are not touched; the class of the day on which one is submitted counts.
    """

    by_people = True

    supplier_id: UUID
    risk_class: RiskClass
    reason_code: ReasonCode
    comment: Comment | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The supplier."""
        return ("supplier", self.supplier_id)


def lowers(before: str, after: str) -> bool:
    """Whether the class after is a lower risk than the one before."""
    return RISK_CLASSES.index(after) < RISK_CLASSES.index(before)


def set_supplier_risks(
    tasks: Sequence[Task[SetSupplierRisk]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Write the classes. Refuses with `NotFound`, `UnknownReason`, and `IllegalTransition` where nothing would change."""
    rows = existing(tx, suppliers, (task.command.supplier_id for task in tasks))
    outcomes: list[Done | DomainError] = []
    for task in tasks:
        command, row = task.command, rows.get(task.command.supplier_id)
        try:
            if row is None:
                raise unknown("supplier", command.supplier_id)
            Reasons.of(tx).require("supplier_risk", command.reason_code)
            if row["risk_class"] == command.risk_class:
                raise IllegalTransition(
                    f"supplier {row['code']} is of {command.risk_class} risk already",
                    field="risk_class",
                    remedy="nothing is left to do, or give another class",
                )
        except DomainError as error:
            outcomes.append(error)
            continue
        before, row["risk_class"] = row["risk_class"], command.risk_class
        outcomes.append(
            Done(
                {"supplier_id": str(command.supplier_id), "risk_class": command.risk_class},
                before={"risk_class": before},
                after={"risk_class": command.risk_class, "reason_code": command.reason_code},
            )
        )
    changed = {
        task.command.supplier_id for task, done in zip(tasks, outcomes, strict=True) if isinstance(done, Done)
    }
    update_rows(
        tx.connection,
        suppliers,
        [{"id": id_, "risk_class": rows[id_]["risk_class"]} for id_ in sorted(changed)],
    )
    return outcomes


def risk_facts(command: SetSupplierRisk, preceding: Sequence[Command], connection: Connection) -> Facts:
    """What the policy weighs: the class so far, also after earlier commands of the plan, and whether this lowers it."""
    before = connection.scalar(select(suppliers.c.risk_class).where(suppliers.c.id == command.supplier_id))
    if before is None:
        raise unknown("supplier", command.supplier_id)
    for earlier in preceding:
        if isinstance(earlier, SetSupplierRisk) and earlier.supplier_id == command.supplier_id:
            before = earlier.risk_class
    return {
        "supplier_risk": before,
        "risk_lowered": lowers(before, command.risk_class),
        "domain_owner": owner_logins(connection, "suppliers", [command.supplier_id])[command.supplier_id],
    }


def risk_read_sets(
    asked: Sequence[Asked[SetSupplierRisk]], connection: Connection
) -> Sequence[ReadSet | DomainError]:
    """The class that is to be changed: a proposal goes stale when somebody else changes it meanwhile."""
    columns = select(suppliers.c.id, suppliers.c.code, suppliers.c.risk_class)
    wanted = {one.command.supplier_id for one in asked}
    rows = {row.id: row for row in fetch_in(connection, columns, suppliers.c.id, wanted)}
    return [
        [{"fact": f"risk class of supplier {row.code}", "value": row.risk_class, "tolerance": 0}]
        if (row := rows.get(one.command.supplier_id)) is not None
        else unknown("supplier", one.command.supplier_id)
        for one in asked
    ]


def register(registry: Registry) -> None:
    """Add the command."""
    registry.register(
        Registration(
            SetSupplierRisk,
            set_supplier_risks,
            governed=True,
            facts=facts_each(risk_facts),
            read_sets=risk_read_sets,
            compensation="SetSupplierRisk",
        )
    )
