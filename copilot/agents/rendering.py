"""The renderer: no number leaves in prose that no result supports.

Prose comes with slots: ``{{t1.r0.net_sales}}`` is a cell, ``{{f.amount}}`` a fact, and expressions over
them (``+ - * /``, ``sum min max mean count``) are computed here. A literal number outside slots must be
found in a result (rounded as written), or be free: a number of the question, a list ordinal, a date of
the interpretation. Number words count as numbers. A sentence that fails is withheld whole.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, InvalidOperation
from itertools import zip_longest

from copilot.agents.interpreter.numbers import SCALES, WORDS
from copilot.agents.slots import Results, SlotError, decimal_of, evaluate, show

_SLOT = re.compile(r"\{\{\s*(.+?)\s*\}\}")
_SENTENCE = re.compile(r"(?<=[.!?])([\"')\]]*)\s+(?=[A-Z0-9“\"'(\[*-])|\n+")
_ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|approx|no|vs|incl|excl|Inc|Ltd|Co|St|Mr|Ms|Dr)\.\s*$")
_ORDINAL = re.compile(r"^\s*(?:[-*•]\s*)?(?:\(?\d{1,2}[.)]|#\d{1,3}[.:)]?)\s+")
_DATE = re.compile(
    r"\b\d{4}-\d{2}-\d{2}\b|\b\d{4}-(?:Q[1-4]|\d{2})\b|\b(?:19|20)\d{2}\b|\b\d{1,2}(?:st|nd|rd|th)? (?:January|February|March|April|May|June"
    r"|July|August|September|October|November|December)(?: \d{4})?\b|\bQ[1-4](?: \d{4})?\b"
)
_NUMBER = re.compile(
    r"(?P<sign>[-−]\s?)?(?P<digits>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)(?P<tail>\s?(?:%|percent\b|per cent\b|k\b|m\b|bn\b|thousand\b|million\b|billion\b))?",
    re.IGNORECASE,
)
_SIMPLE_WORDS = {word: Decimal(value) for word, value in WORDS.items() if word not in ("one",)}
_SPECIAL_WORDS = {
    "half": Decimal("0.5"),
    "twice": Decimal(2),
    "double": Decimal(2),
    "doubled": Decimal(2),
    "triple": Decimal(3),
    "tripled": Decimal(3),
    "quarter of": Decimal("0.25"),
    "third of": Decimal("0.33"),
    "dozens": Decimal(24),
    "hundreds": Decimal(200),
    "thousands": Decimal(2000),
    "millions": Decimal(2_000_000),
    "halved": Decimal("0.5"),
}
_WORDS = re.compile(
    r"\b(?:"
    + "|".join(sorted((*_SIMPLE_WORDS, *_SPECIAL_WORDS, *SCALES), key=len, reverse=True))
    + r")\b(?:[- ](?:"
    + "|".join((*_SIMPLE_WORDS, *SCALES, "one", "and"))
    + r")\b)*",
    re.IGNORECASE,
)
_SCALE = {
    "k": 1_000,
    "thousand": 1_000,
    "m": 1_000_000,
    "million": 1_000_000,
    "bn": 1_000_000_000,
    "billion": 1_000_000_000,
}


@dataclass(frozen=True)
class Sentence:
    """A sentence as it may be shown, or withheld with the reason."""

    text: str
    withheld: str | None = None


def render(
    text: str, results: Results, free: Collection[Decimal] = (), free_dates: Collection[str] = ()
) -> list[Sentence]:
    """The sentences of `text`, each rendered and checked by itself."""
    return [render_sentence(one, results, free, free_dates) for one in sentences(text)]


def sentences(text: str) -> list[str]:
    """Split prose into sentences and lines; slots and abbreviations are not cut."""
    held: list[str] = []

    def hide(match: re.Match[str]) -> str:
        held.append(match.group())
        return f"\x00{len(held) - 1}\x00"

    parts: list[str] = []
    split = _SENTENCE.split(_SLOT.sub(hide, text))
    for piece in (f"{said}{closed or ''}" for said, closed in zip_longest(split[::2], split[1::2])):
        if parts and (_ABBREVIATION.search(parts[-1]) or _ORDINAL.fullmatch(f"{parts[-1]} ")):
            parts[-1] = f"{parts[-1]} {piece}"
        else:
            parts.append(piece)
    restored = (re.sub(r"\x00(\d+)\x00", lambda m: held[int(m[1])], one).strip() for one in parts)
    return [one for one in restored if one]


def render_sentence(
    text: str, results: Results, free: Collection[Decimal] = (), free_dates: Collection[str] = ()
) -> Sentence:
    """One sentence with its slots filled, or withheld."""
    pieces: list[tuple[str, bool]] = []
    at = 0
    try:
        for match in _SLOT.finditer(text):
            pieces.append((text[at : match.start()], False))
            pieces.append((show(evaluate(match[1], results), results), True))
            at = match.end()
    except SlotError as error:
        return Sentence("", f"{error} in “{text[:120]}”")
    pieces.append((text[at:], False))
    if any("{{" in piece or "}}" in piece for piece, filled in pieces if not filled):
        return Sentence("", f"a broken slot in “{text[:120]}”")
    literal = " \x01 ".join(piece for piece, filled in pieces if not filled)
    if wrong := unsupported(literal, results, free, free_dates):
        return Sentence("", f"no result supports {', '.join(wrong)}")
    return Sentence("".join(piece for piece, _ in pieces).strip())


def unsupported(
    text: str, results: Results, free: Collection[Decimal] = (), free_dates: Collection[str] = ()
) -> list[str]:
    """The numbers in literal text that nothing supports, as written."""
    text = _ORDINAL.sub("", text)
    text = _without_names(text, results)
    dates = _dates_in(results) | set(free_dates)
    wrong: list[str] = []

    def check_date(match: re.Match[str]) -> str:
        if _date_known(match.group(), dates, free, results):
            return " "
        wrong.append(match.group())
        return " "

    text = _DATE.sub(check_date, text)
    known = _numbers_in(results)
    quoted = " ".join(_texts_in(results)).casefold()
    for match in _NUMBER.finditer(text):
        if not _supported(match, known, free):
            wrong.append(match.group().strip())
    for match in _WORDS.finditer(text):
        word = match.group().casefold()
        value = _word_value(word)
        if value is None or value in free:
            continue
        if not (word in quoted if word in _SPECIAL_WORDS else value in known):
            wrong.append(match.group())
    return wrong


def numbers_of(text: str) -> frozenset[Decimal]:
    """The numbers a text names, in digits or words: free when the text is the question."""
    found = set()
    for match in _NUMBER.finditer(text):
        value, percent, _ = _parsed(match)
        found.add(abs(value))
        if percent:
            found.add(abs(value) / 100)
    for match in _WORDS.finditer(text):
        value_of_word = _word_value(match.group().casefold())
        if value_of_word is not None:
            found.add(value_of_word)
    return frozenset(found)


def dates_of(text: str) -> frozenset[str]:
    """The dates a text names, as written."""
    return frozenset(match.group() for match in _DATE.finditer(text))


def _word_value(words: str) -> Decimal | None:
    if words in _SPECIAL_WORDS:
        return _SPECIAL_WORDS[words]
    total, current, seen = Decimal(0), Decimal(0), False
    for word in re.split(r"[- ]", words):
        if word in WORDS:
            current, seen = current + WORDS[word], True
        elif word in SCALES:
            current = (current or Decimal(1)) * SCALES[word]
            seen = True
            if SCALES[word] >= 1_000:
                total, current = total + current, Decimal(0)
        elif word in _SPECIAL_WORDS:
            return _SPECIAL_WORDS[word]
    return total + current if seen else None


def _parsed(match: re.Match[str]) -> tuple[Decimal, bool, int]:
    """Value, whether it is a percentage, and decimals as written."""
    digits = match["digits"].replace(",", "")
    value = Decimal(digits)
    tail = (match["tail"] or "").strip().casefold()
    decimals = len(digits.partition(".")[2])
    if match["sign"]:
        value = -value
    if tail in _SCALE:
        return value * _SCALE[tail], False, decimals - len(str(_SCALE[tail])) + 1
    return value, tail in ("%", "percent", "per cent"), decimals


def _supported(match: re.Match[str], known: Iterable[Decimal], free: Collection[Decimal]) -> bool:
    value, percent, decimals = _parsed(match)
    if abs(value) in free or (percent and abs(value) / 100 in free):
        return True
    for one in known:
        if percent and _rounds_to(one * 100, value, decimals):
            return True
        if not percent and _rounds_to(one, value, decimals):
            return True
    return False


def _rounds_to(exact: Decimal, written: Decimal, decimals: int) -> bool:
    """Whether `exact`, rounded as `written` is, gives it; the sign may be said in words ("fell by 5")."""
    unit = Decimal(1).scaleb(-decimals)
    if decimals <= 0 and abs(exact) < abs(unit):
        return exact == written
    for one in (exact, -exact) if exact < 0 else (exact,):
        for mode in (ROUND_HALF_UP, ROUND_HALF_EVEN):
            try:
                if (one / unit).quantize(Decimal(1), rounding=mode) * unit == written:
                    return True
            except InvalidOperation:
                return False
    return False


def _numbers_in(results: Results) -> list[Decimal]:
    found: set[Decimal] = set()
    for table in results.tables:
        found.add(Decimal(table.total_rows))
        found.add(Decimal(len(table.rows)))
        for row in table.rows:
            found.update(number for cell in row if (number := decimal_of(cell)) is not None)
    found.update(number for fact in results.facts.values() if (number := decimal_of(fact.value)) is not None)
    for text in _texts_in(results):
        found.update(numbers_of(text))
    return sorted(found)


def _texts_in(results: Results) -> list[str]:
    """Passages and facts that are texts: what stands there may be said."""
    return [
        *results.passages,
        *(str(one.value) for one in results.facts.values() if isinstance(one.value, str)),
    ]


def _names(results: Results) -> list[str]:
    """Text cells and titles that hold digits: codes and names, which are no figures."""
    cells = {cell for table in results.tables for row in table.rows for cell in row if isinstance(cell, str)}
    cells |= {table.title for table in results.tables}
    cells |= {
        str(fact.value)
        for fact in results.facts.values()
        if isinstance(fact.value, str) and len(str(fact.value)) < 100
    }
    return sorted(
        (one for one in cells if any(c.isdigit() for c in one) and not re.fullmatch(r"[\d.,\s%-]+", one)),
        key=len,
        reverse=True,
    )


def _without_names(text: str, results: Results) -> str:
    for name in _names(results):
        if name in text:
            text = re.sub(rf"(?<![\w]){re.escape(name)}(?![\w])", " ", text)
    return text


def _dates_in(results: Results) -> set[str]:
    found: set[str] = set()
    for table in results.tables:
        found |= {m.group() for m in _DATE.finditer(table.title)}
        for row in table.rows:
            for cell in row:
                if isinstance(cell, str):
                    found |= {match.group() for match in _DATE.finditer(cell)}
    for fact in results.facts.values():
        if isinstance(fact.value, str):
            found |= {match.group() for match in _DATE.finditer(fact.value)}
    for passage in results.passages:
        found |= {match.group() for match in _DATE.finditer(passage)}
    return found


def _date_known(written: str, dates: Collection[str], free: Collection[Decimal], results: Results) -> bool:
    if written in dates:
        return True
    if re.fullmatch(r"(?:19|20)\d{2}", written):
        known = any(one.startswith(written) for one in dates) or Decimal(written) in free
        return known or any(_rounds_to(one, Decimal(written), 0) for one in _numbers_in(results))
    import dateparser

    spoken = (
        dateparser.parse(written, languages=["en"], settings={"PREFER_DAY_OF_MONTH": "first"})
        if " " in written
        else None
    )
    if spoken is None:
        return False
    day = spoken.date().isoformat()
    return day in dates or any(
        one.endswith(day[4:])
        for one in dates
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", one) and not re.search(r"\d{4}", written)
    )
