"""`SaveApprovalPolicy`: a policy changes through the gate like everything else, under a policy of its own."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field, model_validator

from erp_core.gate.contract import (
    Command,
    DomainError,
    Done,
    Registration,
    Registry,
    Task,
    Transaction,
)
from erp_core.gate.errors import PolicyTie, UnknownCommand, UnknownFact, UnknownRole
from erp_core.gate.model import approval_policies
from erp_core.gate.policies.facts import FACTS, Fact
from erp_core.gate.policies.rules import Condition, Escalation, Policy, Review, rivals
from erp_core.gate.policies.store import active_policies, default_policies, newest_versions
from erp_core.gate.roles import ROLES
from erp_core.storage.bulk import insert_rows
from erp_core.storage.locks import lock_names

_POLICIES = "approval policies"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PolicyCondition(_Part):
    """``low <= fact < high``, or the fact is ``among`` values. Money facts are in ten-thousandths."""

    fact: str
    low: int | None = None
    high: int | None = None
    among: tuple[bool | int | str, ...] | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _says_something(self) -> PolicyCondition:
        bounds = (self.low, self.high)
        if (self.among is None) == (bounds == (None, None)):
            raise ValueError("give bounds (low, high) or the values it is among")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError("low must lie below high: the bounds are half-open")
        return self


class PolicyApprover(_Part):
    """So many different people of a role."""

    role: str
    people: int = Field(ge=1, le=5)


class PolicyEscalation(_Part):
    """After so many hours without the approvals a person of `role` may stand in for one that is missing."""

    after_hours: int = Field(ge=1, le=24 * 90)
    role: str


class PolicyReview(_Part):
    """What ran under the policy is looked at by a person of `role` within so many hours."""

    role: str
    within_hours: int = Field(ge=1, le=24 * 90)


class SaveApprovalPolicy(Command):
    """A new version of an approval policy, in force at once; older versions stay on record."""

    policy_id: UUID
    policy_name: str = Field(min_length=1, max_length=80)
    command: str = Field(min_length=1, max_length=60, description="the command's name, or * for any")
    conditions: tuple[PolicyCondition, ...] = Field(default=(), max_length=12)
    approvers: tuple[PolicyApprover, ...] = Field(default=(), max_length=6)
    in_order: bool = False
    deadline_hours: int = Field(default=72, ge=1, le=24 * 90)
    escalation: PolicyEscalation | None = None
    review: PolicyReview | None = None
    active: bool = True

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("approval_policy", self.policy_id)

    def as_policy(self, version: int = 0) -> Policy:
        """The rule it saves."""
        return Policy(
            id=self.policy_id,
            version=version,
            name=self.policy_name,
            command=self.command,
            conditions=tuple(Condition(one.fact, one.low, one.high, one.among) for one in self.conditions),
            approvers=tuple((one.role, one.people) for one in self.approvers),
            deadline_hours=self.deadline_hours,
            in_order=self.in_order,
            escalation=Escalation(**dict(self.escalation)) if self.escalation else None,
            review=Review(**dict(self.review)) if self.review else None,
        )


def default_commands() -> list[SaveApprovalPolicy]:
    """The policies a new company starts with, under ids that are the same everywhere."""
    return [
        SaveApprovalPolicy(
            policy_id=uuid5(NAMESPACE_URL, f"quartermaster:policy:{one['name']}"),
            policy_name=one["name"],
            conditions=tuple(PolicyCondition(**condition) for condition in one["when"]),
            **{
                name: one[name]
                for name in ("command", "approvers", "in_order", "deadline_hours", "escalation", "review")
                if name in one
            },
        )
        for one in default_policies()
    ]


class PolicyCommands:
    """Saves policies over a registry of commands, whose names a policy may speak of."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        registry.register(
            Registration(
                SaveApprovalPolicy,
                self._save,
                governed=True,
                compensation="SaveApprovalPolicy with the version before",
            )
        )

    def check(self, command: SaveApprovalPolicy, known: Sequence[Policy]) -> None:
        """Pass when the policy speaks of what is there and contradicts none of the `known` ones.

        Raises `UnknownCommand`, `UnknownFact`, `UnknownRole`, or `PolicyTie`: two policies that are equally
        specific and may hold at once are an error here, before either decides about anything.
        """
        if command.command != "*":
            _require(command.command, self._registry.names(), UnknownCommand, "command", "command")
        for condition in command.conditions:
            _require(condition.fact, FACTS, UnknownFact, "conditions.fact", "fact")
            _check_kind(condition, FACTS[condition.fact])
        named = [one.role for one in (*command.approvers, command.escalation, command.review) if one]
        for role in named:
            _require(role, ROLES, UnknownRole, "approvers.role", "role")
        tied = rivals(command.as_policy(), known) if command.active else []
        if tied:
            raise PolicyTie(
                f"{tied[0].name} is as specific and covers some of the same",
                field="conditions",
                remedy="add a condition to one of them, or make their bounds exclude each other",
                policies=[one.name for one in tied],
            )

    def _save(
        self, tasks: Sequence[Task[SaveApprovalPolicy]], tx: Transaction
    ) -> Sequence[Done | DomainError]:
        lock_names(tx.connection, [_POLICIES])
        active = {one.id: one for one in active_policies(tx.connection)}
        versions = newest_versions(tx.connection, {task.command.policy_id for task in tasks})
        outcomes: list[Done | DomainError] = []
        rows = []
        for command in (task.command for task in tasks):
            try:
                self.check(command, list(active.values()))
            except DomainError as error:
                outcomes.append(error)
                continue
            before = active.pop(command.policy_id, None)
            if command.active:
                active[command.policy_id] = command.as_policy()
            version = versions[command.policy_id] = 1 + versions.get(command.policy_id, 0)
            kept = command.model_dump(mode="json", exclude={"policy_id", "policy_name", "occurred_at"})
            rows.append(
                {
                    **kept,
                    "id": command.policy_id,
                    "version": version,
                    "name": command.policy_name,
                    "conditions": [
                        one.model_dump(mode="json", exclude_none=True) for one in command.conditions
                    ],
                    "recorded_at": tx.recorded_at,
                }
            )
            outcomes.append(
                Done(
                    result={"policy_id": str(command.policy_id), "version": version},
                    before={"version": version - 1} if before else None,
                    after={**kept, "name": command.policy_name, "version": version},
                )
            )
        insert_rows(tx.connection, approval_policies, rows)
        return outcomes


