"""Every metric again, in plain Python over the generated rows, from the words of its definition."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta

from tests.analytics.oracle_planning import Planning
from tests.analytics.oracle_purchasing import Purchasing
from tests.analytics.oracle_rows import Line, Value, fraction

__all__ = ["Line", "Oracle", "Value", "fraction", "time_key"]


class Oracle(Purchasing, Planning):
    """Answers (metric, group by, filter, period) by looping over the company's rows."""


def time_key(name: str, day: date) -> str:
    if name == "day":
        return day.isoformat()
    if name == "week":
        return (day - timedelta(days=day.weekday())).isoformat()
    quarter = f"{day.year}-Q{(day.month - 1) // 3 + 1}"
    return {"month": day.isoformat()[:7], "quarter": quarter, "year": str(day.year)}[name]


Source = Callable[[Oracle, tuple[str, ...]], Iterator[Line]]
