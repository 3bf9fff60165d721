"""Pure rules of the gate: hashes, policy matching, quorum, read-set comparison, the proposal's life."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import rfc8785

from erp_core.gate.errors import NoPolicyMatches, PolicyTie

PROPOSAL_STEPS: Mapping[str, frozenset[str]] = {
    "pending": frozenset(
        {"executed", "rejected", "sent_back", "withdrawn", "superseded", "expired", "stale"}
    ),
    "executed": frozenset(),
    "rejected": frozenset(),
    "sent_back": frozenset(),
    "withdrawn": frozenset(),
    "superseded": frozenset(),
    "expired": frozenset(),
    "stale": frozenset(),
}


def payload_hash(payload: Any) -> str:
    """SHA-256 of the payload's canonical form (RFC 8785), in hexadecimal."""
    return sha256(rfc8785.dumps(payload)).hexdigest()


@dataclass(frozen=True, slots=True)
class Condition:
    """A bound on one fact. `low <= value < high` (either side open as None), or membership in `among`."""

    fact: str
    low: int | None = None
    high: int | None = None
    among: tuple[Any, ...] | None = None

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """Whether the fact is there and inside; an unknown fact never matches."""
        value = facts.get(self.fact)
        if value is None:
            return False
        if self.among is not None:
            values = value if isinstance(value, list | tuple) else [value]
            return any(one in self.among for one in values)
        return (self.low is None or value >= self.low) and (self.high is None or value < self.high)


@dataclass(frozen=True, slots=True)
class Policy:
    """An approval rule: for `command` (or any, ``*``) under all `conditions`, these approvers.

    `approvers` are (role, number of different people); none means that it runs at once.
    """

    id: UUID
    version: int
    name: str
    command: str
    conditions: tuple[Condition, ...]
    approvers: tuple[tuple[str, int], ...]
    deadline_hours: int

    @property
    def specificity(self) -> tuple[bool, int]:
        """Named commands before any command, then more conditions before fewer."""
        return (self.command != "*", len(self.conditions))


def match_policy(policies: Iterable[Policy], command: str, facts: Mapping[str, Any]) -> Policy:
    """The most specific policy that holds. Raises `NoPolicyMatches` or `PolicyTie`: never guesses."""
    holding = [
        policy
        for policy in policies
        if policy.command in (command, "*") and all(one.holds(facts) for one in policy.conditions)
    ]
    if not holding:
        raise NoPolicyMatches(
            f"no approval policy covers {command} here",
            remedy="ask an administrator for a policy that covers it",
            facts=dict(facts),
        )
    best = max(policy.specificity for policy in holding)
    first, *others = [policy for policy in holding if policy.specificity == best]
    if others:
        raise PolicyTie(
            f"{first.name} and {others[0].name} both cover {command} here",
            remedy="an administrator must make one of them more specific",
            policies=[policy.name for policy in (first, *others)],
        )
    return first


def merge_approvers(requirements: Iterable[Iterable[tuple[str, int]]]) -> tuple[tuple[str, int], ...]:
    """What all of several policies ask for together: per role the larger number of people."""
    merged: dict[str, int] = {}
    for requirement in requirements:
        for role, people in requirement:
            merged[role] = max(people, merged.get(role, 0))
    return tuple(sorted(merged.items()))


def missing_approvals(
    approvers: Iterable[tuple[str, int]], decisions: Iterable[tuple[UUID, str]]
) -> dict[str, int]:
    """How many people of which role are still missing; each person counts once, for the role they acted in."""
    given: dict[str, set[UUID]] = {}
    for person, role in decisions:
        given.setdefault(role, set()).add(person)
    short = {role: people - len(given.get(role, ())) for role, people in approvers}
    return {role: count for role, count in short.items() if count > 0}


def runs_out_soon(made_at: datetime, expires_at: datetime, now: datetime) -> bool:
    """Whether a proposal is in the last third of its time, and within a day of its end or past it."""
    left = expires_at - now
    return left <= min((expires_at - made_at) / 3, timedelta(days=1))


def read_set_changes(
    then: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The facts that moved further than their tolerance, or are gone or new, as a field-by-field list."""
    before = {entry["fact"]: entry for entry in then}
    after = {entry["fact"]: entry for entry in now}
    changes = []
    for fact in sorted(before.keys() | after.keys()):
        old, new = before.get(fact, {}), after.get(fact, {})
        if not _within(old.get("value"), new.get("value"), old.get("tolerance", 0)):
            changes.append({"fact": fact, "then": old.get("value"), "now": new.get("value")})
    return changes


def _within(old: Any, new: Any, tolerance: int) -> bool:
    if isinstance(old, int) and isinstance(new, int) and not isinstance(old, bool):
        return abs(new - old) <= tolerance
    return bool(old == new)
