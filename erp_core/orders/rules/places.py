"""Where an order is filled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

Reason = Literal[
    "whole_order",
    "arrives_in_time",
    "preferred_node",
    "cheapest_way",
    "largest_part",
    "nothing_available",
    "set_node",
]


@dataclass(frozen=True, slots=True)
class LocationChoice:
    """Where an order is filled, and why there."""

    location_id: UUID
    reason: Reason


@dataclass(frozen=True, slots=True)
class Standing:
    """What speaks for a place beside its stock. `in_time`: a carrier brings it by the promised day from there.

    `rank` is its place among those of the channel, the lowest first; `price` that of the cheapest way into the
    customer's zone, None where nobody knows one.
    """

    in_time: bool = True
    rank: int = 0
    price: int | None = None

    @property
    def merits(self) -> tuple[bool, int, bool, int]:
        """In the order in which they count; the larger is better."""
        return self.in_time, -self.rank, self.price is not None, -(self.price or 0)


_NOTHING = Standing()
_DECIDED_BY: tuple[Reason, ...] = ("arrives_in_time", "preferred_node", "cheapest_way", "cheapest_way")


def choose_location(
    demand: Mapping[UUID, int],
    available: Sequence[tuple[UUID, Mapping[UUID, int]]],
    standings: Mapping[UUID, Standing] | None = None,
) -> LocationChoice:
    """The location that fills most units of the order, so that it goes out in one parcel.

    Among equals the one that stands best: in time, the channel's preferred, the cheapest way; then the one with most
    stock, then the first. `available` gives units by item for each location; it must not be empty. The reason names
    what decided between places that have all of it.
    """
    stands = standings or {}
    ranked = sorted(
        (
            (
                sum(min(wanted, units[item_id]) for item_id, wanted in demand.items()),
                stands.get(location_id, _NOTHING).merits,
                sum(units[item_id] for item_id in demand),
                -number,
            )
            for number, (location_id, units) in enumerate(available)
        ),
        reverse=True,
    )
    filled, merits, _, number = ranked[0]
    chosen = available[-number][0]
    if filled < sum(demand.values()):
        return LocationChoice(chosen, "largest_part" if filled else "nothing_available")
    if len(ranked) > 1 and ranked[1][0] == filled:
        pairs = zip(_DECIDED_BY, merits, ranked[1][1], strict=True)
        return LocationChoice(chosen, next((why for why, own, other in pairs if own != other), "whole_order"))
    return LocationChoice(chosen, "whole_order")
