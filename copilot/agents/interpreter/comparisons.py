"""What a question compares with: the period before, the same period a year before, or a period it names."""

from __future__ import annotations

import re
from dataclasses import dataclass

from copilot.agents.interpreter.dates import POINT, When, point
from copilot.agents.interpreter.periods import Period, days

_WITH = r"(?:vs\.?|versus|(?:as )?compare[sd]? (?:it |that |this |them )?(?:to|with|against)|comparing (?:to|with)|against|relative to|in comparison (?:to|with)|as opposed to|as against|in contrast to)"
_THAN = r"(?:than(?: it was)?(?: in| for| during)?|as in)"
_STEP = r"(?:over|from|on|since|up on|down on|change (?:from|since|on|against))"
CHANGE = re.compile(
    r"\b(?:improv\w*|deteriorat\w*|worsen\w*|(?:get|gets|got|gotten|getting|become|became|be|been|is|are|was|were|it) (?:any |much |a bit |even )?(?:better|worse|slower|faster|quicker|longer|shorter|cheaper|dearer)|(?:better|worse) (?:or|than|as)|(?:go|goes|gone|went|going) (?:up|down)|up or down|(?:rise|rises|rose|risen|rising|fall|falls|fell|fallen|falling|drop|drops|dropped|grow|grows|grew|grown|growing|shrink\w*|shrank|shrunk|increas\w*|decreas\w*|declin\w*)|chang(?:e|ed|ing))\b"
)
_UP = re.compile(r"\b(?:gr[eo]w\w*|increas\w*|r[io]s(?:e|es|en|ing)|gain\w*|jump\w*|climb\w*)\b")
_DOWN = re.compile(
    r"\b(?:declin\w*|decreas\w*|drop\w*|f[ae]ll\w*|shr[iau]nk\w*|slump\w*|plung\w*|collaps\w*)\b"
)
_BETTER = re.compile(r"\bimprov\w*\b")
_WORSE = re.compile(r"\b(?:deteriorat\w*|worsen\w*)\b")
COMPARATIVE = re.compile(
    r"\b(?:(?:how much |any |much |a bit |even |far |slightly )*(?:\w+er|more|less|fewer|worse)(?: \w+)?(?= than\b| compared\b)|how much (?:\w+er|more|less|worse))\b"
)
_TO_LAST = re.compile(
    rf"\b(?P<how>{_WITH}|{_THAN}|{_STEP}|with|to|and) (?:the |that of |those of |what it was )?(?:same (?:period|time|month|quarter|week|days) )?(?:of |in )?(?:the )?"
    r"(?P<which>last|previous|prior|preceding|past)(?:'s)? (?P<unit>week|month|quarter|year|period|one)\b(?:'s)?(?: figures?)?"
)
_TO_AGO = re.compile(
    rf"\b(?P<how>{_WITH}|{_THAN}|{_STEP}) (?:the same (?:period|time|month|quarter) )?(?:a|one) (?P<unit>week|month|quarter|year) (?:ago|before|earlier)\b"
)
_TO_BEFORE = re.compile(
    rf"\b(?P<how>{_WITH}|{_THAN}|{_STEP}|and)(?: with| to)? (?:the )?(?P<unit>week|month|quarter|year|period|one|time) (?:before|ago|earlier|prior)\b"
)
_IDIOM = re.compile(
    r"\b(?P<year>year[- ](?:over|on)[- ]year|yoy|y/y|vs ly|against ly)\b|\b(?P<step>(?P<unit>month|quarter|week)[- ](?:over|on)[- ](?:month|quarter|week)|mom|qoq|wow)\b"
)
_AND_PREVIOUS = re.compile(
    r"\band (?:compare (?:it |that )?(?:to|with) )?(?:the )?(?P<how>same) (?:period|time) (?:of )?last (?P<unit>year)\b"
)
_COMPARE = re.compile(r"\bcompar(?:e|es|ed|ing|ison)\b")
_ASKED = r"(?:,? and )?(?:how (?:does|do|did) (?:that|this|it|they|those) compare |how (?:that|this|it) compares )?"
_TO_POINT = re.compile(
    rf"{_ASKED}\b(?P<how>{_WITH}|{_THAN}|to|with|and|on|over) (?:with |to |that of |the )*(?P<a>{POINT})\b"
)
_SAME_TIME = re.compile(
    r"\b(?:and |in |for |with |vs\.? |than |against |to |from |at )*(?:the )?(?:this (?:time|period) (?:of )?(?:last year|a year ago)|(?:last year|a year ago|the year before|the previous year)(?: in| at| during| for)? (?:the )?same (?:time|period|months?|weeks?|quarters?|days)"
    r"|same (?:time|period|months?|weeks?|quarters?|days) (?:of |in |the )*(?:last year|a year ago|year before|previous year))\b"
)
_TO_ORDINAL = re.compile(
    rf"\b(?:{_WITH}|than(?: in)?) (?:the )?(?P<a>first|second|third|fourth|1st|2nd|3rd|4th)(?: one)?\b(?! (?:quarter|half))"
)
_SHORT = {"mom": "month", "qoq": "quarter", "wow": "week"}


