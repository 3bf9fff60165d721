"""From spans to the parts of a `MetricQuery`: the order in which they are read, group-bys, and what is shown."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from itertools import pairwise

from copilot.agents.interpreter import states
from copilot.agents.interpreter.bounds import bounds_in, unsettled
from copilot.agents.interpreter.comparisons import CHANGE
from copilot.agents.interpreter.filters import read_filters
from copilot.agents.interpreter.lexicon import TIME_DIMENSIONS, Lexicon, vocabulary
from copilot.agents.interpreter.measures import choose, fits, said_turned, settle_bounds, turn_round
from copilot.agents.interpreter.ordering import read_order
from copilot.agents.interpreter.parts import Parts
from copilot.agents.interpreter.span import Span, next_span
from copilot.agents.interpreter.spans import Annotated
from copilot.agents.interpreter.tokenize import stems

_EITHER = re.compile(
    r"\b(?:which|who|where|what|does|is|do)\b.{0,60}\b(?:better|worse|higher|lower|bigger|smaller|larger|more|less|fewer"
    r"|faster|slower|longer|shorter|cheaper|dearer|stronger|weaker)\b.*\bor\b"
)


_THAN = re.compile(r"\b(?:more|less|fewer|better|worse|\w+er)\b.*\bthan\b")


_OTHER_WAY = {"asc": "desc", "desc": "asc"}


def collect(annotated: Annotated, lexicon: Lexicon, before: Collection[str] = ()) -> Parts:
    """Read the spans from left to right, then settle what depends on the whole.

    `before` are the metrics of the question before, by which a follow-up's names are told apart.
    """
    parts = Parts()
    spans = annotated.spans
    bounds = bounds_in(spans)
    used = {position for bound in bounds for position in range(bound.first, bound.last + 1)}
    _groups(spans, parts, used)
    if annotated.idiom:
        parts.by += [dim for dim in annotated.idiom.by if dim not in parts.by]
    choose(annotated, parts, lexicon, bounds)
    loose = settle_bounds(parts, lexicon, bounds)
    used -= {position for bound in loose for position in range(bound.first, bound.last + 1)}
    turned = said_turned(annotated)
    if turned or (annotated.idiom and annotated.idiom.complement):
        turn_round(parts.having)
    if annotated.idiom and annotated.idiom.having and not parts.having:
        op, value = annotated.idiom.having
        parts.having.append({"metric": parts.metrics[0], "op": op, "values": [value], "percent": False})
    parts.implied = _implied(annotated, lexicon)
    read_filters(spans, parts, lexicon, before)
    used |= read_order(spans, parts, lexicon, used)
    if turned:
        parts.order = [
            one | {"dir": _OTHER_WAY[one["dir"]]} if one["word"] in ("most", "least") else one
            for one in parts.order
        ]
    if parts.order and not parts.by and not parts.implied and re.search(r"\bwhere\b", annotated.text, re.I):
        if parts.metrics and all(fits(lexicon, name, {"warehouse"}) for name in parts.metrics):
            parts.implied = "warehouse"
    _shows(annotated, parts, lexicon)
    if annotated.idiom and annotated.idiom.order and not parts.order:
        parts.order = [{"by": parts.metrics[0] if parts.metrics else "", "dir": "asc", "word": "worst"}]
        parts.limit = parts.limit or 1
    if annotated.of("dim") and any(lexicon.metrics[name].unit == "days" for name in parts.metrics):
        _drop_unit(spans, parts)
    if not parts.by and parts.metrics and _asks_where(annotated, parts, lexicon):
        parts.by = ["warehouse"]
    parts.unread += _by_people(spans)
    left = {id(span) for span in parts.unread}
    parts.unread = [
        span
        for index, span in enumerate(spans)
        if span.kind in ("unknown", "unused")
        or (span.kind == "number" and index not in used and span.text.casefold() != "one")
        or id(span) in left
    ]
    if not annotated.comparison:
        parts.unread += unsettled(spans, bounds)
    parts.unread += [*parts.denied, *_ratios(spans), *_rates(spans, parts, lexicon)]
    parts.unread += [spans[bound.first] for bound in loose if spans[bound.first].kind == "cue"]
    parts.unread += [
        span for index, span in enumerate(spans) if "median" in span.names("cue") and index not in used
    ]
    return parts


def settled(annotated: Annotated, lexicon: Lexicon, before: Collection[str] = ()) -> Annotated:
    """The question with a bare "status" read by its measures, or by those of the question before."""
    metrics = _measures(annotated) or before
    return replace(annotated, spans=states.grouped(annotated.spans, metrics, lexicon))


def _measures(annotated: Annotated) -> tuple[str, ...]:
    """The measures that the words settle already."""
    outright = [span.names("metric")[0] for span in annotated.of("metric") if len(span.names("metric")) == 1]
    idiom = annotated.idiom.metric if annotated.idiom else None
    return (idiom,) if idiom and not outright else tuple(outright)


def _implied(annotated: Annotated, lexicon: Lexicon) -> str | None:
    """The dimension in a measure's own name ("supplier punctuality"), by which a ranking of it goes."""
    words = [word for span in annotated.of("metric") for word in stems(span.text)]
    dims = [sense.name for word in words for sense in lexicon.senses((word,)) if sense.kind == "dim"]
    return next((dim for dim in dims if dim not in TIME_DIMENSIONS), None)


