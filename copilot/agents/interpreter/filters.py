"""Which members a question is about, or leaves out: "in Hamburg", "all but Toys", "without the shop"."""

from __future__ import annotations

from collections.abc import Collection

from copilot.agents.interpreter.lexicon import Lexicon, MemberWord
from copilot.agents.interpreter.parts import Parts, Tie
from copilot.agents.interpreter.span import STATES, Span, next_span
from copilot.agents.interpreter.tokenize import stem, stems

_NEGATIONS = frozenset({"no", "not", "without", "never", "except", "minus"})
_ENDS_EXCLUSION = ("in", "for", "from", "at", "with")


def read_filters(
    spans: tuple[Span, ...], parts: Parts, lexicon: Lexicon, before: Collection[str] = ()
) -> None:
    """Add filters and ties to `parts`. `before` are the metrics of the question before, for a follow-up."""
    excluding = False
    negation: Span | None = None
    metrics = parts.metrics or list(before)
    for index, span in enumerate(spans):
        cues = set(span.names("cue"))
        if "exclude" in cues:
            excluding = True
            negation = span if span.text.casefold() in _NEGATIONS else negation
        elif span.kind in ("period", "comparison", "metric") or {"by", "only", "compare"} & cues:
            excluding = False
        elif span.kind == "stop" and excluding and span.text.casefold() in _ENDS_EXCLUSION:
            excluding = index > 0 and "exclude" in spans[index - 1].names("cue")
        members: tuple[MemberWord, ...] = ()
        if span.kind == "member":
            members = _carried(span.members, span, metrics, lexicon)
        elif span.kind == "dim" and _points_at_member(spans, index, excluding):
            members = _carried(span.members or lexicon.with_words(stems(span.text)), span, metrics, lexicon)
            others = [one for one in spans if one.kind == "dim" and one.name == span.name and one is not span]
            if members and not others and span.name in parts.by:
                parts.by.remove(span.name)
        if not members:
            continue
        if all(one.dim in STATES and not _fits(one, metrics, lexicon) for one in members):
            parts.unread.append(span)
            continue
        if len(members) > 1:
            exact = [one for one in members if one.code.casefold() == span.text.casefold()]
            if len(exact) != 1 and (several := _all_of_them(span, spans, index, members)):
                parts.filters += [(one.dim, excluding, one) for one in several]
                negation = None if excluding else negation
                continue
            if len(exact) != 1:
                parts.ties.append(_tie(span, members, lexicon))
                continue
            members = (exact[0],)
        parts.filters.append((members[0].dim, excluding, members[0]))
        negation = None if excluding else negation
        neighbour = next_span(spans, index)
        if neighbour is not None and "compare" in spans[neighbour].names("cue"):
            parts.contrast = True

    if negation is not None:
        parts.denied.append(negation)


def _all_of_them(
    span: Span, spans: tuple[Span, ...], index: int, members: tuple[MemberWord, ...]
) -> tuple[MemberWord, ...]:
    """All that a plural names: "both web shops", "how many candles". Nothing where one of them is meant."""
    last = span.text.split()[-1]
    before = spans[index - 1].text.casefold() if index else ""
    after = spans[index + 1] if index + 1 < len(spans) else None
    if after is not None and after.kind == "dim" and {one.dim for one in members} == {after.name}:
        last = after.text
    if stem(last) == last.casefold() and before not in ("both", "all"):
        return ()
    dims = {one.dim for one in members}
    items = tuple(one for one in members if one.dim == "item")
    return items if len(items) > 1 else members if len(dims) == 1 else ()


def _points_at_member(spans: tuple[Span, ...], index: int, excluding: bool) -> bool:
    """Whether a word such as "shop" means one record ("in the shop") and not the dimension ("by shop")."""
    span = spans[index]
    if index == 0 or span.text.casefold().endswith("s"):
        return False
    before = spans[index - 1]
    if {"by", "also"} & set(before.names("cue")):
        return False
    if excluding or {"exclude", "only"} & set(before.names("cue")):
        return True
    return bool(span.members) and before.text.casefold() == "the"


def _carried(
    members: tuple[MemberWord, ...], span: Span, metrics: Collection[str], lexicon: Lexicon
) -> tuple[MemberWord, ...]:
    """Those members by whose dimension the metrics can be cut; others of that name where none can."""
    return (
        tuple(one for one in members if _fits(one, metrics, lexicon))
        or tuple(one for one in lexicon.with_words(stems(span.text)) if _fits(one, metrics, lexicon))
        or members
    )


def _fits(member: MemberWord, metrics: Collection[str], lexicon: Lexicon) -> bool:
    known = [lexicon.metrics[name].dimensions for name in metrics if name in lexicon.metrics]
    return all(dims is None or member.dim in dims for dims in known)


def _tie(span: Span, members: tuple[MemberWord, ...], lexicon: Lexicon) -> Tie:
    slot = members[0].dim if len({one.dim for one in members}) == 1 else "member"
    titles = [one.title for one in members]
    labels = [
        f"{one.title}, as {lexicon.dimensions[one.dim].label.lower()}"
        if titles.count(one.title) > 1 and one.dim in lexicon.dimensions
        else one.title
        for one in members
    ]
    return Tie(slot, span.text, tuple((one.code, label) for one, label in zip(members, labels, strict=True)))
