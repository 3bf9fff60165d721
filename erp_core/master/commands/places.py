"""Locations, channels and planning policies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import select

from erp_core.gate.contract import Command, DomainError, Done, Registration, Registry, Task, Transaction
from erp_core.master.commands.ownership import RuleSource
from erp_core.master.commands.records import Creation, existing, renamed, unknown
from erp_core.master.model import channels, items, legal_entities, locations, planning_policies
from erp_core.master.queries.ownership import ownership_of
from erp_core.master.rules.ownership import owned_elsewhere
from erp_core.master.values import Code, Country, Name
from erp_core.master.virtual import ensure_virtual_locations
from erp_core.storage.bulk import upsert_replace
from erp_core.storage.lookup import fetch_in, there

ServiceLevel = Annotated[str, Field(pattern=r"^0\.\d{1,4}$")]
"""A share between 0.5 and 1, as decimal text."""


class CreateLocation(Command):
    """A place that holds stock. The virtual locations come with the first one."""

    location_id: UUID
    code: Code
    location_name: Name
    kind: Literal["warehouse", "store", "third_party"] = "warehouse"
    country: Country | None = None
    legal_entity_id: UUID | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The location."""
        return ("location", self.location_id)


class CreateChannel(Command):
    """A way customers order. A lower `priority` is served first when stock is short."""

    channel_id: UUID
    code: Code
    channel_name: Name
    kind: Literal["web", "marketplace", "store", "wholesale", "b2b"]
    priority: Annotated[int, Field(ge=1, le=99)] = 10
    legal_entity_id: UUID | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The channel."""
        return ("channel", self.channel_id)


class SetPlanningPolicy(Command):
    """How well an item is to be served at a location, and how often it is reviewed.

    `service_level` is a share between 0.5 and 1, as decimal text.
    """

    item_id: UUID
    location_id: UUID
    service_level: ServiceLevel
    review_days: Annotated[int, Field(ge=1, le=365)] = 7
    source: RuleSource = "manual"

    @property
    def subject(self) -> tuple[str, UUID]:
        """The item."""
        return ("item", self.item_id)


class ServiceLevelOutOfRange(DomainError):
    """No stock serves every demand, and half of it is no policy."""

    code = "service_level_out_of_range"


def out_of_range(level: str) -> ServiceLevelOutOfRange | None:
    """The refusal of a level that cannot be planned for; None for one that can."""
    if 0.5 < float(level) < 1:
        return None
    return ServiceLevelOutOfRange(
        f"a service level of {level} cannot be planned for",
        field="service_level",
        remedy="choose one above 0.5 and below 1, such as 0.95",
    )


def _new_location(task: Task[CreateLocation]) -> dict[str, Any]:
    fields = renamed(task.command.model_dump(exclude={"occurred_at"}), location_id="id", location_name="name")
    return fields | {"physical": True}


_insert_locations = Creation(locations, "code", _new_location)


def create_locations(tasks: Sequence[Task[CreateLocation]], tx: Transaction) -> Sequence[Done | DomainError]:
    """Make the locations, and the virtual ones before the first."""
    ensure_virtual_locations(tx, tasks[0].audit_id)
    return of_known_entities(_insert_locations, tasks, tx)


def _new_channel(task: Task[CreateChannel]) -> dict[str, Any]:
    return renamed(task.command.model_dump(exclude={"occurred_at"}), channel_id="id", channel_name="name")


_insert_channels = Creation(channels, "code", _new_channel)


def create_channels(tasks: Sequence[Task[CreateChannel]], tx: Transaction) -> Sequence[Done | DomainError]:
    """Make the channels."""
    return of_known_entities(_insert_channels, tasks, tx)


def of_known_entities(
    create: Creation, tasks: Sequence[Task[Any]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Create those whose legal entity, where they name one, is there; `NotFound` for the others."""
    named = {task.command.legal_entity_id for task in tasks} - {None}
    strange = named - there(tx.connection, legal_entities.c.id, named)
    created = iter(create([task for task in tasks if task.command.legal_entity_id not in strange], tx))
    return [
        unknown("legal entity", task.command.legal_entity_id, "legal_entity_id")
        if task.command.legal_entity_id in strange
        else next(created)
        for task in tasks
    ]


def set_planning_policies(
    tasks: Sequence[Task[SetPlanningPolicy]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Write policies per item and location; the last word on a pair counts."""
    known_items = existing(tx, items, (task.command.item_id for task in tasks))
    known_locations = existing(tx, locations, (task.command.location_id for task in tasks))
    ownership = ownership_of(tx.connection, "planning_policy")
    set_by = _set_by(tx, (task.command.item_id for task in tasks))
    outcomes: list[Done | DomainError] = []
    rows: dict[tuple[UUID, UUID], dict[str, Any]] = {}
    for task in tasks:
        command = task.command
        pair = (command.item_id, command.location_id)
        if command.item_id not in known_items:
            outcomes.append(unknown("item", command.item_id))
        elif not known_locations.get(command.location_id, {}).get("physical"):
            outcomes.append(unknown("location", command.location_id))
        elif (refusal := out_of_range(command.service_level)) is not None:
            outcomes.append(refusal)
        elif (
            why := ownership.why(command.source, owner := ownership.owner_of(*pair, set_by.get(pair)))
        ) is None:
            assert owner is not None
            sku = known_items[command.item_id]["sku"]
            outcomes.append(owned_elsewhere("planning_policy", command.source, owner, sku))
        else:
            set_by[pair] = command.source
            rows[pair] = {
                "item_id": command.item_id,
                "location_id": command.location_id,
                "service_level": float(command.service_level),
                "review_days": command.review_days,
                "source": command.source,
                "source_reason": why,
                "audit_id": task.audit_id,
            }
            after = {"service_level": command.service_level, "review_days": command.review_days}
            outcomes.append(Done({"item_id": str(command.item_id)}, after=after))
    replace = ["service_level", "review_days", "source", "source_reason", "audit_id"]
    upsert_replace(tx.connection, planning_policies, list(rows.values()), replace)
    return outcomes


def _set_by(tx: Transaction, item_ids: Iterable[UUID]) -> dict[tuple[UUID, UUID], str]:
    table = planning_policies
    statement = select(table.c.item_id, table.c.location_id, table.c.source)
    rows = fetch_in(tx.connection, statement, table.c.item_id, item_ids)
    return {(item_id, location_id): source for item_id, location_id, source in rows}


def register(registry: Registry) -> None:
    """Add the commands for places and policies."""
    registry.register(Registration(CreateLocation, create_locations))
    registry.register(Registration(CreateChannel, create_channels))
    registry.register(Registration(SetPlanningPolicy, set_planning_policies))
