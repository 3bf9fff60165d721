"""Which measures a question asks for: named outright, by an idiom, or by words that only count."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from copilot.agents.interpreter.bounds import Bound
from copilot.agents.interpreter.lexicon import TIME_DIMENSIONS, Lexicon, vocabulary
from copilot.agents.interpreter.parts import Parts, Tie
from copilot.agents.interpreter.span import Span
from copilot.agents.interpreter.spans import Annotated
from copilot.agents.interpreter.units import both_units, in_unit, unit_asked

_CUSTOMERS = frozenset({"channel", "customer_country", "order_status"})


def choose(annotated: Annotated, parts: Parts, lexicon: Lexicon, bounds: list[Bound]) -> None:
    """Set the metrics of `parts`. Words with two readings become ties where nothing else settles them."""
    _named(annotated, parts, lexicon, bounds)
    if annotated.future and parts.metrics and set(parts.metrics) <= _SOLD:
        parts.metrics = ["forecast_units"]


def _fitting(name: str, annotated: Annotated, parts: Parts, lexicon: Lexicon) -> str:
    """The measure, or the same thing in another unit where only that can be cut by what is named."""
    dims = {dim for dim in parts.by if dim not in TIME_DIMENSIONS}
    meant = [{member.dim for member in span.members} for span in annotated.of("member")]

    def cut(metric: str) -> bool:
        readable = all(any(fits(lexicon, metric, {dim}) for dim in either) for either in meant)
        return readable and fits(lexicon, metric, dims)

    if cut(name):
        return name
    family: Mapping[str, str] = next((one for one in vocabulary()["twins"] if name in one.values()), {})
    return next((str(one) for one in reversed(list(family.values())) if cut(str(one))), name)


def _named(annotated: Annotated, parts: Parts, lexicon: Lexicon, bounds: list[Bound]) -> None:
    dims = {*parts.by, *(span.members[0].dim for span in annotated.of("member") if len(span.members) == 1)}
    used = {position for bound in bounds for position in range(bound.first, bound.last + 1)}
    unit = next((bound.unit for bound in bounds if bound.unit), None) or unit_asked(annotated.text)
    idiom = annotated.idiom is not None and annotated.idiom.metric is not None
    strong: dict[str, str] = {}
    weak: dict[str, str] = {}
    for index, span in enumerate(annotated.spans):
        if span.kind == "metric" and index not in used and not (idiom and span.yields):
            name = pick(span, parts, lexicon, dims, unit)
            listed = span.is_weak and _in_a_list(annotated, index)
            (weak if span.is_weak and not listed else strong).setdefault(name, span.text)
    if annotated.idiom and annotated.idiom.metric and not strong:
        parts.metrics = [_fitting(annotated.idiom.metric, annotated, parts, lexicon)]
        return
    if not strong and len(weak) > 1 and "units" in {text.casefold() for text in weak.values()}:
        weak = dict(list(weak.items())[:1])
    named = strong or weak
    if len(named) == 1 and (several := both_units(annotated.text)):
        [(name, said)] = named.items()
        parts.metrics = list(dict.fromkeys(in_unit(name, one, said, lexicon) for one in several))
        return
    if len(named) == 1 and unit:
        [(name, said)] = named.items()
        named = {in_unit(name, unit, said, lexicon): said}
    parts.metrics = list(named)


_LISTED = re.compile(r"\s*(?:,|,? and|,? &|\+|/)\s*")


def _in_a_list(annotated: Annotated, index: int) -> bool:
    """Whether the measure is listed with others ("revenue, units and margin")."""
    spans, tokens = annotated.spans, annotated.tokens
    others = [at for at, span in enumerate(spans) if span.kind == "metric" and at != index]
    for at in others:
        first, second = sorted((at, index))
        between = annotated.text[tokens[spans[first].last].end : tokens[spans[second].first].start]
        if _LISTED.fullmatch(between):
            return True
    return False


_SOLD = frozenset({"net_sales", "ordered_units", "shipped_units"})


def pick(span: Span, parts: Parts, lexicon: Lexicon, dims: set[str], unit: str | None = None) -> str:
    """One metric for the span; by its dimensions and unit where the words fit several."""
    names = span.names("metric")
    if len(names) == 1:
        return names[0]
    fitting = [name for name in names if fits(lexicon, name, dims)] or list(names)
    if len(fitting) > 1 and "supplier" in dims:
        fitting = [name for name in fitting if name.startswith("supplier")] or fitting
    if len(fitting) > 1 and dims & _CUSTOMERS:
        fitting = [name for name in fitting if name.startswith("order")] or fitting
    if len(fitting) > 1 and unit:
        fitting = [name for name in fitting if lexicon.metrics[name].unit == unit] or fitting
    if len(fitting) > 1:
        own = [name for name in fitting if name.replace("_", " ") == span.text.casefold()]
        fitting = own or fitting
    if len(fitting) > 1 and not any(tie.said == span.text for tie in parts.ties):
        parts.ties.append(Tie("metric", span.text, tuple((n, lexicon.metrics[n].label) for n in fitting)))
    return fitting[0]


def fits(lexicon: Lexicon, metric: str, dims: set[str]) -> bool:
    """Whether the metric can be cut by all of these dimensions, as far as that is known."""
    allowed = lexicon.metrics[metric].dimensions
    return allowed is None or dims <= allowed


def settle_bounds(parts: Parts, lexicon: Lexicon, bounds: list[Bound]) -> list[Bound]:
    """Give every bound its measure: the one it stands beside, in its unit, else the first of the query.

    Gives the bounds that fit none: a time does not bound an amount.
    """
    loose: list[Bound] = []
    for bound in bounds:
        beside = [pick(span, Parts(), lexicon, set(parts.by)) for span in (bound.after, bound.before) if span]
        candidates = [*beside, *parts.metrics]
        fitting = [
            name for name in candidates if bound.unit is None or lexicon.metrics[name].unit == bound.unit
        ]
        if candidates and not fitting and not _in_another_unit(candidates, bound.unit, lexicon):
            loose.append(bound)
            continue
        metric = next(iter(fitting or candidates), None)
        if metric and metric not in parts.metrics and _same_family(metric, parts, lexicon):
            metric = parts.metrics[0]
        if metric and metric not in parts.metrics:
            parts.metrics.append(metric)
        parts.having.append(
            {
                "metric": metric,
                "op": _directed(bound.op, lexicon.metrics[metric].direction if metric else "up_good"),
                "values": list(bound.values),
                "percent": bound.percent,
            }
        )
    return loose


def _in_another_unit(names: list[str], unit: str | None, lexicon: Lexicon) -> bool:
    """Whether one of the measures has a twin in the unit, or any unit will do."""
    return unit is None or any(in_unit(name, unit, "", lexicon) != name for name in names)


def _same_family(metric: str, parts: Parts, lexicon: Lexicon) -> bool:
    """Whether the bound's measure is the query's only measure in another unit."""
    if len(parts.metrics) != 1:
        return False
    return in_unit(metric, lexicon.metrics[parts.metrics[0]].unit, "", lexicon) == parts.metrics[0]


def _directed(op: str, direction: str) -> str:
    if op not in ("better_than", "worse_than"):
        return op
    return "gt" if (op == "better_than") == (direction != "down_good") else "lt"


_TURNED = {"gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}


def said_turned(annotated: Annotated) -> bool:
    """Whether the measure is named by its contrary: the catalogue holds the forecast's error, people say accuracy."""
    return any(
        "forecast_wape" in span.names("metric") and re.search("accura", span.text, re.IGNORECASE)
        for span in annotated.of("metric")
    )


def turn_round(having: list[dict[str, Any]]) -> None:
    """Put bounds on a share as bounds on the rest: above 20 % late is below 80 % on time."""
    for bound in having:
        if bound["op"] in _TURNED and bound["percent"] and bound["metric"]:
            bound["op"] = _TURNED[bound["op"]]
            bound["values"] = [str(100 - Decimal(value)) for value in bound["values"]]
