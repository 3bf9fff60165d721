"""Directed putaway: rules of where goods go, and carrying them there."""

from __future__ import annotations

from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator
from sqlalchemy import select

from erp_core.gate.contract import (
    Command,
    DomainError,
    Done,
    Event,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
)
from erp_core.inventory.checks import check_items, check_places
from erp_core.inventory.ledger import Bucket, Ledger, Move
from erp_core.inventory.lots.book import LotBook
from erp_core.inventory.lots.rules import LotFields, named_lots
from erp_core.inventory.model import stock_moves
from erp_core.inventory.putaway.model import putaway_rules
from erp_core.inventory.putaway.queries import putaway_advice
from erp_core.inventory.rules import NO_LOT
from erp_core.inventory.scanning import require_location
from erp_core.master.commands.records import AlreadyExists
from erp_core.master.model import locations
from erp_core.master.queries.reasons import Reasons
from erp_core.master.values import Code, ReasonCode, Units
from erp_core.storage.bulk import upsert_replace
from erp_core.storage.locks import lock_names
from erp_core.storage.lookup import there

OVERRIDE = "putaway_override"


class SetPutawayRule(Command):
    """Keep goods that arrive at a site in one of its zones or bins: an item, a category, a class, what expires soon.

    The rule with the lowest `priority` that fits and has room decides; a pick face below its minimum goes before all.
    `capacity` are units of all items together. `active` False ends the rule.
    """

    rule_id: UUID
    site_id: UUID
    location_id: UUID
    priority: Annotated[int, Field(ge=1, le=999)] = 100
    item_id: UUID | None = None
    category: Annotated[str, Field(min_length=1, max_length=80)] | None = None
    abc_class: Annotated[str, Field(pattern="^[ABC]$")] | None = None
    expires_within_days: Annotated[int, Field(ge=0, le=3_650)] | None = None
    capacity: Units | None = None
    active: bool = True

    @property
    def subject(self) -> tuple[str, UUID]:
        """The rule."""
        return ("putaway_rule", self.rule_id)

    @model_validator(mode="after")
    def _two_places(self) -> Self:
        if self.site_id == self.location_id:
            raise ValueError("location_id is a zone or bin within site_id")
        return self


class PutAway(LotFields, Command):
    """Carry goods from where they were received to a zone or bin of the site, which was scanned there.

    Another place than the one advised needs an `override_reason`. Units of an item with lots name theirs.
    """

    putaway_id: UUID
    item_id: UUID
    site_id: UUID
    location_id: UUID
    quantity: Units
    scanned_location: Code = Field(description="the label of the place, as scanned")
    override_reason: ReasonCode | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The putaway."""
        return ("putaway", self.putaway_id)


class NotWithinSite(DomainError):
    """The place is no zone or bin of the site."""

    code = "not_within_site"


class PutAwayElsewhere(DomainError):
    """The rules say another place."""

    code = "put_away_elsewhere"


def set_putaway_rule(task: Task[SetPutawayRule], tx: Transaction) -> Done:
    """Write the rule in the place of the one before."""
    command = task.command
    places = check_places(tx, [command.site_id, command.location_id])
    places.require(command.site_id, "site_id")
    places.require(command.location_id)
    _code_within(tx, command.site_id, command.location_id)
    if command.item_id is not None:
        check_items(tx, [command.item_id]).require(command.item_id, lots=True)
    row = command.model_dump(exclude={"occurred_at", "rule_id"}) | {
        "id": command.rule_id,
        "audit_id": task.audit_id,
    }
    upsert_replace(tx.connection, putaway_rules, [row], [name for name in row if name != "id"])
    return Done(after=command.model_dump(mode="json", exclude={"occurred_at"}))


def put_away(task: Task[PutAway], tx: Transaction) -> Done:
    """Move the units at once: the places are of one site, nothing is in transit between them."""
    command = task.command
    lock_names(tx.connection, [f"putaway {command.putaway_id}"])
    items = check_items(tx, [command.item_id])
    items.require(command.item_id, lots=True)
    check_places(tx, [command.site_id]).require(command.site_id, "site_id")
    require_location(command.scanned_location, _code_within(tx, command.site_id, command.location_id))
    tx.flush()
    if there(tx.connection, stock_moves.c.document_id, [command.putaway_id]):
        raise AlreadyExists(
            f"putaway {command.putaway_id} was posted before", field="putaway_id", remedy="make a new id"
        )
    lots, tracking = LotBook.of(tx), items.tracking.get(command.item_id)
    named = named_lots(command.item_id, tracking, command.quantity, command, field="", arriving=False)
    parts = [(lot.id, units) for lot, units in lots.find(named)] if named else [(NO_LOT, command.quantity)]
    reason = _require_advised(task, tx, {lot_id for lot_id, _ in parts})
    Ledger.of(tx).post(
        [
            Move(
                "transfer",
                Bucket.of(command.item_id, command.site_id, "available", lot_id),
                Bucket.of(command.item_id, command.location_id, "available", lot_id),
                units,
                "putaway",
                command.putaway_id,
                task.occurred_at,
                task.audit_id,
                command.override_reason,
            )
            for lot_id, units in parts
        ]
    )
    told = {"units": command.quantity, "location_id": str(command.location_id), "because": reason}
    event = Event("GoodsPutAway", "putaway", command.putaway_id, 1, told)
    return Done({"putaway_id": str(command.putaway_id), **told}, (event,), after=told)


def _require_advised(task: Task[PutAway], tx: Transaction, lot_ids: set[UUID]) -> str | None:
    """Why the goods go there. Raises `PutAwayElsewhere` where no advice says so and no reason is given."""
    command = task.command
    if command.override_reason is not None:
        Reasons.of(tx).require(OVERRIDE, command.override_reason, field="override_reason")
        return command.override_reason
    advice = putaway_advice(tx.connection, command.site_id, task.occurred_on, [command.item_id])
    mine = [one for one in advice if one.lot_id in lot_ids and one.location_id is not None]
    said = [one for one in mine if one.location_id == command.location_id]
    if mine and sum(one.units for one in said) < command.quantity:
        raise PutAwayElsewhere(
            f"of these {sum(one.units for one in said)} units belong there",
            field="location_id",
            remedy="take them where the advice says, or give an override_reason",
            advised={str(one.location_id): one.units for one in mine},
        )
    return said[0].reason if said else None


def _code_within(tx: Transaction, site_id: UUID, location_id: UUID) -> str:
    """The code of a zone or bin of the site. Raises `NotWithinSite`."""
    around = locations.alias("around")
    row = tx.connection.execute(
        select(locations.c.code, locations.c.within_id, around.c.within_id.label("site"))
        .outerjoin(around, around.c.id == locations.c.within_id)
        .where(locations.c.id == location_id)
    ).one_or_none()
    if row is None or site_id not in (row.within_id, row.site):
        raise NotWithinSite(
            "the place is no zone or bin of the site",
            field="location_id",
            remedy="choose one within it, or transfer the stock to another site",
        )
    return str(row.code)


def register(registry: Registry) -> None:
    """Add the commands of putaway."""
    registry.register(
        Registration(SetPutawayRule, each(set_putaway_rule), compensation="SetPutawayRule as it was before")
    )
    registry.register(Registration(PutAway, each(put_away), compensation="TransferStock back"))
