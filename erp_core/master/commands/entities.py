"""Legal entities, and places that are opened after the template of one that is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Table, literal, select

from erp_core.gate.contract import (
    Command,
    DomainError,
    Done,
    Facts,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
    facts_each,
)
from erp_core.master.commands.places import CreateLocation, create_locations
from erp_core.master.commands.records import Creation, existing, plain, renamed, unknown
from erp_core.master.model import channels, legal_entities, locations, planning_policies
from erp_core.master.model_fulfilment import carrier_cutoffs, channel_locations
from erp_core.master.queries.owners import owner_logins
from erp_core.master.values import Code, Country, Name
from erp_core.storage.bulk import update_rows
from erp_core.storage.types import Id


class CreateLegalEntity(Command):
    """A company in law that owns places or sells through channels."""

    legal_entity_id: UUID
    code: Code
    entity_name: Name
    country: Country

    @property
    def subject(self) -> tuple[str, UUID]:
        """The entity."""
        return ("legal_entity", self.legal_entity_id)


class AssignLegalEntity(Command):
    """Say which legal entity a place or a channel belongs to. Governed: all its figures count there then."""

    record: Literal["location", "channel"]
    record_id: UUID
    legal_entity_id: UUID

    @property
    def subject(self) -> tuple[str, UUID]:
        """The place or channel."""
        return (self.record, self.record_id)


class OpenLocation(Command):
    """A new place after the template of one that is there. Governed.

    It has the template's kind, country and legal entity, its pickups, the channels it serves and its planning
    policies. It begins without stock.
    """

    location_id: UUID
    code: Code
    location_name: Name
    like: UUID

    @property
    def subject(self) -> tuple[str, UUID]:
        """The new place."""
        return ("location", self.location_id)


create_legal_entities = Creation(
    legal_entities,
    "code",
    lambda task: renamed(
        task.command.model_dump(exclude={"occurred_at"}), legal_entity_id="id", entity_name="name"
    ),
)


def assign_legal_entity(task: Task[AssignLegalEntity], tx: Transaction) -> Done:
    """Write the entity of a record that is there."""
    command = task.command
    table = locations if command.record == "location" else channels
    row = existing(tx, table, [command.record_id]).get(command.record_id)
    if row is None:
        raise unknown(command.record, command.record_id, "record_id")
    if not existing(tx, legal_entities, [command.legal_entity_id]):
        raise unknown("legal entity", command.legal_entity_id, "legal_entity_id")
    update_rows(tx.connection, table, [{"id": row["id"], "legal_entity_id": command.legal_entity_id}])
    before = {"legal_entity_id": plain(row["legal_entity_id"])}
    return Done(
        {"record_id": str(row["id"])},
        before=before,
        after={"legal_entity_id": str(command.legal_entity_id)},
    )


def open_location(task: Task[OpenLocation], tx: Transaction) -> Done:
    """Make the place and copy what is set for its template."""
    command = task.command
    template = existing(tx, locations, [command.like]).get(command.like)
    if template is None or not template["physical"]:
        raise unknown("location", command.like, "like")
    creation = CreateLocation(
        location_id=command.location_id,
        code=command.code,
        location_name=command.location_name,
        kind=template["kind"],
        country=template["country"],
        legal_entity_id=template["legal_entity_id"],
    )
    (outcome,) = create_locations([Task(creation, task.principal, task.occurred_at, task.audit_id)], tx)
    if isinstance(outcome, DomainError):
        raise outcome
    copied = {
        str(table.name): _copy(tx.connection, table, task, command)
        for table in (carrier_cutoffs, channel_locations, planning_policies)
    }
    after = {"code": command.code, "like": template["code"], "copied": copied}
    return Done({"location_id": str(command.location_id), "copied": copied}, after=after)


def _copy(connection: Connection, table: Table, task: Task[OpenLocation], command: OpenLocation) -> int:
    """The template's rows once more, for the new place."""
    own: dict[str, ColumnElement[object]] = {
        "location_id": literal(command.location_id, Id),
        "audit_id": literal(task.audit_id, Id),
    }
    rows = select(*(own.get(column.name, column) for column in table.c)).where(
        table.c.location_id == command.like
    )
    return connection.execute(table.insert().from_select([column.name for column in table.c], rows)).rowcount


def location_owner(command: OpenLocation, preceding: Sequence[Command], connection: Connection) -> Facts:
    """Who owns the data of places."""
    return {"domain_owner": owner_logins(connection, "locations", [command.like])[command.like]}


def register(registry: Registry) -> None:
    """Add the commands."""
    registry.register(Registration(CreateLegalEntity, create_legal_entities))
    registry.register(Registration(AssignLegalEntity, each(assign_legal_entity), governed=True))
    registry.register(
        Registration(OpenLocation, each(open_location), governed=True, facts=facts_each(location_owner))
    )
