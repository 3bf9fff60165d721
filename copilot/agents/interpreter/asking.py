"""Questions back: a word nobody knows, words with two readings, a measure that is missing."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from copilot.agents.answer import Option
from copilot.agents.interpreter.lexicon import Lexicon
from copilot.agents.interpreter.parts import Parts, Tie
from copilot.agents.interpreter.readings import Reading, clarify
from copilot.agents.interpreter.span import Span
from copilot.agents.interpreter.spans import Annotated
from copilot.agents.interpreter.wording import listing

CAN_DO = (
    "I can answer questions about stock, sales, purchasing, suppliers, returns and forecasts, list and explain "
    "exceptions, look up orders and purchase orders, cite our policies, and propose purchase orders for approval."
)
_FILTER_WORDS = frozenset(
    [
        "in",
        "for",
        "from",
        "of",
        "by",
        "at",
        "excluding",
        "exclude",
        "without",
        "with",
        "except",
        "only",
        "just",
        "per",
        "on",
        "the",
        "about",
        *("between", "since", "until", "before", "after", "during", "around", "outside"),
    ]
)


def blocking(unread: Sequence[Span], annotated: Annotated, parts: Parts) -> list[Span]:
    """Unread words that stand where a filter or group belongs, or that leave nothing to answer."""
    if not unread:
        return []
    spans = annotated.spans
    found = []
    for span in unread:
        if span.kind not in ("unknown", "stop"):
            continue
        index = spans.index(span)
        before = spans[index - 1] if index else None
        while before is not None and before.kind == "unknown" and index > 1:
            index -= 1
            before = spans[index - 1]
        if before is not None and before.kind in ("metric", "dim") and index > 1:
            further = spans[index - 2]
            before = further if "by" in further.names("cue") else before
        if before is not None and (
            before.text.casefold().split()[-1] in _FILTER_WORDS
            or {"by", "exclude", "only", "compare"} & set(before.names("cue"))
        ):
            found.append(span)
    if not found and not parts.metrics:
        found = list(unread)
    return found


def unknown(words: Sequence[Span], annotated: Annotated, lexicon: Lexicon) -> Reading:
    said = " ".join(span.text for span in words)
    nearest = lexicon.nearest(said)
    options = tuple(
        Option(
            label=label,
            question=_replaced(
                annotated.text, words[0].text, label if kind in ("metric", "dimension") else name
            ),
            slot=kind,
        )
        for kind, name, label in nearest
    )
    known = f" Did you mean {listing(option.label for option in options)}?" if options else f" {CAN_DO}"
    return clarify(f"I don't know the word “{said}”.{known}", "unknown_word", options, word=words[0].text)


def _replaced(text: str, word: str, by: str) -> str:
    return re.sub(rf"\b{re.escape(word)}\b", by, text, count=1)


def which(tie: Tie, text: str, lexicon: Lexicon) -> Reading:
    options = tuple(
        Option(
            label=label,
            question=re.sub(
                re.escape(tie.said),
                label if tie.slot == "metric" else name,
                text,
                count=1,
                flags=re.IGNORECASE,
            ),
            slot=tie.slot,
        )
        for name, label in tie.candidates[:6]
    )
    more = ", for instance" if len(tie.candidates) > len(options) else ""
    slot = {"metric": "measure", "member": "record"}.get(tie.slot, tie.slot.replace("_", " "))
    return clarify(
        f"“{tie.said}” can mean more than one {slot}{more}: {listing(option.label for option in options)}. Which one?",
        "ambiguous",
        options,
        slot=tie.slot,
        word=tie.said,
    )


def nothing_found(
    text: str, annotated: Annotated, parts: Parts, unread: Sequence[Span], lexicon: Lexicon
) -> Reading:
    if unread:
        return unknown(unread, annotated, lexicon)
    if parts.by or parts.filters or annotated.period:
        about = listing(
            dict.fromkeys(
                [member.title for _, _, member in parts.filters]
                or [lexicon.dimensions[d].label for d in parts.by]
                or ["that period"]
            )
        )
        rest = tail(text) if parts.by or annotated.period else f"for {about}"
        options = tuple(
            Option(
                label=lexicon.metrics[name].label,
                question=f"{lexicon.metrics[name].label} {rest}",
                slot="metric",
            )
            for name in ("net_sales", "ordered_units", "on_hand_units", "return_rate")
            if name in lexicon.metrics
        )
        return clarify(f"Which figure would you like for {about}?", "missing_metric", options, slot="metric")
    return out_of_scope()


def tail(text: str) -> str:
    return text if re.match(r"(?:by|for|in|per)\b", text, re.IGNORECASE) else f"for {text.rstrip('?. ')}"


def out_of_scope() -> Reading:
    return Reading(
        "out_of_scope", "cannot_answer", text=f"That is outside what I know. {CAN_DO}", reason="out_of_scope"
    )


def share_of_what(text: str, metric: str, lexicon: Lexicon) -> Reading:
    """A total is all of itself: a share needs groups."""
    allowed = lexicon.metrics[metric].dimensions
    groups = [
        dim for dim in ("category", "warehouse", "channel", "supplier") if allowed is None or dim in allowed
    ]
    options = tuple(
        Option(
            label=f"by {lexicon.dimensions[dim].label.lower()}",
            question=f"{text.rstrip(' ?.!')} by {dim}",
            slot="dimension",
        )
        for dim in groups
    )
    label = lexicon.metrics[metric].label
    return clarify(
        f"I can give shares of {label[:1].lower()}{label[1:]} between groups: {listing(one.label for one in options)}. Which?",
        "ambiguous",
        options,
        slot="dimension",
    )


_BREAKDOWNS = ("category", "supplier", "channel", "warehouse", "return_reason", "item", "month")


def no_cause(metric: str, grouped: Collection[str], lexicon: Lexicon) -> Reading:
    """Why a figure is what it is nobody has recorded: it can be broken down instead."""
    known = lexicon.metrics[metric]
    groups = [
        dim
        for dim in _BREAKDOWNS
        if dim not in grouped and (known.dimensions is None or dim in known.dimensions)
    ]
    options = tuple(
        Option(
            label=f"by {lexicon.dimensions[dim].label.lower()}",
            question=f"{known.label} by {dim.replace('_', ' ')}",
            slot="dimension",
        )
        for dim in groups[:4]
    )
    label = known.label[:1].lower() + known.label[1:]
    return clarify(
        f"The causes of a figure are not recorded, so I can't say why. I can break {label} down: {listing(one.label for one in options)}.",
        "unsupported",
        options,
        slot="dimension",
    )
