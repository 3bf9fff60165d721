"""Bounds on measures: "above 5000", "3 % or more", "worse than 85 percent", "at least twice the average"."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from copilot.agents.interpreter.lexicon import TIME_DIMENSIONS
from copilot.agents.interpreter.span import Span, next_span
from copilot.agents.interpreter.units import unit_of

_OPERATORS = ("gt", "ge", "lt", "le", "between", "better_than", "worse_than")
_DAYS_IN = {"week": 7, "month": 30, "quarter": 91, "year": 365}
_SIGNS = {"negative": "lt", "positive": "gt"}
_AFTER = {"or_more": "ge", "or_less": "le"}
_TIMES = {"twice": 2, "thrice": 3, "half": Decimal("0.5")}


@dataclass(frozen=True, slots=True)
class Bound:
    """A bound as said: `unit` of its number, spans `first` to `last`, and the measures' spans beside it."""

    op: str
    values: tuple[Any, ...]
    percent: bool
    unit: str | None
    first: int
    last: int
    after: Span | None
    before: Span | None


def bounds_in(spans: tuple[Span, ...]) -> list[Bound]:
    """The bounds in order."""
    found: list[Bound] = []
    for index, span in enumerate(spans):
        op = next((name for name in span.names("cue") if name in _OPERATORS), None)
        if op and (bound := _leading(spans, index, op)):
            found.append(bound)
        if sign := next((name for name in span.names("cue") if name in _SIGNS), None):
            found.append(_bound(spans, _SIGNS[sign], ("0",), index, index))
        follows = next((name for name in span.names("cue") if name in _AFTER), None)
        if follows and (trailing := _trailing(spans, index, _AFTER[follows])):
            found = [one for one in found if one.last < trailing.first]
            found.append(trailing)
    return found


def _leading(spans: tuple[Span, ...], index: int, op: str) -> Bound | None:
    after = next_span(spans, index)
    if after is None:
        return None
    bound, last = spans[after], after
    values: list[Any] = []
    if bound.kind == "number":
        values = [str(bound.number)]
        second = next_span(spans, after)
        if op == "between" and second is not None and spans[second].kind == "number":
            values.append(str(spans[second].number))
            last = second
        elif (
            second is not None
            and not bound.percent
            and {"times", "average", "median"} & set(spans[second].names("cue"))
        ):
            last = _end_of_relative(spans, second)
            counted = last == second and "times" in spans[second].names("cue")
            values = values if counted else [_relative(str(bound.number), spans, second)]
    elif bound.kind == "metric" and _unit_word(bound) in TIME_DIMENSIONS and _is_one(spans[after - 1]):
        values, last = ["1"], after - 1
    elif bound.name in TIME_DIMENSIONS and _is_one(spans[after - 1]):
        values = ["1"]
    elif relative := next((name for name in bound.names("cue") if name in _TIMES), None):
        last = _end_of_relative(spans, after)
        counted = last == after and bound.text.casefold().endswith(" times")
        values = [str(_TIMES[relative]) if counted else _relative(str(_TIMES[relative]), spans, after)]
    elif {"average", "median"} & set(bound.names("cue")):
        values = [_relative("1", spans, after)]
    if not values or (op == "between" and len(values) < 2):
        return None
    return _bound(spans, op, tuple(values), index, last)


def _trailing(spans: tuple[Span, ...], index: int, op: str) -> Bound | None:
    """ "3 % or more": the number stands before, perhaps with its unit between."""
    for at in (index - 1, index - 2):
        if at >= 0 and spans[at].kind == "number":
            return _bound(spans, op, (str(spans[at].number),), at, index)
    return None


def _bound(spans: tuple[Span, ...], op: str, values: tuple[Any, ...], first: int, last: int) -> Bound:
    numbers = [span for span in spans[first : last + 1] if span.kind == "number"]
    percent = any(span.percent for span in numbers)
    unit = "percent" if percent else None
    for span in spans[first : last + 1]:
        unit = unit or (unit_of(span.text) if span.kind != "cue" else None)
    unit = unit or _time_unit(spans, last)
    follower = next_span(spans, last, words=True)
    if follower is not None and (said := unit_of(spans[follower].text)):
        unit, last = unit or said, follower
    elif follower is not None and spans[follower].text.casefold().removesuffix("s") in TIME_DIMENSIONS:
        last = follower
    after = next_span(spans, last)
    near = [spans[at] for at in (last, last + 1) if at < len(spans)]
    words = [span.text.casefold().split()[0] for span in near if span.kind not in ("period", "comparison")]
    factor = next((_DAYS_IN[one.removesuffix("s")] for one in words if one.removesuffix("s") in _DAYS_IN), 1)
    return Bound(
        op,
        tuple(str(Decimal(one) * factor) if isinstance(one, str) else one for one in values),
        percent,
        unit,
        first,
        last,
        spans[after] if after is not None and spans[after].kind == "metric" else None,
        next((span for span in reversed(spans[:first]) if span.kind == "metric"), None),
    )


def unsettled(spans: tuple[Span, ...], bounds: list[Bound]) -> list[Span]:
    """Words of comparison ("more than") that set no bound."""
    used = {at for bound in bounds for at in range(bound.first, bound.last + 1)}
    return [
        span
        for at, span in enumerate(spans)
        if at not in used and span.kind == "cue" and span.text.casefold() in _COMPARING
    ]


_COMPARING = frozenset(
    {
        "more than",
        "less than",
        "fewer than",
        "at least",
        "at most",
        "longer than",
        "shorter than",
        "no more than",
    }
)


def _unit_word(span: Span) -> str:
    return span.text.casefold().split()[0].removesuffix("s")


def _is_one(span: Span) -> bool:
    return span.text.casefold() in ("a", "an", "one")


def _time_unit(spans: tuple[Span, ...], last: int) -> str | None:
    """ "Longer than 2 weeks" bounds a time, and no amount."""
    after = next_span(spans, last, words=True)
    said = {spans[at].text.casefold().removesuffix("s") for at in (last, after) if at is not None}
    return "days" if said & set(TIME_DIMENSIONS) else None


def _relative(times: str, spans: tuple[Span, ...], index: int) -> dict[str, str]:
    of = "median" if any("median" in span.names("cue") for span in spans[index : index + 4]) else "mean"
    return {"times": times, "of": of}


def _end_of_relative(spans: tuple[Span, ...], index: int) -> int:
    last = index
    for position in range(index, min(index + 4, len(spans))):
        if {"average", "median"} & set(spans[position].names("cue")):
            last = position
    return last
