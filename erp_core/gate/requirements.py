"""What policy asks for before a plan may run: the facts of its commands, the rules that hold, who approves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol, Self
from uuid import UUID

from sqlalchemy import Connection

from erp_core.gate.autonomy.permit import approvers_at, permit
from erp_core.gate.contract import Asked, Command, DomainError, Duty, Facts, Registry
from erp_core.gate.policies.rules import (
    Approvers,
    Escalation,
    Policy,
    Review,
    match_policy,
    merge_approvers,
)
from erp_core.gate.principals import Principal
from erp_core.storage.types import canonical_json


@dataclass(frozen=True, slots=True)
class Requirement:
    """What policy asks for before a plan may run."""

    policies: tuple[Policy, ...]
    facts: Mapping[str, Any]
    approvers: Approvers
    approver_duties: tuple[Duty, ...] = ()

    @property
    def name(self) -> str:
        """The names of the policies that ask."""
        return ", ".join(sorted({policy.name for policy in self.policies}))

    @property
    def in_order(self) -> bool:
        """Whether the roles decide one after the other."""
        return any(policy.in_order for policy in self.policies)

    @property
    def hours(self) -> int:
        """How long it may wait: the shortest of the deadlines."""
        return min(policy.deadline_hours for policy in self.policies)

    @property
    def escalation(self) -> Escalation | None:
        """Where it goes when nobody decides: the soonest of the policies' escalations."""
        found = [policy.escalation for policy in self.policies if policy.escalation is not None]
        return min(found, key=lambda one: one.after_hours, default=None)

    @property
    def review(self) -> Review | None:
        """Who looks at it afterwards: the soonest of the policies' reviews."""
        found = [policy.review for policy in self.policies if policy.review is not None]
        return min(found, key=lambda one: one.within_hours, default=None)


