"""Domain events of the gate that higher contexts may subscribe to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ProposalOpened:
    """A proposal waits for people. `evidence` may name a case: ``{"kind": "case", "id": …}``."""

    proposal_id: UUID
    evidence: Sequence[Mapping[str, Any]]
    audit_id: UUID


@dataclass(frozen=True, slots=True)
class ProposalClosed:
    """A proposal came to its end: `executed`, or one of the ends without execution."""

    proposal_id: UUID
    status: str
    evidence: Sequence[Mapping[str, Any]]
    audit_id: UUID
