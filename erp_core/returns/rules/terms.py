"""What may come back: the terms of a channel and category, and whether a line is within their window."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal
from uuid import UUID

Resale = Literal["always", "unopened", "never"]
RESALE: tuple[Resale, ...] = ("always", "unopened", "never")
FAULTS = frozenset({"defective", "damaged_in_transit", "wrong_item", "not_as_described"})
"""Reasons that are the seller's doing: the longer window of the law holds for them, and no list of reasons."""


@dataclass(frozen=True, slots=True)
class ReturnTerms:
    """Terms of a channel and category; None stands for all of them.

    Goods may come back for `window_days` after they were shipped, for a fault `fault_window_days`. `reasons` are
    those accepted beside faults; None accepts every one of the catalogue. `resale` says whether what comes back of
    the category may be sold again: always, only with its packaging unopened, or never.
    """

    channel_id: UUID | None
    category: str | None
    window_days: int
    fault_window_days: int
    reasons: frozenset[str] | None
    resale: Resale

    @property
    def precision(self) -> tuple[bool, bool]:
        """The more precise terms come last: a category says more than a channel."""
        return (self.category is not None, self.channel_id is not None)

    def cover(self, channel_id: UUID, category: str) -> bool:
        """Whether they hold for goods of the category sold on the channel."""
        return self.channel_id in (None, channel_id) and self.category in (None, category)

    def window(self, shipped_on: date | None, reason: str) -> Window:
        """How long goods shipped on a day may come back for a reason."""
        days = max(self.fault_window_days, self.window_days) if reason in FAULTS else self.window_days
        return Window(days, None if shipped_on is None else shipped_on + timedelta(days=days))

    def accept(self, reason: str) -> bool:
        """Whether goods may come back for the reason."""
        return reason in FAULTS or self.reasons is None or reason in self.reasons


@dataclass(frozen=True, slots=True)
class Window:
    """So many days after shipping. `last_on` is the last of them; None where nobody knows when goods were shipped."""

    days: int
    last_on: date | None

    def holds(self, on: date) -> bool:
        """Whether goods may come back on a day; never where nobody knows when they were shipped."""
        return self.last_on is not None and on <= self.last_on


DEFAULT_TERMS = ReturnTerms(None, None, 60, 730, None, "always")
"""Where a company has set nothing: sixty days, two years for a fault, every reason, everything sold again."""


def terms_for(known: Iterable[ReturnTerms], channel_id: UUID, category: str) -> ReturnTerms:
    """The most precise terms for goods of a category sold on a channel, else the default."""
    found = [terms for terms in known if terms.cover(channel_id, category)]
    return max(found, key=lambda terms: terms.precision, default=DEFAULT_TERMS)
