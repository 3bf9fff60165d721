"""The gate's own commands: approval policies and company facts. (Users are in `users`, decisions in `proposals`.)"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, select

from erp_core.gate import users
from erp_core.gate.contract import (
    Command,
    Done,
    Facts,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
    facts_each,
)
from erp_core.gate.errors import UnknownRole
from erp_core.gate.model import approval_policies, company
from erp_core.gate.policies import DEFAULT_POLICIES
from erp_core.gate.roles import ROLES
from erp_core.storage.bulk import insert_rows, upsert_replace


class PolicyCondition(BaseModel):
    """``low <= fact < high``, or the fact is ``among`` values. Money facts are in ten-thousandths."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fact: str
    low: int | None = None
    high: int | None = None
    among: tuple[str | bool | int, ...] | None = None


class PolicyApprover(BaseModel):
    """So many different people of a role."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: str
    people: int = Field(ge=1, le=5)


class SaveApprovalPolicy(Command):
    """A new version of an approval policy, in force at once; older versions stay on record."""

    policy_id: UUID
    policy_name: str = Field(min_length=1, max_length=80)
    command: str
    conditions: tuple[PolicyCondition, ...] = ()
    approvers: tuple[PolicyApprover, ...] = ()
    deadline_hours: int = Field(default=72, ge=1, le=24 * 90)
    active: bool = True

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("approval_policy", self.policy_id)


class SetCompanyFact(Command):
    """Name, currency, fixed business date."""

    key: Literal["name", "currency", "business_date", "seed"]
    value: str = Field(min_length=1, max_length=200)


def default_policies() -> list[SaveApprovalPolicy]:
    """The approval policies a new company starts with, under ids that are the same everywhere."""
    return [
        SaveApprovalPolicy(
            policy_id=uuid5(NAMESPACE_URL, f"quartermaster:policy:{one['name']}"),
            policy_name=one["name"],
            command=one["command"],
            conditions=tuple(PolicyCondition(**condition) for condition in one["conditions"]),
            approvers=tuple(PolicyApprover(**approver) for approver in one["approvers"]),
        )
        for one in DEFAULT_POLICIES
    ]


def _save_policy(task: Task[SaveApprovalPolicy], tx: Transaction) -> Done:
    command = task.command
    unknown = sorted({one.role for one in command.approvers} - set(ROLES))
    if unknown:
        raise UnknownRole(
            f"there is no role {unknown[0]}", field="approvers", remedy=f"use one of {', '.join(ROLES)}"
        )
    version = 1 + (
        tx.connection.scalar(
            select(func.max(approval_policies.c.version)).where(approval_policies.c.id == command.policy_id)
        )
        or 0
    )
    insert_rows(
        tx.connection,
        approval_policies,
        [
            {
                "id": command.policy_id,
                "version": version,
                "name": command.policy_name,
                "command": command.command,
                "conditions": [one.model_dump(mode="json", exclude_none=True) for one in command.conditions],
                "approvers": [one.model_dump(mode="json") for one in command.approvers],
                "deadline_hours": command.deadline_hours,
                "active": command.active,
                "recorded_at": tx.recorded_at,
            }
        ],
    )
    return Done(result={"policy_id": str(command.policy_id), "version": version})


def _set_company_facts(tasks: Sequence[Task[SetCompanyFact]], tx: Transaction) -> Sequence[Done]:
    latest = {task.command.key: task.command.value for task in tasks}
    upsert_replace(
        tx.connection, company, [{"key": key, "value": value} for key, value in latest.items()], ["value"]
    )
    return [Done(after={task.command.key: task.command.value}) for task in tasks]


def _no_facts(_command: Any, _preceding: Sequence[Command], _connection: Any) -> Facts:
    return {}


def register(registry: Registry) -> None:
    """Add the gate's commands."""
    users.register(registry)
    registry.register(
        Registration(SaveApprovalPolicy, each(_save_policy), governed=True, facts=facts_each(_no_facts))
    )
    registry.register(Registration(SetCompanyFact, _set_company_facts))
