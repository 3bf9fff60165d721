"""What reading a file finds: rows accepted, set aside by rule, refused; and the staged chunks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from erp_core.integration.fields import FieldError

REFUSALS_KEPT = 10_000

Feed = Literal["sales", "stock", "cost", "purchasing", "returns"]
Kind = Literal["items", "suppliers", "sales", "sums", "purchases", "returns", "stock", "orders"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row was refused: the line of the file, the field, the reason and what to do."""

    line: int
    field: str
    rule: str
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """Validated rows of one kind, as canonical JSON; one command posts them in one transaction."""

    kind: Kind
    rows: int
    payload: str


@dataclass(slots=True)
class Findings:
    """The count of every row: `read = accepted + set aside + refused`.

    `set_aside` counts rows that a stated rule keeps out; `noted` counts what was remarked on rows
    on top of that. `feeds` gives first and last day per kind of fact.
    """

    read: int = 0
    accepted: int = 0
    refused: int = 0
    set_aside: Counter[str] = field(default_factory=Counter)
    noted: Counter[str] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)
    feeds: dict[Feed, tuple[date, date]] = field(default_factory=dict)

    def refuse(self, line: int, errors: Iterable[tuple[str, FieldError]]) -> None:
        """Refuse one row for all its errors; details are kept of the first 10,000."""
        self.refused += 1
        for name, error in errors:
            if len(self.refusals) < REFUSALS_KEPT:
                self.refusals.append(Refusal(line, name, error.rule, error.reason, error.remedy))

    def saw(self, feed: Feed, first: date, last: date) -> None:
        """Widen the span of days that a kind of fact covers."""
        known = self.feeds.get(feed, (first, last))
        self.feeds[feed] = (min(known[0], first), max(known[1], last))

    def adds_up(self) -> bool:
        """Whether every row read was counted exactly once."""
        return self.read == self.accepted + self.set_aside.total() + self.refused


Chunks = Iterator[Chunk]
