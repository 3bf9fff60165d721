"""What channels are told is there: available, less what others keep, less the channel's buffer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Connection

from erp_core.inventory.lots.queries import unpromisable_units
from erp_core.inventory.queries import positions
from erp_core.master.queries.channels import channel_terms, told_during_outage
from erp_core.orders.rules.shares import allowed
from erp_core.orders.shares import held_by_channel, quotas_in_force


@dataclass(frozen=True, slots=True)
class Published:
    """Units of an item that a channel may offer. `available` lies at its places and may be promised to it today; the rest
    says why it is less.
    """

    item_id: UUID
    available: int
    allowed: int
    buffer: int
    published: int


def published_quantities(
    connection: Connection, channel_id: UUID, item_ids: Iterable[UUID] | None = None, *, today: date
) -> list[Published] | None:
    """What the channel may offer, by item; None where there is no such channel."""
    return published_by_channel(connection, [channel_id], item_ids, today=today).get(channel_id)


def published_by_channel(
    connection: Connection,
    channel_ids: Iterable[UUID] | None = None,
    item_ids: Iterable[UUID] | None = None,
    *,
    today: date,
) -> dict[UUID, list[Published]]:
    """What these channels may offer, or all: by channel, then by item. They share stock: what one sells, no other can.

    Lots that are over, held or too short for the channel count nothing from the day on which they are so.
    Of each place the larger buffer is kept back from what is available there; what other channels keep and the
    channel's own share bound it as well. Places that may not serve the channel count nothing, those that are out
    the share that is set for an outage.
    """
    wanted = None if item_ids is None else list(item_ids)
    terms_of = channel_terms(connection, channel_ids)
    if not terms_of:
        return {}
    quotas, outages = quotas_in_force(connection, today), told_during_outage(connection)
    found = positions(connection, item_ids=wanted)
    there = {one.item_id for one in found.values()}
    held = held_by_channel(connection, there) if quotas else {}
    told_to: dict[UUID, list[Published]] = {}
    for channel_id, terms in terms_of.items():
        unfit = unpromisable_units(connection, today, channel_id, wanted)
        sums: dict[UUID, list[int]] = {item_id: [0, 0, 0, 0] for item_id in wanted or ()}
        for one in found.values():
            if not terms.permits(one.location_id):
                continue
            place, available = one.location_id, one.available - unfit.get((one.item_id, one.location_id), 0)
            most = allowed(
                quotas, channel_id, one.item_id, place, available, held.get((one.item_id, place), {})
            )
            told = min(most, terms.published(available), available * outages.get(place, 100) // 100)
            total = sums.setdefault(one.item_id, [0, 0, 0, 0])
            for position, units in enumerate((available, most, terms.buffer(available), told)):
                total[position] += units
        told_to[channel_id] = [Published(item_id, *total) for item_id, total in sorted(sums.items())]
    return told_to
