"""Shares of channels in stock: which quota counts, what each may take, and how a share follows demand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from erp_core.master.rules.periods import Period, in_force, turns

EVERY_ITEM = EVERY_PLACE = UUID(int=0)
Scope = tuple[UUID, UUID]
"""An item, or every one, at a place, or at every one."""


@dataclass(frozen=True, slots=True)
class Quota:
    """A channel's part in the stock of an item (or of each) at a place (or at each).

    `kept_units` are its own and no other's; it may hold `most_percent` of what is sellable. It may owe
    `oversell_units` of an item without stock, None: any number. Its share adapts between `low_percent` and
    `high_percent`, and not at all where they are equal.
    """

    channel_id: UUID
    item_id: UUID
    location_id: UUID
    valid_from: date
    kept_units: int
    most_percent: int
    low_percent: int
    high_percent: int
    oversell_units: int | None


Quotas = Mapping[tuple[UUID, UUID, UUID], Quota]
"""Those in force on a day, by channel, item and place."""
Said = tuple[Period, bool]
"""From when to when something was said about a scope, and whether it was a quota (or that there is none)."""


def quota_for(quotas: Quotas, channel_id: UUID, item_id: UUID, place: UUID = EVERY_PLACE) -> Quota | None:
    """The most specific of the channel's quotas: of the item at the place, of the item, of the place, of all.

    Of an item and of a place there is never both (`ties_with`).
    """
    scopes = ((item_id, place), (item_id, EVERY_PLACE), (EVERY_ITEM, place), (EVERY_ITEM, EVERY_PLACE))
    return next((quotas[channel_id, *one] for one in scopes if (channel_id, *one) in quotas), None)


def ties_with(scope: Scope, said: Mapping[Scope, Sequence[Said]]) -> Scope | None:
    """Another scope with a quota on a day on which this one has one too, neither being the more specific.

    Both would speak of one item at one place: that of an item everywhere, and that of a place for every item.
    """
    item_id, place = scope
    if (item_id == EVERY_ITEM) == (place == EVERY_PLACE):
        return None
    for other, theirs in said.items():
        crosses = (other[0] == EVERY_ITEM) == (place == EVERY_PLACE) and (other[1] == EVERY_PLACE) == (
            item_id == EVERY_ITEM
        )
        own = said.get(scope, ())
        days = turns(period for period, _ in (*own, *theirs))
        if crosses and other != scope and any(_holds(own, day) and _holds(theirs, day) for day in days):
            return other
    return None


def _holds(said: Iterable[Said], day: date) -> bool:
    by_period = dict(said)
    found = in_force(by_period, day)
    return found is not None and by_period[found]


def allowed(
    quotas: Quotas, channel_id: UUID, item_id: UUID, place: UUID, free: int, held: Mapping[UUID, int]
) -> int:
    """How many of the `free` units at a place a channel may take, beside what each channel holds there already.

    Never more than are free, nor what is kept for others, nor more than its share of all that is sellable there.
    """
    channels = {channel for channel, _, _ in quotas} - {channel_id}
    kept = 0
    for channel in channels:
        other = quota_for(quotas, channel, item_id, place)
        kept += max(other.kept_units - held.get(channel, 0), 0) if other is not None else 0
    most = free - kept
    own = quota_for(quotas, channel_id, item_id, place)
    if own is not None:
        sellable = free + sum(held.values())
        most = min(most, sellable * own.most_percent // 100 - held.get(channel_id, 0))
    return max(min(most, free), 0)


def adapted(quota: Quota, demand: Mapping[UUID, int]) -> int:
    """The share that recent demand by channel asks for, rounded up, within the quota's bounds.

    Without any demand it stays what it is.
    """
    total = sum(demand.values())
    if total <= 0:
        return quota.most_percent
    asked = -(-100 * max(demand.get(quota.channel_id, 0), 0) // total)
    return min(max(asked, quota.low_percent), quota.high_percent)
