"""Why a policy asks, what it would ask in other cases, and whom a change of policy touches. Reads and reckons only."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from erp_core.gate.contract import DomainError
from erp_core.gate.errors import UnknownFact
from erp_core.gate.policies.facts import FACTS
from erp_core.gate.policies.rules import Condition, Policy, match_policy
from erp_core.storage.types import money, money_text


@dataclass(frozen=True, slots=True)
class ConditionTold:
    """One condition in words, the fact as it is, and whether it holds."""

    fact: str
    label: str
    wants: str
    value: str
    holds: bool


@dataclass(frozen=True, slots=True)
class PolicyTold:
    """A policy that speaks of the command, with its conditions; `decides` marks the one that applies."""

    id: UUID
    version: int
    name: str
    conditions: tuple[ConditionTold, ...]
    asks: str
    holds: bool
    decides: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the policies say about one command: the one that decides and why, or why none does."""

    command: str
    facts: Mapping[str, Any]
    policies: tuple[PolicyTold, ...]
    decides: str | None
    error: DomainError | None


def explain(policies: Iterable[Policy], command: str, facts: Mapping[str, Any]) -> Explanation:
    """Every policy that speaks of the command, the most specific first, and which of them decides."""
    about = sorted(
        (policy for policy in policies if policy.command in (command, "*")),
        key=lambda policy: (policy.holds(command, facts), policy.specificity, policy.name),
        reverse=True,
    )
    chosen, error = None, None
    try:
        chosen = match_policy(about, command, facts)
    except DomainError as refused:
        error = refused
    told = tuple(
        PolicyTold(
            policy.id,
            policy.version,
            policy.name,
            tuple(_told(condition, facts) for condition in policy.conditions),
            in_words(policy),
            policy.holds(command, facts),
            policy is chosen,
        )
        for policy in about
    )
    return Explanation(command, facts, told, chosen.name if chosen else None, error)


def in_words(policy: Policy) -> str:
    """What a policy asks for, in one line."""
    between = ", then " if policy.in_order else " and "
    asks = between.join(f"{people} {role}" for role, people in policy.approvers) or "nobody: runs at once"
    if policy.approvers:
        asks += f", within {policy.deadline_hours} h"
    if policy.escalation is not None:
        asks += f"; after {policy.escalation.after_hours} h {policy.escalation.role} may stand in"
    if policy.review is not None:
        asks += f"; looked at by {policy.review.role} within {policy.review.within_hours} h"
    return asks


def _told(condition: Condition, facts: Mapping[str, Any]) -> ConditionTold:
    fact = FACTS[condition.fact]
    value = facts.get(condition.fact)
    return ConditionTold(
        condition.fact,
        fact.label,
        wanted(condition),
        "not known" if value is None else shown(condition.fact, value),
        condition.holds(facts),
    )


def wanted(condition: Condition) -> str:
    """A condition's bound in words: the lower end belongs to it, the upper end does not."""
    if condition.among is not None:
        return " or ".join(shown(condition.fact, one) for one in condition.among)
    low = None if condition.low is None else f"from {shown(condition.fact, condition.low)}"
    high = None if condition.high is None else f"under {shown(condition.fact, condition.high)}"
    return " ".join(part for part in (low, high) if part)


def shown(fact: str, value: Any) -> str:
    """A fact's value as people read it."""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    kind = FACTS[fact].kind if fact in FACTS else "choice"
    return money_text(value) if kind == "money" else str(value)


class _Case(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1)
    command: str
    facts: dict[str, Any]
    decides: str | None = None
    approvers: dict[str, int] | None = None
    refused: bool = False


class _Cases(BaseModel):
    model_config = ConfigDict(extra="forbid")

    case: list[_Case] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case of a policy test: what was expected and what came; `passed` when they agree."""

    name: str
    expected: str
    found: str
    passed: bool


class BadPolicyTest(DomainError):
    """The file of policy cases cannot be read."""

    code = "bad_policy_test"


def run_cases(text: str, policies: Sequence[Policy]) -> list[CaseResult]:
    """Run the cases of a policy test (TOML) against policies.

    A case names a command and its facts (amounts in company currency), and expects the policy that `decides`,
    the `approvers` by role, or that it is `refused`. Raises `BadPolicyTest`, `UnknownFact`.
    """
    try:
        cases = _Cases.model_validate(tomllib.loads(text)).case
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        told = str(error)
        if isinstance(error, ValidationError):
            first = error.errors(include_url=False)[0]
            told = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
        raise BadPolicyTest(
            f"the cases cannot be read: {told}",
            field="file",
            remedy="write [[case]] tables with name, command, facts and decides, approvers or refused",
        ) from error
    return [_run(case, policies) for case in cases]


def _run(case: _Case, policies: Sequence[Policy]) -> CaseResult:
    facts = {name: _value(name, value, case.name) for name, value in case.facts.items()}
    try:
        policy: Policy | None = match_policy(policies, case.command, facts)
        found = f"{policy.name} ({_asks(dict(policy.approvers))})" if policy else ""
    except DomainError as error:
        policy, found = None, f"refused: {error.message}"
    if case.refused:
        return CaseResult(case.name, "refused", found, policy is None)
    parts = [case.decides, None if case.approvers is None else _asks(case.approvers)]
    passed = (
        policy is not None
        and case.decides in (None, policy.name)
        and (case.approvers is None or case.approvers == dict(policy.approvers))
    )
    return CaseResult(case.name, ", ".join(part for part in parts if part) or "any policy", found, passed)


def _asks(approvers: Mapping[str, int]) -> str:
    return " and ".join(f"{people} {role}" for role, people in approvers.items()) or "nobody"


def _value(name: str, value: Any, case: str) -> Any:
    if name not in FACTS:
        near = get_close_matches(name, FACTS, n=3)
        raise UnknownFact(
            f"there is no fact {name} (case {case})",
            field="facts",
            remedy=f"did you mean {', '.join(near)}?" if near else f"use one of {', '.join(FACTS)}",
        )
    if FACTS[name].kind == "money":
        return money(str(value))
    return value


@dataclass(frozen=True, slots=True)
class Affected:
    """A pending proposal to which another rule would apply."""

    proposal_id: UUID
    title: str
    asks_now: str
    would_ask: str


def affected(
    pending: Iterable[tuple[UUID, str, Sequence[tuple[str, Mapping[str, Any]]]]],
    before: Sequence[Policy],
    after: Sequence[Policy],
) -> list[Affected]:
    """The pending proposals (id, title, and the facts of each governed command) that a change of policy touches."""
    found = []
    for proposal_id, title, commands in pending:
        old, new = (_verdict(policies, commands) for policies in (before, after))
        if old != new:
            found.append(Affected(proposal_id, title, old, new))
    return found


def _verdict(policies: Sequence[Policy], commands: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    told = []
    for command, facts in commands:
        try:
            policy = match_policy(policies, command, facts)
            told.append(f"{policy.name}: {in_words(policy)}")
        except DomainError as error:
            told.append(error.message)
    return "; ".join(told)
