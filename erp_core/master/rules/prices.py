"""Effective-dated prices: which one is in force on a day, and which periods contradict each other.

A price holds from `valid_from` up to, but not on, `valid_to`; one without an end holds wherever no later
price does. Two prices never start on the same day, no bounded price reaches into another, and none starts
inside a bounded one: so on each day at most one price is in force.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Period:
    """Half-open days; a period that ends where it begins is empty: a price that was withdrawn."""

    valid_from: date
    valid_to: date | None = None

    def covers(self, day: date) -> bool:
        """Whether the day lies in it."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)

    @property
    def empty(self) -> bool:
        """Whether no day lies in it."""
        return self.valid_to is not None and self.valid_to <= self.valid_from


def contradicts(one: Period, other: Period) -> bool:
    """Whether both would claim the same day by their own words."""
    if one.empty or other.empty:
        return False
    first, second = sorted((one, other), key=lambda period: period.valid_from)
    if first.valid_from == second.valid_from:
        return True
    return first.valid_to is not None and second.valid_from < first.valid_to


def in_force(periods: Iterable[Period], day: date) -> Period | None:
    """The period that counts on the day: of those that cover it the one that began last."""
    covering = [period for period in periods if period.covers(day)]
    return max(covering, key=lambda period: period.valid_from, default=None)


def price_at(price: int, breaks: Sequence[Sequence[int]], quantity: int) -> int:
    """The price per base unit for a quantity; `breaks` are (from quantity, price)."""
    reached = [(start, reduced) for start, reduced in breaks if quantity >= start]
    return max(reached)[1] if reached else price
