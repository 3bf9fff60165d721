"""Numbers in questions: digits with separators, ``5k``, ``80%``, and number words."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

WORDS = {
    word: value
    for value, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
            "twenty",
        ]
    )
} | {
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
    "dozen": 12,
}
SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000}
ORDINALS = {
    word: value
    for value, word in enumerate(
        [
            "first",
            "second",
            "third",
            "fourth",
            "fifth",
            "sixth",
            "seventh",
            "eighth",
            "ninth",
            "tenth",
            "eleventh",
            "twelfth",
        ],
        start=1,
    )
}
WORD = "|".join(sorted((*WORDS, "couple of", "few", "a"), key=len, reverse=True))
_DIGITS = re.compile(r"(\d+(?:[.,]\d+)*)(%|[km])?$", re.IGNORECASE)
_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?$")


def parse(word: str) -> tuple[Decimal, bool] | None:
    """The value of one word and whether it is a percentage; None where it is no number."""
    lower = word.casefold()
    if lower[:1] == "-" and (found := parse(lower[1:])) is not None:
        return -found[0], found[1]
    if lower in WORDS:
        return Decimal(WORDS[lower]), False
    match = _DIGITS.match(lower)
    if not match:
        return None
    digits, suffix = match.groups()
    if _THOUSANDS.match(digits):
        digits = digits.replace(",", "")
    elif "," in digits and "." not in digits:
        digits = digits.replace(",", ".")
    try:
        value = Decimal(digits)
    except InvalidOperation:
        return None
    scale = {"k": 1_000, "m": 1_000_000}.get(suffix or "", 1)
    return value * scale, suffix == "%"


def small(word: str) -> int | None:
    """A whole number from digits or words, as used for counts of days or rows."""
    word = word.casefold().strip()
    if word in ("a", "one"):
        return 1
    if word in ("couple of", "couple"):
        return 2
    if word == "few":
        return 3
    found = parse(word)
    if found is None or found[1] or found[0] != found[0].to_integral_value():
        return None
    return int(found[0])


_ATOM = "|".join(sorted((*WORDS, *SCALES), key=len, reverse=True))
_SEVERAL = re.compile(
    rf"(?<![\w.-])(?:(?P<half>half an? )|an? )?(?P<atoms>(?:\d+(?:[.,]\d+)*|{_ATOM})s?(?:[ -](?:(?:and )?(?:{_ATOM}))s?)*)(?![\w-])",
    re.IGNORECASE,
)


def in_digits(text: str) -> str:
    """The text with numbers of several words ("two dozen", "half a thousand", "50 thousand") in digits."""
    return _SEVERAL.sub(_digits, text)


def _digits(match: re.Match[str]) -> str:
    words = [word.removesuffix("s") for word in re.findall(r"[\d.,]+|[a-z]+", match["atoms"].casefold())]
    scaled = any(word in SCALES or word == "dozen" for word in words)
    if not scaled or re.search(r"\b(?!hundred|thousand|million)\w+ and ", match["atoms"], re.IGNORECASE):
        return match.group()
    total, current = Decimal(0), Decimal(0)
    for word in words:
        if word in ("hundred", "dozen"):
            current = (current or Decimal(1)) * (12 if word == "dozen" else 100)
        elif word in SCALES:
            total, current = total + (current or Decimal(1)) * SCALES[word], Decimal(0)
        elif word != "and" and (value := parse(word)) is not None:
            current += value[0]
    total += current
    if match["half"]:
        total /= 2
    return format(total.normalize(), "f")
