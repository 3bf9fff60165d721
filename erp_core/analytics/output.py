"""What a compiled query gives: the statement and what its columns are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Select


@dataclass(frozen=True, slots=True)
class Output:
    """A column of the result: what it is of, and its unit as in `ResultColumn`."""

    name: str
    label: str
    kind: Literal["dimension", "metric", "derived"]
    unit: str | None = None
    metric: str | None = None


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement and its columns in order; after them come `total_rows` and, per entry of `gaps`, the rows
    without a value and all rows of a nullable measure.
    """

    statement: Select[Any]
    outputs: tuple[Output, ...]
    gaps: tuple[tuple[str, str], ...]
