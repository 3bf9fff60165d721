"""What verifying the log finds."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong: what, at which leaf, about which entry, and what can still be read of it."""

    problem: str
    leaf: int | None = None
    audit_id: UUID | None = None
    about: str | None = None

    def __str__(self) -> str:
        place = [] if self.leaf is None else [f"leaf {self.leaf}"]
        place += [] if self.audit_id is None else [f"entry {self.audit_id}"]
        told = f"{', '.join(place)}: {self.problem}" if place else self.problem
        return f"{told} ({self.about})" if self.about else told


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of a verification. `intact` when there is no finding; `unsealed` entries are still open.

    Findings about the log come in the order of its leaves: the first names the first bad entry. No more
    than the first hundred are kept.
    """

    log: UUID | None
    entries: int
    sealed: int
    unsealed: int
    root: str
    findings: tuple[Finding, ...]

    @property
    def intact(self) -> bool:
        """Whether nothing was found."""
        return not self.findings
