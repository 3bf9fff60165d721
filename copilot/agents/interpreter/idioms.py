"""Ways of asking for a measure without naming it: "how long does it take them to deliver" is the lead time.

The table (`idioms.toml`) says for each which groups of words must all stand in the question. The words that
were found are used up. `paraphrases.toml` says for every measure by which concepts people ask for it.
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
    `optional`: words that belong to it where they stand.
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
    optional: tuple[re.Pattern[str], ...] = ()
    is_paraphrase: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether it stands for a measure and nothing else, by its own words alone."""
        return not (self.by or self.order or self.having or self.complement or self.beside)


@dataclass(frozen=True, slots=True)
class FoundIdiom:
    """An idiom with the places of its words, of those that must only stand beside them, and of each group it needs."""

    idiom: Idiom
    places: tuple[tuple[int, int], ...]
    beside: tuple[tuple[int, int], ...] = ()
    groups: tuple[tuple[tuple[int, int], ...], ...] = ()

    def is_within(self, named: tuple[int, int] | None) -> bool:
        """Whether it stands for a measure by words that are all found at this place."""
        if named is None or not self.groups or not self.idiom.is_plain:
            return False
        start, end = named
        return all(any(start <= first and last <= end for first, last in group) for group in self.groups)

    @property
    def reach(self) -> int:
        """How many characters its words take up."""
        return len({at for first, last in self.places for at in range(first, last)})

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


_PARAPHRASES = "paraphrases.toml"


@lru_cache(maxsize=1)
def paraphrases() -> tuple[Idiom, ...]:
    """The ways of asking for every measure, in concepts (`paraphrases.toml`)."""
    table = tomllib.loads(files(__package__).joinpath(_PARAPHRASES).read_text("utf-8"))
    concepts = {name: pattern_of(words, {}) for name, words in table["concepts"].items()}
    return tuple(_paraphrase(metric, way, concepts) for metric, ways in table["said"].items() for way in ways)


def _paraphrase(metric: str, way: str, concepts: Mapping[str, re.Pattern[str]]) -> Idiom:
    terms = way.split()

    def marked(mark: str) -> list[str]:
        return [term.removeprefix(mark) for term in terms if term.startswith(mark)]

    without = [term for term in marked("!") if not term.startswith("@")]
    return Idiom(
        metric=metric,
        by=(),
        order=None,
        all=tuple(concepts[term] for term in terms if term[0].isalpha()),
        beside=tuple(concepts[term] for term in marked("~")),
        unless=re.compile("|".join(concepts[term].pattern for term in without)) if without else None,
        dims=frozenset(marked("@")),
        not_dims=frozenset(marked("!@")),
        optional=tuple(concepts[term] for term in marked("?")),
        is_paraphrase=True,
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
    tables = ("idioms.toml", _PARAPHRASES, "standing.toml")
    text = " ".join(folder.joinpath(name).read_text("utf-8") for name in tables)
    return frozenset(re.findall(r"(?<![\\\w])[a-z]{4,}(?![\w?*+])", text))


def find_idiom(
    text: str, dims: Collection[str], inert: Callable[[str], bool], named: tuple[int, int] | None = None
) -> FoundIdiom | None:
    """The idiom or paraphrase that explains most words of the question; of equal idioms the first of the table.

    `dims` are the dimensions it speaks of; `inert` words carry no meaning and count for none. `named` is the place of
    the one measure that is named outright: what needs no other words says no more than its name.
    """
    lowered = text.casefold()

    def rank(one: FoundIdiom) -> tuple[int, int]:
        return one.weight(lowered, inert), one.reach

    def matched(table: tuple[Idiom, ...]) -> list[FoundIdiom]:
        found = [one for idiom in table if (one := _matched(idiom, lowered, set(dims))) is not None]
        return [one for one in found if not one.is_within(named)]

    idiom = max(matched(idioms()), key=lambda one: rank(one)[0], default=None)
    said = max(matched(paraphrases()), key=rank, default=None)
    if idiom is None or said is None:
        return idiom or said
    return said if rank(said) > rank(idiom) else idiom


def _matched(idiom: Idiom, text: str, dims: set[str]) -> FoundIdiom | None:
    if (idiom.dims and not idiom.dims & dims) or idiom.not_dims & dims:
        return None
    if idiom.unless and idiom.unless.search(text):
        return None
    places = [[match.span() for match in pattern.finditer(text)] for pattern in idiom.all]
    beside = [[match.span() for match in pattern.finditer(text)] for pattern in idiom.beside]
    if not all(places) or not all(beside):
        return None
    groups = tuple(map(tuple, places))
    places += [[match.span() for match in pattern.finditer(text)] for pattern in idiom.optional]
    return FoundIdiom(idiom, tuple(chain.from_iterable(places)), tuple(chain.from_iterable(beside)), groups)