def _asks_where(annotated: Annotated, parts: Parts, lexicon: Lexicon) -> bool:
    """ "Where" with a position of stock asks for the warehouses, unless one is named."""
    if annotated.members("warehouse") or not re.match(
        r"\W*(?:(?:and |at |in )?(?:where|which places?)|.*\b(?:and|or) where)\b", annotated.text, re.I
    ):
        return False
    return all(
        lexicon.metrics[name].position and fits(lexicon, name, {"warehouse"}) for name in parts.metrics
    )


def _drop_unit(spans: tuple[Span, ...], parts: Parts) -> None:
    """ "Days" beside a measure in days is its unit, unless it is asked for ("by day")."""
    said = [
        spans[index - 1] if index else None
        for index, span in enumerate(spans)
        if span.kind == "dim" and span.text.casefold() == "days"
    ]
    if (
        said
        and all(before is None or "by" not in before.names("cue") for before in said)
        and "day" in parts.by
    ):
        parts.by.remove("day")


def _by_people(spans: tuple[Span, ...]) -> list[Span]:
    """The people in "per customer", by whom nothing can be cut: unknown words, never passed over."""
    people = vocabulary()["words"]["people"]
    return [
        after
        for before, after in pairwise(spans)
        if "by" in before.names("cue") and after.kind == "stop" and after.text.casefold() in people
    ]


def _ratios(spans: tuple[Span, ...]) -> list[Span]:
    """Measures by which nothing is divided ("units per order"), and those that another is said to be
    ("how many returns were late deliveries").
    """
    found = []
    for index, span in enumerate(spans):
        if span.text.casefold() == "per" and span.kind != "idiom" and index:
            at = next_span(spans, index, words=True)
            at = next_span(spans, at, words=True) if at is not None and spans[at].kind == "number" else at
            if at is not None and _is_counted(spans[at]):
                found.append(spans[at])
        if span.kind == "metric" and index > 1 and spans[index - 1].text.casefold() in _IS:
            earlier = [one for one in spans[: index - 1] if one.kind == "metric" and not one.is_weak]
            found += [span] if earlier else []
    return found


_SPLIT = re.compile(r"\b(?:split|break|cut|slice) (?:that|this|it|them|those)\b")
_RATE = frozenset({"rate", "rates", "ratio", "ratios", "quota", "percent", "percentage"})


def _rates(spans: tuple[Span, ...], parts: Parts, lexicon: Lexicon) -> list[Span]:
    """The measures in "discount rate", where only the discount itself is measured."""
    if any(lexicon.metrics[name].unit in ("percent", "ratio") for name in parts.metrics):
        return []
    return [
        before
        for before, after in pairwise(spans)
        if before.kind == "metric" and after.kind == "stop" and after.text.casefold() in _RATE
    ]


_IS = frozenset({"is", "are", "was", "were"})


def _is_counted(span: Span) -> bool:
    words = vocabulary()["words"]
    return span.kind == "metric" or (
        span.kind == "idiom" and span.text.casefold() in (*words["people"], *words["counted"])
    )


def _groups(spans: tuple[Span, ...], parts: Parts, used: set[int]) -> None:
    for index, span in enumerate(spans):
        if "also" in span.names("cue"):
            parts.also = True
        if span.kind != "dim" or index in used:
            continue
        name = span.name
        if name == "item" and (_is_portion(spans, index) or _is_bystander(spans, index)):
            continue
        if name in TIME_DIMENSIONS and (_is_no_group(spans, index) or _is_length(spans, index)):
            continue
        if _names_a_member(spans, index, name) or _describes_a_member(spans, index, name):
            continue
        if name not in parts.by:
            parts.by.append(name)
        before = next_span(spans, index, -1)
        if (
            before is not None
            and "by" in spans[before].names("cue")
            and spans[before].text.casefold() not in ("by", "across")
        ):
            parts.per = name if parts.per is None and name not in TIME_DIMENSIONS else parts.per


