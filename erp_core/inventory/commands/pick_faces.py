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
from erp_core.inventory.checks import check_items, check_places
from erp_core.inventory.ledger import Bucket, Ledger, Move
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
    """Carry what is due from reserve to the pick face. How much follows from what lies there, not from who asks."""

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
    check_items(tx, [command.item_id]).require(command.item_id)
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
    check_items(tx, [command.item_id]).require(command.item_id)
    source, target = (
        Bucket.of(command.item_id, face.reserve_id),
        Bucket.of(command.item_id, command.location_id),
    )
    ledger.load([source, target])
    due = refill_of(ledger.quantity(target), face.minimum, face.maximum, ledger.quantity(source))
    if due is None or not due[0]:
        reason = "the face has its minimum" if due is None else "there is nothing in reserve"
        raise NothingToRefill(
            f"{reason}: {ledger.quantity(target)} units there, {ledger.quantity(source)} in reserve",
            field="location_id",
            remedy="refill what the list of due refills names",
        )
    units, short = due
    ledger.post(
        [
            Move(
                "transfer",
                source,
                target,
                units,
                "refill",
                command.refill_id,
                task.occurred_at,
                task.audit_id,
            )
        ]
    )
    ledger.announce()
    told = {"units": units, "short": short}
    return Done(
        {"refill_id": str(command.refill_id), **told},
        (Event("PickFaceRefilled", "refill", command.refill_id, 1, told),),
        after={"there": ledger.quantity(target)},
    )


def register(registry: Registry) -> None:
    """Add the commands of forward pick."""
    registry.register(
        Registration(SetPickFace, each(set_pick_face), compensation="SetPickFace with the former levels")
    )
    registry.register(
        Registration(RefillPickFace, each(refill_pick_face), compensation="TransferStock back to reserve")
    )
