"""How much of what an order names: the number beside each item, and the unit it is counted in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from copilot.agents.interpreter.lexicon import MemberWord, vocabulary
from copilot.agents.interpreter.span import Span, next_span
from copilot.agents.interpreter.spans import Annotated


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with the unit said after it (None: base units) and the spans it takes up."""

    number: Decimal
    unit: str | None
    said: str
    first: int
    last: int

    @property
    def is_whole(self) -> bool:
        """Whether that many can be ordered: a whole number above 0."""
        return self.number > 0 and self.number == int(self.number)


@dataclass(frozen=True, slots=True)
class Line:
    """An item with the amount beside it; None where no number is left for it."""

    item: MemberWord
    amount: Amount | None


def amounts(annotated: Annotated) -> list[Amount]:
    """All numbers of the question, with "minus" before and a unit of packing after them."""
    packs = vocabulary()["packs"]
    found = []
    for index, span in enumerate(annotated.spans):
        if span.kind != "number" or span.number is None or span.text.casefold() in ("one", "a"):
            continue
        number, first, last, unit = span.number, index, index, None
        if index and annotated.spans[index - 1].text.casefold() in ("minus", "negative"):
            number, first = -abs(number), index - 1
        after = next_span(annotated.spans, index, words=True)
        if after is not None and (word := annotated.spans[after].text.casefold()) in packs:
            unit, last = packs[word] or None, after
        said = " ".join(one.text for one in annotated.spans[first : last + 1])
        found.append(Amount(number, unit, said, first, last))
    return found


def lines(annotated: Annotated, items: Sequence[Span]) -> list[Line]:
    """Every item with its amount: the nearest number before it that is not taken, else the nearest after."""
    every = amounts(annotated)
    places = {id(span): index for index, span in enumerate(annotated.spans)}
    used: set[int] = set()
    found = []
    for span in items:
        at = places[id(span)]
        before = [one for one in every if one.first < at and one.first not in used]
        after = [one for one in every if one.first > at and one.first not in used]
        chosen = before[-1] if before else after[0] if after else None
        if chosen is not None:
            used.add(chosen.first)
        found.append(Line(next(m for m in span.members if m.dim == "item"), chosen))
    return found
