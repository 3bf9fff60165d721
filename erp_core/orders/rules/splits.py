"""How many parcels an order takes, and whether its policy lets it: pure logic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID


def parcels_with(
    sent: int, others: int, parcel: Mapping[UUID, int], still_open: Iterable[tuple[UUID, UUID, int]]
) -> int:
    """The fewest parcels of an order once this one leaves: those `sent`, `others` in work, this, and what must follow.

    `still_open` are (line, place, units) that neither left nor are in work, with this parcel's own units. What a
    place has left over needs a parcel of that place.
    """
    behind = {place for line_id, place, units in still_open if units > parcel.get(line_id, 0)}
    return sent + others + 1 + len(behind)


def most_allowed(by_rules: int | None, agreed: int | None) -> int | None:
    """The larger of what fulfilment rules and what an approval allow; None where no rule limits it."""
    return None if by_rules is None else max(by_rules, agreed or 0)