def change_wanted(text: str, direction: str) -> str | None:
    """How to order by change, for "fell most" or "improved most": asc, desc, or None where no change is named.

    `direction` is the measure's own ("down_good"): a rate of returns improves when it falls.
    """
    lowered = text.casefold()
    if _DOWN.search(lowered) or _UP.search(lowered):
        return "asc" if _DOWN.search(lowered) else "desc"
    if _BETTER.search(lowered) or _WORSE.search(lowered):
        return "desc" if bool(_BETTER.search(lowered)) == (direction != "down_good") else "asc"
    return None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Against what to compare, where that stands, and the unit or period it named.

    `step`: each unit against the one before ("month on month").
    """

    value: str
    start: int
    end: int
    unit: str | None = None
    against: Period | None = None
    step: bool = False


def find_comparison(text: str, when: When) -> Comparison | None:
    """The comparison that the question names; "since" and "over" compare only where something changes."""
    lowered = text.casefold()
    changes = bool(CHANGE.search(lowered))
    for pattern in (_TO_LAST, _TO_AGO, _TO_BEFORE, _AND_PREVIOUS):
        match = pattern.search(lowered)
        if not match or not _compares(match, changes):
            continue
        if match["how"] in ("with", "to", "and") and not _COMPARE.search(lowered[: match.start()]):
            continue
        unit = match["unit"]
        value = "previous_year" if unit == "year" else "previous_period"
        start = _asked_from(lowered, match.start())
        return Comparison(
            value, start, match.end(), unit if unit in ("week", "month", "quarter", "year") else None
        )
    if match := _SAME_TIME.search(lowered):
        return Comparison("previous_year", match.start(), match.end(), "year")
    if (match := _TO_ORDINAL.search(lowered)) and (unit := re.search(r"\b(?:quarter|half)\b", lowered)):
        if span := point(f"{match['a']} {unit.group()}", When(when.today)):
            return Comparison("", match.start(), match.end(), None, days(*span))
    if match := _IDIOM.search(lowered):
        unit = match["unit"] or _SHORT.get(match["step"] or "", "year")
        value = "previous_year" if match["year"] else "previous_period"
        return Comparison(value, match.start(), match.end(), unit, step=bool(match["step"]))
    for match in _TO_POINT.finditer(lowered):
        if match["how"] in ("to", "with", "and") and not _COMPARE.search(lowered[: match.end()]):
            continue
        if match["how"] in ("on", "over") and not (
            re.search(r"\b(?:growth|gr[eo]w\w*|change\w*|increase|decrease|up|down)\b", lowered)
            and re.search(rf"\b{POINT}$", lowered[: match.start()].rstrip())
        ):
            continue
        if match["how"] == "and" and not re.search(rf"\b{POINT}$", lowered[: match.start()].rstrip()):
            continue
        if span := point(match["a"], When(when.today)):
            return Comparison("", match.start(), match.end(), None, days(*span))
    return None


def _compares(match: re.Match[str], changes: bool) -> bool:
    """ "Over the last month" is a period; "better over the last month" and "vs last month" compare."""
    how = match["how"]
    if how in ("over", "from", "on", "since"):
        which = match.groupdict().get("which")
        return changes if how == "since" or which in ("last", "past") else how != "since"
    return True


def _asked_from(text: str, start: int) -> int:
    """Where "and how does that compare" begins, which belongs to the comparison that follows it."""
    match = re.search(r"(?:,? and )?how (?:does|do|did)? ?(?:that|this|it|they|those) $", text[:start])
    return match.start() if match else start
