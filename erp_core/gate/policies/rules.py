"""Pure rules of approval policies: bounds, which policy holds, when two contradict, who is still missing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from erp_core.gate.errors import NoPolicyMatches, PolicyTie
from erp_core.gate.policies.facts import FACTS

Approvers = tuple[tuple[str, int], ...]


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

    def excludes(self, other: Condition) -> bool:
        """Whether no value of the fact can meet both. A fact with several values at once may meet any two."""
        if self.fact != other.fact:
            return False
        if self.among is not None and other.among is not None:
            several = self.fact in FACTS and FACTS[self.fact].kind == "choices"
            return not several and not set(self.among) & set(other.among)
        if self.among is not None or other.among is not None:
            return False
        return _below(self.high, other.low) or _below(other.high, self.low)


def _below(high: int | None, low: int | None) -> bool:
    return high is not None and low is not None and high <= low


@dataclass(frozen=True, slots=True)
class Escalation:
    """After `after_hours` without a decision, a person of `role` may stand in for any that is missing."""

    after_hours: int
    role: str


@dataclass(frozen=True, slots=True)
class Review:
    """What ran with fewer approvals is looked at later, by a person of `role` within `within_hours`."""

    role: str
    within_hours: int


@dataclass(frozen=True, slots=True)
class Policy:
    """An approval rule: for `command` (or any, ``*``) under all `conditions`, these approvers.

    `approvers` are (role, number of different people); none means that it runs at once. `in_order` lets a
    role decide only when those before it have.
    """

    id: UUID
    version: int
    name: str
    command: str
    conditions: tuple[Condition, ...]
    approvers: Approvers
    deadline_hours: int
    in_order: bool = False
    escalation: Escalation | None = None
    review: Review | None = None

    @property
    def specificity(self) -> tuple[bool, int]:
        """Named commands before any command, then more conditions before fewer."""
        return (self.command != "*", len(self.conditions))

    def holds(self, command: str, facts: Mapping[str, Any]) -> bool:
        """Whether it covers the command under these facts."""
        return self.command in (command, "*") and all(one.holds(facts) for one in self.conditions)


def match_policy(policies: Iterable[Policy], command: str, facts: Mapping[str, Any]) -> Policy:
    """The most specific policy that holds. Raises `NoPolicyMatches` or `PolicyTie`: never guesses."""
    holding = [policy for policy in policies if policy.holds(command, facts)]
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


def rivals(policy: Policy, others: Iterable[Policy]) -> list[Policy]:
    """The policies that are as specific as this one and hold under some of the same facts."""
    return [
        other
        for other in others
        if other.id != policy.id
        and other.command == policy.command
        and other.specificity == policy.specificity
        and not any(mine.excludes(theirs) for mine in policy.conditions for theirs in other.conditions)
    ]


def merge_approvers(requirements: Iterable[Iterable[tuple[str, int]]]) -> Approvers:
    """What all of several policies ask for together: per role the larger number of people, in the order named."""
    merged: dict[str, int] = {}
    for requirement in requirements:
        for role, people in requirement:
            merged[role] = max(people, merged.get(role, 0))
    return tuple(merged.items())


@dataclass(frozen=True, slots=True)
class Given:
    """An approval at hand: the natural person, the role it fills, and whose authority it was given in."""

    person: UUID
    role: str
    authority: UUID

    @property
    def people(self) -> frozenset[UUID]:
        """Who stands behind it: who decided, and who lent them the right."""
        return frozenset((self.person, self.authority))


def missing_approvals(approvers: Iterable[tuple[str, int]], given: Iterable[Given]) -> dict[str, int]:
    """How many people of which role are still missing, in order. A person counts once, in one role only.

    A delegate and who lent the right are one person here: who stands behind an approval counted before adds nothing.
    """
    counted: set[UUID] = set()
    filled: dict[str, int] = {}
    for one in given:
        if not one.people & counted:
            counted |= one.people
            filled[one.role] = filled.get(one.role, 0) + 1
    short = {role: people - filled.get(role, 0) for role, people in approvers}
    return {role: count for role, count in short.items() if count > 0}


def open_roles(missing: Mapping[str, int], *, in_order: bool) -> list[str]:
    """The roles that may decide now: all that are missing, or only the first where they go in order."""
    return list(missing)[: 1 if in_order else None]


@dataclass(frozen=True, slots=True)
class Authority:
    """A role that somebody may decide in: their own, or lent by another (`lender` and the lender's person)."""

    role: str
    person: UUID
    lender: UUID | None = None
    amount_below: int | None = None

    def covers(self, amount: int | None) -> bool:
        """Whether an amount lies below the limit it was lent with; without an amount a limited one covers nothing."""
        return self.amount_below is None or (amount is not None and amount < self.amount_below)


@dataclass(frozen=True, slots=True)
class Seat:
    """What a proposal still waits for, and which natural persons may not take part."""

    roles: Sequence[str]
    amount: int | None
    excluded: Collection[UUID] = ()
    stand_in: str | None = None


def seat_for(held: Sequence[Authority], seat: Seat) -> tuple[str, Authority] | None:
    """The role to decide in and the right used: one's own before a lent one, a named role before standing in.

    None where no right fits: a right that an excluded person holds or lent is none.
    """
    usable = [one for one in held if one.covers(seat.amount) and one.person not in seat.excluded]
    for own in (True, False):
        for role in seat.roles:
            for one in usable:
                if one.role == role and (one.lender is None) == own:
                    return role, one
    if seat.stand_in is not None and seat.roles:
        for one in usable:
            if one.role == seat.stand_in:
                return seat.roles[0], one
    return None
