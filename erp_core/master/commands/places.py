"""Locations and channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator
from sqlalchemy import Column

from erp_core.gate.contract import Command, DomainError, Done, Registration, Registry, Task, Transaction
from erp_core.master.commands.records import Creation, existing, renamed, unknown
from erp_core.master.model import channels, legal_entities, locations, suppliers
from erp_core.master.values import Code, Country, Name
from erp_core.master.virtual import ensure_virtual_locations
from erp_core.storage.lookup import there


class CreateLocation(Command):
    """A place that holds stock. The virtual locations come with the first one.

    From a `drop_ship` place a supplier sends to our customers. What lies in a `quarantine` or `non_pickable` place is
    promised to nobody: it is transferred first.

    A place within a site is a zone of it, one within a zone a bin; nothing lies within a bin. Goods to fetch lie in
    `forward_pick` zones and bins, what refills them in `reserve` ones.
    """

    location_id: UUID
    code: Code
    location_name: Name
    kind: Literal[
        "warehouse",
        "store",
        "third_party",
        "showroom",
        "hub",
        "drop_ship",
        "quarantine",
        "non_pickable",
        "forward_pick",
        "reserve",
    ] = "warehouse"
    country: Country | None = None
    legal_entity_id: UUID | None = None
    within_id: UUID | None = None
    supplier_id: UUID | None = None

    @model_validator(mode="after")
    def _of_whom_and_where(self) -> Self:
        if (self.kind == "drop_ship") != (self.supplier_id is not None):
            raise ValueError(
                "supplier_id says who sends from a drop_ship place: give it there, and only there"
            )
        if self.kind in ("forward_pick", "reserve") and self.within_id is None:
            raise ValueError(
                f"a {self.kind} place is a zone or bin: give the site or zone it lies in as within_id"
            )
        return self

    @property
    def subject(self) -> tuple[str, UUID]:
        """The location."""
        return ("location", self.location_id)


class CreateChannel(Command):
    """A way customers order. A lower `priority` is served first when stock is short."""

    channel_id: UUID
    code: Code
    channel_name: Name
    kind: Literal["web", "marketplace", "store", "wholesale", "b2b", "subscription"]
    priority: Annotated[int, Field(ge=1, le=99)] = 10
    legal_entity_id: UUID | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The channel."""
        return ("channel", self.channel_id)


class NotWithin(DomainError):
    """Places stand in three levels: sites, their zones, and the zones' bins."""

    code = "not_within"


def _new_location(task: Task[CreateLocation]) -> dict[str, Any]:
    fields = renamed(task.command.model_dump(exclude={"occurred_at"}), location_id="id", location_name="name")
    return fields | {"physical": True}


_insert_locations = Creation(locations, "code", _new_location)


def create_locations(tasks: Sequence[Task[CreateLocation]], tx: Transaction) -> Sequence[Done | DomainError]:
    """Make the locations, and the virtual ones before the first."""
    ensure_virtual_locations(tx, tasks[0].audit_id)
    too_deep = _too_deep(tasks, tx)
    named = {
        "legal_entity_id": ("legal entity", legal_entities.c.id),
        "supplier_id": ("supplier", suppliers.c.id),
        "within_id": ("location", locations.c.id),
    }
    made = iter(
        of_known(named, _insert_locations, [one for one in tasks if one.audit_id not in too_deep], tx)
    )
    return [too_deep[task.audit_id] if task.audit_id in too_deep else next(made) for task in tasks]


def _too_deep(tasks: Sequence[Task[CreateLocation]], tx: Transaction) -> dict[UUID, DomainError]:
    """The refusals of places within a bin, or within a virtual place."""
    around = existing(
        tx, locations, (one.command.within_id for one in tasks if one.command.within_id is not None)
    )
    sites = existing(tx, locations, {row["within_id"] for row in around.values()} - {None})
    refused: dict[UUID, DomainError] = {}
    for task in tasks:
        row = around.get(task.command.within_id) if task.command.within_id else None
        site = None if row is None or row["within_id"] is None else sites[row["within_id"]]
        if row is not None and (not row["physical"] or (site is not None and site["within_id"] is not None)):
            refused[task.audit_id] = NotWithin(
                f"nothing lies within {row['code']}",
                field="within_id",
                remedy="give a site for a zone, or a zone for a bin",
                location=row["code"],
            )
    return refused


def _new_channel(task: Task[CreateChannel]) -> dict[str, Any]:
    return renamed(task.command.model_dump(exclude={"occurred_at"}), channel_id="id", channel_name="name")


_insert_channels = Creation(channels, "code", _new_channel)


def create_channels(tasks: Sequence[Task[CreateChannel]], tx: Transaction) -> Sequence[Done | DomainError]:
    """Make the channels."""
    return of_known({"legal_entity_id": ("legal entity", legal_entities.c.id)}, _insert_channels, tasks, tx)


def of_known(
    fields: Mapping[str, tuple[str, Column[Any]]],
    create: Creation,
    tasks: Sequence[Task[Any]],
    tx: Transaction,
) -> Sequence[Done | DomainError]:
    """Create those of which every id that they give stands in its column; `NotFound` for the others.

    `fields` gives what each field names, and the column that must have it.
    """
    refused: dict[UUID, DomainError] = {}
    for field, (kind, column) in fields.items():
        named = {getattr(task.command, field) for task in tasks} - {None}
        strange = named - there(tx.connection, column, named)
        for task in tasks:
            id_ = getattr(task.command, field)
            if id_ in strange:
                refused.setdefault(task.audit_id, unknown(kind, id_, field))
    created = iter(create([task for task in tasks if task.audit_id not in refused], tx))
    return [refused[task.audit_id] if task.audit_id in refused else next(created) for task in tasks]


def register(registry: Registry) -> None:
    """Add the commands for places and channels."""
    registry.register(Registration(CreateLocation, create_locations))
    registry.register(Registration(CreateChannel, create_channels))
