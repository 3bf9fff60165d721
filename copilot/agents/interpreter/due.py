"""The day by which ordered goods are wanted: "by 20 August", "needed end of July", "in three weeks"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from copilot.agents.interpreter import numbers
from copilot.agents.interpreter.dates import (
    COUNT,
    DATE,
    MONTH,
    WEEKDAY,
    WEEKDAYS,
    YEAR,
    When,
    parse_day,
    point,
)
from copilot.agents.interpreter.periods import months_back, unit_around

_VERB = r"(?:for delivery|deliver(?:y|ed|able)?|arriv(?:e|es|ing|al)|needed|need (?:it|them)|required|due|(?:be )?here|ready|eta)"
_BY = r"(?:by|until|till|til|before|for|on|in|within|not later than|no later than|at the latest|latest|starting|from)"
_ASKED = rf"(?:{_VERB}(?: latest)? (?:{_BY} )?|{_BY} )(?:the )?"
_WHAT = (
    rf"(?P<edge>end|close|beginning|start|middle|mid)(?: of|-)? (?:the )?(?:month of )?(?P<around>(?:{MONTH})(?: {YEAR})?|(?:this |next )?(?:week|month|quarter|year))"
    rf"|(?P<date>{DATE})|(?P<count>{COUNT}) (?P<unit>day|week|month)s?(?: time)?|(?P<next>next) (?P<which>week|month|quarter|{WEEKDAY})"
    rf"|(?P<weekday>{WEEKDAY})|(?P<tomorrow>tomorrow|today|yesterday)|(?P<month>(?:{MONTH})(?: {YEAR})?)"
)
_DUE = re.compile(rf"(?:\b{_ASKED}|\b(?=end of |next (?:week|month|{WEEKDAY})))(?:{_WHAT})(?!\w)")


@dataclass(frozen=True, slots=True)
class Due:
    """The day wanted, or None where there is no such day, with the words and their place."""

    day: date | None
    said: str
    start: int
    end: int


def find_due(text: str, today: date) -> Due | None:
    """The day of delivery that the text names; months and weekdays are the next ones."""
    lowered = text.casefold()
    match = _DUE.search(lowered)
    if match is None:
        return None
    day = _day(match, When(today, ahead=True))
    if day is not None and re.search(r"\bbefore\b", match.group()):
        day -= timedelta(days=1)
    return Due(day, text[match.start() : match.end()].strip(), match.start(), match.end())


def _day(match: re.Match[str], when: When) -> date | None:
    today = when.today
    if match["edge"]:
        span = _around(match["around"], when)
        if span is None:
            return None
        if match["edge"] in ("end", "close"):
            return span[1]
        return span[0] if match["edge"] in ("beginning", "start") else span[0] + (span[1] - span[0]) // 2
    if match["date"]:
        return parse_day(match["date"], when)
    if match["count"]:
        count = numbers.small(match["count"]) or 0
        return (
            months_back(today, -count)
            if match["unit"] == "month"
            else today + timedelta(days=count * (7 if match["unit"] == "week" else 1))
        )
    if match["tomorrow"]:
        return today + timedelta(days={"yesterday": -1, "today": 0, "tomorrow": 1}[match["tomorrow"]])
    weekday = match["weekday"] or (match["which"] if match["which"] in WEEKDAYS else None)
    if weekday:
        return today + timedelta(days=(WEEKDAYS[weekday] - today.weekday()) % 7 or 7)
    if match["next"]:
        return unit_around(match["which"], today)[1] + timedelta(days=1)
    span = point(match["month"], when)
    return span[0] if span else None


def _around(words: str, when: When) -> tuple[date, date] | None:
    if re.fullmatch(r"(?:this |next )?(?:week|month|quarter|year)", words):
        unit = words.split()[-1]
        span = unit_around(unit, when.today)
        return unit_around(unit, span[1] + timedelta(days=1)) if words.startswith("next") else span
    return point(words, when)
