"""What is asked for and not recorded: groups that nothing is recorded by, and measures made other by a word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from copilot.agents.answer import Option
from copilot.agents.interpreter.lexicon import Lexicon, vocabulary
from copilot.agents.interpreter.readings import Reading, clarify
from copilot.agents.interpreter.span import Span
from copilot.agents.interpreter.spans import Annotated

_GROUPING = ("by", "per", "each", "every", "for each", "for every", "in each", "in every", "across")


def absent_group(text: str, annotated: Annotated) -> Reading | None:
    """A grouping that nothing is recorded by is named; it is never replaced by one like it."""
    for words, instead in vocabulary()["absent"].items():
        match = re.search(
            rf"\b(by|per|(?:for |in )?(?:each|every)|across|which|what|best|worst|busiest|strongest|weakest|at what|at which) (?:the )?({words})\b",
            text,
            re.IGNORECASE,
        )
        if match is None or any(one.text not in match.group() for one in annotated.of("unknown")):
            continue
        start, end = match.span()
        question = (
            f"{text[:start]}{instead}{text[end:]}"
            if match[1].casefold() in _GROUPING
            else f"{text} {instead}"
        )
        said = match[2]
        return clarify(
            f"Nothing is recorded by “{said}”. I can give it {instead}, for instance.",
            "unknown_word",
            (Option(label=instead, question=question, slot="dimension"),),
            word=said,
        )
    return None


def qualified(unread: Sequence[Span], annotated: Annotated) -> tuple[Span, Span] | None:
    """An unknown word right before a measure with the measure: "wholesale sales" are not the sales."""
    spans = annotated.spans
    for word, measure in pairwise(spans):
        named = measure.kind == "metric" or (measure.kind == "idiom" and measure.yields)
        if word in unread and word.kind == "unknown" and named:
            return word, measure
    return None


def other_figure(qualified: tuple[Span, Span], annotated: Annotated, lexicon: Lexicon) -> Reading:
    word, measure = qualified
    plain = lexicon.metrics[measure.name].label if measure.name else measure.text
    options = (
        Option(
            label=f"{plain} as such",
            question=re.sub(rf"\b{re.escape(word.text)}\b ?", "", annotated.text, count=1),
            slot="metric",
        ),
        Option(label="What I can answer", question="what can you do", slot="question"),
    )
    return clarify(
        f"I don't know “{word.text}”: “{word.text} {measure.text}” is not measured. Would {plain[:1].lower() + plain[1:]} as such do?",
        "unknown_word",
        options,
        word=word.text,
    )