def _is_portion(spans: tuple[Span, ...], index: int) -> bool:
    """ "The largest part of our spend" asks for no items."""
    after = spans[index + 1].text.casefold() if index + 1 < len(spans) else ""
    return spans[index].text.casefold() == "part" and after == "of"


_ASKED = frozenset({"which", "what", "list", "show", "each", "every", "all", "give", "name"})


def _is_bystander(spans: tuple[Span, ...], index: int) -> bool:
    """ "Days products were sold out, per category" asks for no products: they only are what it is about."""
    after = spans[index + 1].text.casefold() if index + 1 < len(spans) else ""
    asked = any(
        span.kind in ("number", "cue") or span.text.casefold().split()[0] in _ASKED for span in spans[:index]
    )
    grouped = any(
        "by" in before.names("cue") and span.kind == "dim" and span.name not in (*TIME_DIMENSIONS, "item")
        for before, span in pairwise(spans)
    )
    return index > 0 and after in ("is", "are", "was", "were") and grouped and not asked


def _is_no_group(spans: tuple[Span, ...], index: int) -> bool:
    """ "In days" names a unit, "the month before" a shift in time."""
    before = spans[index - 1].text.casefold() if index else ""
    after = spans[index + 1].text.casefold() if index + 1 < len(spans) else ""
    plural = spans[index].text.casefold().endswith("s")
    return (before == "in" and plural) or after in ("before", "earlier", "prior", "previously", "ago")


def _is_length(spans: tuple[Span, ...], index: int) -> bool:
    """ "90 days" is a length of time; "the top 5 days" asks for days."""
    if not index or spans[index - 1].kind != "number" or spans[index].text.casefold().startswith("per "):
        return False
    before = spans[index - 2] if index > 1 else None
    return before is None or not {"most", "least", "best", "worst"} & set(before.names("cue"))


def _describes_a_member(spans: tuple[Span, ...], index: int, dim: str) -> bool:
    """ "Lighting products" means the category; "top 5 lighting products" and "which" ask for items."""
    if dim != "item" or index == 0 or spans[index - 1].kind != "member":
        return False
    named = {member.dim for member in spans[index - 1].members}
    earlier = spans[index - 2] if index > 1 else None
    asked = {"which", "what", "list", "by", "per", "each", "every"}
    if named & {"supplier", "warehouse"} and any(span.text.casefold() in asked for span in spans[:index]):
        return False
    return earlier is None or (earlier.kind not in ("number", "cue") and earlier.text.casefold() not in asked)


def _names_a_member(spans: tuple[Span, ...], index: int, dim: str) -> bool:
    for step in (-1, 1):
        neighbour = next_span(spans, index, step)
        if neighbour is not None and spans[neighbour].kind == "member":
            gap = [spans[i].text.casefold() for i in range(min(index, neighbour) + 1, max(index, neighbour))]
            if any(member.dim == dim for member in spans[neighbour].members) and not set(gap) - {
                "the",
                "of",
                "named",
                "called",
            }:
                return True
    return False


def _shows(annotated: Annotated, parts: Parts, lexicon: Lexicon) -> None:
    cues = annotated.cues()
    text = annotated.without_names().casefold()
    parts.show = [name for name in ("share", "rank", "running", "ratio") if name in cues]
    if parts.metrics and all(lexicon.metrics[name].unit == "percent" for name in parts.metrics):
        parts.show = [name for name in parts.show if name != "share"]
    if "share" in parts.show and not parts.by and not parts.filters and parts.metrics == []:
        parts.show = ["share"]
    parts.also = parts.also or bool(
        _SPLIT.search(text) or re.search(r"\b(?:as well|too|also|in addition|additionally)\b", text)
    )
    parts.trend = "trend" in cues
    if "change" in cues or (CHANGE.search(text) and not parts.having and not annotated.comparison):
        parts.growth = (
            "previous_year" if re.search(r"\b(?:gr[eo]w|shr[iaun]+k|yoy\b)|year", text) else "previous_period"
        )
    if not annotated.comparison and ("compare" in cues or _either_or(text, annotated)):
        parts.contrast = True


def _either_or(text: str, annotated: Annotated) -> bool:
    """Whether members are set against each other: "which has the better margin, Garden or Outdoor?"."""
    members = annotated.of("member")
    return len(members) > 1 and bool(_EITHER.search(text) or _THAN.search(text))
