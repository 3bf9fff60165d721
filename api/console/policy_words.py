"""Approval policies in words: their bounds with units as people read them, and why one of them asks."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from api.console.rendering import spaced
from api.console.tables import NOTHING
from erp_core.gate.contract import Command
from erp_core.gate.policies.commands import SaveApprovalPolicy
from erp_core.gate.policies.explain import in_words
from erp_core.gate.policies.facts import FACTS
from erp_core.gate.policies.rules import Condition, Policy
from erp_core.gate.policies.store import active_policies, condition_from, policy_versions

_COMMAND = re.compile(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b")
_UNITS = {"units of the item": "units", "percent": "%", "of 100": "of 100", "hundredths of a percent": "%"}


@dataclass(frozen=True, slots=True)
class ConditionShown:
    """What a policy wants of one fact, the fact as it was, and whether it held."""

    label: str
    wants: str
    value: str
    holds: bool


@dataclass(frozen=True, slots=True)
class RuleShown:
    """A policy that asked, as it stood then; `newest` is the version in force now."""

    id: UUID
    name: str
    version: int
    newest: int
    conditions: tuple[ConditionShown, ...]


@dataclass(frozen=True, slots=True)
class PolicyShown:
    """A policy in force, in words."""

    id: UUID
    version: int
    name: str
    when: tuple[tuple[str, str], ...]
    asks: str
    active: bool = True


def value_in_words(fact: str, value: Any, currency: str = "") -> str:
    """A fact's value with its unit; amounts without empty cents."""
    if value is None:
        return "not known"
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    known = FACTS.get(fact)
    if known is None or isinstance(value, str):
        return str(value)
    if known.kind == "money":
        return f"{value / 10_000:,.2f}".removesuffix(".00") + (f" {currency}" if currency else "")
    scale = 100 if known.unit.startswith("hundredths") else 1
    number = f"{value / scale:,.2f}".rstrip("0").rstrip(".")
    return f"{number} {_UNITS.get(known.unit, known.unit)}".rstrip()


def wanted_in_words(condition: Condition, currency: str = "") -> str:
    """A condition's bound: the lower end belongs to it, the upper end does not."""
    fact = condition.fact
    if condition.among is not None:
        return " or ".join(value_in_words(fact, one) for one in condition.among)
    low = None if condition.low is None else f"from {value_in_words(fact, condition.low, currency)}"
    high = None if condition.high is None else f"under {value_in_words(fact, condition.high, currency)}"
    return " ".join(part for part in (low, high) if part)


def condition_shown(condition: Condition, facts: Mapping[str, Any], currency: str = "") -> ConditionShown:
    """A condition with the fact as it is among `facts`."""
    return ConditionShown(
        label_of(condition.fact),
        wanted_in_words(condition, currency),
        value_in_words(condition.fact, facts.get(condition.fact), currency),
        condition.holds(facts),
    )


def label_of(fact: str) -> str:
    """What a fact is called."""
    return FACTS[fact].label if fact in FACTS else fact


def policy_shown(policy: Policy, currency: str = "") -> PolicyShown:
    """A policy in words: when it holds, and what it asks for."""
    return PolicyShown(
        policy.id,
        policy.version,
        policy.name,
        tuple((label_of(one.fact), wanted_in_words(one, currency)) for one in policy.conditions),
        in_words(policy),
    )


def by_command(policies: Iterable[Policy], currency: str = "") -> list[tuple[str, list[PolicyShown]]]:
    """The policies by command in alphabetical order, those for any command last; the most particular one first."""
    ordered = sorted(
        policies, key=lambda one: (one.command == "*", one.command, -one.specificity[1], one.name)
    )
    return [
        (command, [policy_shown(one, currency) for one in group])
        for command, group in groupby(ordered, key=lambda one: one.command)
    ]


def command_in_words(command: str) -> str:
    """A command's name as words; any command for a star."""
    return "Any other command" if command == "*" else spaced(command)


def rules_shown(
    connection: Connection,
    asked: Sequence[Mapping[str, Any]],
    facts: Mapping[str, Any],
    currency: str,
    hidden: Collection[str] = (),
) -> list[RuleShown]:
    """The policies that asked for approval, in the version that did, with the facts as they were then.

    A fact that is `hidden` from who looks is a dash.
    """
    found = []
    for one in asked:
        versions = policy_versions(connection, UUID(str(one["id"])))
        then = next((row for row in versions if row["version"] == one["version"]), None)
        if then is None:
            continue
        conditions = [condition_from(entry) for entry in then["conditions"]]
        told = tuple(
            condition_shown(entry, facts, currency)
            if entry.fact not in hidden
            else replace(condition_shown(entry, {}, currency), value=NOTHING, holds=True)
            for entry in conditions
        )
        found.append(RuleShown(then["id"], then["name"], then["version"], versions[0]["version"], told))
    return found


def undone_by(compensation: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """How each command of a plan can be undone, in words; those that nothing undoes are left out."""
    return [
        (spaced(one["command"]), _COMMAND.sub(lambda found: f"“{spaced(found[0])}”", one["by"]))
        for one in compensation
        if one["by"]
    ]


def policy_changes(
    commands: Iterable[Command], connection: Connection, currency: str
) -> list[tuple[PolicyShown | None, PolicyShown]]:
    """For each change of a policy in a plan: the rule in force, None where there is none, and as it would be."""
    changes = [one for one in commands if isinstance(one, SaveApprovalPolicy)]
    if not changes:
        return []
    known = {one.id: policy_shown(one, currency) for one in active_policies(connection)}
    return [
        (known.get(one.policy_id), replace(policy_shown(one.as_policy(), currency), active=one.active))
        for one in changes
    ]


def version_shown(row: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """A stored version of a policy in words."""
    approvers = [f"{one['people']} {one['role']}" for one in row["approvers"]]
    return {
        "version": row["version"],
        "recorded_at": row["recorded_at"],
        "active": row["active"],
        "when": [
            (label_of(one.fact), wanted_in_words(one, currency))
            for one in map(condition_from, row["conditions"])
        ],
        "asks": (", then " if row["in_order"] else " and ").join(approvers) or "nobody: runs at once",
        "deadline": row["deadline_hours"] if approvers else None,
        "escalation": row["escalation"],
        "review": row["review"],
    }
