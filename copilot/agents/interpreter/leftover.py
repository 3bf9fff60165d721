"""What to do with words of a question that its reading does not explain.

A word that belongs to the measure that was read anyway ("worth" beside a value) adds nothing. One that belongs
to other measures, or names somebody, could make it another question: that is asked back. Anything else is
named as left out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache

from copilot.agents.answer import Option
from copilot.agents.interpreter.idioms import words_of
from copilot.agents.interpreter.lexicon import TIME_DIMENSIONS, Lexicon, vocabulary
from copilot.agents.interpreter.readings import Reading, clarify
from copilot.agents.interpreter.span import Span
from copilot.agents.interpreter.spans import Annotated
from copilot.agents.interpreter.tokenize import roots, stem, stems
from copilot.agents.interpreter.wording import listing

_COUNTED_BEFORE = frozenset({"many", "number of", "amount of", "count of"})


def unexplained(
    unread: Sequence[Span], metrics: Sequence[str], lexicon: Lexicon, unit: str | None = None
) -> list[Span]:
    """The unread words without those that the measures' own vocabulary explains, or the unit asked for."""
    own = _own_words(tuple(metrics), lexicon)
    own |= set(vocabulary()["unit_words"].get(unit or "", ()))
    return [span for span in unread if span.kind not in ("unknown", "member") or not _forms(span) & own]


def telling(unread: Sequence[Span], annotated: Annotated, lexicon: Lexicon) -> list[Span]:
    """Unknown words that could make this another question."""
    return [
        span
        for span in unread
        if span.kind in ("cue", "metric", "idiom", "member")
        or (span.kind == "unused" and _joins_a_period(span, annotated))
        or (
            span.kind == "number"
            and (span.number == 0 or _bounds_something(span, annotated) or _is_length(span, annotated))
        )
        or (
            span.kind == "unknown"
            and (
                _forms(span) & _all_words(lexicon)
                or _names_or_denies(span, annotated)
                or _is_counted(span, annotated)
            )
        )
    ]


def ask_back(
    words: Sequence[Span], metrics: Sequence[str], annotated: Annotated, lexicon: Lexicon
) -> Reading:
    """A question back that names the words, with the measure read and those that the words point at."""
    said = " ".join(span.text for span in sorted(words, key=lambda span: span.first))
    plain = listing(lexicon.metrics[name].label for name in metrics)
    without = annotated.text
    for span in words:
        without = re.sub(rf"\b{re.escape(span.text)}\b ?", "", without, count=1)
    options = [Option(label=f"{plain} without “{said}”", question=without, slot="metric")]
    asked = {form for span in words for form in _forms(span)} | set(stems(annotated.text))
    for name in _pointed_at(words, asked, metrics, lexicon):
        label = lexicon.metrics[name].label
        options.append(Option(label=label, question=_with_measure(annotated, label), slot="metric"))
    return clarify(
        f"I can't tell what “{said}” means here. I could give {listing(one.label for one in options)}. Which one?",
        "unknown_word",
        tuple(options),
        word=words[0].text,
    )


def _with_measure(annotated: Annotated, label: str) -> str:
    """The question's groups, filters and period with another measure."""
    kept = ("dim", "member", "period", "comparison", "number")
    rest = [
        span.text
        for span in annotated.spans
        if span.kind in kept or "by" in span.names("cue") or "exclude" in span.names("cue")
    ]
    return " ".join([label, *rest])


def _pointed_at(
    words: Sequence[Span], asked: Collection[str], metrics: Sequence[str], lexicon: Lexicon
) -> list[str]:
    """Up to three measures whose words these are, those that explain most of the question first."""
    forms = {form for span in words for form in _forms(span)}
    found = [
        (len(own & set(asked)), name)
        for name in lexicon.metrics
        if name not in metrics and forms & (own := _own_words((name,), lexicon))
    ]
    return [name for _, name in sorted(found, key=lambda one: (-one[0], one[1]))[:3]]


def _bounds_something(span: Span, annotated: Annotated) -> bool:
    """Whether a number that no measure took belongs to a bound ("older than 14 days")."""
    index = annotated.spans.index(span)
    before = annotated.spans[max(index - 1, 0)]
    return bool({"gt", "ge", "lt", "le", "between"} & set(before.names("cue")))


_JOINS = re.compile(r"\W*(?:and|plus|or|\+|&|/|,)\W*(?:in |the )*", re.IGNORECASE)


def _joins_a_period(span: Span, annotated: Annotated) -> bool:
    """Whether it is a second period in one list with the first ("March and May"): one of them is not both."""
    tokens = annotated.tokens
    for other in annotated.of("period"):
        first, second = sorted((span, other), key=lambda one: one.first)
        between = annotated.text[tokens[first.last].end : tokens[second.first].start]
        if _JOINS.fullmatch(between) and not second.text.casefold().startswith("in "):
            return True
    return False


def _is_length(span: Span, annotated: Annotated) -> bool:
    """Whether it is a length of time that no period and no bound took ("older than 90 days")."""
    index = annotated.spans.index(span)
    after = annotated.spans[index + 1] if index + 1 < len(annotated.spans) else None
    return after is not None and after.kind == "dim" and after.name in TIME_DIMENSIONS


def _names_or_denies(span: Span, annotated: Annotated) -> bool:
    """Whether it names somebody or something, as a capital letter within the sentence does, or says no."""
    if span.text.casefold().endswith("n't"):
        return True
    return span.first > 0 and span.text[:1].isupper() and not annotated.text.isupper()


def _is_counted(span: Span, annotated: Annotated) -> bool:
    """What "how many" asks for is the measure itself: an unknown one is no detail."""
    if span.first == 0:
        return False
    return annotated.tokens[span.first - 1].text.casefold() in _COUNTED_BEFORE


def _forms(span: Span) -> set[str]:
    return {form for word in span.text.split() for form in (stem(word), *roots(word))}


@lru_cache(maxsize=512)
def _said_for(metric: str) -> frozenset[str]:
    """Words of the idioms and phrases for one measure, and for the same thing in other units."""
    family = next((set(one.values()) for one in vocabulary()["twins"] if metric in one.values()), {metric})
    phrases = [text for name in family for text in vocabulary()["metrics"].get(name, ())]
    return frozenset(
        form
        for word in (*(word for text in phrases for word in stems(text)), *words_of(frozenset(family)))
        for form in (word, stem(word), *roots(word))
    )


def _own_words(metrics: tuple[str, ...], lexicon: Lexicon) -> set[str]:
    own: set[str] = set()
    for name in metrics:
        known = lexicon.metrics[name]
        for text in (known.label, *known.synonyms):
            own |= {form for word in stems(text) for form in (word, *roots(word))}
        own |= _said_for(name) | set(vocabulary()["unit_words"].get(known.unit, ()))
    return own


def _all_words(lexicon: Lexicon) -> set[str]:
    return {word for word in _own_words(tuple(lexicon.metrics), lexicon) if len(word) > 3} | set(
        vocabulary()["words"]["telling"]
    )
