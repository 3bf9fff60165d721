"""Numbers of suppliers' invoices: the same one however it is written, and those that differ by a typing error."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date

from rapidfuzz.distance import OSA

_APART = re.compile(r"[^0-9A-Z]+")
_LEADING_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")
_LOOK_ALIKE = str.maketrans("OQILSBZ", "0011582")
_TAIL = re.compile(r"^(.*?)(\d+)$")


@dataclass(frozen=True, slots=True)
class Numbered:
    """An invoice as far as its double would agree: `billed` is which units of which lines and what charges."""

    key: str
    invoiced_on: date
    total: int
    billed: Hashable


def number_key(number: str) -> str:
    """The number in one spelling: ``inv 12/`` is ``INV-12``. Two invoices of a supplier never have the same."""
    return _APART.sub("-", number.upper()).strip("-")


def alike(key: str, other: str) -> bool:
    """Whether two keys differ by what is easily mistyped: signs, zeros that lead, letters that look like figures, or
    one character wrong, missing, added or swapped with the next.
    """
    pairs = zip(_loose(key), _loose(other), strict=True)
    return any(one == two or OSA.distance(one, two, score_cutoff=1) <= 1 for one, two in pairs)


def is_double(one: Numbered, other: Numbered, within_days: int) -> bool:
    """Whether two invoices of a supplier are likely the same: alike in number, equal in total and in what they bill.

    Numbers that count on, on different days, are two deliveries: a supplier that sends the same each week is not held.
    """
    if one.total != other.total or one.billed != other.billed or not alike(one.key, other.key):
        return False
    if abs((one.invoiced_on - other.invoiced_on).days) > within_days:
        return False
    return one.invoiced_on == other.invoiced_on or not _counts_on(one.key, other.key)


def _loose(key: str) -> tuple[str, str]:
    """Without signs, as it stands and without the zeros that lead each of its figures."""
    figures = key.translate(_LOOK_ALIKE)
    return figures.replace("-", ""), _LEADING_ZEROS.sub("", figures).replace("-", "")


def _counts_on(key: str, other: str) -> bool:
    one, two = (_TAIL.match(number.translate(_LOOK_ALIKE)) for number in (key, other))
    return (
        one is not None
        and two is not None
        and one[1] == two[1]
        and abs(int(one[2]) - int(two[2])) in range(1, 10)
    )
