"""Tables of answers as the console shows them: one format a column, numbers to the right, days as days."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

NOTHING = "–"
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_LONGEST_CODE = 20


@dataclass(frozen=True, slots=True)
class Column:
    """How a column is set: `num` to the right, `code` (codes and days) unbroken, `text` as it comes."""

    label: str
    kind: Literal["num", "code", "text"]
    cells: tuple[str, ...]


def laid_out(columns: Sequence[Mapping[str, Any]], rows: Sequence[Sequence[Any]]) -> tuple[Column, ...]:
    """The columns of a table with their cells as text."""
    shown = []
    for position, column in enumerate(columns):
        values = [row[position] for row in rows]
        label = column.get("label") or str(column["name"]).replace("_", " ").capitalize()
        shown.append(Column(label, _kind(values), cells(values, column.get("unit"))))
    return tuple(shown)


def cells(values: Sequence[Any], unit: str | None = None) -> tuple[str, ...]:
    """The values of one column by its unit, all to the same decimals; a dash where there is none."""
    numbers = [one for one in values if is_number(one)]
    decimals = _decimals(numbers, unit)
    return tuple(_cell(one, unit, decimals) for one in values)


def is_number(value: Any) -> bool:
    """Whether a cell is set as a number."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _decimals(numbers: Sequence[Any], unit: str | None) -> int:
    if unit in ("percent", "share"):
        return 1
    if unit == "money":
        return 0 if any(abs(one) >= 1_000 for one in numbers) else 2
    rounded = [round(Decimal(str(one)), 2).normalize().as_tuple().exponent for one in numbers]
    return max((-int(one) for one in rounded if int(one) < 0), default=0)


def _cell(value: Any, unit: str | None, decimals: int) -> str:
    if value is None or value == "":
        return NOTHING
    if not is_number(value):
        return _day(str(value))
    if unit in ("percent", "share"):
        return f"{_signed(value * 100, decimals)} %"
    return _signed(value, decimals)


def _signed(value: Any, decimals: int) -> str:
    return f"{value:,.{decimals}f}".replace("-", "−")


def _day(text: str) -> str:
    """A day as people write it; any other text as it is."""
    if not _DAY.fullmatch(text):
        return text
    try:
        return f"{date.fromisoformat(text):%-d %b %Y}"
    except ValueError:
        return text


def _kind(values: Sequence[Any]) -> Literal["num", "code", "text"]:
    known = [one for one in values if one is not None]
    if known and all(is_number(one) for one in known):
        return "num"
    short = (isinstance(one, str) and len(one) <= _LONGEST_CODE and " " not in one for one in known)
    return "code" if all(short) else "text"
