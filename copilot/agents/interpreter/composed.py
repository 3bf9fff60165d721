"""What is said: text with slots, and the answer's status and parts."""

from __future__ import annotations

from dataclasses import dataclass, field

from copilot.agents.answer import Option


@dataclass(frozen=True)
class Composed:
    """What to say: text with slots, and the answer's status and parts."""

    text: str
    status: str = "answered"
    reason: str | None = None
    partial: str | None = None
    options: tuple[Option, ...] = ()
    notes: tuple[str, ...] = field(default=())
