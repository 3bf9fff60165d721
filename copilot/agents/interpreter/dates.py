"""What one expression of time covers: a day, week, month, quarter, half or year, by number or name.

`When` says from which day to look, and whether towards the past (figures) or ahead (forecasts, orders):
"July" is the last one or the next one. Everything here reads lower-case text.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from copilot.agents.interpreter import numbers
from copilot.agents.interpreter.holidays import HOLIDAY, holiday
from copilot.agents.interpreter.periods import bounds, unit_around

MONTHS = {name.casefold(): index for index, name in enumerate(calendar.month_name) if name}
MONTHS |= {name.casefold(): index for index, name in enumerate(calendar.month_abbr) if name} | {"sept": 9}
MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
WEEKDAYS = {name.casefold(): index for index, name in enumerate(calendar.day_name)}
WEEKDAY = "|".join(WEEKDAYS)
COUNT = rf"(?:\d+|{numbers.WORD})"
YEAR = r"(?:\d{4}|'\d{2}|this year|last year|the previous year|the year)"
_DAY_NUMBER = r"(?:\d{1,2})(?:st|nd|rd|th)?"
DATE = (
    rf"\d{{4}}-\d{{2}}-\d{{2}}|{_DAY_NUMBER}(?: of)? (?:{MONTH})\.?(?:,? \d{{4}})?"
    rf"|(?:{MONTH})\.? {_DAY_NUMBER}(?!\d)(?:,? \d{{4}})?|\d{{1,2}}[./]\d{{1,2}}[./]\d{{4}}"
)
_WEEK = r"(?:calendar week|week|wk|cw|kw|w) ?\.?(?:no\.? ?|number |#)?\d{1,2}(?:(?: of|,|/)? ?20\d\d)?"
_QUARTER = rf"(?:q[1-4]|(?:first|second|third|fourth|1st|2nd|3rd|4th) quarter)(?:(?: of|,|/|-)? ?(?:{YEAR}|\d{{2}}\b))?"
_HALF = rf"(?:h[12]|(?:first|second|1st|2nd) half)(?:(?: of|,|/|-)? ?(?:the )?(?:{YEAR}|\d{{2}}\b))?"
HOLIDAYS = rf"(?:last )?{HOLIDAY}(?:,? (?:of |in )?(?:{YEAR}))?"
POINT = (
    rf"(?:{DATE}|{HOLIDAYS}|(?:{MONTH})\.?(?: (?:of )?{YEAR})?|{_WEEK}|20\d\d[ -]?q[1-4]|{_QUARTER}|{_HALF}|20\d\d-(?:0[1-9]|1[0-2])"
    r"|20\d\d|yesterday|today|(?:this|last|previous|current|running|prior) (?:week|month|quarter|year))"
)
_ORDINALS = {"first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4}


@dataclass(frozen=True, slots=True)
class When:
    """The business date, and whether expressions without a year look ahead of it."""

    today: date
    ahead: bool = False


def parse_day(text: str, when: When) -> date | None:
    """A calendar day in words or digits; None where there is no such day."""
    if text in ("today", "yesterday"):
        return when.today - timedelta(days=text == "yesterday")
    import dateparser

    today = when.today
    moment = dateparser.parse(
        re.sub(r"(\d)(st|nd|rd|th)\b", r"\1", text.replace(" of ", " ")),
        languages=["en"],
        settings={
            "RELATIVE_BASE": datetime(today.year, today.month, today.day, 12),
            "PREFER_DATES_FROM": "future" if when.ahead else "past",
            "DATE_ORDER": "YMD" if re.match(r"\d{4}-", text) else "DMY",
        },
    )
    return moment.date() if moment else None


def point(text: str, when: When) -> tuple[date, date] | None:
    """First and last day of what the expression covers; None where it is none."""
    text = text.strip()
    if re.fullmatch(DATE, text):
        day = parse_day(text, when)
        return (day, day) if day else None
    if (span := holiday(text, when.today, ahead=when.ahead)) is not None:
        return span
    if (half := half_named(text, when)) is not None:
        return half
    value = period_named(text, when)
    return bounds(value, when.today) if value else None


def period_named(text: str, when: When) -> str | None:
    """The period as `MetricQuery` takes it, for a month, week, quarter or year; None for anything else."""
    if match := re.fullmatch(rf"({MONTH})\.?(?: (?:of )?({YEAR}))?", text):
        month = MONTHS[match[1]]
        return f"{_year(match[2], month, when.today.month, when)}-{month:02d}"
    if match := re.fullmatch(
        r"[a-z ]+?\.?(?: ?no\.?| number| ?#)? ?(\d{1,2})(?:(?: of|,|/)? ?(20\d\d))?", text
    ):
        if re.match(_WEEK, text):
            return _week(int(match[1]), match[2], when)
    if match := re.fullmatch(r"(20\d\d)[ -]?q([1-4])", text):
        return f"{match[1]}-Q{match[2]}"
    if re.fullmatch(_QUARTER, text) and (
        match := re.match(r"(q[1-4]|\w+) ?(?:quarter)?(?: of|,|/|-)? ?(.*)", text)
    ):
        number = _ORDINALS.get(match[1]) or int(match[1][1])
        return f"{_year(match[2], number, (when.today.month + 2) // 3, when)}-Q{number}"
    if re.fullmatch(r"20\d\d(?:-(?:0[1-9]|1[0-2]))?|today|yesterday", text):
        return text
    if match := re.fullmatch(r"(this|current|running|last|previous|prior) (week|month|quarter|year)", text):
        return f"{'this' if match[1] in ('this', 'current', 'running') else 'last'}_{match[2]}"
    return None


def half_named(text: str, when: When) -> tuple[date, date] | None:
    """First and last day of a half year, or of half a month ("the second half of May")."""
    if match := re.fullmatch(rf"(?:the )?(first|second|1st|2nd) half of ((?:{MONTH})(?: {YEAR})?)", text):
        span = point(match[2], when)
        assert span is not None
        middle = span[0].replace(day=15)
        return (span[0], middle) if _ORDINALS[match[1]] == 1 else (middle + timedelta(days=1), span[1])
    if not re.fullmatch(_HALF, text):
        return None
    match = re.match(r"(h[12]|\w+) ?(?:half)?(?: of|,|/|-)? ?(?:the )?(.*)", text)
    assert match is not None
    number = _ORDINALS.get(match[1]) or int(match[1][1])
    year = _year(match[2], number, (when.today.month + 5) // 6, When(when.today))
    return (date(year, 1, 1), date(year, 6, 30)) if number == 1 else (date(year, 7, 1), date(year, 12, 31))


def _year(said: str | None, number: int, current: int, when: When) -> int:
    """The year of the nth month, quarter or half: as said, else the nearest one on the side looked at."""
    today = when.today
    if said in (None, ""):
        return today.year + (number < current) if when.ahead else today.year - (number > current)
    if said in ("last year", "the previous year"):
        return today.year - 1
    if said in ("this year", "the year", "year"):
        return today.year
    digits = str(said).lstrip("'")
    return int(digits) if len(digits) == 4 else 2000 + int(digits)


def _week(number: int, year: str | None, when: When) -> str | None:
    current = when.today.isocalendar()
    chosen = int(year) if year else _year(None, number, current.week, When(when.today, when.ahead))
    try:
        date.fromisocalendar(chosen, number, 1)
    except ValueError:
        return None
    return f"{chosen}-W{number:02d}"


def week_of(day: date) -> tuple[date, date]:
    """Monday to Sunday of the week that the day is in."""
    return unit_around("week", day)
