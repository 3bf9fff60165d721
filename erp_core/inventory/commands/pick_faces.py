"""Forward pick: where an item is picked, and refilling that place from reserve in one step."""

from __future__ import annotations

from typing import Self
from uuid import UUID

from pydantic import model_validator
from sqlalchemy import select

from erp_core.gate.contract import (
    Command,
    DomainError,
    Done,
    Event,
    NotFound,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
)
from erp_core.inventory.checks import Items, check_items, check_places
from erp_core.inventory.ledger import Bucket, Ledger, Move
from erp_core.inventory.lots.book import LotBook
from erp_core.inventory.lots.rules import LotRequired
from erp_core.inventory.model import stock_moves
from erp_core.inventory.pick_faces.model import pick_faces
from erp_core.inventory.pick_faces.queries import refill_of
from erp_core.master.commands.records import AlreadyExists
from erp_core.master.values import Units
from erp_core.storage.bulk import upsert_replace
from erp_core.storage.locks import lock_names
from erp_core.storage.lookup import there


class SetPickFace(Command):
    """Pick an item at one place and refill that from another: below `minimum` units, up to `maximum`."""

    item_id: UUID
    location_id: UUID
    reserve_id: UUID
    minimum: Units
    maximum: Units

    @property
    def subject(self) -> tuple[str, UUID]:
        """The item."""
        return ("item", self.item_id)

    @model_validator(mode="after")
    def _levels(self) -> Self:
        if self.maximum < self.minimum:
            raise ValueError("maximum cannot be below minimum")
        if self.location_id == self.reserve_id:
            raise ValueError("reserve_id is another place than location_id")
        return self


class RefillPickFace(Command):
    """Carry what is due from reserve to the pick face. How much follows from what lies there, not from who asks.

    Of an item with lots the first to expire goes first, and what may not be sold stays.
    """

    refill_id: UUID
    item_id: UUID
    location_id: UUID

    @property
    def subject(self) -> tuple[str, UUID]:
        """The refill."""
        return ("refill", self.refill_id)


class NothingToRefill(DomainError):
    """The face has its minimum, or there is nothing in reserve."""

    code = "nothing_to_refill"


def set_pick_face(task: Task[SetPickFace], tx: Transaction) -> Done:
    """Write the face in the place of the one before."""
    command = task.command
    places = check_places(tx, [command.location_id, command.reserve_id])
    places.require(command.location_id)
    places.require(command.reserve_id, "reserve_id")
    _require_refillable(check_items(tx, [command.item_id]), command.item_id)
    row = command.model_dump(exclude={"occurred_at"}) | {"audit_id": task.audit_id}
    upsert_replace(tx.connection, pick_faces, [row], ["reserve_id", "minimum", "maximum", "audit_id"])
    return Done(after={"minimum": command.minimum, "maximum": command.maximum})


def refill_pick_face(task: Task[RefillPickFace], tx: Transaction) -> Done:
    """Move the units at once: the places are of one site, nothing is in transit between them."""
    command = task.command
    lock_names(tx.connection, [f"refill {command.refill_id}"])
    face = tx.connection.execute(
        select(pick_faces).where(
            pick_faces.c.item_id == command.item_id, pick_faces.c.location_id == command.location_id
        )
    ).one_or_none()
    if face is None:
        raise NotFound(
            "the item has no pick face there", field="location_id", remedy="set one first with SetPickFace"
        )
    ledger = Ledger.of(tx)
    ledger.flush()
    if there(tx.connection, stock_moves.c.document_id, [command.refill_id]):
        raise AlreadyExists(
            f"refill {command.refill_id} was posted before", field="refill_id", remedy="make a new id"
        )
    item_id, items, lots = command.item_id, check_items(tx, [command.item_id]), LotBook.of(tx)
    _require_refillable(items, item_id)
    lots.read_stock(items.tracking)
    ledger.load(lots.buckets(items.tracking))
    ledger.load(Bucket.of(item_id, place) for place in (face.reserve_id, command.location_id))
    lying = lots.promisable(item_id, command.location_id, task.occurred_on)
    spare = lots.promisable(item_id, face.reserve_id, task.occurred_on)
    due = refill_of(lying, face.minimum, face.maximum, spare)
    if due is None or not due[0]:
        reason = "the face has its minimum" if due is None else "there is nothing in reserve"
        raise NothingToRefill(
            f"{reason}: {lying} units there, {spare} in reserve",
            field="location_id",
            remedy="refill what the list of due refills names",
        )
    units, short = due
    ledger.post(
        [
            Move(
                "transfer",
                Bucket.of(item_id, face.reserve_id, "available", lot_id),
                Bucket.of(item_id, command.location_id, "available", lot_id),
                part,
                "refill",
                command.refill_id,
                task.occurred_at,
                task.audit_id,
            )
            for lot_id, part in lots.choose(item_id, face.reserve_id, units, task.occurred_on)
        ]
    )
    ledger.announce()
    told = {"units": units, "short": short}
    return Done(
        {"refill_id": str(command.refill_id), **told},
        (Event("PickFaceRefilled", "refill", command.refill_id, 1, told),),
        after={"there": lying + units},
    )


def _require_refillable(items: Items, item_id: UUID) -> None:
    items.require(item_id, lots=True)
    tracking = items.tracking.get(item_id)
    if tracking is not None and tracking.serials:
        raise LotRequired(
            f"each unit of {tracking.sku} has a serial number, which a refill does not name",
            field="item_id",
            remedy="carry them with TransferStock, by their numbers",
            item=tracking.sku,
        )


def register(registry: Registry) -> None:
    """Add the commands of forward pick."""
    registry.register(
        Registration(SetPickFace, each(set_pick_face), compensation="SetPickFace with the former levels")
    )
    registry.register(
        Registration(RefillPickFace, each(refill_pick_face), compensation="TransferStock back to reserve")
    )
