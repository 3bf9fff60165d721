"""Principals: who acts, fixed by the credential and never by a request field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

PrincipalKind = Literal["person", "service", "agent"]


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated actor.

    An agent acts for `user_id` within run `run_id`: it has that user's roles and may only propose.
    `person_id` is the natural person behind the account, who may have several; rules that ask for somebody
    else compare `person`.
    """

    kind: PrincipalKind
    user_id: UUID
    login: str
    roles: frozenset[str]
    run_id: UUID | None = None
    person_id: UUID | None = None

    @property
    def person(self) -> UUID:
        """The natural person who acts, the same through each of their accounts and agents."""
        return self.person_id or self.user_id

    @property
    def is_agent(self) -> bool:
        """Whether its commands can only become proposals."""
        return self.kind == "agent"
