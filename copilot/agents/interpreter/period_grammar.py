"""The periods that a question names: a table of patterns, each with the rule that gives its value."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

from copilot.agents.interpreter import numbers
from copilot.agents.interpreter.dates import (
    COUNT,
    DATE,
    HOLIDAYS,
    MONTH,
    MONTHS,
    POINT,
    WEEKDAY,
    WEEKDAYS,
    YEAR,
    When,
    half_named,
    parse_day,
    period_named,
    point,
    week_of,
)
from copilot.agents.interpreter.period_joined import IN_YEAR, JOINED
from copilot.agents.interpreter.periods import Period, bounds, days, months_back, unit_around

Rule = Callable[[re.Match[str], When], Period | None]
_LEAD = r"(?:(?:in|during|for|over|within|of|on|from|through|throughout|across|about|this|by) )?(?:the )?"
_PAST = r"(?:last|past|previous|trailing|rolling|preceding|latest|most recent|prior)"
_UNIT = r"(?P<unit>day|week|month|quarter|year)s?"
_N = rf"(?P<n>{COUNT})"
_TO = r"(?:to|until|till|til|through|up to|-|–)"
_PAST_ONE = {"day": "yesterday", "week": "last_7_days", "month": "last_30_days", "quarter": "last_90_days"}
_LIST = rf"(?:{MONTH})(?:(?:,|,? and|,? &|,? plus|\+) ?(?:{MONTH}))+"


@dataclass(frozen=True, slots=True)
class Found:
    """A period in the text and where it stands. `point` marks a single day, for questions about stock."""

    value: Period
    start: int
    end: int
    point: date | None = None


def _range(match: re.Match[str], when: When) -> Period | None:
    first, last = point(match["a"], when), point(match["b"], when)
    if not first or not last:
        return None
    start, end = first[0], last[1]
    year = r"\d{4}|year"
    if start > end and not re.search(year, match["a"]) and re.search(year, match["b"]):
        start = start.replace(year=end.year - (start.month > end.month))
    elif re.search(year, match["b"]) and not re.search(rf"{year}|day|last", match["a"]):
        start = start.replace(year=end.year)
    elif start > end and when.ahead:
        end = end.replace(year=end.year + 1)
    elif start > end:
        start = start.replace(year=start.year - 1)
    return days(start, end) if start <= end else None


def _days(match: re.Match[str], when: When) -> Period | None:
    """ "1-7 June": two days of one month."""
    last = point(match["b"], when)
    if last is None or not 1 <= int(match["d"]) <= last[0].day:
        return None
    return days(last[0].replace(day=int(match["d"])), last[0])


def _since(match: re.Match[str], when: When) -> Period | None:
    span = point(match["a"], When(when.today))
    return days(span[0], when.today) if span and span[0] <= when.today else None


def _since_unit(match: re.Match[str], when: When) -> Period:
    start = unit_around(match["unit"], when.today)[0]
    if match["which"] == "last":
        start = unit_around(match["unit"], start - timedelta(days=1))[0]
    return days(start, when.today)


def _counted(match: re.Match[str], when: When) -> Period | None:
    count, unit = numbers.small(match["n"]), match["unit"]
    if not count:
        return None
    if unit in ("quarter", "year"):
        count, unit = count * (3 if unit == "quarter" else 12), "month"
    return f"last_{count}_{unit}s"


def _ago(match: re.Match[str], when: When) -> Period | None:
    """ "2 months ago" is the month that was then."""
    count = numbers.small(match["n"])
    if not count:
        return None
    unit = match["unit"]
    first = unit_around(unit, when.today)[0]
    for _ in range(count):
        first = unit_around(unit, first - timedelta(days=1))[0]
    return days(*unit_around(unit, first))


def _before_last(match: re.Match[str], when: When) -> Period:
    unit = match["unit"]
    first = unit_around(unit, when.today)[0]
    for _ in range(2):
        first = unit_around(unit, first - timedelta(days=1))[0]
    return days(*unit_around(unit, first))


def _to_date(match: re.Match[str], when: When) -> Period | None:
    span = point(match["a"], when)
    return days(span[0], min(span[1], when.today)) if span and span[0] <= when.today else None


def _whole(match: re.Match[str], when: When) -> Period | None:
    """The last n whole units, without the one that is running."""
    count, unit = numbers.small(match["n"]), match["unit"]
    if not count:
        return None
    last = unit_around(unit, when.today)[0] - timedelta(days=1)
    first = last
    for _ in range(count):
        first = unit_around(unit, first)[0] - timedelta(days=1)
    return days(first + timedelta(days=1), last)


def _relative(match: re.Match[str], when: When) -> Period | None:
    which, unit = match["which"], match["unit"]
    if which == "past":
        return _PAST_ONE.get(unit, "last_12_months")
    return f"{'this' if which in ('this', 'current', 'running', 'ongoing') else 'last'}_{unit}"


def _next(match: re.Match[str], when: When) -> Period:
    return days(*unit_around(match["unit"], unit_around(match["unit"], when.today)[1] + timedelta(days=1)))


def _named(match: re.Match[str], when: When) -> Period | None:
    return period_named(match["p"], when)


def _half(match: re.Match[str], when: When) -> Period | None:
    span = half_named(match["p"], when)
    return days(*span) if span else None


def _week_of(match: re.Match[str], when: When) -> Period | None:
    day = parse_day(match["a"], when)
    return days(*week_of(day)) if day else None


def _weeks(match: re.Match[str], when: When) -> Period | None:
    first, last = point(f"week {match['a']}", when), point(f"week {match['b']}", when)
    return days(first[0], last[1]) if first and last and first <= last else None


def _months(match: re.Match[str], when: When) -> Period | None:
    """Months one after the other, as one period; None where one between them is missing."""
    named = [MONTHS[name] for name in re.findall(rf"\b(?:{MONTH})\b", match["list"])]
    if any((later - earlier) % 12 != 1 for earlier, later in pairwise(named)):
        return None
    names = re.findall(rf"\b(?:{MONTH})\b", match["list"])
    last = point(f"{names[-1]} {match['year']}" if match["year"] else names[-1], when)
    if last is None:
        return None
    first = last[0]
    for _ in named[1:]:
        first = (first - timedelta(days=1)).replace(day=1)
    return days(first, last[1])


def _weekday(match: re.Match[str], when: When) -> Period:
    back = (when.today.weekday() - WEEKDAYS[match["d"]]) % 7 or 7
    day = when.today - timedelta(days=back)
    return days(day, day)


def _holiday(match: re.Match[str], when: When) -> Period | None:
    span = point(match["p"], when)
    return days(*span) if span else None


def _weekend(match: re.Match[str], when: When) -> Period:
    sunday = when.today - timedelta(days=when.today.weekday() + 1)
    return days(sunday - timedelta(days=1), sunday)


def _this_half(match: re.Match[str], when: When) -> Period:
    first = when.today.replace(month=1 if when.today.month < 7 else 7, day=1)
    return days(first, months_back(first, -6) - timedelta(days=1))


def _fixed(value: str) -> Rule:
    return lambda match, when: value


def _compiled(*rules: tuple[str, Rule]) -> tuple[tuple[re.Pattern[str], Rule], ...]:
    return tuple((re.compile(pattern), rule) for pattern, rule in rules)


_RANGES = _compiled(
    (
        rf"\b{_LEAD}week (?:of|starting|commencing|beginning|from|containing|with)(?: on)?(?: the)?(?: monday,?)? (?P<a>{DATE})\b",
        _week_of,
    ),
    (rf"\bw/c (?:the )?(?P<a>{DATE})\b", _week_of),
    (rf"\b(?:between|from)(?: the)? (?P<a>{POINT}) (?:and|{_TO}) (?:the )?(?P<b>{POINT})\b", _range),
    (rf"\b{_LEAD}(?P<a>{DATE}) {_TO} (?P<b>{DATE})\b", _range),
    (
        rf"\b{_LEAD}(?P<d>\d{{1,2}})(?:st|nd|rd|th)? ?{_TO} ?(?P<b>\d{{1,2}}(?:st|nd|rd|th)?(?: of)? (?:{MONTH})(?: \d{{4}})?)\b",
        _days,
    ),
    (rf"\b{_LEAD}(?P<a>(?:{MONTH})(?: \d{{4}})?) ?{_TO} ?(?P<b>(?:{MONTH})(?: \d{{4}})?)\b", _range),
    (rf"\b{_LEAD}(?P<a>q[1-4](?: \d{{4}})?) ?{_TO} ?(?P<b>q[1-4](?: {YEAR})?)\b", _range),
    (rf"\b{_LEAD}(?:calendar )?(?:weeks?|wks?|cw|kw) (?P<a>\d{{1,2}}) ?{_TO} ?(?P<b>\d{{1,2}})\b", _weeks),
    (
        r"\b(?:since|from) (?:the )?(?:start|beginning|first day) of (?:the )?(?:(?P<which>this|last|current|calendar) )?(?P<unit>week|month|quarter|year)\b",
        _since_unit,
    ),
    (
        rf"\b(?:since|starting|from|after)(?: the)?(?: (?:start|beginning) of)? (?P<a>{POINT})(?: (?:on|onwards|onward))?\b",
        _since,
    ),
    (
        rf"\b(?:since|for)(?: the)?(?: (?:last|past|previous))? {_N} {_UNIT}(?: now| already| running)?\b",
        _counted,
    ),
    (r"\b(?:since (?:a|one) |for (?:a|one) )(?P<unit>week|month|quarter|year)(?P<n>) now\b", _relative),
    (
        rf"\b{_LEAD}(?P<a>20\d\d|(?:{MONTH})(?: {YEAR})?|q[1-4](?: {YEAR})?),? (?:ytd|mtd|qtd|year to date|month to date|to date|so far)\b",
        _to_date,
    ),
    (
        rf"\b{_LEAD}(?P<unit>day|week|month|quarter|year) before last(?: (?:week|month|quarter|year))?\b",
        _before_last,
    ),
    (r"\b(?:the )?day before yesterday\b", lambda match, when: days(*(when.today - timedelta(days=2),) * 2)),
    (rf"\b(?!an? |one ){_N} (?P<unit>week|month|quarter|year)s? ago\b(?! (?:today|yesterday))", _ago),
    (rf"\b{_LEAD}(?P<list>{_LIST})(?:,? (?:of )?(?P<year>{YEAR}))?\b", _months),
)
_OTHERS = _compiled(
    (rf"\b{_LEAD}(?:at |around )?(?:the )?(?P<p>{HOLIDAYS})\b", _holiday),
    (r"\b(?P<a>20\d\d) (?:and|&|,|or) (?P<b>20\d\d)\b", _range),
    (rf"\b{_LEAD}{_PAST} {_N} (?:full|complete|completed|finished|whole|closed|calendar) {_UNIT}\b", _whole),
    (rf"\b{_LEAD}{_PAST} {_N} {_UNIT}\b", _counted),
    (rf"\b{_LEAD}(?P<n>\d+) (?P<unit>day|week|month)s? back\b", _counted),
    (rf"\b{_LEAD}{_PAST} fortnight\b", _fixed("last_14_days")),
    (rf"\b{_LEAD}{_PAST} half[- ](?:a )?year\b", _fixed("last_6_months")),
    (rf"\b{_LEAD}(?:this|current) half(?:[- ]year)?\b", _this_half),
    (rf"\b{_N}[- ](?:day|days) rolling\b", lambda match, when: f"last_{numbers.small(match['n'])}_days"),
    (
        r"\b(?:the )?(?:year|quarter|month) so far\b",
        lambda match, when: f"this_{match.group().removeprefix('the ').split()[0]}",
    ),
    (rf"\b(?:over |at |on )?(?:the )?(?:(?:{_PAST}|this|past) )?weekend(?: just gone)?\b", _weekend),
    (rf"\b{_LEAD}(?P<p>20\d\d[ -]?q[1-4])\b", _named),
    (rf"\b{_LEAD}(?P<p>(?:first|second|1st|2nd) half of (?:{MONTH})(?: {YEAR})?)\b", _half),
    (
        rf"\b{_LEAD}(?P<p>(?:h[12]|(?:first|second|1st|2nd) half)(?:(?: of|,|/|-)? ?(?:the )?(?:{YEAR}|\d{{2}}\b))?)(?![\w%])",
        _half,
    ),
    (
        rf"\b{_LEAD}(?P<p>(?:q[1-4]|(?:first|second|third|fourth|1st|2nd|3rd|4th) quarter)(?:(?: of|,|/|-)? ?(?:{YEAR}|\d{{2}}\b))?)(?![\w%])",
        _named,
    ),
    (
        rf"\b{_LEAD}(?P<p>(?:calendar week|week|wk|cw|kw|w) ?\.?(?:no\.? ?|number |#)?\d{{1,2}}(?:(?: of|,|/)? ?20\d\d)?)\b(?! (?:day|week|month|item|sku)s?\b)",
        _named,
    ),
    (
        rf"\b(?:{_LEAD}(?P<which>this|current|running|ongoing|last|previous|prior|past)(?: (?:calendar|fiscal|whole|full|entire))? (?P<unit>week|month|quarter|year)(?:'s)?)(?: so far| to date| until now)?\b",
        _relative,
    ),
    (r"\bso far (?P<which>this) (?P<unit>week|month|quarter|year)\b", _relative),
    (rf"\b{_LEAD}(?:next|coming|following|upcoming) (?P<unit>week|month|quarter|year)\b", _next),
    (r"\b(?:for |in |over )?(?:the )?(?:year to date|ytd)\b", _fixed("this_year")),
    (r"\b(?:for |in |over )?(?:the )?(?:quarter to date|qtd)\b", _fixed("this_quarter")),
    (r"\b(?:for |in |over )?(?:the )?(?:month to date|mtd)\b", _fixed("this_month")),
    (r"\b(?:for |of |on )?(?P<d>today|yesterday)\b", lambda match, when: match["d"]),
    (rf"\b(?:on |last )(?P<d>{WEEKDAY})\b", _weekday),
    (
        r"\b(?:for |of |over |across )?(?:all time|ever|all history|the whole history|since the beginning|of all times)\b",
        _fixed("all"),
    ),
    (
        rf"\b{_LEAD}(?:month of |last |this )?(?P<p>(?:{MONTH})\.? (?:of )?{YEAR})\b",
        lambda m, w: period_named(m["p"].replace(".", ""), w),
    ),
    (
        rf"\b(?:in|during|for|over|of|from|throughout|this|last|about|by) (?:the month of )?(?P<p>{MONTH})\b",
        _named,
    ),
    (
        r"\b(?:in |during |for |over |of |from |throughout )?(?:the )?(?:fy ?|calendar year |year |calendar )?(?P<p>20\d\d)\b(?!-)",
        _named,
    ),
    (r"\b(?:in |during |for |of |from )?(?P<p>20\d\d-(?:0[1-9]|1[0-2]))\b(?!-)", _named),
)
_SINGLE = re.compile(
    rf"\b(?:on|of|as of|as at|at|by|for|per|until|at the end of|end of)? ?(?:the )?(?P<a>{DATE})\b"
)
_END_OF = re.compile(
    rf"\b(?:as of |as at |at |by )?(?:the )?(?:(?:end|close) of (?:the )?|(?:year|month|quarter|week)[- ]end(?: of)? )(?P<a>{POINT})\b|\bas (?:of|at) (?:the )?(?P<b>{POINT})\b"
)
_UNIT_END = re.compile(
    r"\b(?:at |by |as of |as at |per )(?:the )?(?:last |previous )?(?P<unit>year|quarter|month|week)[- ]end\b(?! of| \w*\d)"
)
_BARE_MONTH = re.compile(rf"\b(?P<p>{MONTH})\b")
_MODAL = re.compile(
    r"\bmay (?:i|we|you|he|she|it|they|one|be|have|not|well|also|need|want|get|go|come|see)\b|\b(?:i|we|you|it|they|that|this|which|who) may\b"
)


_BEFORE_IT = re.compile(
    r"\b(?:so far|up to now|(?:the )?month of|all of|(?:the )?whole of|(?:the )?whole|full|the full|all|both) ?(?:in )?(?:the )?$"
)
_AFTER_IT = re.compile(
    r",? (?:so far|until now|until today|up to now|up to today|to date|till now|together|combined|taken together)\b"
)


def _to_the_end(found: Found, text: str) -> Found:
    """The period with the words around it that add nothing: "all of 2025", "this year so far"."""
    before, after = _BEFORE_IT.search(text[: found.start]), _AFTER_IT.match(text, found.end)
    return replace(
        found, start=before.start() if before else found.start, end=after.end() if after else found.end
    )


def _of_others(text: str, when: When) -> Found | None:
    for pattern, rule in JOINED:
        for match in pattern.finditer(text):
            if value := rule(match, when):
                return _to_the_end(Found(value, match.start(), match.end()), text)
    return None


def find(text: str, when: When) -> Found | None:
    """The first period the text names, or None. Comparisons should have been taken out before."""
    lowered = text.casefold()
    if (joined := _of_others(lowered, when)) is not None:
        return joined
    if match := _END_OF.search(lowered):
        span = point(match["a"] or match["b"], when)
        if span:
            end = min(span[1], when.today)
            return Found(days(end, end), match.start(), match.end(), point=end)
    if match := _UNIT_END.search(lowered):
        end = unit_around(match["unit"], when.today)[0] - timedelta(days=1)
        return Found(days(end, end), match.start(), match.end(), point=end)
    for pattern, rule in _RANGES:
        if (match := pattern.search(lowered)) and (value := rule(match, when)):
            return _to_the_end(Found(value, match.start(), match.end()), lowered)
    if match := _SINGLE.search(lowered):
        day = parse_day(match["a"], when)
        if day:
            return Found(days(day, day), match.start(), match.end(), point=day)
    for pattern, rule in (IN_YEAR, *_OTHERS):
        if (match := pattern.search(lowered)) and (value := rule(match, when)):
            span = bounds(value, when.today)
            single = span[0] if span and span[0] == span[1] else None
            return _to_the_end(Found(value, match.start(), match.end(), point=single), lowered)
    for match in _BARE_MONTH.finditer(lowered):
        modal = any(one.start() <= match.start() < one.end() for one in _MODAL.finditer(lowered))
        if not modal and (value := period_named(match["p"], when)):
            return Found(value, match.start(), match.end())
    return None
