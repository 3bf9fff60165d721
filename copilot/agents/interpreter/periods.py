"""Periods and comparisons in questions, resolved on the business date.

A period is what `MetricQuery.period` takes: a name, a month, quarter or year, or two inclusive dates.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from copilot.agents.interpreter import numbers

Period = str | dict[str, str]

MONTHS = {name.casefold(): index for index, name in enumerate(calendar.month_name) if name}
MONTHS |= {name.casefold(): index for index, name in enumerate(calendar.month_abbr) if name} | {"sept": 9}
_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_UNIT = r"(day|week|month|quarter|year)s?"
_N = rf"(\d+|{numbers.WORD})"
_DAY = r"(\d{1,2})(?:st|nd|rd|th)?"
_DATE = (
    rf"\d{{4}}-\d{{2}}-\d{{2}}|{_DAY}(?: of)? (?:{_MONTH})\.?(?:,? \d{{4}})?|(?:{_MONTH})\.? {_DAY}(?!\d)(?:,? \d{{4}})?"
    r"|\d{1,2}[./]\d{1,2}[./]\d{4}"
)
_POINT = rf"(?:{_DATE}|(?:{_MONTH})\.?(?: (?:of )?\d{{4}})?|q[1-4](?: (?:of )?\d{{4}})?|20\d\d|yesterday|today|last (?:week|month|quarter|year))"
_LEAD = r"(?:(?:in|during|for|over|within|of|on|from|through|throughout|this|across) (?:the )?)?"
_PAST = r"(?:last|past|previous|trailing|preceding|latest|most recent)"


@dataclass(frozen=True, slots=True)
class Found:
    """A period in the text and where it stands. `point` marks a single day, for questions about stock."""

    value: Period
    start: int
    end: int
    point: date | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Against what to compare, where that stands, and the unit or period it named."""

    value: str
    start: int
    end: int
    unit: str | None = None
    against: Period | None = None


def days(first: date, last: date) -> dict[str, str]:
    """Two inclusive dates as `MetricQuery` takes them."""
    return {"from": first.isoformat(), "to": last.isoformat()}


def bounds(period: Any, today: date) -> tuple[date, date] | None:
    """First and last day of a period, where it has both."""
    if isinstance(period, dict):
        return date.fromisoformat(period["from"]), date.fromisoformat(period["to"])
    if not isinstance(period, str):
        return None
    if match := re.fullmatch(r"(\d{4})-(\d{2})", period):
        year, month = int(match[1]), int(match[2])
        return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])
    if match := re.fullmatch(r"(\d{4})-Q([1-4])", period):
        year, month = int(match[1]), int(match[2]) * 3
        return date(year, month - 2, 1), date(year, month, calendar.monthrange(year, month)[1])
    if re.fullmatch(r"\d{4}", period):
        return date(int(period), 1, 1), date(int(period), 12, 31)
    if match := re.fullmatch(r"last_(\d+)_(day|week|month)s", period):
        count, unit = int(match[1]), match[2]
        if unit == "month":
            return _months_back(today, count) + timedelta(days=1), today
        return today - timedelta(days=count * (7 if unit == "week" else 1) - 1), today
    return _named(period, today)


def _months_back(day: date, count: int) -> date:
    index = day.year * 12 + day.month - 1 - count
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _named(name: str, today: date) -> tuple[date, date] | None:
    if name == "today":
        return today, today
    if name == "yesterday":
        return today - timedelta(days=1), today - timedelta(days=1)
    which, _, unit = name.partition("_")
    if which not in ("this", "last"):
        return None
    first, last = _unit_around(unit, today)
    if which == "last":
        first, last = _unit_around(unit, first - timedelta(days=1))
    return first, last


def _unit_around(unit: str, day: date) -> tuple[date, date]:
    if unit == "week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=6)
    if unit == "month":
        return day.replace(day=1), day.replace(day=calendar.monthrange(day.year, day.month)[1])
    if unit == "quarter":
        month = (day.month - 1) // 3 * 3 + 1
        return date(day.year, month, 1), date(
            day.year, month + 2, calendar.monthrange(day.year, month + 2)[1]
        )
    return date(day.year, 1, 1), date(day.year, 12, 31)


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
            step = 12 if unit == "year" else 1
            return _months_back(first, step).strftime("%Y-%m")
        if "-Q" in period or period.endswith("_quarter"):
            start = _months_back(first, 12 if unit == "year" else 3)
            return f"{start.year}-Q{(start.month + 2) // 3}"
    if unit == "year":
        return days(_months_back(first, 12), _months_back(last, 12))
    length = last - first
    return days(first - timedelta(days=1) - length, first - timedelta(days=1))


