"""Arithmetic of periods: their first and last day, the one before, a number of units.

A period is what `MetricQuery.period` takes: a name, a month, quarter or year, or two inclusive dates.
"""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta
from typing import Any

from erp_core.analytics.errors import InvalidPeriod
from erp_core.analytics.periods import first_day, moved, resolve_period
from erp_core.analytics.query import Between

Period = str | dict[str, str]


def days(first: date, last: date) -> dict[str, str]:
    """Two inclusive dates as `MetricQuery` takes them."""
    return {"from": first.isoformat(), "to": last.isoformat()}


def bounds(period: Any, today: date) -> tuple[date, date] | None:
    """First and last day of a period, where it has both."""
    if isinstance(period, dict):
        return date.fromisoformat(period["from"]), date.fromisoformat(period["to"])
    if not isinstance(period, str | Between):
        return None
    try:
        span = resolve_period(period, today)
    except InvalidPeriod:
        return None
    return (span.start, span.end) if span else None


def unit_around(unit: str, day: date) -> tuple[date, date]:
    """First and last day of the week, month, quarter or year that the day is in."""
    start = first_day(day, unit)
    return start, moved(start, unit, 1) - timedelta(days=1)


def months_back(day: date, count: int) -> date:
    """The same day some months earlier; the month's last day where it is shorter."""
    index = day.year * 12 + day.month - 1 - count
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def before(period: Period, today: date, unit: str | None = None) -> Period:
    """The period of the same length just before; with `unit`, the same days one such unit earlier."""
    span = bounds(period, today)
    if span is None:
        return period
    first, last = span
    if isinstance(period, str):
        if re.fullmatch(r"\d{4}", period) or period.endswith("_year"):
            return str(first.year - 1)
        if re.fullmatch(r"\d{4}-\d{2}", period) or period.endswith("_month"):
            return months_back(first, 12 if unit == "year" else 1).strftime("%Y-%m")
        if "-Q" in period or period.endswith("_quarter"):
            start = months_back(first, 12 if unit == "year" else 3)
            return f"{start.year}-Q{(start.month + 2) // 3}"
    if unit == "year":
        return days(months_back(first, 12), months_back(last, 12))
    length = last - first
    return days(first - timedelta(days=1) - length, first - timedelta(days=1))
