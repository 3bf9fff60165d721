"""An answer is a value: the same object streams to the console, the CLI, the API and the scorers."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

AnswerStatus = Literal["answered", "clarify", "cannot_answer", "refused", "proposed", "error"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AnswerTable(_Value):
    """A table to show: columns with label and unit, cells as text, number or None."""

    title: str
    columns: tuple[dict[str, Any], ...]
    rows: tuple[tuple[Any, ...], ...]
    total_rows: int
    cut: bool
    query_id: str | None = None


class Source(_Value):
    """Where numbers or statements come from: a metric query, records, a document passage, a model version."""

    kind: Literal["query", "records", "document", "model", "case"]
    id: str
    label: str
    detail: dict[str, Any] = {}


class Option(_Value):
    """A button under a clarifying question: the text to send and the slot it settles."""

    label: str
    question: str
    slot: str


class Answer(_Value):
    """What the agent says.

    `reason` is a code where status is not `answered` (`unknown_word`, `ambiguous`, `no_data`,
    `no_right`, `unsupported`, `approval_not_mine`, `limit`, ...). `partial` says what was left out.
    `text` holds only numbers that a result supports. `interpretation` starts with "I read this as".
    `charts` are Vega-Lite specifications. `proposals` are {id, payload_hash, title, approvers}.
    """

    status: AnswerStatus
    text: str
    reason: str | None = None
    partial: str | None = None
    interpretation: str | None = None
    query: dict[str, Any] | None = None
    tables: tuple[AnswerTable, ...] = ()
    charts: tuple[dict[str, Any], ...] = ()
    sources: tuple[Source, ...] = ()
    proposals: tuple[dict[str, Any], ...] = ()
    options: tuple[Option, ...] = ()
    tools: tuple[dict[str, Any], ...] = ()
    model: str = "interpreter"
    as_of: date
    timing: dict[str, int] = {}
    conversation_id: str | None = None
