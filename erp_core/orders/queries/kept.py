"""What lies at a place and is kept: for other channels than the one that asks, and for subscriptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.master.model import channels
from erp_core.orders.rules.shares import quota_for
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
    quotas = quotas_in_force(connection, on)
    held = held_by_channel(connection, [item_id]).get((item_id, location_id), {}) if quotas else {}
    kept: dict[UUID, int] = {}
    for channel_id in {key[0] for key in quotas}:
        own = quota_for(quotas, channel_id, item_id, location_id)
        units = max(own.kept_units - held.get(channel_id, 0), 0) if own is not None else 0
        if units:
            kept[channel_id] = units
    kinds = select(channels.c.id).where(channels.c.kind == "subscription")
    return KeptUnits(kept, frozenset(connection.scalars(kinds)) if kept else frozenset())
