"""Ways of asking for a measure without naming it: "how long does it take them to deliver" is the lead time.

The table (`idioms.toml`) says for each which groups of words must all stand in the question. The words that
were found are used up.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Idiom:
    """What the words stand for, and what must and must not stand beside them.

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


@dataclass(frozen=True, slots=True)
class FoundIdiom:
    """An idiom with the places of its words."""

    idiom: Idiom
    places: tuple[tuple[int, int], ...]


@lru_cache(maxsize=1)
def idioms() -> tuple[Idiom, ...]:
    """The table, in the order in which it is tried."""
    table = tomllib.loads(files(__package__).joinpath("idioms.toml").read_text("utf-8"))
    words: dict[str, str] = table["words"]

    def compiled(pattern: str) -> re.Pattern[str]:
        for name, group in words.items():
            pattern = pattern.replace(f"<{name}>", f"(?:{group})")
        return re.compile(rf"\b(?:{pattern})(?!\w)")

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
        )
        for one in table["idiom"]
    )


@lru_cache(maxsize=1)
def idiom_words() -> frozenset[str]:
    """The ordinary words that the table is made of: spelt right, whatever they stand beside."""
    text = files(__package__).joinpath("idioms.toml").read_text("utf-8")
    return frozenset(re.findall(r"(?<![\\\w])[a-z]{4,}(?![\w(?*+])", text))


def find_idiom(text: str, dims: Collection[str]) -> FoundIdiom | None:
    """The first idiom of the table that the question uses. `dims` are the dimensions it speaks of."""
    lowered = text.casefold()
    for idiom in idioms():
        if (idiom.dims and not idiom.dims & set(dims)) or idiom.not_dims & set(dims):
            continue
        if idiom.unless and idiom.unless.search(lowered):
            continue
        if not all(pattern.search(lowered) for pattern in idiom.beside):
            continue
        places = [match.span() for pattern in idiom.all if (match := pattern.search(lowered))]
        if len(places) == len(idiom.all):
            return FoundIdiom(idiom, tuple(places))
    return None
