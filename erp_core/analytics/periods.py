"""Named periods, resolved on the business date. Weeks start on Monday. Pure: no clock, no database."""

from __future__ import annotations

import re
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from erp_core.analytics.errors import InvalidPeriod
from erp_core.analytics.query import Between, Compare

_LAST = re.compile(r"last_(\d{1,4})_(day|week|month|quarter|year)s?")
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_QUARTER = re.compile(r"(\d{4})-Q([1-4])", re.IGNORECASE)
_WEEK = re.compile(r"(\d{4})-W(\d{2})", re.IGNORECASE)
_DAY = timedelta(days=1)
_FIRST_YEAR, _LAST_YEAR = 1900, 2199
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
NAMED = (
    "today",
    "yesterday",
    *(f"{which}_{unit}" for unit in ("week", "month", "quarter", "year") for which in ("this", "last")),
    "last_7_days",
    "last_30_days",
    "last_90_days",
    "last_12_months",
    "year_to_date",
    "all",
)


def first_day(day: date, unit: str) -> date:
    """The first day of the week, month, quarter or year that the day is in."""
    if unit == "week":
        return day - timedelta(days=day.weekday())
    if unit == "month":
        return day.replace(day=1)
    if unit == "quarter":
        return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    return date(day.year, 1, 1)


def moved(start: date, unit: str, count: int) -> date:
    """The start of a unit, moved by a number of units."""
    if unit == "day":
        return start + timedelta(days=count)
    if unit == "week":
        return start + timedelta(weeks=count)
    result: date = start + relativedelta(months=_MONTHS[unit] * count)
    return result


def _unit(start: date, unit: str, count: int = 1) -> Between:
    return Between.model_validate({"from": start, "to": moved(start, unit, count) - _DAY})


def resolve_period(period: Between | str | None, today: date) -> Between | None:
    """Two inclusive dates for a period; None for all time.

    `this_…` is the whole unit that today is in, `last_…` the whole unit before it. `last_N_…` is the stretch
    of N days, weeks, months, quarters or years that ends today. Raises `InvalidPeriod`.
    """
    if period is None or period == "all":
        return None
    if isinstance(period, Between):
        if period.start > period.end:
            raise InvalidPeriod(
                f"the period ends ({period.end}) before it starts ({period.start})",
                field="period",
                remedy="give the earlier date as from",
            )
        return _in_range(period)
    try:
        resolved = _named(period.strip().lower(), today)
    except (ValueError, OverflowError):
        resolved = None
    if resolved is None:
        raise InvalidPeriod(
            f"{period!r} is no period",
            field="period",
            remedy="use two dates, a name such as last_month or last_90_days, a month 2026-05, a quarter 2026-Q1 "
            "or a year 2025",
        )
    return _in_range(resolved)


def _in_range(period: Between) -> Between:
    """The period itself: compared and padded periods of it stay within the calendar."""
    if period.start.year < _FIRST_YEAR or period.end.year > _LAST_YEAR:
        raise InvalidPeriod(
            f"{period.start} to {period.end} is beyond any company's days",
            field="period",
            remedy=f"give dates from {_FIRST_YEAR} to {_LAST_YEAR}",
        )
    return period


def _named(name: str, today: date) -> Between | None:
    if name == "today":
        return _unit(today, "day")
    if name == "yesterday":
        return _unit(today - _DAY, "day")
    if name == "year_to_date":
        return Between.model_validate({"from": first_day(today, "year"), "to": today})
    which, _, unit = name.partition("_")
    if which in ("this", "last") and unit in ("week", "month", "quarter", "year"):
        start = first_day(today, unit)
        return _unit(start if which == "this" else moved(start, unit, -1), unit)
    if match := _LAST.fullmatch(name):
        count, unit = int(match[1]), match[2]
        if count == 0:
            return None
        return Between.model_validate({"from": moved(today + _DAY, unit, -count), "to": today})
    return absolute_period(name)


def absolute_period(name: str) -> Between | None:
    """The dates of a day, week (2026-W07), month, quarter or year given by its number; None for anything else."""
    try:
        return _numbered(name)
    except ValueError:
        return None


def _numbered(name: str) -> Between | None:
    if match := _QUARTER.fullmatch(name):
        return _unit(date(int(match[1]), int(match[2]) * 3 - 2, 1), "quarter")
    if match := _WEEK.fullmatch(name):
        return _unit(date.fromisocalendar(int(match[1]), int(match[2]), 1), "week")
    if match := _MONTH.fullmatch(name):
        return _unit(date(int(match[1]), int(match[2]), 1), "month")
    if re.fullmatch(r"\d{4}", name):
        return _unit(date(int(name), 1, 1), "year")
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", name):
        return _unit(date.fromisoformat(name), "day")
    return None


def whole_months(period: Between) -> int:
    """How many calendar months the period covers exactly; 0 when it is not made of whole months."""
    after = period.end + _DAY
    if period.start.day != 1 or after.day != 1:
        return 0
    return (after.year - period.start.year) * 12 + after.month - period.start.month


def compared_period(period: Between, compare: Compare) -> Between:
    """The period to compare with: the same dates a year before, or the stretch of equal length just before.

    A period of whole months is compared with as many whole months.
    """
    if compare == "previous_year":
        year = relativedelta(years=1)
        start, end = period.start - year, period.end - year
        if whole_months(period):
            end = period.end + _DAY - year - _DAY
        return Between.model_validate({"from": start, "to": end})
    months = whole_months(period)
    if months:
        start = period.start - relativedelta(months=months)
    else:
        start = period.start - (period.end - period.start + _DAY)
    return Between.model_validate({"from": start, "to": period.start - _DAY})
