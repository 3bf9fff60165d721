"""Holidays and seasons as periods: "over Christmas", "on Black Friday", "Easter 2025", "last summer"."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

_NAMES = {
    "new year": r"new year(?:'?s)?(?: (?:eve|day))?",
    "valentine": r"valentine'?s?(?: day)?",
    "easter": r"easter(?: (?:days|weekend|sunday|monday|holidays?))?",
    "whitsun": r"whitsun|pentecost",
    "halloween": r"hallowe'?en",
    "thanksgiving": r"thanksgiving",
    "black friday": r"black friday",
    "cyber monday": r"cyber monday",
    "christmas": r"christmas(?: (?:days|week|holidays?))?|xmas",
    "boxing day": r"boxing day",
}
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
_YEAR = r"(?:\d{4}|'\d{2}|last year|this year)"
_SEASON = (
    rf"(?:(?:last|this|past|previous) (?:{'|'.join(_SEASONS)})|(?:{'|'.join(_SEASONS)})(?= (?:of )?{_YEAR}))"
)
HOLIDAY = rf"(?:{'|'.join(_NAMES.values())}|{_SEASON})"


def _easter(year: int) -> date:
    from dateutil.easter import easter

    return easter(year)


def _thanksgiving(year: int) -> date:
    first = date(year, 11, 1)
    return first + timedelta(days=(3 - first.weekday()) % 7 + 21)


def _around(day: Callable[[int], date], before: int, after: int) -> Callable[[int], tuple[date, date]]:
    return lambda year: (day(year) - timedelta(days=before), day(year) + timedelta(days=after))


_DAYS: dict[str, Callable[[int], tuple[date, date]]] = {
    "new year": lambda year: (date(year - 1, 12, 31), date(year, 1, 1)),
    "valentine": lambda year: (date(year, 2, 14), date(year, 2, 14)),
    "easter": _around(_easter, 2, 1),
    "whitsun": _around(_easter, -49, 50),
    "halloween": lambda year: (date(year, 10, 31), date(year, 10, 31)),
    "thanksgiving": _around(_thanksgiving, 0, 0),
    "black friday": _around(_thanksgiving, -1, 1),
    "cyber monday": _around(_thanksgiving, -4, 4),
    "christmas": lambda year: (date(year, 12, 24), date(year, 12, 26)),
    "boxing day": lambda year: (date(year, 12, 26), date(year, 12, 26)),
}


def holiday(text: str, today: date, *, ahead: bool = False) -> tuple[date, date] | None:
    """First and last day of the holiday named, with or without its year; None where it is none.

    Without a year it is the last one that has begun, or with `ahead` the next.
    """
    if (season := _season(text, today)) is not None:
        return season
    match = re.fullmatch(
        rf"(?:last )?({'|'.join(_NAMES.values())})(?:,? (?:of |in )?(\d{{4}}|'\d{{2}}|last year|this year))?",
        text,
    )
    if match is None:
        return None
    name = next(name for name, pattern in _NAMES.items() if re.fullmatch(pattern, match[1]))
    if said := match[2]:
        year = (
            today.year - (said == "last year")
            if said.endswith("year")
            else int(said.lstrip("'")) % 2000 + 2000
        )
        return _DAYS[name](year)
    years = range(today.year - 1, today.year + 2)
    spans = [_DAYS[name](year) for year in years]
    if ahead:
        return next(span for span in spans if span[1] >= today)
    return next(span for span in reversed(spans) if span[0] <= today)


def _season(text: str, today: date) -> tuple[date, date] | None:
    """Three whole months from March, June, September or December; "last summer" is one that is over."""
    match = re.fullmatch(
        rf"(?:(last|this|past|previous) )?({'|'.join(_SEASONS)})(?:,? (?:of |in )?({_YEAR}))?", text
    )
    if match is None or not (match[1] or match[3]):
        return None
    month = _SEASONS[match[2]]

    def span(year: int) -> tuple[date, date]:
        following = date(year + (month > 9), (month + 2) % 12 + 1, 1)
        return date(year, month, 1), following - timedelta(days=1)

    if said := match[3]:
        last = today.year - (said == "last year")
        return span(last if said.endswith("year") else int(said.lstrip("'")) % 2000 + 2000)
    spans = [span(year) for year in range(today.year - 2, today.year + 1)]
    if match[1] == "this":
        return next(one for one in reversed(spans) if one[0] <= today)
    return next(one for one in reversed(spans) if one[1] < today)
