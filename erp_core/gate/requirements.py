"""What policy asks for before a plan may run: the facts of its commands, the rules that hold, who approves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from erp_core.gate.contract import Asked, Command, DomainError, Facts, Registry
from erp_core.gate.principals import Principal
from erp_core.gate.rules import Policy, match_policy, merge_approvers


@dataclass(frozen=True, slots=True)
class Requirement:
    """What policy asks for before a plan may run."""

    policies: tuple[Policy, ...]
    facts: Mapping[str, Any]
    approvers: tuple[tuple[str, int], ...]

    @property
    def name(self) -> str:
        """The names of the policies that ask."""
        return ", ".join(sorted({policy.name for policy in self.policies}))


@dataclass(frozen=True, slots=True)
class Wish:
    """A plan somebody asks for: commands with why, evidence, and whether untrusted text was seen."""

    commands: tuple[Command, ...]
    title: str = ""
    reason: str = ""
    evidence: tuple[Mapping[str, Any], ...] = ()
    tainted: bool = False


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
    ) -> list[Requirement | DomainError]:
        """Which of the `known` policies hold for each plan, or why none does (`NoPolicyMatches`, `PolicyTie`)."""
        facts = self._facts(wishes, connection)
        found: list[Requirement | DomainError] = []
        for position, wish in enumerate(wishes):
            try:
                found.append(self._requirement(wish, facts[position], principal, known))
            except DomainError as error:
                found.append(error)
        return found

    def _facts(
        self, wishes: Sequence[Wish], connection: Connection
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
                Asked(wishes[position].commands[step], wishes[position].commands[:step])
                for position, step in where
            ]
            facts = [{}] * len(asked) if facts_of is None else facts_of(asked, connection)
            known |= {place: (name, one) for place, one in zip(where, facts, strict=True)}
        return [
            [known[position, step] for step in range(len(wish.commands)) if (position, step) in known]
            for position, wish in enumerate(wishes)
        ]

    @staticmethod
    def _requirement(
        wish: Wish,
        known_facts: Sequence[tuple[str, Facts | DomainError]],
        principal: Principal,
        known: Sequence[Policy],
    ) -> Requirement:
        origin = {"via": principal.kind, "tainted": wish.tainted, "roles": sorted(principal.roles)}
        governed, facts = [], dict(origin)
        for name, own in known_facts:
            if isinstance(own, DomainError):
                raise own
            facts |= {**own, **origin}
            governed.append(match_policy(known, name, {**own, **origin}))
        if not governed and principal.is_agent:
            governed = [match_policy(known, command.command_name, origin) for command in wish.commands]
        approvers = merge_approvers(policy.approvers for policy in governed)
        if principal.is_agent and not approvers:
            approvers = (("manager", 1),)
        return Requirement(tuple(governed), facts, approvers)
