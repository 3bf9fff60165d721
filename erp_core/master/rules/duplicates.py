"""Which records probably stand for the same thing: the same identifier, or names that differ by little more
than spelling.

Names are compared as sorted words. Two names are alike when they score at least the threshold as a whole
(0 to 100, normalised edit distance), the words in which they differ are alike too, and all words with
digits are the same: "Tray 20 cm" is not "Tray 24 cm", and "Mug, green" is not "Mug, grey".

A whole catalogue is compared in one go: there candidates share one of their three rarest words, or the first
two letters of all of them. What more than a thousand names share is too common to lead to candidates.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import combinations
from typing import NamedTuple
from uuid import UUID

RARE_WORDS = 3
LARGEST_BLOCK = 1_000
FEW = 20
DIFFERENCE_ALIKE = 75
_SEPARATORS = str.maketrans("", "", " -_./")
_WORDS = re.compile(r"[^\W_]+")
_LEGAL_FORMS = frozenset(
    [
        "ab",
        "ag",
        "as",
        "bv",
        "co",
        "company",
        "corp",
        "corporation",
        "gmbh",
        "inc",
        "kft",
        "kg",
        "limited",
        "llc",
        "ltd",
        "nv",
        "oy",
        "plc",
        "sa",
        "sarl",
        "sas",
        "sl",
        "spa",
        "srl",
    ]
)
_LEGAL_WORDS = re.compile(rf"\b(?:{'|'.join(sorted(_LEGAL_FORMS))})\b")


class Record(NamedTuple):
    """A record to compare: its name, and identifiers that no two records share, by what they are called.

    Names of one `family`, such as the variants of a product, say nothing: other values tell them apart.
    """

    id: UUID
    code: str
    name: str
    identifiers: tuple[tuple[str, str], ...] = ()
    family: UUID | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """Two records that are probably one, `first` and `second` in the order given; `score` of 100 is the same."""

    first: Record
    second: Record
    score: int
    because: str


def normal_sku(sku: str) -> str:
    """A SKU without spaces, separators and case: two items may not share it."""
    return sku.translate(_SEPARATORS).upper()


def normal_identifier(text: str) -> str:
    """A tax id or account number as letters and digits only, in capitals."""
    return "".join(_WORDS.findall(text)).upper()


def identifier_hash(kind: str, text: str) -> str:
    """SHA-256 of a normalised tax id or account number: equal for equal ones, and says no more."""
    return sha256(f"{kind}:{normal_identifier(text)}".encode()).hexdigest()


def gtin_holds(gtin: str) -> bool:
    """Whether a GTIN of 8, 12, 13 or 14 digits ends with its check digit (GS1, weights 3 and 1 from the right)."""
    if not gtin.isascii() or not gtin.isdigit() or len(gtin) not in (8, 12, 13, 14):
        return False
    body = sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(reversed(gtin[:-1])))
    return (10 - body % 10) % 10 == int(gtin[-1])


def probable_duplicates(
    records: Sequence[Record], *, name_score: int, among: Collection[UUID] | None = None
) -> list[Match]:
    """Pairs that are probably one record, the surest first; with `among` only pairs that touch these ids.

    Each pair comes once, for its surest reason.
    """
    wanted = None if among is None else set(among)
    found = {(match.first.id, match.second.id): match for match in _alike(records, name_score, wanted)}
    found |= {(match.first.id, match.second.id): match for match in _identical(records, wanted)}
    return sorted(found.values(), key=lambda one: (-one.score, one.first.code, one.second.code))


def _identical(records: Sequence[Record], wanted: set[UUID] | None) -> Iterable[Match]:
    holders: defaultdict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in records:
        for identifier in record.identifiers:
            holders[identifier].append(record)
    for (kind, _), same in holders.items():
        for first, second in combinations(same, 2):
            if wanted is None or first.id in wanted or second.id in wanted:
                yield Match(first, second, 100, f"same {kind}")


def _alike(records: Sequence[Record], name_score: int, wanted: set[UUID] | None) -> Iterable[Match]:
    if wanted is not None and len(wanted) <= FEW:
        near = _near_few(records, name_score, wanted)
    else:
        near = _near(records, name_score)
        if wanted is not None:
            near = {pair for pair in near if not wanted.isdisjoint(records[place].id for place in pair)}
    for first, second in sorted(near):
        if records[first].family is not None and records[first].family == records[second].family:
            continue
        score = name_alikeness(records[first].name, records[second].name)
        if score >= name_score:
            because = "same name" if score == 100 else "similar name"
            yield Match(records[first], records[second], score, because)


def name_alikeness(one: str, other: str) -> int:
    """How alike two names are, 0 to 100; 0 where they differ in a word with digits or by more than spelling."""
    from rapidfuzz.distance import Indel

    first, second = Counter(_words(one)), Counter(_words(other))
    mine, yours = (first - second).elements(), (second - first).elements()
    left, right = sorted(mine), sorted(yours)
    if not left and not right:
        return 100 if first else 0
    if any(not word.isalpha() for word in (*left, *right)):
        return 0
    if Indel.normalized_similarity(" ".join(left), " ".join(right)) * 100 < DIFFERENCE_ALIKE:
        return 0
    texts = (" ".join(sorted(words.elements())) for words in (first, second))
    return min(int(Indel.normalized_similarity(*texts) * 100), 99)


def _words(name: str) -> list[str]:
    found = _WORDS.findall(name.casefold())
    return [word for word in found if word not in _LEGAL_FORMS] or found


def _near_few(records: Sequence[Record], name_score: int, wanted: set[UUID]) -> set[tuple[int, int]]:
    """Pairs of few records with all others, by their sorted words."""
    from rapidfuzz import fuzz, process, utils

    joined = "\n".join(record.name.replace("\n", " ") for record in records).casefold()
    names = _LEGAL_WORDS.sub(" ", joined).split("\n")
    places = [place for place, record in enumerate(records) if record.id in wanted]
    pairs = set()
    for place in places:
        hits = process.extract(
            names[place],
            names,
            scorer=fuzz.token_sort_ratio,
            processor=utils.default_process,
            score_cutoff=name_score - 1,
            limit=None,
        )
        pairs |= {(min(place, other), max(place, other)) for _, _, other in hits if other != place}
    return pairs


def _near(records: Sequence[Record], name_score: int) -> set[tuple[int, int]]:
    """Pairs of all records that share all their words with digits, and one of their rarest words or how all
    their words begin.
    """
    import numpy as np
    from rapidfuzz import process
    from rapidfuzz.distance import Indel

    words = [_words(record.name) for record in records]
    texts = [" ".join(sorted(one)) for one in words]
    frequency = Counter(word for one in words for word in set(one))
    blocks: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, one in enumerate(words):
        digits = tuple(sorted(word for word in one if not word.isalpha()))
        for word in sorted(set(one), key=lambda word: (frequency[word], word))[:RARE_WORDS]:
            blocks[word, *digits].append(place)
        if one:
            blocks["", *sorted(word[:2] for word in one if word.isalpha()), *digits].append(place)
    pairs: set[tuple[int, int]] = set()
    for block in blocks.values():
        if not 1 < len(block) <= LARGEST_BLOCK:
            continue
        block_texts = [texts[place] for place in block]
        scores = process.cdist(
            block_texts,
            block_texts,
            scorer=Indel.normalized_similarity,
            score_cutoff=(name_score - 1) / 100,
            dtype=np.float32,
        )
        rows, columns = np.nonzero(np.triu(scores, 1))
        pairs.update((block[row], block[column]) for row, column in zip(rows, columns, strict=True))
    return pairs


def named(matches: Iterable[Match], id_: UUID) -> list[Mapping[str, str | int]]:
    """The matches of one record as candidates: id, code, name, score and why."""
    return [
        {
            "id": str(other.id),
            "code": other.code,
            "name": other.name,
            "score": match.score,
            "because": match.because,
        }
        for match in matches
        for other in ((match.second,) if match.first.id == id_ else (match.first,))
        if id_ in (match.first.id, match.second.id)
    ]