def _parse_day(text: str, today: date) -> date | None:
    lowered = text.casefold().strip()
    if lowered in ("today", "yesterday"):
        return today - timedelta(days=lowered == "yesterday")
    import dateparser

    moment = dateparser.parse(
        re.sub(r"(\d)(st|nd|rd|th)\b", r"\1", lowered.replace(" of ", " ")),
        languages=["en"],
        settings={
            "RELATIVE_BASE": _at_noon(today),
            "PREFER_DATES_FROM": "past",
            "DATE_ORDER": "YMD" if re.match(r"\d{4}-", lowered) else "DMY",
        },
    )
    return moment.date() if moment else None


def _at_noon(day: date) -> Any:
    from datetime import datetime

    return datetime(day.year, day.month, day.day, 12)


def point(text: str, today: date) -> tuple[date, date] | None:
    """First and last day of what one date expression covers (a day, month, quarter, year, or ``last week``)."""
    lowered = text.casefold().strip()
    if re.fullmatch(_DATE, lowered):
        day = _parse_day(lowered, today)
        return (day, day) if day else None
    value = _calendar_name(lowered, today)
    return bounds(value, today) if value else None


def _calendar_name(text: str, today: date) -> str | None:
    if match := re.fullmatch(rf"({_MONTH})\.?(?: (?:of )?(\d{{4}}))?", text):
        month = MONTHS[match[1]]
        year = int(match[2]) if match[2] else today.year - (month > today.month)
        return f"{year}-{month:02d}"
    if match := re.fullmatch(r"q([1-4])(?: (?:of )?(\d{4}))?", text):
        number = int(match[1])
        year = int(match[2]) if match[2] else today.year - (number > (today.month + 2) // 3)
        return f"{year}-Q{number}"
    if re.fullmatch(r"20\d\d", text):
        return text
    if text in ("today", "yesterday"):
        return text
    return text.replace(" ", "_") if re.fullmatch(r"last (week|month|quarter|year)", text) else None


_ORDINAL_QUARTER = {
    "first": 1,
    "second": 2,
    "third": 3,
    "fourth": 4,
    "last": 4,
    "1st": 1,
    "2nd": 2,
    "3rd": 3,
    "4th": 4,
}
_PAST_ONE = {"day": "yesterday", "week": "last_7_days", "month": "last_30_days", "quarter": "last_90_days"}


def _range(match: re.Match[str], today: date) -> Period | None:
    first, last = point(match["a"], today), point(match["b"], today)
    if not first or not last:
        return None
    start, end = first[0], last[1]
    if start > end and not re.search(r"\d{4}", match["a"]) and re.search(r"\d{4}", match["b"]):
        start = start.replace(year=end.year - (start.month > end.month))
    elif re.search(r"\d{4}", match["b"]) and not re.search(r"\d{4}|day|last", match["a"]):
        start = start.replace(year=end.year)
    return days(start, end) if start <= end else None


def _since(match: re.Match[str], today: date) -> Period | None:
    span = point(match["a"], today)
    return days(span[0], today) if span and span[0] <= today else None


def _counted(match: re.Match[str], today: date) -> Period | None:
    count, unit = numbers.small(match["n"]), match["unit"]
    if not count:
        return None
    if unit in ("quarter", "year"):
        count, unit = count * (3 if unit == "quarter" else 12), "month"
    return f"last_{count}_{unit}s"


def _relative(match: re.Match[str], _today: date) -> Period | None:
    which, unit = match["which"], match["unit"]
    if which == "past":
        return _PAST_ONE.get(unit, "last_12_months")
    return f"{'this' if which in ('this', 'current', 'running', 'ongoing') else 'last'}_{unit}"


def _quarter(match: re.Match[str], today: date) -> Period | None:
    number = _ORDINAL_QUARTER.get(match["o"]) if "o" in match.re.groupindex else int(match["q"])
    year = match["year"] or (
        str(today.year) if number and number <= (today.month + 2) // 3 else str(today.year - 1)
    )
    year = {"this year": str(today.year), "last year": str(today.year - 1)}.get(year, year)
    return f"{year}-Q{number}"


def _half(match: re.Match[str], today: date) -> Period | None:
    number = 1 if match["h"] in ("1", "first") else 2
    year = {"this year": today.year, "last year": today.year - 1, None: today.year}.get(match["year"])
    year = year if year is not None else int(match["year"])
    return (
        days(date(year, 1, 1), date(year, 6, 30))
        if number == 1
        else days(date(year, 7, 1), date(year, 12, 31))
    )


def _month(match: re.Match[str], today: date) -> Period | None:
    month = MONTHS[match["m"]]
    year = match["year"]
    if year == "last year":
        return f"{today.year - 1}-{month:02d}"
    if year == "this year":
        return f"{today.year}-{month:02d}"
    return _calendar_name(f"{match['m']} {year}" if year else match["m"], today)


_YEARS = r"(?P<year>\d{4}|this year|last year)"
_RULES: tuple[tuple[re.Pattern[str], Any], ...] = tuple(
    (re.compile(pattern), rule)
    for pattern, rule in (
        (
            rf"\b(?:between|from)(?: the)? (?P<a>{_POINT}) (?:and|to|until|till|through|-) (?:the )?(?P<b>{_POINT})\b",
            _range,
        ),
        (rf"\b{_LEAD}(?P<a>{_DATE}) (?:to|until|till|through|-|–) (?P<b>{_DATE})\b", _range),
        (
            rf"\b{_LEAD}(?P<a>{_MONTH}) (?:to|until|till|through|-|–) (?P<b>(?:{_MONTH})(?: \d{{4}})?)\b",
            _range,
        ),
        (
            rf"\b(?:since|starting|from|after)(?: the)?(?: (?:start|beginning) of)? (?P<a>{_POINT})(?: (?:on|onwards|onward))?\b",
            _since,
        ),
        (rf"\b{_LEAD}{_PAST} (?P<n>\d+|{numbers.WORD}) (?P<unit>day|week|month|quarter|year)s?\b", _counted),
        (rf"\b{_LEAD}(?P<n>\d+) (?P<unit>day|week|month)s? back\b", _counted),
        (
            rf"\b{_LEAD}(?P<o>first|second|third|fourth|1st|2nd|3rd|4th) quarter(?: of)?(?: {_YEARS})?\b",
            _quarter,
        ),
        (rf"\b{_LEAD}(?P<year>\d{{4}})[ -]q(?P<q>[1-4])\b", _quarter),
        (rf"\b{_LEAD}q(?P<q>[1-4])(?:(?: of|,|/)? ?{_YEARS})?\b", _quarter),
        (rf"\b{_LEAD}(?P<h>first|second) half(?: of)?(?: {_YEARS})?\b", _half),
        (rf"\b{_LEAD}h(?P<h>[12])(?: {_YEARS})?\b", _half),
        (
            rf"\b{_LEAD}(?P<which>this|current|running|ongoing|last|previous|prior|past)(?: (?:calendar|fiscal))? (?P<unit>week|month|quarter|year)\b",
            _relative,
        ),
        (r"\b(?:for |in |over )?(?:the )?(?:year to date|ytd)\b", lambda m, t: "this_year"),
        (r"\b(?:for |in |over )?(?:the )?(?:quarter to date|qtd)\b", lambda m, t: "this_quarter"),
        (r"\b(?:for |in |over )?(?:the )?(?:month to date|mtd)\b", lambda m, t: "this_month"),
        (r"\b(?:for |of |on )?(?P<d>today|yesterday)\b", lambda m, t: m["d"]),
        (
            r"\b(?:for |of |over |across )?(?:all time|ever|all history|the whole history|since the beginning|of all times)\b",
            lambda m, t: "all",
        ),
        (
            rf"\b(?:(?:in|during|for|over|within|of|on|from|through|throughout|this|last) )?(?P<m>{_MONTH})\.? (?:of )?{_YEARS}\b",
            _month,
        ),
        (rf"\b(?:in|during|for|over|of|from|throughout|this|last|about) (?P<m>{_MONTH})(?P<year>)\b", _month),
        (
            r"\b(?:in |during |for |over |of |from |throughout )?(?:fy ?|year |calendar )?(?P<y>20\d\d)\b(?!-)",
            lambda m, t: m["y"],
        ),
        (r"\b(?:in |during |for |of |from )?(?P<ym>20\d\d-(?:0[1-9]|1[0-2]))\b(?!-)", lambda m, t: m["ym"]),
    )
)
_BARE_MONTH = re.compile(rf"\b(?P<m>{_MONTH})\b")
_SINGLE = re.compile(
    rf"\b(?:on|as of|as at|at|by|for|per|until|at the end of|end of)? ?(?:the )?(?P<a>{_DATE})\b"
)
_END_OF = re.compile(
    rf"\b(?:as of |as at |at |by )?(?:the )?end of (?:the )?(?P<a>{_POINT})\b|\bas (?:of|at) (?:the )?(?P<b>{_POINT})\b"
)
_CASE_MONTH = ("may", "march", "mar", "sun", "dec", "jan", "sept")


def find(text: str, today: date) -> Found | None:
    """The first period the text names, or None. Comparisons should have been taken out before."""
    lowered = text.casefold()
    if match := _END_OF.search(lowered):
        span = point(match["a"] or match["b"], today)
        if span:
            end = min(span[1], today)
            return Found(days(end, end), match.start(), match.end(), point=end)
    ranges, others = _RULES[:4], _RULES[4:]
    for pattern, rule in ranges:
        if (match := pattern.search(lowered)) and (value := rule(match, today)):
            return Found(value, match.start(), match.end())
    if match := _SINGLE.search(lowered):
        day = _parse_day(match["a"], today)
        if day:
            return Found(days(day, day), match.start(), match.end(), point=day)
    for pattern, rule in others:
        if (match := pattern.search(lowered)) and (value := rule(match, today)):
            span = bounds(value, today) if value in ("today", "yesterday") else None
            return Found(value, match.start(), match.end(), point=span[0] if span else None)
    for match in _BARE_MONTH.finditer(lowered):
        written = text[match.start() : match.end()]
        if match["m"] not in _CASE_MONTH or written[0].isupper():
            value = _calendar_name(match["m"], today)
            if value:
                return Found(value, match.start(), match.end())
    return None


_VERSUS = r"(?:vs\.?|versus|(?:as )?compared? (?:it |that |this |them )?(?:to|with|against)|against|relative to|in comparison (?:to|with)|than|over|from|change (?:from|since|vs\.?|on|against))"
_TO_LAST = re.compile(
    rf"\b{_VERSUS} (?:the |that of |those of )?(?:same (?:period|time|month|quarter|week|days) )?(?:of |in )?(?:the )?"
    r"(?P<which>last|previous|prior|preceding|past)(?:'s)? (?P<unit>week|month|quarter|year|period)\b(?:'s)?(?: figures?)?"
)
_TO_AGO = re.compile(
    rf"\b{_VERSUS} (?:the same (?:period|time) )?(?:a|one) (?P<unit>week|month|quarter|year) (?:ago|before|earlier)\b"
)
_TO_BEFORE = re.compile(
    rf"\b{_VERSUS} (?:the )?(?P<unit>week|month|quarter|year|period) (?:before|ago|earlier)\b"
)
_IDIOM = re.compile(
    r"\b(?P<year>year[- ](?:over|on)[- ]year|yoy|y/y)\b|\b(?P<step>(?P<u>month|quarter|week)[- ](?:over|on)[- ](?:month|quarter|week)|mom|qoq|wow)\b"
)
_TO_POINT = re.compile(
    rf"\b(?:vs\.?|versus|compared? (?:to|with|against)|against) (?:the )?(?P<a>{_POINT})\b"
)
_AND_PREVIOUS = re.compile(
    r"\band (?:compare (?:it |that )?(?:to|with) )?(?:the )?(?P<which>same) (?:period|time) (?:of )?last (?P<unit>year)\b"
)
_SHORT = {"mom": "month", "qoq": "quarter", "wow": "week"}


def find_comparison(text: str, today: date) -> Comparison | None:
    """What the question compares with: the period before, or the same period a year before."""
    lowered = text.casefold()
    for pattern in (_TO_LAST, _TO_AGO, _TO_BEFORE, _AND_PREVIOUS):
        if match := pattern.search(lowered):
            if (
                re.match(r"(?:over|from)\b", match.group())
                and pattern is _TO_LAST
                and match["which"] in ("last", "past")
            ):
                continue
            unit = match["unit"]
            value = "previous_year" if unit == "year" else "previous_period"
            return Comparison(value, match.start(), match.end(), None if unit == "period" else unit)
    if match := _IDIOM.search(lowered):
        unit = match["u"] or _SHORT.get(match["step"] or "", "year")
        value = "previous_year" if match["year"] else "previous_period"
        return Comparison(value, match.start(), match.end(), unit)
    if match := _TO_POINT.search(lowered):
        against = _calendar_name(match["a"], today)
        return Comparison("", match.start(), match.end(), None, against) if against else None
    return None


_HORIZON = re.compile(
    rf"\b(?:(?:over|in|for|during|within|through) )?(?:the )?(?:next|coming|following|upcoming|ahead)(?: {_N})? {_UNIT}\b|\b{_N} {_UNIT} (?:ahead|out|forward)\b|\b(?:for|over|in) {_N} {_UNIT}\b"
)


def find_horizon(text: str) -> tuple[int, int, int] | None:
    """Weeks ahead that the question names, and where; a month counts as 4, a quarter as 13 weeks."""
    match = _HORIZON.search(text.casefold())
    if not match:
        return None
    parts = [part for part in match.groups() if part]
    unit = parts[-1]
    count = numbers.small(parts[0]) if len(parts) > 1 else 1
    weeks = {"day": (count or 1) / 7, "week": count or 1}.get(unit)
    if weeks is None:
        weeks = {
            "month": {1: 4, 2: 9, 3: 13}.get(count or 1, round((count or 1) * 4.345)),
            "quarter": 13 * (count or 1),
        }.get(unit, 52)
    return max(1, -(-int(weeks * 7) // 7)), match.start(), match.end()
