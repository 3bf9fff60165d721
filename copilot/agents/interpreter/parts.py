"""The parts of a query that the words of a question name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from copilot.agents.interpreter.lexicon import MemberWord
from copilot.agents.interpreter.span import Span


@dataclass(frozen=True, slots=True)
class Tie:
    """Words with two readings: the slot, what was said, and the candidates as (name, label)."""

    slot: str
    said: str
    candidates: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Parts:
    """The parts of a query that the words name. `denied` are negations that leave out nobody ("did not sell"). What is absent stays empty, so that a follow-up can merge."""

    metrics: list[str] = field(default_factory=list)
    by: list[str] = field(default_factory=list)
    also: bool = False
    filters: list[tuple[str, bool, MemberWord]] = field(default_factory=list)
    having: list[dict[str, Any]] = field(default_factory=list)
    order: list[dict[str, str]] = field(default_factory=list)
    limit: int | None = None
    per: str | None = None
    implied: str | None = None
    show: list[str] = field(default_factory=list)
    trend: bool = False
    growth: str | None = None
    contrast: bool = False
    ties: list[Tie] = field(default_factory=list)
    unread: list[Span] = field(default_factory=list)
    denied: list[Span] = field(default_factory=list)
