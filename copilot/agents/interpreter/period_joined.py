"""Periods made of others: joined ones ("Nov + Dec 2025"), parts of one ("the last three months of 2025"), stretches
up to one ("twelve months to the end of May").
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise

from copilot.agents.interpreter import numbers
from copilot.agents.interpreter.dates import COUNT, MONTH, POINT, YEAR, When, point
from copilot.agents.interpreter.periods import Period, days, months_back

Rule = Callable[[re.Match[str], When], Period | None]
_LEAD = r"(?:(?:in|during|for|over|within|of|on|from|through|throughout|across|by) )?(?:the )?(?:(?:both|(?:the )?months? of|years?|quarters?) )?"
_UNIT = r"(?P<unit>day|week|month|quarter)s?"
_AND = r"(?:,? ?(?:and|plus|as well as|together with) (?:in )?|,? ?(?:&|\+|/) ?|, )"
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_OWN_YEAR = re.compile(r"\d{4}|'\d{2}|year")
_CUT = re.compile(rf"(?:\bbetween|\b(?:{MONTH})\.?|\bq[1-4]|\bhalf|\bquarter)(?: of)?,? $")
_DAY_OF_MONTH = r"\d{1,2}(?:st|nd|rd|th)?"


def _joined(match: re.Match[str], when: When) -> Period | None:
    """Periods that adjoin are one. The year said after the last belongs to all."""
    said = re.split(_AND, match["list"])
    whole_years = [bool(re.fullmatch(r"20\d\d", one)) for one in said]
    if "" in said or any(whole_years) != all(whole_years) or _CUT.search(match.string[: match.start("list")]):
        return None
    year = said[-1].split()[-1] if re.search(r" (?:\d{4}|'\d{2})$", said[-1]) else None
    year = year or (found[0] if (found := re.search(r"(?:this|last) year$", said[-1])) else None)
    dated = [one if year is None or _OWN_YEAR.search(one) else f"{one} {year}" for one in said]
    spans = [point(one, when) for one in dated]
    found_spans = [span for span in spans if span is not None]
    if len(found_spans) != len(spans):
        return None
    found_spans.sort()
    for before, after in pairwise(found_spans):
        if after[0] != before[1] + timedelta(days=1):
            return None
    return days(found_spans[0][0], found_spans[-1][1])


def _back(day: date, unit: str, count: int) -> date:
    """The first day of the last `count` units that end on the day."""
    if unit in _MONTHS:
        return months_back(day + timedelta(days=1), count * _MONTHS[unit])
    return day + timedelta(days=1 - count * (7 if unit == "week" else 1))


def _part(match: re.Match[str], when: When) -> Period | None:
    span, count = point(match["a"], when), numbers.small(match["n"] or "one")
    if span is None or not count:
        return None
    unit = match["unit"]
    if match["which"] in ("first", "opening", "initial"):
        start = span[0]
        length = count * (7 if unit == "week" else 1)
        last = (
            months_back(start, -count * _MONTHS[unit]) if unit in _MONTHS else start + timedelta(days=length)
        )
        last -= timedelta(days=1)
        return days(start, last) if last <= span[1] else None
    start = _back(span[1], unit, count)
    return days(start, span[1]) if start >= span[0] else None


def _up_to(match: re.Match[str], when: When) -> Period | None:
    span, count = point(match["a"], when), numbers.small(match["n"])
    if span is None or not count:
        return None
    return days(_back(span[1], match["unit"], count), span[1])


def _before(match: re.Match[str], when: When) -> Period | None:
    span, count = point(match["a"], when), numbers.small(match["n"])
    if span is None or not count:
        return None
    last = span[0] - timedelta(days=1)
    return days(_back(last, match["unit"], count), last)


def _until_now(match: re.Match[str], when: When) -> Period | None:
    span = point(match["a"], when)
    return days(span[0], when.today) if span and span[0] <= when.today else None


def _years(match: re.Match[str], when: When) -> Period | None:
    first, last = int(match["a"]), int(match["b"])
    return days(date(first, 1, 1), date(last, 12, 31)) if first < last else None


def _days_of_month(match: re.Match[str], when: When) -> Period | None:
    first, last = (point(f"{match[one]} {match['m']}", when) for one in ("a", "b"))
    return days(first[0], last[1]) if first and last and first[0] <= last[1] else None


def _in_year(match: re.Match[str], when: When) -> Period | None:
    span = point(f"{match['a']} {match['y']}", when)
    return days(*span) if span else None


_YEAR_END = r"(?: (?:of )?(?:\d{4}|this year|last year))?"
JOINED: tuple[tuple[re.Pattern[str], Rule], ...] = tuple(
    (re.compile(pattern), rule)
    for pattern, rule in (
        (
            rf"\b{_LEAD}(?P<n>{COUNT}) (?P<unit>day|week|month|quarter|year)s? (?:to|up to|until|till|ending|ended|through)(?: on| in| with| at)? (?:the )?(?:end of )?(?P<a>{POINT})\b",
            _up_to,
        ),
        (
            rf"\b{_LEAD}(?P<which>first|last|final|closing|opening|initial) (?:(?P<n>{COUNT}) )?{_UNIT} (?:of|in) (?:the )?(?P<a>{POINT})\b",
            _part,
        ),
        (rf"\b{_LEAD}(?P<n>{COUNT}) {_UNIT} (?:before|prior to|preceding) (?P<a>{POINT})\b", _before),
        (
            rf"\b(?:since |from )?(?:the )?(?:start of |beginning of )?(?P<a>(?!today|yesterday){POINT}) (?:to|until|till|up to|through|-|–) (?:now|today|date|the present|this day)\b",
            _until_now,
        ),
        (rf"\b{_LEAD}(?P<a>20\d\d) ?(?:to|until|till|through|-|–) ?(?P<b>20\d\d)\b(?!-)", _years),
        (
            rf"\bbetween (?:the )?(?P<a>{_DAY_OF_MONTH}) and (?:the )?(?P<b>{_DAY_OF_MONTH})(?: of)? (?P<m>(?:{MONTH})(?: \d{{4}})?)\b",
            _days_of_month,
        ),
        (
            rf"\b(?:in |from |during )?(?P<m>{MONTH}) (?P<a>{_DAY_OF_MONTH}) ?(?:-|–|to|through|until) ?(?P<b>{_DAY_OF_MONTH})\b",
            _days_of_month,
        ),
        (rf"\b{_LEAD}(?P<list>{POINT}(?:{_AND}{POINT})+{_YEAR_END})(?: (?:together|combined))?\b", _joined),
    )
)
IN_YEAR: tuple[re.Pattern[str], Rule] = (
    re.compile(
        rf"\b{_LEAD}(?P<a>{MONTH}|(?:first|second|third|fourth|1st|2nd|3rd|4th) (?:quarter|half)|q[1-4]|h[12]),? (?:of )?(?P<y>{YEAR})\b"
    ),
    _in_year,
)
