"""Order and limit: "top 5", "worst first", "the three cheapest", "descending"."""

from __future__ import annotations

from copilot.agents.interpreter.lexicon import TIME_DIMENSIONS, Lexicon
from copilot.agents.interpreter.measures import pick
from copilot.agents.interpreter.parts import Parts
from copilot.agents.interpreter.span import Span, next_span

_SUPERLATIVES = ("best", "worst", "most", "least", "slow", "fast")
_DURATIONS = ("days", "hours", "seconds")
_ORDER_ONLY = ("first", "ascending", "descending", "from")


def read_order(spans: tuple[Span, ...], parts: Parts, lexicon: Lexicon, used: set[int]) -> set[int]:
    """Set order and limit of `parts`; gives the number spans that were used for it."""
    cues_at = [
        i for i, s in enumerate(spans) if i not in used and any(n in _SUPERLATIVES for n in s.names("cue"))
    ]
    numbers_at = [i for i, s in enumerate(spans) if s.kind == "number" and i not in used]
    if not cues_at:
        return _plain_limit(spans, numbers_at, parts)
    word = next(name for name in spans[cues_at[0]].names("cue") if name in _SUPERLATIVES)
    metric = _ordered_by(spans, cues_at[0], parts, lexicon)
    goodness = lexicon.metrics[metric].direction if metric else "up_good"
    takes_time = metric is not None and lexicon.metrics[metric].unit in _DURATIONS
    parts.order = [{"by": metric or "", "dir": _direction(word, goodness, takes_time), "word": word}]
    near = [
        i
        for i in numbers_at
        if any(abs(i - at) <= 2 or next_span(spans, i) == at or next_span(spans, at) == i for at in cues_at)
    ]
    near = near or [
        i for i in numbers_at if (n := next_span(spans, i)) is not None and spans[n].kind == "dim"
    ]
    if near and (number := spans[near[0]].number) is not None and number == int(number) and number >= 1:
        parts.limit = int(number)
        return {near[0]}
    if not _orders_only(spans, cues_at[0]):
        dim = next((s for s in spans if s.kind == "dim"), None)
        parts.limit = 10 if dim is None or dim.text.casefold().endswith("s") else 1
    return set()


def _orders_only(spans: tuple[Span, ...], index: int) -> bool:
    """Whether the cue asks for an order and no cut: "highest first", "worst ones first", "descending"."""
    following = [
        span.text.casefold() for span in spans[index + 1 : index + 3] if span.kind in ("cue", "stop")
    ]
    return bool(
        set(spans[index].text.casefold().split()) & set(_ORDER_ONLY) or {"first", "to"} & set(following)
    )


def _ordered_by(spans: tuple[Span, ...], at: int, parts: Parts, lexicon: Lexicon) -> str | None:
    metric = next(
        (pick(s, Parts(), lexicon, set()) for s in spans[at:] if s.kind == "metric" and not s.names("cue")),
        None,
    )
    if metric is None or metric not in parts.metrics:
        metric = parts.metrics[0] if parts.metrics else None
    return metric


def _plain_limit(spans: tuple[Span, ...], numbers_at: list[int], parts: Parts) -> set[int]:
    for index in numbers_at:
        number = spans[index].number
        after = next_span(spans, index)
        if (
            number
            and number == int(number)
            and after is not None
            and spans[after].kind == "dim"
            and spans[after].name not in TIME_DIMENSIONS
            and 1 <= number <= 1000
            and not _all_there_are(spans, index)
        ):
            parts.limit = int(number)
            return {index}
    return set()


def _all_there_are(spans: tuple[Span, ...], index: int) -> bool:
    """ "The three warehouses" are all of them, and no cut."""
    return index > 0 and spans[index - 1].text.casefold() in ("the", "our", "all", "these", "those")


def _direction(word: str, goodness: str, takes_time: bool) -> str:
    """The slowest takes the most time, or turns or sells the least."""
    if word in ("slow", "fast"):
        return "desc" if takes_time == (word == "slow") else "asc"
    if word in ("most", "least"):
        return "desc" if word == "most" else "asc"
    lower_is_better = goodness == "down_good"
    return "asc" if lower_is_better == (word == "best") else "desc"
