"""What is agreed about stock: how long it must last for a channel, and which system is right about whose stock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from erp_core.gate.contract import Command, DomainError, Done, Registration, Registry, Task, Transaction
from erp_core.inventory.checks import check_items, check_places
from erp_core.inventory.model import shelf_life_rules, stock_authorities
from erp_core.inventory.rules import NO_LOT
from erp_core.master.commands.records import unknown
from erp_core.master.model import channels
from erp_core.storage.bulk import upsert_replace
from erp_core.storage.lookup import there


class SetShelfLife(Command):
    """Promise a lot on a channel only while it lasts `minimum_days` yet; for one item, or for all without a rule."""

    channel_id: UUID
    item_id: UUID | None = None
    minimum_days: Annotated[int, Field(ge=0, le=3_650)]

    @property
    def subject(self) -> tuple[str, UUID]:
        """The channel."""
        return ("channel", self.channel_id)


class SetStockAuthority(Command):
    """Name the system whose count of an owner's stock at a location is believed. `ledger` is this one."""

    location_id: UUID
    owner: Literal["own", "consigned"] = "own"
    system: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.:-]{1,39}$")]

    @property
    def subject(self) -> tuple[str, UUID]:
        """The location."""
        return ("location", self.location_id)


def set_shelf_life(tasks: Sequence[Task[SetShelfLife]], tx: Transaction) -> Sequence[Done | DomainError]:
    """Write the rules; the last word on a channel and item counts."""
    known = there(tx.connection, channels.c.id, {task.command.channel_id for task in tasks})
    items = check_items(tx, {task.command.item_id for task in tasks if task.command.item_id is not None})
    outcomes: list[Done | DomainError] = []
    rows = {}
    for task in tasks:
        command = task.command
        try:
            if command.channel_id not in known:
                raise unknown("channel", command.channel_id)
            if command.item_id is not None:
                items.require(command.item_id, lots=True)
        except DomainError as error:
            outcomes.append(error)
            continue
        key = {"channel_id": command.channel_id, "item_id": command.item_id or NO_LOT}
        row = key | {"minimum_days": command.minimum_days, "audit_id": task.audit_id}
        rows[tuple(key.values())] = row
        told = {"channel_id": str(command.channel_id)}
        outcomes.append(Done(told, after={"minimum_days": command.minimum_days}))
    upsert_replace(tx.connection, shelf_life_rules, list(rows.values()), ["minimum_days", "audit_id"])
    return outcomes


def set_authorities(
    tasks: Sequence[Task[SetStockAuthority]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Write who is believed; the last word on a location and owner counts."""
    places = check_places(tx, {task.command.location_id for task in tasks})
    outcomes: list[Done | DomainError] = []
    rows = {}
    for task in tasks:
        command = task.command
        try:
            places.require(command.location_id)
        except DomainError as error:
            outcomes.append(error)
            continue
        row = command.model_dump(exclude={"occurred_at"}) | {"audit_id": task.audit_id}
        rows[command.location_id, command.owner] = row
        told = {"location_id": str(command.location_id), "owner": command.owner}
        outcomes.append(Done(told, after={"system": command.system}))
    upsert_replace(tx.connection, stock_authorities, list(rows.values()), ["system", "audit_id"])
    return outcomes


def register(registry: Registry) -> None:
    """Add the commands of terms."""
    registry.register(Registration(SetShelfLife, set_shelf_life))
    registry.register(Registration(SetStockAuthority, set_authorities))
