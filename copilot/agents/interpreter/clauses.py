"""From spans to the parts of a `MetricQuery`: metrics, group-bys, filters, bounds, order, limit, show."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from copilot.agents.interpreter.lexicon import TIME_DIMENSIONS, Lexicon, MemberWord
from copilot.agents.interpreter.spans import Annotated, Span

_BOUNDS = ("gt", "ge", "lt", "le", "between")
_SUPERLATIVES = ("best", "worst", "most", "least")
_RELATIVE = {"twice": 2, "thrice": 3, "half": Decimal("0.5")}
_ORDER_ONLY = ("first", "ascending", "descending", "from")


@dataclass(frozen=True, slots=True)
class Tie:
    """Words with two readings: the slot, what was said, and the candidates as (name, label)."""

    slot: str
    said: str
    candidates: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Parts:
    """The parts of a query that the words name. What is absent stays empty, so that a follow-up can merge."""

    metrics: list[str] = field(default_factory=list)
    by: list[str] = field(default_factory=list)
    also: bool = False
    filters: list[tuple[str, bool, MemberWord]] = field(default_factory=list)
    having: list[dict[str, Any]] = field(default_factory=list)
    order: list[dict[str, str]] = field(default_factory=list)
    limit: int | None = None
    per: str | None = None
    show: list[str] = field(default_factory=list)
    trend: bool = False
    growth: str | None = None
    contrast: bool = False
    ties: list[Tie] = field(default_factory=list)
    unread: list[Span] = field(default_factory=list)


def collect(annotated: Annotated, lexicon: Lexicon) -> Parts:
    """Read the spans from left to right, then settle what depends on the whole."""
    parts = Parts()
    spans = annotated.spans
    consumed = _bounds_in(spans, parts, lexicon)
    _groups(spans, parts, consumed)
    _filters(spans, parts, lexicon)
    _metrics(spans, parts, lexicon, consumed)
    _having_metrics(parts)
    _order(spans, parts, lexicon, consumed)
    _shows(annotated, parts)
    parts.unread = [span for span in annotated.of("unknown")]
    return parts


def _next(spans: tuple[Span, ...], index: int, step: int = 1) -> int | None:
    """The next span that carries meaning."""
    index += step
    while 0 <= index < len(spans):
        if spans[index].kind != "stop":
            return index
        index += step
    return None


def _bounds_in(spans: tuple[Span, ...], parts: Parts, lexicon: Lexicon) -> set[int]:
    """Find "above 5000", "at least twice the average", "between 10 and 20"; mark the spans they use."""
    used: set[int] = set()
    for index, span in enumerate(spans):
        op = next((name for name in span.names("cue") if name in _BOUNDS), None)
        if not op:
            continue
        after = _next(spans, index)
        if after is None:
            continue
        bound = spans[after]
        values: list[Any] = []
        percent = bound.percent
        last = after
        if bound.kind == "number":
            values = [str(bound.number)]
            second = _next(spans, after)
            if op == "between" and second is not None and spans[second].kind == "number":
                values.append(str(spans[second].number))
                last = second
            elif second is not None and {"times", "average", "median"} & set(spans[second].names("cue")):
                values, last = [_relative(str(bound.number), spans, second)], _end_of_relative(spans, second)
        elif relative := next((name for name in bound.names("cue") if name in _RELATIVE), None):
            values, last = [_relative(str(_RELATIVE[relative]), spans, after)], _end_of_relative(spans, after)
        elif {"average", "median"} & set(bound.names("cue")):
            values = [_relative("1", spans, after)]
        if not values or (op == "between" and len(values) < 2):
            continue
        used.update(range(index, last + 1))
        follower = _next(spans, last)
        metric = None
        if follower is not None and spans[follower].kind == "dim" and spans[follower].name in TIME_DIMENSIONS:
            used.add(follower)
        elif follower is not None and spans[follower].kind == "metric":
            metric = _pick(spans[follower], parts, lexicon, set())
        if metric is None:
            before = [s for s in spans[:index] if s.kind == "metric"]
            metric = _pick(before[-1], parts, lexicon, set()) if before else None
        parts.having.append({"metric": metric, "op": op, "values": values, "percent": percent})
    return used


def _relative(times: str, spans: tuple[Span, ...], index: int) -> dict[str, str]:
    of = "median" if any("median" in span.names("cue") for span in spans[index : index + 4]) else "mean"
    return {"times": times, "of": of}


def _end_of_relative(spans: tuple[Span, ...], index: int) -> int:
    last = index
    for position in range(index, min(index + 4, len(spans))):
        if {"average", "median"} & set(spans[position].names("cue")):
            last = position
    return last


def _groups(spans: tuple[Span, ...], parts: Parts, consumed: set[int]) -> None:
    for index, span in enumerate(spans):
        if "also" in span.names("cue"):
            parts.also = True
        if span.kind != "dim" or index in consumed:
            continue
        name = span.name
        if name in TIME_DIMENSIONS and _is_no_group(spans, index):
            continue
        if _names_a_member(spans, index, name):
            continue
        if name not in parts.by:
            parts.by.append(name)
        before = _next(spans, index, -1)
        if (
            before is not None
            and "by" in spans[before].names("cue")
            and spans[before].text.casefold() not in ("by", "across")
        ):
            parts.per = name if parts.per is None and name not in TIME_DIMENSIONS else parts.per


def _is_no_group(spans: tuple[Span, ...], index: int) -> bool:
    """ "In days" names a unit, "the month before" a shift in time."""
    before = spans[index - 1].text.casefold() if index else ""
    after = spans[index + 1].text.casefold() if index + 1 < len(spans) else ""
    plural = spans[index].text.casefold().endswith("s")
    return (before == "in" and plural) or after in ("before", "earlier", "prior", "previously", "ago")


def _names_a_member(spans: tuple[Span, ...], index: int, dim: str) -> bool:
    for step in (-1, 1):
        neighbour = _next(spans, index, step)
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


def _filters(spans: tuple[Span, ...], parts: Parts, lexicon: Lexicon) -> None:
    excluding = False
    for index, span in enumerate(spans):
        if "exclude" in span.names("cue"):
            excluding = True
        elif span.kind in ("period", "comparison", "metric") or {"by", "only", "compare"} & set(
            span.names("cue")
        ):
            excluding = False
        elif (
            span.kind == "stop" and excluding and span.text.casefold() in ("in", "for", "from", "at", "with")
        ):
            before = index - 1
            excluding = before >= 0 and "exclude" in spans[before].names("cue")
        if span.kind != "member":
            continue
        member = span.members[0]
        if len(span.members) > 1:
            exact = [m for m in span.members if m.code.casefold() == span.text.casefold()]
            if len(exact) == 1:
                member = exact[0]
            else:
                slot = member.dim if len({m.dim for m in span.members}) == 1 else "member"
                parts.ties.append(Tie(slot, span.text, tuple((m.code, m.title) for m in span.members)))
                continue
        parts.filters.append((member.dim, excluding, member))
        neighbour = _next(spans, index)
        if neighbour is not None and "compare" in spans[neighbour].names("cue"):
            parts.contrast = True


def _pick(span: Span, parts: Parts, lexicon: Lexicon, dims: set[str]) -> str:
    """One metric for the span; by the dimensions asked for where the words fit several."""
    names = span.names("metric")
    if len(names) == 1:
        return names[0]
    fitting = [name for name in names if _fits(lexicon, name, dims)] or list(names)
    if len(fitting) > 1 and "supplier" in dims:
        fitting = [name for name in fitting if name.startswith("supplier")] or fitting
    if len(fitting) > 1 and dims & {"channel", "customer_country", "order_status"}:
        fitting = [name for name in fitting if name.startswith("order")] or fitting
    if len(fitting) > 1:
        own = [name for name in fitting if name.replace("_", " ") == span.text.casefold()]
        fitting = own or fitting
    if len(fitting) > 1 and not any(tie.said == span.text for tie in parts.ties):
        parts.ties.append(Tie("metric", span.text, tuple((n, lexicon.metrics[n].label) for n in fitting)))
    return fitting[0]


def _fits(lexicon: Lexicon, metric: str, dims: set[str]) -> bool:
    allowed = lexicon.metrics[metric].dimensions
    return allowed is None or dims <= allowed


def _metrics(spans: tuple[Span, ...], parts: Parts, lexicon: Lexicon, consumed: set[int]) -> None:
    dims = {dim for dim in parts.by} | {dim for dim, _, _ in parts.filters}
    strong: list[str] = []
    weak: list[str] = []
    for index, span in enumerate(spans):
        if span.kind != "metric" or (index in consumed):
            continue
        name = _pick(span, parts, lexicon, dims)
        (weak if span.names("cue") or _counts_only(span, spans, index) else strong).append(name)
    named = list(dict.fromkeys(strong or weak))
    if not strong and len(weak) > 1 and "units" in {s.text.casefold() for s in spans if s.kind == "metric"}:
        named = list(dict.fromkeys(weak[:1]))
    parts.metrics = named
    for bound in parts.having:
        if bound["metric"] and bound["metric"] not in parts.metrics:
            parts.metrics.append(bound["metric"])


def _counts_only(span: Span, spans: tuple[Span, ...], index: int) -> bool:
    """Words such as "units" or "stock" beside a fuller metric only say what it counts."""
    return span.text.casefold() in (
        "units",
        "unit",
        "pieces",
        "stock",
        "inventory",
        "orders",
        "available",
        "demand",
        "purchases",
    )


def _having_metrics(parts: Parts) -> None:
    for bound in parts.having:
        if bound["metric"] is None and parts.metrics:
            bound["metric"] = parts.metrics[0]


def _order(spans: tuple[Span, ...], parts: Parts, lexicon: Lexicon, consumed: set[int]) -> None:
    cues_at = [
        i
        for i, s in enumerate(spans)
        if i not in consumed and any(n in _SUPERLATIVES for n in s.names("cue"))
    ]
    numbers_at = [i for i, s in enumerate(spans) if s.kind == "number" and i not in consumed]
    if not cues_at:
        parts.limit = _plain_limit(spans, numbers_at)
        return
    cue_at = cues_at[0]
    cue = spans[cue_at]
    word = next(name for name in cue.names("cue") if name in _SUPERLATIVES)
    metric = next(
        (
            _pick(s, Parts(), lexicon, set())
            for s in spans[cue_at:]
            if s.kind == "metric" and not s.names("cue")
        ),
        None,
    )
    if metric is None or metric not in parts.metrics:
        metric = parts.metrics[0] if parts.metrics else None
    direction = _direction(word, lexicon.metrics[metric].direction if metric else "up_good")
    parts.order = [{"by": metric or "", "dir": direction}]
    near = [
        i
        for i in numbers_at
        if any(abs(i - at) <= 2 or _next(spans, i) == at or _next(spans, at) == i for at in cues_at)
    ]
    near = near or [i for i in numbers_at if (n := _next(spans, i)) is not None and spans[n].kind == "dim"]
    if near and (number := spans[near[0]].number) is not None and number == int(number) and number >= 1:
        parts.limit = int(number)
    elif not any(word in cue.text.casefold().split() for word in _ORDER_ONLY):
        dim = next((s for s in spans if s.kind == "dim"), None)
        parts.limit = 10 if dim is None or dim.text.casefold().endswith("s") else 1


def _plain_limit(spans: tuple[Span, ...], numbers_at: list[int]) -> int | None:
    for index in numbers_at:
        number = spans[index].number
        after = _next(spans, index)
        if (
            number
            and number == int(number)
            and after is not None
            and spans[after].kind == "dim"
            and 1 <= number <= 1000
        ):
            return int(number)
    return None


def _direction(word: str, goodness: str) -> str:
    if word in ("most", "least"):
        return "desc" if word == "most" else "asc"
    lower_is_better = goodness == "down_good"
    return "asc" if lower_is_better == (word == "best") else "desc"


def _shows(annotated: Annotated, parts: Parts) -> None:
    cues = annotated.cues()
    parts.show = [name for name in ("share", "rank", "running", "ratio") if name in cues]
    if "share" in parts.show and not parts.by and not parts.filters and parts.metrics == []:
        parts.show = ["share"]
    parts.trend = "trend" in cues
    if "change" in cues:
        text = annotated.text.casefold()
        parts.growth = (
            "previous_year" if any(w in text for w in ("grow", "grew", "yoy", "year")) else "previous_period"
        )
    if "compare" in cues and not annotated.comparison:
        parts.contrast = True
