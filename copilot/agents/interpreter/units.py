"""Units as people say them, and the measures of one thing in several units ("excess" in money or in units)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from copilot.agents.interpreter.lexicon import Lexicon, vocabulary

_NAMES_ITS_UNIT = frozenset({"rate", "value", "count", "number", "percentage"})


@lru_cache(maxsize=1)
def _units() -> Mapping[str, str]:
    return {word: unit for unit, words in vocabulary()["units"].items() for word in words}


def unit_of(word: str) -> str | None:
    """The unit that the word names (money, units, percent, days), or None."""
    return _units().get(word.casefold())


@lru_cache(maxsize=1)
def _asked() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (unit, re.compile(rf"\b(?:{'|'.join(patterns)})(?!\w)"))
        for unit, patterns in vocabulary()["unit_asked"].items()
    )


def unit_asked(text: str) -> str | None:
    """The unit in which the question wants its figure ("in euros", "how many percent"), or None."""
    lowered = text.casefold()
    return next((unit for unit, pattern in _asked() if pattern.search(lowered)), None)


def both_units(text: str) -> tuple[str, ...]:
    """The two units of "in units and in euros"; nothing where it is not said so."""
    match = re.search(r"\bin (\w+) (?:and|as well as|&)(?: also)?(?: in)? (\w+)", text.casefold())
    units = tuple(unit_of(word) for word in match.groups()) if match else ()
    return tuple(unit for unit in units if unit) if None not in units and len(set(units)) == 2 else ()


def in_unit(metric: str, unit: str, said: str, lexicon: Lexicon) -> str:
    """The measure of the same thing in the unit, where there is one and `said` does not name another unit."""
    known = lexicon.metrics.get(metric)
    words = said.casefold().split()
    if known is None or known.unit == unit or any(unit_of(word) for word in words):
        return metric
    if _NAMES_ITS_UNIT & set(words):
        return metric
    for family in vocabulary()["twins"]:
        if metric in family.values() and family.get(unit) in lexicon.metrics:
            return str(family[unit])
    return metric
