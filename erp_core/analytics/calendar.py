"""The rows of the calendar table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from erp_core.analytics.periods import first_day

FIRST_DAY = date(2005, 1, 1)
LAST_DAY = date(2035, 12, 31)


def calendar_rows() -> Iterator[dict[str, Any]]:
    """A row per day from 2005 to 2035, for the migration that fills the table `calendar`."""
    day = FIRST_DAY
    while day <= LAST_DAY:
        yield {
            "day": day,
            "week": first_day(day, "week"),
            "month": f"{day:%Y-%m}",
            "quarter": f"{day.year}-Q{(day.month + 2) // 3}",
            "year": f"{day.year}",
        }
        day += timedelta(days=1)
