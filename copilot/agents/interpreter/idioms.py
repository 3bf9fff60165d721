"""Ways of asking for a measure without naming it: "how long does it take them to deliver" is the lead time.

The table (`idioms.toml`) says for each which groups of words must all stand in the question. The words that
were found are used up.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import chain


@dataclass(frozen=True, slots=True)
class Idiom:
    """What the words stand for, and what must and must not stand beside them.

    `having`: a bound on the measure that the words set ("at a loss"): its operator and value.
    `complement`: the words say the opposite of a rate ("late" of the on-time rate), so bounds are turned round.
    """

    metric: str | None
    by: tuple[str, ...]
    order: str | None
    all: tuple[re.Pattern[str], ...]
    beside: tuple[re.Pattern[str], ...]
    unless: re.Pattern[str] | None
    dims: frozenset[str]
    not_dims: frozenset[str]
    complement: bool = False
    having: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class FoundIdiom:
    """An idiom with the places of its words, and of those that must only stand beside them."""

    idiom: Idiom
    places: tuple[tuple[int, int], ...]
    beside: tuple[tuple[int, int], ...] = ()

    def weight(self, text: str, inert: Callable[[str], bool]) -> int:
        """How many words of the text it explains."""
        return sum(
            1
            for word in re.finditer(r"\w+", text)
            if not inert(word.group())
            and any(first <= word.start() < last for first, last in (*self.places, *self.beside))
        )


def pattern_of(text: str, words: Mapping[str, str]) -> re.Pattern[str]:
    """A pattern of a table between word ends, with its ``<name>`` groups put in."""
    for name, group in words.items():
        text = text.replace(f"<{name}>", f"(?:{group})")
    return re.compile(rf"(?<!\w)(?:{text})(?!\w)")


@lru_cache(maxsize=1)
def idioms() -> tuple[Idiom, ...]:
    """The table, in the order in which it is tried."""
    table = tomllib.loads(files(__package__).joinpath("idioms.toml").read_text("utf-8"))
    words: dict[str, str] = table["words"]

    def compiled(pattern: str) -> re.Pattern[str]:
        return pattern_of(pattern, words)

    return tuple(
        Idiom(
            metric=one.get("metric"),
            by=tuple(one.get("by", ())),
            order=one.get("order"),
            all=tuple(compiled(pattern) for pattern in one["all"]),
            beside=tuple(compiled(pattern) for pattern in one.get("beside", ())),
            unless=compiled(one["unless"]) if "unless" in one else None,
            dims=frozenset(one.get("dims", ())),
            not_dims=frozenset(one.get("not_dims", ())),
            complement=one.get("complement", False),
            having=(one["having"].split()[0], one["having"].split()[1]) if "having" in one else None,
        )
        for one in table["idiom"]
    )


def words_of(metrics: Collection[str]) -> frozenset[str]:
    """The words by which the table asks for any of the measures."""
    return frozenset(
        word
        for idiom in idioms()
        if idiom.metric in metrics
        for pattern in idiom.all
        for word in re.findall(r"(?<![\\\w])[a-z]{3,}", pattern.pattern)
    )


@lru_cache(maxsize=1)
def idiom_words() -> frozenset[str]:
    """The ordinary words that the tables are made of: spelt right, whatever they stand beside."""
    folder = files(__package__)
    text = " ".join(folder.joinpath(name).read_text("utf-8") for name in ("idioms.toml", "standing.toml"))
    return frozenset(re.findall(r"(?<![\\\w])[a-z]{4,}(?![\w?*+])", text))


def find_idiom(text: str, dims: Collection[str], inert: Callable[[str], bool]) -> FoundIdiom | None:
    """The idiom that explains most words of the question; of equals the first of the table.

    `dims` are the dimensions it speaks of; `inert` words carry no meaning and count for none.
    """
    lowered = text.casefold()
    found = [one for idiom in idioms() if (one := _matched(idiom, lowered, set(dims))) is not None]
    return max(found, key=lambda one: one.weight(lowered, inert), default=None)


def _matched(idiom: Idiom, text: str, dims: set[str]) -> FoundIdiom | None:
    if (idiom.dims and not idiom.dims & dims) or idiom.not_dims & dims:
        return None
    if idiom.unless and idiom.unless.search(text):
        return None
    places = [[match.span() for match in pattern.finditer(text)] for pattern in idiom.all]
    beside = [[match.span() for match in pattern.finditer(text)] for pattern in idiom.beside]
    if not all(places) or not all(beside):
        return None
    return FoundIdiom(idiom, tuple(chain.from_iterable(places)), tuple(chain.from_iterable(beside)))
