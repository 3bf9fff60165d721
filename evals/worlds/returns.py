"""What comes back: reasons, conditions found at inspection, and what becomes of the goods."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any, TypeVar

import numpy as np

from evals.worlds.catalogue import Catalogue
from evals.worlds.events import DAY, RETURN, Authorised, Event, Judged, Placed, Shipped
from evals.worlds.parameters import WorldParameters

_REASONS = (
    "changed_mind", "size_or_fit", "not_as_described", "damaged_in_transit", "defective", "wrong_item", "late", "other"
)  # fmt: skip
_REASON_SHARES = (0.34, 0.14, 0.16, 0.12, 0.11, 0.06, 0.04, 0.03)
_CONDITIONS = ("as_new", "opened", "damaged_packaging", "damaged", "defective")
_CONDITION_SHARES = {
    "damaged_in_transit": (0.05, 0.05, 0.3, 0.55, 0.05),
    "defective": (0.05, 0.1, 0.05, 0.15, 0.65),
}
_USUAL_CONDITIONS = (0.58, 0.25, 0.1, 0.05, 0.02)
_DISPOSITIONS = {
    "as_new": "restock",
    "opened": "restock",
    "damaged_packaging": "refurbish",
    "damaged": "write_off",
    "defective": "vendor_return",
}
_WORDS = (
    "Nice, but not for our kitchen.",
    "arived with a crack along the rim :(",
    "Colour is much darker than in the picture",
    "Ordered two by mistake, sorry!",
    "box was open and one piece missing",
    "Too small for us",
    "Gift, they already had one. Please refund to the original card.",
    "Stopped working after three days",
)
_DEFECTIVE_BATCHES = 6
_HOUR = 3_600

_INSPECTION_DAYS = (0, 1, 2, 4, 9)
_INSPECTION_SHARES = (0.2, 0.5, 0.15, 0.1, 0.05)

T = TypeVar("T")
Scheduled = tuple[str, int, tuple[int, int], Any]


class Returns:
    """The day loop's view of returns: planned when a parcel leaves, inspected when they come back."""

    def __init__(self, world: WorldParameters, catalogue: Catalogue, rng: np.random.Generator) -> None:
        self._rng = rng
        self._places = len(catalogue.locations)
        self._shares = [item.return_share * world.return_factor for item in catalogue.items]
        self._bad = self._bad_batches(world, catalogue)
        self._agenda: dict[int, list[Scheduled]] = {}
        self._goods: dict[int, tuple[tuple[int, int], ...]] = {}
        self._luck = rng.random(4 * world.demand_lines + 64).tolist()
        self._drawn = 0
        self._number = 0

    def _bad_batches(self, world: WorldParameters, catalogue: Catalogue) -> dict[int, tuple[int, int]]:
        items = self._rng.choice(
            len(catalogue.items), min(_DEFECTIVE_BATCHES, len(catalogue.items)), replace=False
        )
        return {int(item): (start, start + 40) for item, start in zip(
            items, self._rng.integers(0, world.days, len(items)).tolist(), strict=True)}  # fmt: skip

    def plan(self, order: int, placed: Placed, parcel: Shipped, day: int) -> None:
        """Decide which lines of a parcel will come back, and let it happen on later days."""
        back = []
        for line, units in parcel.lines:
            item = placed.lines[line].item
            start, stop = self._bad.get(item, (0, 0))
            bad = start <= day < stop
            luck = self._luck[self._drawn % len(self._luck)]
            self._drawn += 1
            if luck < self._shares[item] * (3.5 if bad else 1.0):
                reason = "defective" if bad else self._drawn_from(_REASONS, _REASON_SHARES)
                back.append((line, units if units < 3 or luck < 0.01 else 1 + int(luck * 1e4) % 2, reason))
        if back:
            self._schedule(order, placed, parcel.location, tuple(back), day)

    def _schedule(
        self, order: int, placed: Placed, location: int, lines: tuple[tuple[int, int, str], ...], day: int
    ) -> None:
        rng = self._rng
        number, self._number = self._number, self._number + 1
        document = (RETURN, number)
        asked = day + 3 + min(40, int(rng.exponential(8.0)))
        arrived = asked + int(rng.integers(2, 7))
        inspected = arrived + self._drawn_from(_INSPECTION_DAYS, _INSPECTION_SHARES)
        decided = inspected + int(rng.integers(0, 2))
        words = _WORDS[int(rng.integers(len(_WORDS)))] if rng.random() < 0.25 else None
        conditions = tuple(
            self._drawn_from(_CONDITIONS, _CONDITION_SHARES.get(reason, _USUAL_CONDITIONS))
            for _, _, reason in lines
        )
        self._goods[number] = tuple(
            (placed.lines[line].item * self._places + location, units) for line, units, _ in lines
        )
        steps: tuple[tuple[str, int, Any], ...] = (
            ("AuthoriseReturn", asked * DAY + 4 * _HOUR, Authorised(order, location, lines, words)),
            ("ReceiveReturn", arrived * DAY + 4 * _HOUR + 900, None),
            ("InspectReturn", inspected * DAY + 4 * _HOUR + 1_800, Judged(conditions)),
            (
                "DisposeReturn",
                decided * DAY + 5 * _HOUR,
                Judged(tuple(_DISPOSITIONS[one] for one in conditions)),
            ),
        )
        for kind, moment, data in steps:
            self._agenda.setdefault(moment // DAY, []).append((kind, moment + number % 1_700, document, data))

    def _drawn_from(self, values: Sequence[T], shares: Sequence[float]) -> T:
        return values[min(bisect(list(accumulate(shares)), self._rng.random()), len(values) - 1)]

    def morning(self, day: int) -> Iterator[tuple[Event, list[tuple[int, int]]]]:
        """The day's steps, with the (cell, units) that went back to stock."""
        for kind, moment, document, data in self._agenda.pop(day, ()):
            arrived: list[tuple[int, int]] = []
            if kind == "DisposeReturn":
                goods = self._goods.pop(document[1])
                arrived = [pair for pair, word in zip(goods, data.words, strict=True) if word == "restock"]
            others = (data.order,) if kind == "AuthoriseReturn" else ()
            yield Event(kind, moment, document, data, (), (), (), others), arrived
