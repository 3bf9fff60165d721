"""Which planning policy counts for a channel, and what a place is asked by all it serves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

EVERY_CHANNEL = UUID(int=0)


@dataclass(frozen=True, slots=True)
class PlanningPolicy:
    """How well an item is to be served at a location: for one channel, or (None) for every one without its own."""

    item_id: UUID
    location_id: UUID
    channel_id: UUID | None
    valid_from: date
    valid_to: date | None
    service_level: float
    review_days: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What the stock of an item at a place has to achieve."""

    service_level: float
    review_days: int


def for_channel(policies: Iterable[PlanningPolicy], channel_id: UUID) -> list[PlanningPolicy]:
    """Of policies in force, the one that counts for the channel at each item and place: its own before the common."""
    found: dict[tuple[UUID, UUID], PlanningPolicy] = {}
    for one in policies:
        pair = (one.item_id, one.location_id)
        if one.channel_id == channel_id or (one.channel_id is None and pair not in found):
            found[pair] = one
    return list(found.values())


def asked_of_places(policies: Iterable[PlanningPolicy]) -> dict[tuple[UUID, UUID], Asked]:
    """What (item, place) has to achieve by policies in force: a place serves its channels from one stock, so the
    highest service level and the shortest review period that any of them asks for.
    """
    asked: dict[tuple[UUID, UUID], Asked] = {}
    for one in policies:
        pair = (one.item_id, one.location_id)
        other = asked.get(pair, Asked(one.service_level, one.review_days))
        asked[pair] = Asked(
            max(other.service_level, one.service_level), min(other.review_days, one.review_days)
        )
    return asked
