"""Putting kits together and taking them apart. Units and value of the components go over, none is lost or made."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

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
from erp_core.inventory.checks import Items, check_items, check_places
from erp_core.inventory.events import StockConverted
from erp_core.inventory.ledger import Ledger
from erp_core.inventory.lots.rules import LotRequired
from erp_core.inventory.model import stock_moves
from erp_core.inventory.rules import VIRTUAL, Bucket, Move
from erp_core.master.commands.records import AlreadyExists
from erp_core.master.queries.kits import components_of
from erp_core.master.values import Units
from erp_core.master.virtual import KIT_ASSEMBLY
from erp_core.storage.lookup import there


class _Kitting(Command):
    kitting_id: UUID
    kit_item_id: UUID
    location_id: UUID
    quantity: Units

    @property
    def subject(self) -> tuple[str, UUID]:
        """The kitting."""
        return ("kitting", self.kitting_id)


class AssembleKits(_Kitting):
    """Put `quantity` kits together from available components: components out, kits in, all or none."""


class DisassembleKits(_Kitting):
    """Take `quantity` available kits apart: kits out, components in by the kit as it is defined now."""


class NotAssembled(DomainError):
    """The item is not put together here: no kit, or one that is sold from its parts."""

    code = "not_assembled"


def assemble_kits(task: Task[AssembleKits], tx: Transaction) -> Done:
    """Move the components of the kits away and the kits in."""
    return _convert(task, tx, assembling=True)


def disassemble_kits(task: Task[DisassembleKits], tx: Transaction) -> Done:
    """Move the kits away and their components in."""
    return _convert(task, tx, assembling=False)


def _convert(task: Task[AssembleKits] | Task[DisassembleKits], tx: Transaction, *, assembling: bool) -> Done:
    command = task.command
    kit = (command.kit_item_id, command.quantity)
    components = components_of(tx.connection, [command.kit_item_id]).get(command.kit_item_id, ())
    items = check_items(tx, [command.kit_item_id, *(one.item_id for one in components)])
    check_places(tx, [command.location_id]).require(command.location_id)
    for item_id in (command.kit_item_id, *(one.item_id for one in components)):
        _require_untracked(items, item_id)
    items.require(command.kit_item_id, "kit_item_id")
    if not components:
        raise NotAssembled("the item is no kit", field="kit_item_id", remedy="define its components first")
    ledger = Ledger.of(tx)
    ledger.flush()
    if there(tx.connection, stock_moves.c.document_id, [command.kitting_id]):
        raise AlreadyExists(
            f"kitting {command.kitting_id} was posted before",
            field="kitting_id",
            remedy="make a new id for a new kitting",
        )
    parts = [(one.item_id, one.quantity * command.quantity) for one in components]
    consumed, made = (parts, [kit]) if assembling else ([kit], parts)
    converted = StockConverted(
        tuple(consumed),
        tuple(made),
        "kitting",
        command.kitting_id,
        task.occurred_at,
        task.audit_id,
    )
    ledger.load(Bucket.of(item_id, command.location_id) for item_id, _ in (*consumed, *made))
    ledger.require(list(_moves(consumed, task, out=True)))
    tx.publish(converted)
    ledger.post([*_moves(consumed, task, out=True), *_moves(made, task, out=False)])
    ledger.announce()
    told = {"kit_item_id": str(command.kit_item_id), "units": command.quantity}
    kind = "KitsAssembled" if assembling else "KitsDisassembled"
    after = ledger.quantity(Bucket.of(command.kit_item_id, command.location_id))
    before = after - command.quantity if assembling else after + command.quantity
    return Done(
        {"kitting_id": str(command.kitting_id), "units": command.quantity},
        (Event(kind, "kitting", command.kitting_id, 1, told),),
        before={"quantity": before},
        after={"quantity": after},
    )


def _require_untracked(items: Items, item_id: UUID) -> None:
    """In a kit that was put together ahead nobody could follow a lot to its customers, which a recall must."""
    tracking = items.tracking.get(item_id)
    if tracking is not None:
        raise LotRequired(
            f"{tracking.sku} is tracked by lot or serial number, which is lost in an assembled kit",
            field="kit_item_id",
            remedy="define it as a kit of parts: its components are picked by lot with each order",
            item=tracking.sku,
        )


def _moves(
    units: Iterable[tuple[UUID, int]], task: Task[AssembleKits] | Task[DisassembleKits], *, out: bool
) -> Iterable[Move]:
    command = task.command
    for item_id, quantity in units:
        here, away = Bucket.of(item_id, command.location_id), Bucket.of(item_id, KIT_ASSEMBLY, VIRTUAL)
        source, target = (here, away) if out else (away, here)
        yield Move(
            "kitting",
            source,
            target,
            quantity,
            "kitting",
            command.kitting_id,
            task.occurred_at,
            task.audit_id,
        )


def register(registry: Registry) -> None:
    """Add the kitting commands."""
    registry.register(Registration(AssembleKits, each(assemble_kits), compensation="DisassembleKits"))
    registry.register(Registration(DisassembleKits, each(disassemble_kits), compensation="AssembleKits"))
