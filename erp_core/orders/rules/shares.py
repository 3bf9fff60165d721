"""Shares of channels in stock: what each may take, and how a share follows demand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

EVERY_ITEM = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Quota:
    """A channel's part in the stock of an item at each place.

    `kept_units` are its own and no other's; it may hold `most_percent` of what is sellable. It may owe
    `oversell_units` of an item without stock, None: any number. Its share adapts between `low_percent` and
    `high_percent`, and not at all where they are equal.
    """

    channel_id: UUID
    item_id: UUID
    kept_units: int
    most_percent: int
    low_percent: int
    high_percent: int
    oversell_units: int | None


Quotas = Mapping[tuple[UUID, UUID], Quota]


def quota_for(quotas: Quotas, channel_id: UUID, item_id: UUID) -> Quota | None:
    """The channel's quota of the item, or of every item."""
    return quotas.get((channel_id, item_id)) or quotas.get((channel_id, EVERY_ITEM))


def allowed(quotas: Quotas, channel_id: UUID, item_id: UUID, free: int, held: Mapping[UUID, int]) -> int:
    """How many of the `free` units at a place a channel may take, beside what each channel holds there already.

    Never more than are free, nor what is kept for others, nor more than its share of all that is sellable there.
    """
    channels = {channel for channel, _ in quotas} - {channel_id}
    kept = 0
    for channel in channels:
        other = quota_for(quotas, channel, item_id)
        kept += max(other.kept_units - held.get(channel, 0), 0) if other is not None else 0
    most = free - kept
    own = quota_for(quotas, channel_id, item_id)
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
