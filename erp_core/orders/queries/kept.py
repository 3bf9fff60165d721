"""What lies at a place and is kept: for other channels than the one that asks, and for subscriptions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.master.model import channels
from erp_core.orders.rules.shares import Quotas, quota_for
from erp_core.orders.shares import held_by_channel, quotas_in_force


@dataclass(frozen=True, slots=True)
class KeptUnits:
    """Units of an item at a place that channels keep beside what their orders hold already, by channel."""

    by_channel: Mapping[UUID, int]
    subscriptions: frozenset[UUID]

    def committed(self, available: int) -> int:
        """Units committed to subscriptions, as far as they are there."""
        return min(sum(self.by_channel.get(one, 0) for one in self.subscriptions), max(available, 0))

    def from_others(self, channel_id: UUID | None, available: int) -> int:
        """Units that are there and that this channel is not promised; of no channel, those of subscriptions."""
        if channel_id is None:
            return self.committed(available)
        return min(
            sum(units for one, units in self.by_channel.items() if one != channel_id), max(available, 0)
        )


def kept_units(connection: Connection, item_id: UUID, location_id: UUID, on: date) -> KeptUnits:
    """What the quotas of a day keep of an item at a place."""
    pair = (item_id, location_id)
    return kept_by_pair(connection, [pair], on)[pair]


def kept_by_pair(
    connection: Connection, pairs: Iterable[tuple[UUID, UUID]], on: date
) -> dict[tuple[UUID, UUID], KeptUnits]:
    """What the quotas of a day keep of each (item, location). Without any quota nothing more is read."""
    wanted, quotas = list(pairs), quotas_in_force(connection, on)
    held = held_by_channel(connection, {item_id for item_id, _ in wanted}) if quotas else {}
    kept = {pair: _kept(quotas, *pair, held.get(pair, {})) for pair in wanted}
    kinds = select(channels.c.id).where(channels.c.kind == "subscription")
    subscriptions = frozenset(connection.scalars(kinds)) if any(kept.values()) else frozenset()
    return {pair: KeptUnits(units, subscriptions if units else frozenset()) for pair, units in kept.items()}


def _kept(quotas: Quotas, item_id: UUID, place: UUID, held: Mapping[UUID, int]) -> dict[UUID, int]:
    own = {
        channel_id: quota_for(quotas, channel_id, item_id, place) for channel_id in {key[0] for key in quotas}
    }
    units = {one: quota.kept_units - held.get(one, 0) for one, quota in own.items() if quota is not None}
    return {channel_id: count for channel_id, count in units.items() if count > 0}
