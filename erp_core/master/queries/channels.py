"""Reads of how channels are served."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.master.model import channels, locations
from erp_core.master.model_fulfilment import channel_locations
from erp_core.master.rules.channels import ChannelTerms
from erp_core.storage.lookup import fetch_in

_CHANNEL = channels.c
_TERMS = select(
    _CHANNEL.id,
    _CHANNEL.code,
    _CHANNEL.kind,
    _CHANNEL.priority,
    _CHANNEL.service_level,
    _CHANNEL.dispatch_hours,
    _CHANNEL.buffer_units,
    _CHANNEL.buffer_percent,
)
_PLACES = select(channel_locations.c.channel_id, channel_locations.c.location_id).order_by(
    channel_locations.c.rank, channel_locations.c.location_id
)


def channel_terms(connection: Connection, ids: Iterable[UUID] | None = None) -> dict[UUID, ChannelTerms]:
    """The terms of these channels, or of all, by id; in two statements."""
    if ids is None:
        rows, places = connection.execute(_TERMS).all(), connection.execute(_PLACES).all()
    else:
        wanted = list(ids)
        rows = list(fetch_in(connection, _TERMS, channels.c.id, wanted))
        places = list(fetch_in(connection, _PLACES, channel_locations.c.channel_id, wanted))
    permitted: dict[UUID, list[UUID]] = {}
    for channel_id, location_id in places:
        permitted.setdefault(channel_id, []).append(location_id)
    return {
        row[0]: ChannelTerms(*row, tuple(permitted[row[0]]) if row[0] in permitted else None) for row in rows
    }


def told_during_outage(connection: Connection) -> dict[UUID, int]:
    """The places that are out, with the percentage of their last known stock that channels are told."""
    rows = connection.execute(
        select(locations.c.id, locations.c.outage_percent).where(locations.c.rerouted_to.is_not(None))
    )
    return {location_id: percent for location_id, percent in rows}