class Stored(Protocol):
    """A proposal as a row or a view."""

    @property
    def payload(self) -> list[dict[str, Any]]: ...
    @property
    def title(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def evidence(self) -> Sequence[Mapping[str, Any]]: ...
    @property
    def tainted(self) -> bool: ...
    @property
    def urgent(self) -> bool: ...
    @property
    def via(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Wish:
    """A plan somebody asks for: commands with why, evidence, and whether untrusted text was seen.

    `urgent` and `breaks_glass` need a reason. `revises` names the proposal whose place it takes. `imported`
    says that it comes from a file.
    """

    commands: tuple[Command, ...]
    title: str = ""
    reason: str = ""
    evidence: tuple[Mapping[str, Any], ...] = ()
    tainted: bool = False
    urgent: bool = False
    breaks_glass: bool = False
    revises: UUID | None = None
    imported: bool = False

    @classmethod
    def stored(cls, proposal: Stored, commands: tuple[Command, ...], *, revises: UUID | None = None) -> Self:
        """What a stored proposal asks for, with where it came from and what its model had seen."""
        return cls(
            commands,
            proposal.title,
            proposal.reason,
            tuple(proposal.evidence),
            proposal.tainted,
            proposal.urgent,
            revises=revises,
            imported=proposal.via == "import",
        )

    @property
    def is_plan(self) -> bool:
        """Whether it runs by itself instead of in a batch with its like."""
        return len(self.commands) != 1 or self.breaks_glass or self.revises is not None


def via_of(principal: Principal, *, imported: bool = False) -> str:
    """Through whom a wish comes: fixed by the credential, except that a person's or service's file is an import.

    A key is whose account it is: a person's key evades nothing that policy asks of the person.
    """
    if principal.is_agent:
        return "agent"
    if "automation" in principal.roles:
        return "automation"
    return "import" if imported else principal.owner_kind or principal.kind


def origin_of(wish: Wish, principal: Principal) -> dict[str, Any]:
    """The facts that the gate itself knows of a wish; no context and no request can set them."""
    return {
        "via": via_of(principal, imported=wish.imported),
        "roles": sorted(principal.roles),
        "tainted": wish.tainted,
        "urgent": wish.urgent,
    }


class Requirements:
    """Judges plans by approval policies, over a registry of commands. Reads only."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def governed(self, command: Command) -> bool:
        """Whether a policy decides about the command."""
        return self._registry.require(command.command_name).governed

    def of(
        self,
        wishes: Sequence[Wish],
        principal: Principal,
        known: Sequence[Policy],
        connection: Connection,
        now: datetime,
    ) -> list[Requirement | DomainError]:
        """Which of the `known` policies hold for each plan, or why none does (`NoPolicyMatches`, `PolicyTie`).

        `now` is in business time.
        """
        facts = self.facts_of(wishes, connection, now)
        matching = _Matching(known)
        found: list[Requirement | DomainError] = []
        for position, wish in enumerate(wishes):
            try:
                requirement = self._requirement(wish, facts[position], principal, matching)
                applied = permit(requirement.facts, wish.evidence, principal, connection)
                approvers = approvers_at(applied, requirement.approvers)
                if approvers != requirement.approvers:
                    requirement = replace(requirement, approvers=approvers)
                found.append(requirement)
            except DomainError as error:
                found.append(error)
        return found

    def facts_of(
        self, wishes: Sequence[Wish], connection: Connection, now: datetime
    ) -> list[list[tuple[str, Facts | DomainError]]]:
        """Name and facts of the governed commands of each plan; all commands of one name are asked at once."""
        places: dict[str, list[tuple[int, int]]] = {}
        for position, wish in enumerate(wishes):
            for step, command in enumerate(wish.commands):
                if self.governed(command):
                    places.setdefault(command.command_name, []).append((position, step))
        known: dict[tuple[int, int], tuple[str, Facts | DomainError]] = {}
        for name, where in places.items():
            facts_of = self._registry.require(name).facts
            asked = [
                Asked(command, wishes[position].commands[:step], command.occurred_at or now)
                for position, step in where
                for command in [wishes[position].commands[step]]
            ]
            facts = [{}] * len(asked) if facts_of is None else facts_of(asked, connection)
            known |= {place: (name, one) for place, one in zip(where, facts, strict=True)}
        return [
            [known[position, step] for step in range(len(wish.commands)) if (position, step) in known]
            for position, wish in enumerate(wishes)
        ]

    def _requirement(
        self,
        wish: Wish,
        known_facts: Sequence[tuple[str, Facts | DomainError]],
        principal: Principal,
        matching: _Matching,
    ) -> Requirement:
        origin = origin_of(wish, principal)
        governed, readable, duties = [], [], self.approver_duties(wish.commands)
        for name, own in known_facts:
            if isinstance(own, DomainError):
                raise own
            readable.append(own)
            duties += [duty_from(one) for one in own.get("approver_duties", ())]
            governed.append(matching.policy(name, {**own, **origin}))
        facts = {**facts_together(readable), **origin}
        if not governed and principal.is_agent:
            governed = [matching.policy(command.command_name, origin) for command in wish.commands]
        approvers = merge_approvers(policy.approvers for policy in governed)
        if principal.is_agent and not approvers:
            approvers = (("manager", 1),)
        return Requirement(tuple(governed), facts, approvers, tuple(duties))

    def approver_duties(self, commands: Sequence[Command]) -> list[Duty]:
        """The parts that who approves these commands has in their documents, as far as the commands tell."""
        found: list[Duty] = []
        for command in commands:
            of = self._registry.require(command.command_name).approver_duties
            found.extend(of(command) if of else ())
        return found


class _Matching:
    """The policies that hold, over one batch: commands of one name with the same facts are matched once."""

    def __init__(self, known: Sequence[Policy]) -> None:
        self._known = known
        self._about: dict[str, list[Policy]] = {}
        self._found: dict[tuple[str, str], Policy] = {}

    def policy(self, name: str, facts: Facts) -> Policy:
        """The policy for a command of this name. Raises `NoPolicyMatches` or `PolicyTie`."""
        key = (name, canonical_json(facts))
        if key not in self._found:
            if name not in self._about:
                self._about[name] = [policy for policy in self._known if policy.command in (name, "*")]
            self._found[key] = match_policy(self._about[name], name, facts)
        return self._found[key]


def facts_together(each: Sequence[Facts]) -> dict[str, Any]:
    """What is told of a plan as a whole: amounts added up, lists joined, the lowest quality, of others the last."""
    together: dict[str, Any] = {}
    for facts in each:
        for name, value in facts.items():
            before = together.get(name)
            if before is None or value is None:
                together[name] = before if value is None else value
            elif name == "amount":
                together[name] = before + value
            elif name == "quality":
                together[name] = min(before, value)
            elif isinstance(value, list):
                together[name] = [*before, *(one for one in value if one not in before)]
            else:
                together[name] = value
    return together


def duty_from(stored: Sequence[str]) -> Duty:
    """A duty from its form in facts: kind, id and name."""
    kind, subject_id, name = stored
    return Duty(kind, UUID(subject_id), name)
