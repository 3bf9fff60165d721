"""The one shape of every tool: typed input and output, permission, effect, row limit, sources, audit entry.

A tool never raises into the agent's loop and never takes a principal as an argument: who acts stands in
the `ToolContext`. Its output has three readers: a model gets `for_model` (no untrusted text), people get
tables and texts, and the renderer gets every cell.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Generic, Literal, Protocol, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from copilot.agents.answer import AnswerTable, Source
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.storage.engine import reading

Effect = Literal["read", "propose"]
MODEL_ROWS = 30


class ToolInput(BaseModel):
    """Arguments of a tool. Unknown ones are errors, so that a model learns what it got wrong."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Failure(BaseModel):
    """Why a tool gave nothing: a stable code, what was wrong, with which field, and what to try."""

    model_config = ConfigDict(frozen=True)

    code: str
    message: str
    field: str | None = None
    remedy: str = ""
    nearest: tuple[str, ...] = ()


class Fact(BaseModel):
    """One named value beside the tables; `unit` as in tables."""

    model_config = ConfigDict(frozen=True)

    value: Any
    unit: str | None = None
    label: str = ""


class ToolOutput(BaseModel):
    """What a tool found. `texts` holds untrusted text by handle: people see it, models do not.

    `names` are how prose speaks of the tables (``t1``), given by the run. `passages` are knowledge passages with document and heading. `data` is for the interpreter's own
    next step. `query` is the metric query that was run, as JSON.
    """

    model_config = ConfigDict(frozen=True)

    tables: tuple[AnswerTable, ...] = ()
    facts: dict[str, Fact] = Field(default_factory=dict)
    sources: tuple[Source, ...] = ()
    notes: tuple[str, ...] = ()
    proposals: tuple[dict[str, Any], ...] = ()
    texts: dict[str, str] = Field(default_factory=dict)
    passages: tuple[dict[str, str], ...] = ()
    data: dict[str, Any] = Field(default_factory=dict)
    query: dict[str, Any] | None = None
    as_of: date | None = None
    failure: Failure | None = None
    names: tuple[str, ...] = ()


class ToolError(Exception):
    """A tool can't do what was asked; the message is meant for the model and for people."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        field: str | None = None,
        remedy: str = "",
        nearest: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.failure = Failure(code=code, message=message, field=field, remedy=remedy, nearest=nearest)


class KnowledgeSearch(Protocol):
    """What `search_knowledge` needs of the knowledge base."""

    def search(self, query: str, limit: int = 4) -> list[Any]:
        """The best passages for the query."""


@dataclass
class Run:
    """What happened in one run of the agent: outputs in order, taint, the time that is left, a fall-back's cause."""

    question: str = ""
    deadline: float = field(default_factory=lambda: time.monotonic() + 60)
    calls: list[dict[str, Any]] = field(default_factory=list)
    outputs: list[ToolOutput] = field(default_factory=list)
    tables: list[AnswerTable] = field(default_factory=list)
    tainted: bool = False
    language_model: bool = False
    fell_back: str | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, tool: str, args: Mapping[str, Any], output: ToolOutput, milliseconds: int) -> list[str]:
        """Keep an output; the names under which prose may speak of its tables (``t1``, ``t2``)."""
        with self.lock:
            first = len(self.tables)
            self.outputs.append(output)
            self.tables.extend(output.tables)
            self.calls.append(
                {
                    "tool": tool,
                    "args": dict(args),
                    "outcome": output.failure.code if output.failure else "done",
                    "milliseconds": milliseconds,
                }
            )
            return [f"t{first + offset + 1}" for offset in range(len(output.tables))]


@dataclass(frozen=True)
class ToolContext:
    """Who asks, in which run, through which gate and which way in. Made by the server for each run."""

    gate: Gate
    principal: Principal
    run: Run = field(default_factory=Run)
    knowledge: KnowledgeSearch | None = None
    through: Literal["agent", "mcp"] = "agent"

    @property
    def today(self) -> date:
        """The business date."""
        return self.gate.clock.today()

    @property
    def rights(self) -> frozenset[str]:
        """The powers of the principal beside commands."""
        return self.principal.rights

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One read transaction."""
        with reading(self.gate.engine) as connection:
            yield connection


I = TypeVar("I", bound=ToolInput)  # noqa: E741


@dataclass(frozen=True)
class Tool(Generic[I]):
    """One tool. `permission` is a right in `erp_core.gate.roles`; `rows` is the most it returns a table."""

    name: str
    description: str
    input: type[I]
    permission: str
    effect: Effect
    rows: int
    run: Callable[[I, ToolContext], ToolOutput]
    output: type[ToolOutput] = ToolOutput


def table(
    title: str,
    columns: list[tuple[str, str, str | None]],
    rows: list[tuple[Any, ...]],
    *,
    total: int | None = None,
    query_id: str | None = None,
    currency: str | None = None,
) -> AnswerTable:
    """A table from (name, label, unit) columns. `total` counts rows before the cut."""
    return AnswerTable(
        title=title,
        columns=tuple(
            {"name": name, "label": label, "unit": unit}
            | ({"currency": currency} if currency and unit == "money" else {})
            for name, label, unit in columns
        ),
        rows=tuple(tuple(_cell(value) for value in row) for row in rows),
        total_rows=len(rows) if total is None else total,
        cut=total is not None and total > len(rows),
        query_id=query_id,
    )


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, str | int | Decimal):
        return value
    if isinstance(value, float):
        return Decimal(repr(round(value, 9)))
    if isinstance(value, UUID):
        return str(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()[:10] if isinstance(value, date) else value.isoformat()
    return str(value)
