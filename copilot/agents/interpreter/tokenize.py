"""Words of a question: with their place in it, and in the form in which phrases are compared."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORD = re.compile(
    r"(?<![\w)])-?\d[\d.,]*(?:st|nd|rd|th)\b|(?:(?<![\w)])-)?\d+(?:[.,]\d+)*(?:%|[km]\b)?|[<>]=?|%|[^\W_]+(?:['’][a-z]+)?|&",
    re.IGNORECASE,
)
_CODE = re.compile(r"\b(?=[\w./-]*\d)[a-z0-9]+(?:[-_/.][a-z0-9]+)+\b", re.IGNORECASE)
_ENDINGS = (
    ("ied", ("y",)),
    ("ed", ("", "e")),
    ("ing", ("", "e")),
    ("ly", ("",)),
    ("ment", ("",)),
    ("ion", ("", "e")),
)
_KEPT_S = frozenset(
    {"always", "across", "less", "vs", "its", "this", "us", "yes", "plus", "minus", "versus", "gas", "canvas"}
)


@dataclass(frozen=True, slots=True)
class Token:
    """One word: as written, as compared (`stem`), and where it stands (`start`, `end` in the text)."""

    text: str
    stem: str
    start: int
    end: int


def stem(word: str) -> str:
    """The singular, lower-case form in which words are compared."""
    word = word.casefold().replace("’", "'")
    word = word.removesuffix("'s")
    if len(word) <= 3 or word in _KEPT_S or not word.endswith("s"):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    return word if word.endswith(("ss", "us", "is")) else word[:-1]


def roots(word: str) -> tuple[str, ...]:
    """Forms that the word may be inflected from ("overstocked": "overstock"), the likeliest first."""
    word = stem(word)
    found: list[str] = []
    for ending, added in _ENDINGS:
        base = word.removesuffix(ending)
        if base != word and len(base) >= 3:
            found += [base + one for one in added]
            if len(base) > 3 and base[-1] == base[-2]:
                found.append(base[:-1])
    return tuple(found)


def tokenize(text: str) -> list[Token]:
    """The words of `text`. A code such as ``MUG-001`` or ``2026-Q1`` is one word; ``on-time`` is two."""
    tokens: list[Token] = []
    at = 0
    for code in _CODE.finditer(text):
        tokens += _words(text, at, code.start())
        tokens.append(Token(code.group(), code.group().casefold(), code.start(), code.end()))
        at = code.end()
    return tokens + _words(text, at, len(text))


def _words(text: str, start: int, end: int) -> list[Token]:
    found = []
    for match in _WORD.finditer(text, start, end):
        word = match.group()
        if word[-1] in ".,":
            word = word.rstrip(".,")
        found.append(Token(word, stem(word), match.start(), match.start() + len(word)))
    return found


def stems(text: str) -> tuple[str, ...]:
    """The comparable words of a phrase or name; ``&`` reads as ``and``."""
    return tuple("and" if token.stem == "&" else token.stem for token in tokenize(text))
