"""Restricted products: set or lift a restriction."""

from __future__ import annotations

from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from erp_core.gate.contract import Command, Done, Event, Registration, Registry, Task, Transaction, each
from erp_core.master.commands.records import existing, unknown
from erp_core.master.model import channels, items, locations, sale_restrictions
from erp_core.master.values import Country, Name
from erp_core.storage.bulk import upsert_replace

Most = Annotated[int, Field(ge=1, le=10**9)]


class SetSaleRestriction(Command):
    """Restrict an item or a category. Governed. Without a most it is forbidden; `active` False lifts it.

    It holds for this channel, country of the customer and location, where they are given.
    """

    restriction_id: UUID
    restriction_name: Name
    item_id: UUID | None = None
    category: str | None = Field(default=None, min_length=1, max_length=80)
    channel_id: UUID | None = None
    country: Country | None = None
    location_id: UUID | None = None
    most_per_order: Most | None = None
    most_per_day: Most | None = None
    active: bool = True

    @property
    def subject(self) -> tuple[str, UUID]:
        """The restriction."""
        return ("sale_restriction", self.restriction_id)

    @model_validator(mode="after")
    def _one_product(self) -> Self:
        if (self.item_id is None) == (self.category is None):
            raise ValueError("a restriction is for an item or for a category: give exactly one of them")
        return self


def set_restriction(task: Task[SetSaleRestriction], tx: Transaction) -> Done:
    """Write the restriction; what it names must be there."""
    command = task.command
    for table, kind, id_ in (
        (items, "item", command.item_id),
        (channels, "channel", command.channel_id),
        (locations, "location", command.location_id),
    ):
        if id_ is not None and not existing(tx, table, [id_]):
            raise unknown(kind, id_)
    values = command.model_dump(exclude={"occurred_at", "restriction_id", "restriction_name"})
    row = {"id": command.restriction_id, "name": command.restriction_name, **values}
    before = existing(tx, sale_restrictions, [command.restriction_id]).get(command.restriction_id)
    replace = [name for name in row if name != "id"]
    upsert_replace(
        tx.connection, sale_restrictions, [row | {"audit_id": task.audit_id}], [*replace, "audit_id"]
    )
    shown = {name: str(value) for name, value in row.items() if value is not None}
    was = before and {name: str(before[name]) for name in row if before[name] is not None}
    event = Event("SaleRestrictionSet", "sale_restriction", command.restriction_id, 1, shown)
    return Done(
        result={"restriction_id": str(command.restriction_id)},
        events=() if before else (event,),
        before=was,
        after=shown,
    )


def register(registry: Registry) -> None:
    """Add the command."""
    registry.register(Registration(SetSaleRestriction, each(set_restriction), governed=True))
