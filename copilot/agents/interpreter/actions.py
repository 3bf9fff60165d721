"""Questions that are neither orders nor metric queries, in the order in which they are tried."""

from __future__ import annotations

from copilot.agents.interpreter import buying, inbox, lookups, standing
from copilot.agents.interpreter.lexicon import Lexicon
from copilot.agents.interpreter.lookups import Horizon
from copilot.agents.interpreter.readings import Call, Reading
from copilot.agents.interpreter.spans import Annotated


def read(
    text: str,
    annotated: Annotated,
    lexicon: Lexicon,
    last: Call | None,
    horizon: Horizon,
) -> Reading | None:
    """The reading, or None where this is a question about figures or an order."""
    return (
        lookups.document(text, annotated)
        or inbox.explain(text, annotated, lexicon, last)
        or lookups.define(text, annotated, lexicon, last)
        or lookups.proposals(text, annotated)
        or standing.read(text, annotated, lexicon)
        or inbox.list_open(text, annotated, last)
        or lookups.forecast(text, annotated, last, horizon)
        or buying.recommend(text, annotated)
        or lookups.stock(text, annotated)
        or lookups.assess(text, annotated)
        or lookups.records(text, annotated)
        or lookups.knowledge(text, annotated)
        or lookups.changed(text, annotated, last, horizon)
    )
