"""How a channel is served: its priority, places, service level and buffer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import Connection, delete

from erp_core.gate.contract import (
    Command,
    Done,
    Facts,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
    facts_each,
)
from erp_core.master.commands.records import existing, unknown
from erp_core.master.commands.service_levels import ServiceLevel, out_of_range
from erp_core.master.model import channels, locations
from erp_core.master.model_fulfilment import channel_locations
from erp_core.master.queries.channels import channel_terms
from erp_core.master.queries.owners import owner_logins
from erp_core.master.rules.channels import ChannelTerms
from erp_core.storage.bulk import insert_rows, update_rows

_Percent = Annotated[int, Field(ge=0, le=100)]


class SetChannelTerms(Command):
    """All terms of a channel at once; what is left out is none. Governed.

    `locations` may serve it, the preferred first; left out, all may. Of what is available of an item at a place
    the larger of `buffer_units` and `buffer_percent` is not published.
    """

    channel_id: UUID
    priority: Annotated[int, Field(ge=1, le=99)]
    service_level: ServiceLevel | None = None
    dispatch_hours: Annotated[int, Field(ge=1, le=24 * 60)] | None = None
    buffer_units: Annotated[int, Field(ge=0, le=10**9)] = 0
    buffer_percent: _Percent = 0
    locations: tuple[UUID, ...] | None = Field(default=None, min_length=1, max_length=1_000)

    @property
    def subject(self) -> tuple[str, UUID]:
        """The channel."""
        return ("channel", self.channel_id)


def set_channel_terms(task: Task[SetChannelTerms], tx: Transaction) -> Done:
    """Write the terms; every place named holds stock."""
    command = task.command
    before = channel_terms(tx.connection, [command.channel_id]).get(command.channel_id)
    if before is None:
        raise unknown("channel", command.channel_id)
    places = tuple(dict.fromkeys(command.locations or ()))
    there = existing(tx, locations, places)
    strange = next((id_ for id_ in places if not there.get(id_, {}).get("physical")), None)
    if strange is not None:
        raise unknown("location", strange, "locations")
    level = command.service_level
    if level is not None and (refusal := out_of_range(level)) is not None:
        raise refusal
    row = command.model_dump(exclude={"occurred_at", "channel_id", "locations"})
    row |= {"id": command.channel_id, "service_level": None if level is None else float(level)}
    update_rows(tx.connection, channels, [row])
    of_channel = channel_locations.c.channel_id == command.channel_id
    tx.connection.execute(delete(channel_locations).where(of_channel))
    insert_rows(
        tx.connection,
        channel_locations,
        [
            {
                "channel_id": command.channel_id,
                "location_id": place,
                "rank": rank,
                "audit_id": task.audit_id,
            }
            for rank, place in enumerate(places, 1)
        ],
    )
    after = command.model_dump(mode="json", exclude={"occurred_at", "channel_id"})
    return Done({"channel_id": str(command.channel_id)}, before=_told(before), after=after)


def _told(terms: ChannelTerms) -> dict[str, Any]:
    return {
        "priority": terms.priority,
        "service_level": None if terms.service_level is None else str(terms.service_level),
        "dispatch_hours": terms.dispatch_hours,
        "buffer_units": terms.buffer_units,
        "buffer_percent": terms.buffer_percent,
        "locations": None if terms.locations is None else [str(one) for one in terms.locations],
    }


def terms_facts(command: SetChannelTerms, preceding: Sequence[Command], connection: Connection) -> Facts:
    """Who owns the channel's data."""
    return {"domain_owner": owner_logins(connection, "channels", [command.channel_id])[command.channel_id]}


def register(registry: Registry) -> None:
    """Add the command."""
    registry.register(
        Registration(SetChannelTerms, each(set_channel_terms), governed=True, facts=facts_each(terms_facts))
    )
