"""Effective-dated records: which one is in force on a day, and which periods contradict each other.

A record holds from `valid_from` up to, but not on, `valid_to`; one without an end holds wherever no later one does.
Two never start on the same day, no bounded one reaches into another, and none starts inside a bounded one: so on
each day at most one is in force.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Period:
    """Half-open days; a period that ends where it begins is empty: a record that was withdrawn."""

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


def turns(periods: Iterable[Period]) -> set[date]:
    """The days on which another period may come into force; between them nothing changes."""
    found = list(periods)
    return {one.valid_from for one in found} | {one.valid_to for one in found if one.valid_to is not None}
