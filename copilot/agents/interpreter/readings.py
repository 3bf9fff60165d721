"""What the interpreter made of a question: tool calls, a question back, or a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from copilot.agents.answer import Option

ReadingStatus = Literal["call", "clarify", "refused", "cannot_answer"]


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call: the tool's name and its arguments as JSON values."""

    tool: str
    args: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """How a question was read.

    `intent` names the kind of question. `calls` are made in order; `then` names a step that follows
    from their results. `text` says what was understood (it starts with "I read this as") or, where
    nothing is called, what is said. `unread` are words that nobody knows, `unused` what was understood
    but has no place in this answer, such as a second period.
    """

    intent: str
    status: ReadingStatus = "call"
    calls: tuple[Call, ...] = ()
    then: str | None = None
    text: str = ""
    reason: str | None = None
    options: tuple[Option, ...] = ()
    unread: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)


STARTS = (
    Option(label="What I can answer", question="what can you do", slot="question"),
    Option(label="The open exceptions", question="show the open exceptions", slot="question"),
    Option(label="What should be reordered", question="what should we reorder", slot="question"),
)


def clarify(text: str, reason: str, options: tuple[Option, ...] = (), **details: Any) -> Reading:
    """A question back to the user, always with options: places to start from where there are no better ones."""
    return Reading("clarify", "clarify", text=text, reason=reason, options=options or STARTS, details=details)


def refused(reason: str, text: str) -> Reading:
    """A refusal: the agent will not and can not do it."""
    return Reading("refused", "refused", text=text, reason=reason)
