"""Rules of claims on suppliers: their steps, which units of a credit note are theirs, what counts as a defect. No database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args
from uuid import UUID

from erp_core.gate.statuses import StatusGraph

CLAIM_STEPS: StatusGraph = {
    "open": frozenset({"credited", "refused", "withdrawn"}),
    "credited": frozenset(),
    "refused": frozenset(),
    "withdrawn": frozenset(),
}
"""A claim is withdrawn when the goods come back from the supplier after all."""

Defect = Literal["faulty", "damaged", "wrong_goods", "short_dated", "not_as_agreed"]
"""What is wrong with goods that go back; goods that go back by agreement have none."""
DEFECTS: tuple[Defect, ...] = get_args(Defect)

ReturnedFrom = Literal["available", "quarantined"]
RETURNED_FROM: tuple[ReturnedFrom, ...] = get_args(ReturnedFrom)
"""Where goods lie that may go back: nobody promised them."""


@dataclass(slots=True)
class Owed:
    """Units of a claim that no credit note covers yet."""

    claim_id: UUID
    units: int
    opened_on: date


def take_covered(units: int, owed: Iterable[Owed]) -> Iterator[tuple[UUID, int]]:
    """Which claims so many credited units are for, the first claim first; what is covered is owed no longer."""
    for one in owed:
        part = min(units, one.units)
        if part:
            one.units -= part
            units -= part
            yield one.claim_id, part


def new_defects(units: int, returned_before: int, known: int) -> int:
    """How many of `units` that go back as defective nobody counted yet.

    `known` were in quarantine at inspection, counted then, and kept; `returned_before` went back as defective since.
    """
    return max(returned_before + units - known, 0) - max(returned_before - known, 0)
