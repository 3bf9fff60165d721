"""Questions that are neither orders nor metric queries, in the order in which they are tried."""

from __future__ import annotations

from copilot.agents.interpreter import asking, buying, inbox, lookups, standing
from copilot.agents.interpreter.filters import read_filters
from copilot.agents.interpreter.lexicon import Lexicon
from copilot.agents.interpreter.lookups import Horizon
from copilot.agents.interpreter.parts import Parts
from copilot.agents.interpreter.readings import Call, Reading
from copilot.agents.interpreter.spans import Annotated
from copilot.agents.interpreter.wording import listing


def read(
    text: str,
    annotated: Annotated,
    lexicon: Lexicon,
    last: Call | None,
    horizon: Horizon,
) -> Reading | None:
    """The reading, or None where this is a question about figures or an order."""
    found = _first(text, annotated, lexicon, last, horizon)
    if found is None or found.status != "call" or found.calls[0].tool not in _ABOUT_RECORDS:
        return found
    return _left_out(found, annotated, lexicon) or _strange(annotated, lexicon) or found


_ABOUT_RECORDS = frozenset(
    {
        "standard_question",
        "list_exceptions",
        "find_records",
        "forecast_demand",
        "recommend_replenishment",
        "assess_supplier",
    }
)
_WITHOUT = frozenset({"without", "except", "excluding", "minus"})
_PLACES = frozenset({"in", "at", "from", "for", "of", "by", "near", "around"})


def _left_out(reading: Reading, annotated: Annotated, lexicon: Lexicon) -> Reading | None:
    """A refusal where somebody is to be left out of a list that can't do without: never the opposite."""
    parts = Parts()
    read_filters(annotated.spans, parts, lexicon)
    without = [member.title for _, excluded, member in parts.filters if excluded]
    without += [f"what stands after “{one.text}”" for one in parts.denied if one.text.casefold() in _WITHOUT]
    if not without or reading.calls[0].tool == "standard_question":
        return None
    said = f"I can't leave out {listing(without)} there: this list can only be narrowed to what is named."
    return Reading("unsupported", "cannot_answer", text=said, reason="unsupported")


def _strange(annotated: Annotated, lexicon: Lexicon) -> Reading | None:
    """A question back for a word nobody knows that stands where a name belongs."""
    spans = annotated.spans
    strange = [
        span
        for index, span in enumerate(spans)
        if span.kind == "unknown"
        and index
        and not standing.knows(span.text)
        and (
            spans[index - 1].text.casefold() in _PLACES
            or (span.text[:1].isupper() and not annotated.text.isupper())
        )
    ]
    return asking.unknown(strange, annotated, lexicon) if strange else None


def _first(
    text: str, annotated: Annotated, lexicon: Lexicon, last: Call | None, horizon: Horizon
) -> Reading | None:
    return (
        lookups.document(text, annotated)
        or inbox.explain(text, annotated, lexicon, last)
        or lookups.define(text, annotated, lexicon, last)
        or lookups.item_card(text, annotated)
        or lookups.proposals(text, annotated)
        or lookups.by_status(text, annotated, lexicon)
        or standing.read(text, annotated, lexicon)
        or inbox.list_open(text, annotated, last)
        or lookups.forecast(text, annotated, last, horizon)
        or buying.recommend(text, annotated)
        or lookups.stock(text, annotated)
        or lookups.assess(text, annotated)
        or lookups.records(text, annotated, lexicon)
        or lookups.knowledge(text, annotated)
        or lookups.changed(text, annotated, last, horizon)
    )
