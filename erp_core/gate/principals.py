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
    """

    kind: PrincipalKind
    user_id: UUID
    login: str
    roles: frozenset[str]
    run_id: UUID | None = None

    @property
    def is_agent(self) -> bool:
        """Whether its commands can only become proposals."""
        return self.kind == "agent"
