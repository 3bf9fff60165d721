"""Working calendars: on which days a supplier delivers or a place receives. Pure rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

LONGEST_CLOSURE = 400
"""No calendar is looked through for longer than this, in days."""


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """The weekdays that are worked, Monday is 0, less the days that are `closed`."""

    weekdays: frozenset[int]
    closed: frozenset[date] = frozenset()

    def works_on(self, day: date) -> bool:
        """Whether the day is worked."""
        return day.weekday() in self.weekdays and day not in self.closed


def open_from(calendars: Sequence[WorkCalendar], day: date) -> date | None:
    """The first day from this one on that all of the calendars work; None where there is none in sight."""
    return _first(calendars, day, 1)


def open_until(calendars: Sequence[WorkCalendar], day: date) -> date | None:
    """The last day up to this one that all of the calendars work; None where there is none in sight."""
    return _first(calendars, day, -1)


def _first(calendars: Sequence[WorkCalendar], day: date, step: int) -> date | None:
    for number in range(LONGEST_CLOSURE):
        found = day + timedelta(days=step * number)
        if all(calendar.works_on(found) for calendar in calendars):
            return found
    return None
