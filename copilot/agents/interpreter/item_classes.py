"""ABC classes in a question: "A items", "C-articles", "class B", "A and B parts"."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NOUN = r"(?:items?|articles?|parts?|skus?|products?|goods|materials?|movers?|class(?:es)?(?: items?| articles?| products?| skus?| parts?)?)"
_JOIN = r" ?(?:,|and|&|or|/|\+|vs\.?|versus|against) ?(?:class )?"
_BEFORE = re.compile(
    rf"(?<![\w-])(?:abc )?class(?:es)? (?P<letters>[A-Ca-c](?:{_JOIN}[A-Ca-c](?![\w-]))*)(?![\w'-])(?P<noun> {_NOUN})?"
)
_AFTER = re.compile(rf"(?<![\w-])(?P<letters>[ABC](?:{_JOIN}[ABC](?![\w-]))*)[ -](?P<noun>{_NOUN})\b")
_AFTER_SMALL = re.compile(
    rf"(?<![\w-])(?P<letters>[a-c](?:{_JOIN}[a-c](?![\w-]))*)[ -](?P<noun>(?:items|articles|parts|skus|products))\b"
)
_LISTED = re.compile(
    r"\b(?:which|what|list|top|bottom|best|worst|show|per|by|each)(?: \d+)? ?(?:of the )?$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class ClassMention:
    """The classes named together: each letter with its place, and the words around that mean nothing else."""

    letters: tuple[tuple[str, int], ...]
    filler: tuple[tuple[int, int], ...]


def find_classes(text: str) -> list[ClassMention]:
    """All mentions in order. The noun counts as filler unless it asks for a list ("which C items")."""
    found: list[ClassMention] = []
    taken: set[int] = set()
    for pattern in (_BEFORE, _AFTER, _AFTER_SMALL):
        for match in pattern.finditer(text):
            if taken & set(range(match.start(), match.end())):
                continue
            taken |= set(range(match.start(), match.end()))
            found.append(_mention(match, text))
    return sorted(found, key=lambda one: one.letters[0][1])


def _mention(match: re.Match[str], text: str) -> ClassMention:
    letters = tuple(
        (one.group().upper(), match.start("letters") + one.start())
        for one in re.finditer(r"\b[A-Ca-c]\b", match["letters"])
    )
    filler = []
    if match.start() < match.start("letters"):
        filler.append((match.start(), match.start("letters")))
    if match["noun"] and not _LISTED.search(text[: match.start()]):
        filler.append((match.start("noun"), match.end("noun")))
    return ClassMention(letters, tuple(filler))
