"""What of lots with a last day will not sell in time at a rate of sale: pure arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import floor
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Perishable:
    """Units of a lot that can be sold at a place on so many days yet, today included; 0: its last day is over."""

    lot_id: UUID
    days: int
    units: int


def unsold(lots: Iterable[Perishable], rate: float) -> dict[UUID, int]:
    """Units by lot that are left when their days are over, sold first expired first out at `rate` units a day.

    Never below 0 nor above what there is; lots of which nothing is left are not in it.
    """
    sold, left = 0, {}
    for lot in sorted(lots, key=lambda one: (one.days, one.lot_id)):
        goes = min(lot.units, max(floor(rate * max(lot.days, 0) + 1e-9) - sold, 0))
        sold += goes
        if goes < lot.units:
            left[lot.lot_id] = lot.units - goes
    return left


def room(days: int, rate: float, stock: int) -> int:
    """Units more that a place could sell within so many days, beside the stock it has."""
    return max(floor(rate * max(days, 0) + 1e-9) - stock, 0)


def best_place(rooms: Sequence[tuple[UUID, int]]) -> tuple[UUID, int] | None:
    """The place that can sell most of it, the first of equals; None where none can sell any."""
    found = max(rooms, key=lambda one: one[1], default=None)
    return found if found is not None and found[1] > 0 else None
