"""Statuses of orders and purchase orders: which a question names, and of what."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from copilot.agents.interpreter.lexicon import Lexicon, MemberWord
from copilot.agents.interpreter.span import Span

STATUS_OF: Mapping[str, str] = {
    "orders": "order_status",
    "order_lines": "order_status",
    "purchase_orders": "po_status",
    "po_lines": "po_status",
}
"""The dimension that holds the status of a kind of record."""

_THINGS = (("order_status", "order_count"), ("po_status", "po_count"))
_BEING = frozenset({"are", "is", "currently", "now", "being"})
_DENIED = r"\b(?:not|never|no longer|n.t|without being)(?: yet| been| being| fully)* $"


def named(text: str, dim: str, lexicon: Lexicon) -> tuple[MemberWord, ...]:
    """The statuses of one dimension that the words name and don't deny, in the order of the graph."""
    rest, found = text, []
    words = [(word, one) for one in lexicon.members if one.dim == dim for word in (one.name, *one.aliases)]
    for word, one in sorted(words, key=lambda pair: -len(pair[0])):
        pattern = re.compile(rf"(?<!\w){re.escape(word).replace('_', '[ _-]')}(?!\w)", re.IGNORECASE)
        for match in pattern.finditer(rest):
            if not re.search(_DENIED, rest[: match.start()], re.IGNORECASE):
                found.append(one)
        rest = pattern.sub(lambda match: " " * len(match.group()), rest)
    return tuple(one for one in lexicon.members if one in found)


def beside_their_thing(spans: Sequence[Span], lexicon: Lexicon) -> list[Span]:
    """The spans, with words such as "shipped" read as a status where they say of which orders one speaks.

    "Shipped orders" and "orders are shipped" name a status; "shipped last month" still is a measure.
    """
    return [_status(at, spans, lexicon) or span for at, span in enumerate(spans)]


def _status(at: int, spans: Sequence[Span], lexicon: Lexicon) -> Span | None:
    span = spans[at]
    if span.kind not in ("metric", "member"):
        return None
    after = spans[at + 1] if at + 1 < len(spans) else None
    before = at - 1
    while before >= 0 and spans[before].text.casefold() in _BEING:
        before -= 1
    said = span.text.casefold()
    for dim, thing in _THINGS:
        behind = after is None and 0 <= before < at - 1 and thing in spans[before].names("metric")
        if behind or (after is not None and thing in after.names("metric")):
            for sense in lexicon.senses(tuple(said.split())):
                if sense.member is not None and sense.member.dim == dim:
                    return replace(span, kind="member", senses=(sense,))
    return None


def grouped(spans: Sequence[Span], metrics: Collection[str], lexicon: Lexicon) -> tuple[Span, ...]:
    """The spans, with a bare "status" read as the status that these measures can be cut by; unknown without one."""
    return tuple(
        _cut(span, metrics, lexicon) if span.kind == "dim" and len(span.names("dim")) > 1 else span
        for span in spans
    )


def _cut(span: Span, metrics: Collection[str], lexicon: Lexicon) -> Span:
    allowed = [lexicon.metrics[name].dimensions for name in metrics]
    for sense in span.senses:
        if sense.kind == "dim" and all(dims is None or sense.name in dims for dims in allowed):
            return replace(span, senses=(sense,))
    return replace(span, kind="unknown", senses=())
