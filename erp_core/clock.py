"""The two clocks: the wall (audit, tokens) and the business date ("today", due dates, periods, expiry)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime


def wall_clock() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies outside the calendar") from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A moment of a command or request, in UTC; one without a time zone or beyond the calendar is invalid."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Both clocks, passed in wherever time matters.

    `fixed_business_date` pins "today" (the demo company lives on the last day of its history);
    without it the business date follows the wall.
    """

    now: Callable[[], datetime] = wall_clock
    fixed_business_date: date | None = None

    def today(self) -> date:
        """The business date."""
        return self.fixed_business_date or self.now().date()

    def business_now(self) -> datetime:
        """The business date with the wall's time of day, in UTC."""
        now = self.now()
        if self.fixed_business_date is None:
            return now
        return datetime.combine(self.fixed_business_date, now.timetz())
