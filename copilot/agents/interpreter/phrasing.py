"""The question as it is read: without courtesies, short forms written out, numbers of several words in digits."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from typing import Any

from copilot.agents.interpreter.dates import MONTH, MONTHS, WEEKDAYS
from copilot.agents.interpreter.numbers import in_digits

_QUOTES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "\u00a0": " ", "−": "-"})
_GLUED = (
    (re.compile(r"(?:€|\beur\b) ?(-?\d[\d.,]*[km]?)\b", re.IGNORECASE), r"\1 euros"),
    (re.compile(r"€"), " euros "),
    (re.compile(r"\b(top|bottom|best|worst)-?(\d{1,3})\b", re.IGNORECASE), r"\1 \2"),
    (re.compile(r"\b(\d+)x\b", re.IGNORECASE), r"\1 x"),
    (
        re.compile(r"\b(\d+(?:[.,]\d+)*)(eur|euros?|pcs|pieces|units|days|weeks|months)\b", re.IGNORECASE),
        r"\1 \2",
    ),
    (re.compile(r"(?<=[a-z]) ?%", re.IGNORECASE), " percent"),
    (re.compile(r"\b(?:f[ae]ll(?:s|en|ing)? through|abandon(?:s|ed|ing)?)\b", re.IGNORECASE), "cancelled"),
    (re.compile(r"\b(takes?|took|taking|for) ages\b", re.IGNORECASE), r"\1 the longest"),
    (re.compile(r"\b(wk|cw|kw)(?=\d)", re.IGNORECASE), r"\1 "),
    (re.compile(r"(?<![\d/.-])(0[1-9]|1[0-2])/(20\d\d)\b"), r"\2-\1"),
    (re.compile(r"(?<![\d/.-])(20\d\d)/(0[1-9]|1[0-2])\b(?!/)"), r"\1-\2"),
    (re.compile(rf"\b({MONTH})-(?:20)?(\d\d)\b(?!-)", re.IGNORECASE), r"\1 20\2"),
    (re.compile(r"\b([1-4])q ?'?(?:20)?(\d\d)\b", re.IGNORECASE), r"q\1 20\2"),
    (re.compile(r"\b([12])h ?'?(?:20)?(\d\d)\b", re.IGNORECASE), r"h\1 20\2"),
    (re.compile(r"(?<=\bin )'(\d\d)\b", re.IGNORECASE), r"20\1"),
    (
        re.compile(
            rf"\b(last|this) year's ((?:{MONTH})|q[1-4]|h[12]|(?:first|second|third|fourth|last|final) (?:quarter|half|month))\b",
            re.IGNORECASE,
        ),
        r"\2 of \1 year",
    ),
    (re.compile(r"\b(\w+)[ -]wise\b", re.IGNORECASE), r"by \1"),
    (re.compile(r"\b(day|week|month|quarter|year) (?:after|to) \1\b", re.IGNORECASE), r"by \1"),
)
_CALENDAR = (
    *(name for name in MONTHS if len(name) > 4),
    *WEEKDAYS,
    *("quarter", "yesterday", "today", "month", "year", "week"),
)


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("phrasing.toml").read_text("utf-8"))


@lru_cache(maxsize=1)
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    table = _table()
    openers = "|".join(sorted(table["openers"], key=len, reverse=True))
    courtesies = "|".join(sorted(table["courtesies"], key=len, reverse=True))
    short = "|".join(re.escape(one) for one in sorted(table["short"], key=len, reverse=True))
    return (
        re.compile(rf"\A\W*(?:{openers})\b(?:[\s,.!:;–-]+|\Z)", re.IGNORECASE),
        re.compile(rf",? ?\b(?:{courtesies})\b[,:]?", re.IGNORECASE),
        re.compile(rf"(?<![\w-])(?:{short})(?:\.(?=\s)|(?![\w-]))", re.IGNORECASE),
    )


def prepare(question: str, known: Callable[[str], bool] = lambda word: False) -> str:
    """The question to be read. Short forms that are `known` words (a code, a name) stay as they are."""
    opener, courtesy, short = _patterns()
    text = re.sub(r"\s+", " ", question.translate(_QUOTES)).strip()
    while (match := opener.match(text)) and re.search(r"\w", text[match.end() :]):
        text = text[match.end() :]
    without = courtesy.sub(" ", text)
    text = without if re.search(r"\w", without) else text
    for pattern, replacement in _GLUED:
        text = pattern.sub(replacement, text)

    def written_out(match: re.Match[str]) -> str:
        word = match.group().rstrip(".").casefold()
        return match.group() if known(word) else str(_table()["short"][word])

    text = _spelt(short.sub(written_out, text), known)
    return re.sub(r"\s+", " ", in_digits(text)).strip()


def _spelt(text: str, known: Callable[[str], bool]) -> str:
    """The text with misspelt months, weekdays and units of time put right."""
    from rapidfuzz import process
    from rapidfuzz.distance import DamerauLevenshtein

    def corrected(match: re.Match[str]) -> str:
        word = match.group().casefold()
        if word in _CALENDAR or known(word) or known(word.removesuffix("s")):
            return match.group()
        found = process.extractOne(
            word, _CALENDAR, scorer=DamerauLevenshtein.distance, score_cutoff=1 if len(word) < 7 else 2
        )
        return found[0] if found and found[0][0] == word[0] else match.group()

    return re.sub(r"\b[^\W\d_]{5,}\b", corrected, text)
