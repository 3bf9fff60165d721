"""What takes the place of a location during an outage: set beforehand, switched on and off by its commands."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlalchemy import or_, update

from erp_core.gate.contract import Command, DomainError, Done, Registration, Registry, Task, Transaction, each
from erp_core.master.commands.records import existing, plain, unknown
from erp_core.master.model import locations
from erp_core.storage.bulk import update_rows


class NoFallback(DomainError):
    """Nothing is set for the outage of this place, or what is set is out itself."""

    code = "no_fallback"


class OutageState(DomainError):
    """The place is out already, or is not."""

    code = "outage_state"


class SetOutageFallback(Command):
    """Which place takes the orders of a location during an outage, and how much of its stock is still told. Governed.

    `outage_percent` of what was last known there is published to channels; without `fallback_id` nothing takes over.
    """

    location_id: UUID
    fallback_id: UUID | None = None
    outage_percent: Annotated[int, Field(ge=0, le=100)] = 0

    @property
    def subject(self) -> tuple[str, UUID]:
        """The location."""
        return ("location", self.location_id)


def set_outage_fallback(task: Task[SetOutageFallback], tx: Transaction) -> Done:
    """Write it; it counts from the next outage on."""
    command = task.command
    wanted = [command.location_id, *([command.fallback_id] if command.fallback_id else [])]
    rows = existing(tx, locations, wanted)
    for id_, field in zip(wanted, ("location_id", "fallback_id"), strict=False):
        if not rows.get(id_, {}).get("physical"):
            raise unknown("location", id_, field)
    if command.fallback_id == command.location_id:
        raise NoFallback(
            "a place is no fallback for itself", field="fallback_id", remedy="choose another place"
        )
    before = rows[command.location_id]
    values = {"fallback_id": command.fallback_id, "outage_percent": command.outage_percent}
    update_rows(tx.connection, locations, [{"id": command.location_id, **values}])
    return Done(
        {"location_id": str(command.location_id)},
        before={name: plain(before[name]) for name in values},
        after={name: plain(value) for name, value in values.items()},
    )


def switch_on(tx: Transaction, location_id: UUID) -> UUID:
    """Send the orders of a place to its fallback, those of places it stood in for too. Gives the fallback.

    Raises `NotFound`, `OutageState` or `NoFallback`.
    """
    row = existing(tx, locations, [location_id]).get(location_id)
    if row is None or not row["physical"]:
        raise unknown("location", location_id)
    if row["rerouted_to"] is not None:
        raise OutageState(
            f"{row['code']} is out already", field="location_id", remedy="end that outage first"
        )
    fallback = row["fallback_id"]
    stands = None if fallback is None else existing(tx, locations, [fallback])[fallback]
    if stands is None or stands["rerouted_to"] is not None:
        raise NoFallback(
            f"nothing can take the orders of {row['code']}",
            field="location_id",
            remedy="set a place that works with SetOutageFallback",
            location=row["code"],
        )
    tx.connection.execute(
        update(locations)
        .where(or_(locations.c.id == location_id, locations.c.rerouted_to == location_id))
        .values(rerouted_to=stands["id"])
    )
    return UUID(str(stands["id"]))


def switch_off(tx: Transaction, location_id: UUID) -> None:
    """Let a place take its orders again. Raises `OutageState` where it is not out."""
    ended = tx.connection.execute(
        update(locations)
        .where(locations.c.id == location_id, locations.c.rerouted_to.is_not(None))
        .values(rerouted_to=None)
    ).rowcount
    if not ended:
        raise OutageState(
            f"location {location_id} is not out", field="location_id", remedy="give a place that is out"
        )


def register(registry: Registry) -> None:
    """Add the command."""
    registry.register(Registration(SetOutageFallback, each(set_outage_fallback), governed=True))