def _require(
    name: str, known: Any, error: type[UnknownCommand | UnknownFact | UnknownRole], field: str, what: str
) -> None:
    if name in known:
        return
    near = get_close_matches(name, list(known), n=3)
    raise error(
        f"there is no {what} {name}",
        field=field,
        remedy=f"did you mean {', '.join(near)}?" if near else f"use one of {', '.join(known)}",
    )


def _check_kind(condition: PolicyCondition, fact: Fact) -> None:
    if fact.ordered and condition.among is not None:
        raise UnknownFact(
            f"{fact.name} is a {fact.kind}", field="conditions.among", remedy="give low and high instead"
        )
    if not fact.ordered and condition.among is None:
        raise UnknownFact(
            f"{fact.name} has no order", field="conditions.low", remedy="give the values it is among"
        )
    if fact.kind == "flag" and any(not isinstance(one, bool) for one in condition.among or ()):
        raise UnknownFact(
            f"{fact.name} is true or false", field="conditions.among", remedy="give [true] or [false]"
        )
    strange = [one for one in condition.among or () if fact.values and one not in fact.values]
    if strange:
        raise UnknownFact(
            f"{fact.name} is never {strange[0]}",
            field="conditions.among",
            remedy=f"use some of {', '.join(fact.values)}",
        )
