"""Field parsers: text of a file to a value, or `FieldError` with reason and remedy. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Generic, TypeVar

LARGEST_QUANTITY = 10_000_000
LARGEST_AMOUNT = 1_000_000_000 * 10_000
MISSING = frozenset({"", "n/a", "na", "nan", "null", "none"})
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_INTEGER = re.compile(r"([+-]?\d{1,18})(?:\.0+)?", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d{1,18}(?:\.\d{1,18})?", re.ASCII)
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?Z?)?", re.ASCII)
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})(?: (\d{1,2}):(\d{2})(?::(\d{2}))?)?", re.ASCII)
_NAMED = re.compile(r"(\d{1,2})-([A-Za-z]{3})-(\d{4}|\d{2})", re.ASCII)

T = TypeVar("T")


class FieldError(ValueError):
    """A field that cannot be read: `rule` names the case, `remedy` says what to write instead."""

    def __init__(self, rule: str, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.rule = rule
        self.reason = reason
        self.remedy = remedy


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")


def integer(text: str) -> int:
    """A whole number, such as ``12``, ``-3`` or ``6.0``."""
    match = _INTEGER.fullmatch(text.strip())
    if not match:
        raise FieldError(
            "not_a_whole_number", f"{_shown(text)} is not a whole number", "write digits only, as in 12"
        )
    value = int(match[1])
    if abs(value) > LARGEST_QUANTITY:
        raise FieldError(
            "implausible_quantity", f"{value} is beyond {LARGEST_QUANTITY}", "check the quantity"
        )
    return value


def quantity(text: str) -> int:
    """A whole number above zero."""
    value = integer(text)
    if value <= 0:
        raise FieldError(
            "quantity_not_positive", f"{value} is not above zero", "give a quantity of 1 or more"
        )
    return value


def count(text: str) -> int:
    """A whole number that is not below zero."""
    value = integer(text)
    if value < 0:
        raise FieldError("below_zero", f"{value} is below zero", "give 0 or more")
    return value


def amount(text: str) -> int:
    """Money in ten-thousandths, exactly; more than four decimals are refused, never rounded."""
    text = text.strip()
    if not _DECIMAL.fullmatch(text):
        raise FieldError("not_an_amount", f"{_shown(text)} is not an amount", "write a number as in 12.50")
    scaled = Decimal(text) * 10_000
    value = int(scaled)
    if value != scaled:
        raise FieldError(
            "too_many_decimals", f"{_shown(text)} has more than four decimals", "round to 0.0001"
        )
    if abs(value) > LARGEST_AMOUNT:
        raise FieldError("implausible_amount", f"{_shown(text)} is beyond 1,000,000,000", "check the amount")
    return value


def price(text: str) -> int:
    """An amount that is not below zero."""
    value = amount(text)
    if value < 0:
        raise FieldError("price_below_zero", f"{_shown(text)} is below zero", "give 0 or more")
    return value


def moment(text: str) -> datetime:
    """A date with or without a time: ISO, ``12/1/2010 8:26`` (month/day/year) or ``2-Jun-06``."""
    text = text.strip()
    if match := _ISO.fullmatch(text):
        year, month, day, *clock = match.groups()
    elif match := _SLASHED.fullmatch(text):
        month, day, year, *clock = match.groups()
    elif (match := _NAMED.fullmatch(text)) and match[2].lower() in MONTHS:
        day, year, clock = match[1], match[3], []
        month = str(MONTHS.index(match[2].lower()) + 1)
    else:
        raise FieldError(
            "not_a_date", f"{_shown(text)} is not a date", "write it as 2026-06-30 or 2026-06-30 14:05"
        )
    hour, minute, second = (int(part or 0) for part in (*clock, *[None] * (3 - len(clock))))
    century = 2000 if len(year) == 2 else 0
    try:
        value = datetime(century + int(year), int(month), int(day), hour, minute, second)
    except ValueError as error:
        reason = f"{_shown(text)} is not a date of the calendar"
        if "/" in text:
            reason += " (read as month/day/year)"
        raise FieldError("not_a_date", reason, "write it as 2026-06-30 or 2026-06-30 14:05") from error
    if not 1970 <= value.year <= 2100:
        raise FieldError("implausible_date", f"{_shown(text)} lies outside 1970 to 2100", "check the year")
    return value


def day(text: str) -> date:
    """The day of `moment`."""
    return moment(text).date()


def text_up_to(longest: int) -> Callable[[str], str]:
    """A parser for text that is there and no longer than `longest`; outer blanks go."""

    def parse(text: str) -> str:
        value = " ".join(text.split())
        if not value:
            raise FieldError("missing", "it is empty", "fill it in")
        if len(value) > longest:
            raise FieldError("too_long", f"it has {len(value)} characters", f"shorten it to {longest}")
        if "\x00" in value:
            raise FieldError("unreadable_text", "it holds a NUL character", "remove it")
        return value

    return parse


def code(longest: int) -> Callable[[str], str]:
    """A parser for codes: text without blanks around, in upper case."""
    read = text_up_to(longest)
    return lambda text: read(text).upper()


def choice(*allowed: str) -> Callable[[str], str]:
    """A parser for one of a few words, in any case."""

    def parse(text: str) -> str:
        value = text.strip().lower().replace(" ", "_").replace("-", "_")
        if value not in allowed:
            raise FieldError(
                "unknown_word", f"{_shown(text)} is none of its words", f"use {', '.join(allowed)}"
            )
        return value

    return parse


def several(longest: int, most: int) -> Callable[[str], tuple[str, ...]]:
    """A parser for codes that are parted by blanks or semicolons, each no longer than `longest`, at most `most`."""
    read = text_up_to(longest)

    def parse(text: str) -> tuple[str, ...]:
        values = tuple(read(one) for one in text.replace(";", " ").split())
        if not values:
            raise FieldError("missing", "it is empty", "fill it in")
        if len(values) > most:
            raise FieldError("too_many", f"it has {len(values)} entries", f"give at most {most} in a row")
        return values

    return parse


def optional(parse: Callable[[str], T]) -> Callable[[str], T | None]:
    """The same parser, giving None for an empty field."""
    return lambda text: None if text.strip().lower() in MISSING else parse(text)


class Remembered(dict[str, T], Generic[T]):
    """A parser that reads equal texts once; call it by subscription. Errors are not remembered."""

    LIMIT = 200_000

    def __init__(self, parse: Callable[[str], T]) -> None:
        super().__init__()
        self._parse = parse

    def __missing__(self, text: str) -> T:
        value = self._parse(text)
        if len(self) < self.LIMIT:
            self[text] = value
        return value
