"""Principals: who acts, fixed by the credential and never by a request field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from erp_core.gate.roles import NEVER_BY_AGENTS, NEVER_BY_KEYS, RIGHTS, RIGHTS_KEPT_FROM_AGENTS, may_run

PrincipalKind = Literal["person", "service", "agent"]


@dataclass(frozen=True, slots=True)
class Scope:
    """What an API key is narrowed to: some of its owner's commands and rights, never more."""

    commands: frozenset[str]
    rights: frozenset[str]


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated actor.

    An agent acts for `user_id` within run `run_id`: it has that user's roles and may only propose.
    `person_id` is the natural person behind the account, who may have several; rules that ask for somebody
    else compare `person`. `owner_kind` says whose account an API key stands for: to policy a person's key is the person. `supplier_id` is whom a supplier's login acts for. `scope` narrows an API key. What the principal may do and see is asked here and
    not of its roles, so that nobody forgets the scope.
    """

    kind: PrincipalKind
    user_id: UUID
    login: str
    roles: frozenset[str]
    run_id: UUID | None = None
    person_id: UUID | None = None
    scope: Scope | None = None
    supplier_id: UUID | None = None
    owner_kind: Literal["person", "service"] | None = None

    @property
    def person(self) -> UUID:
        """The natural person who acts, the same through each of their accounts and agents."""
        return self.person_id or self.user_id

    @property
    def is_agent(self) -> bool:
        """Whether its commands can only become proposals."""
        return self.kind == "agent"

    @property
    def rights(self) -> frozenset[str]:
        """All rights that its roles carry and its scope leaves; an agent never has those kept from agents."""
        carried: frozenset[str] = frozenset().union(*(RIGHTS.get(role, frozenset()) for role in self.roles))
        if self.is_agent:
            carried -= RIGHTS_KEPT_FROM_AGENTS
        return carried if self.scope is None else carried & self.scope.rights

    def has_right(self, right: str) -> bool:
        """Whether one of its roles carries the right and its scope leaves it."""
        return right in self.rights

    def may_run(self, command: str) -> bool:
        """Whether one of its roles may run the command (an agent: propose it) and its scope leaves it."""
        if self.is_agent and command in NEVER_BY_AGENTS:
            return False
        if self.scope is not None and (command in NEVER_BY_KEYS or command not in self.scope.commands):
            return False
        return may_run(self.roles, command)

    def roles_for(self, command: str) -> list[str]:
        """Which of its roles may run the command."""
        return sorted(role for role in self.roles if may_run((role,), command))


PROVISIONER = Principal("service", UUID(int=2), "provisioner", frozenset({"admin"}))
"""Whoever makes accounts at a first log-in through the identity provider, where that is configured."""

INSTALLER = Principal("service", UUID(int=1), "installer", frozenset({"admin"}))
"""Whoever sets a company up from its own machine, before there is anybody to ask."""
