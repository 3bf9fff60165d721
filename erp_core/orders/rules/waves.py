"""Which orders are released to pick, and in what order: by carrier cutoff, within what people can fetch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Candidate:
    """An order that could be fetched at a place. A lower `priority` is served first."""

    order_id: UUID
    units: int
    cutoff: datetime | None
    priority: int
    promised_on: date | None
    ordered_at: datetime


@dataclass(frozen=True, slots=True)
class Wave:
    """The orders to release now, in their order, and those that wait for free hands."""

    released: tuple[Candidate, ...]
    waiting: tuple[Candidate, ...]


def plan_wave(candidates: Iterable[Candidate], capacity: int | None, busy: int) -> Wave:
    """Fill the capacity that is left with the most urgent: the earliest cutoff, then channel, promise and age.

    The first that does not fit ends the wave, so that large orders are not passed over forever; one that is
    larger than everything people can hold goes alone, when nothing else is open. No capacity: no limit.
    """
    urgent = sorted(
        candidates,
        key=lambda one: (
            one.cutoff is None,
            one.cutoff.timestamp() if one.cutoff else 0,
            one.priority,
            one.promised_on or date.max,
            one.ordered_at,
            one.order_id,
        ),
    )
    if capacity is None:
        return Wave(tuple(urgent), ())
    used, count = busy, 0
    for one in urgent:
        if used + one.units > capacity and used:
            break
        used += one.units
        count += 1
    return Wave(tuple(urgent[:count]), tuple(urgent[count:]))
