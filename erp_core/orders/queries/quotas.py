"""Reads of allocation policies: what each channel may take of which stock on a day, and whose policy it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Connection

from erp_core.master.queries.owners import WHOLE_DOMAIN, owner_logins
from erp_core.orders.rules.shares import EVERY_ITEM, EVERY_PLACE
from erp_core.orders.shares import quotas_in_force


@dataclass(frozen=True, slots=True)
class ChannelQuota:
    """A quota in force; item and place are None where it holds for every one, `owner` where the domain has none."""

    channel_id: UUID
    item_id: UUID | None
    location_id: UUID | None
    valid_from: date
    kept_units: int
    most_percent: int
    low_percent: int
    high_percent: int
    oversell_units: int | None
    owner: str | None


def list_quotas(connection: Connection, on: date, channel_id: UUID | None = None) -> list[ChannelQuota]:
    """The quotas of a day, of one channel or all; the general ones of a channel first."""
    owner = owner_logins(connection, "allocation", [WHOLE_DOMAIN])[WHOLE_DOMAIN]
    found = quotas_in_force(connection, on)
    return [
        ChannelQuota(
            one.channel_id,
            None if one.item_id == EVERY_ITEM else one.item_id,
            None if one.location_id == EVERY_PLACE else one.location_id,
            one.valid_from,
            one.kept_units,
            one.most_percent,
            one.low_percent,
            one.high_percent,
            one.oversell_units,
            owner,
        )
        for key, one in sorted(found.items())
        if channel_id in (None, key[0])
    ]
