"""Promise dates: which confirmed supply covers which waiting line, and so on what day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Supply:
    """Units that a supplier confirmed for a day."""

    due_on: date
    units: int


def expected_dates(
    waiting: Iterable[tuple[UUID, int]], supply: Sequence[Supply], today: date
) -> dict[UUID, date | None]:
    """The day on which the last missing unit of each line is there; None where confirmed supply does not reach.

    `waiting` gives lines with their missing units in the order in which they are served; no unit is promised twice.
    Supply that is overdue on `today`, the day it is looked at, is expected then: it is confirmed and has not come.
    """
    coming = sorted(((max(one.due_on, today), one.units) for one in supply if one.units > 0), reverse=True)
    found: dict[UUID, date | None] = {}
    for line_id, missing in waiting:
        left, day = missing, None
        while left > 0 and coming:
            due, units = coming.pop()
            part = min(left, units)
            left, day = left - part, due
            if part < units:
                coming.append((due, units - part))
        found[line_id] = day if left == 0 else None
    return found
