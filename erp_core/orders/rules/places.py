"""Where an order is filled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class LocationChoice:
    """Where an order is filled, and why there."""

    location_id: UUID
    reason: Literal["whole_order", "largest_part", "nothing_available", "set_node"]


def choose_location(
    demand: Mapping[UUID, int], available: Sequence[tuple[UUID, Mapping[UUID, int]]]
) -> LocationChoice:
    """The location that fills most units of the order; among equals the one with most stock, then the first.

    `available` gives units by item for each location, in the order of preference; it must not be empty.
    One location for the whole order, so that it goes out in one parcel.
    """
    best: tuple[int, int] | None = None
    chosen = available[0][0]
    for location_id, units in available:
        filled = sum(min(wanted, units[item_id]) for item_id, wanted in demand.items())
        rank = (filled, sum(units[item_id] for item_id in demand))
        if best is None or rank > best:
            best, chosen = rank, location_id
    assert best is not None
    if best[0] == sum(demand.values()):
        return LocationChoice(chosen, "whole_order")
    return LocationChoice(chosen, "largest_part" if best[0] else "nothing_available")
