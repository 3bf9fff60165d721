"""Pure rules of supplier workflows: which steps a purchase order of a segment asks for, and when they are due."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

CONFIRMATION = "confirmation"
"""The step of a workflow that every segment may ask for; the others are its milestones."""


@dataclass(frozen=True, slots=True)
class Workflow:
    """What a purchase order to a supplier of the segment asks for after it was sent.

    `confirm_days` is None where no confirmation is required. `milestones` are (name, days after sent), the
    earliest first. `supplier_steps` are the supplier's own to take.
    """

    segment: str
    confirm_days: int | None
    every_line: bool = False
    milestones: tuple[tuple[str, int], ...] = ()
    supplier_steps: frozenset[str] = frozenset()

    def steps(self, sent_on: date) -> Iterator[tuple[str, date]]:
        """Each step with the day by which it is due."""
        if self.confirm_days is not None:
            yield CONFIRMATION, sent_on + timedelta(days=self.confirm_days)
        for name, days in self.milestones:
            yield name, sent_on + timedelta(days=days)


WORKFLOWS: Mapping[str, Workflow] = MappingProxyType(
    {
        one.segment: one
        for one in (
            Workflow("strategic", 2, every_line=True),
            Workflow("imported", 5, every_line=True, milestones=(("shipped", 21), ("customs_cleared", 49))),
            Workflow("domestic", 3),
            Workflow("long_tail", 5),
        )
    }
)
"""What a company starts with."""
