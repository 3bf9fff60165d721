"""Holding stock back and deciding what becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Connection, func, select, update

from erp_core.gate.contract import (
    Command,
    Done,
    Event,
    Facts,
    NotFound,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
    facts_each,
)
from erp_core.gate.statuses import require_step
from erp_core.inventory.checks import check_items, check_places
from erp_core.inventory.ledger import Bucket, Ledger
from erp_core.inventory.lots.book import LotBook
from erp_core.inventory.lots.freezing import Frozen, freeze, set_status, with_units
from erp_core.inventory.lots.held_units import units_of
from erp_core.inventory.lots.queries import sellable_after
from erp_core.inventory.lots.rules import (
    EXPIRED,
    HELD,
    HOLD_REASONS,
    HOLD_STEPS,
    LOT_STEPS,
    RECALLED,
    RELEASED,
    Lot,
    LotCode,
    LotHeld,
    LotRequired,
    Named,
)
from erp_core.inventory.model import lots, quality_holds
from erp_core.inventory.rules import NO_LOT, Move, State
from erp_core.master.commands.records import AlreadyExists
from erp_core.master.queries.reasons import Reasons
from erp_core.master.values import Comment, ReasonCode, Units

HoldKind = Literal["quality", "recall", "expiry"]
_STATUS: dict[HoldKind, str | None] = {"quality": HELD, "recall": RECALLED, "expiry": None}


class HoldStock(Command):
    """Keep stock from being promised until somebody decides: it is quarantined, visible and not available.

    With a lot code or serial number and no place the whole lot is held, wherever it is and whatever comes in of it:
    what was reserved of it is given back. With a place, `quantity` available units there.
    """

    hold_id: UUID
    item_id: UUID
    reason_code: ReasonCode
    lot_code: LotCode | None = None
    serial: LotCode | None = None
    location_id: UUID | None = None
    quantity: Units | None = None
    comment: Comment | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The hold."""
        return ("hold", self.hold_id)


class ReleaseHold(Command):
    """Decide about held stock: `release` makes it available again, `reject` takes it to the damaged. Governed.

    A lot that another hold is still open for stays held, and one whose last day is over is not released.
    """

    hold_id: UUID
    decision: Literal["release", "reject"]
    comment: Comment | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The hold."""
        return ("hold", self.hold_id)


class QuarantineExpired(Command):
    """Take lots whose last day is over out of what can be sold, as of `occurred_at`."""

    limit: int = 1_000


def hold_stock(task: Task[HoldStock], tx: Transaction) -> Done:
    """Hold a lot everywhere, or units at one place."""
    command = task.command
    Reasons.of(tx).require(HOLD_REASONS, command.reason_code)
    items = check_items(tx, [command.item_id])
    items.require(command.item_id, lots=True)
    tracked = command.item_id in items.tracking
    lot = find_lot(tx, command.item_id, command.lot_code, command.serial) if tracked else None
    if command.location_id is None:
        if lot is None:
            raise LotRequired(
                "an item without lots is held at a place",
                field="location_id",
                remedy="give the place and the number of units",
            )
        frozen = hold_lot(tx, task, lot, "quality", command.hold_id, command.reason_code, command.comment)
        return _held(task, command.hold_id, sum(frozen.units.values()), len(frozen.released))
    check_places(tx, [command.location_id]).require(command.location_id)
    if command.quantity is None:
        raise LotRequired(
            "part of the stock is held by its units",
            field="quantity",
            remedy="give the number of units, or leave the place out to hold the whole lot",
        )
    lot_id = NO_LOT if lot is None else lot.id
    _open(
        tx,
        task,
        command.hold_id,
        "quality",
        command.item_id,
        lot_id,
        command.location_id,
        command.reason_code,
    )
    source = Bucket.of(command.item_id, command.location_id, "available", lot_id)
    target = Bucket.of(command.item_id, command.location_id, "quarantined", lot_id)
    Ledger.of(tx).post([_move(task, command.hold_id, source, target, command.quantity, command.reason_code)])
    return _held(task, command.hold_id, command.quantity, 0)


def find_lot(tx: Transaction, item_id: UUID, lot_code: str | None, serial: str | None) -> Lot:
    """The lot or numbered unit of a tracked item. Raises `LotRequired` or `NotFound`."""
    code = serial or lot_code
    if code is None:
        raise LotRequired(
            "the item is tracked by lot or serial number",
            field="lot_code",
            remedy="give the lot code or the serial number",
        )
    named = Named(item_id, code, serial is not None, None, None, 1)
    ((lot, _),) = LotBook.of(tx).find([named], field="serial" if serial else "lot_code")
    return lot


def hold_lot(
    tx: Transaction,
    task: Task[Any],
    lot: Lot,
    kind: HoldKind,
    hold_id: UUID,
    reason: str,
    comment: str | None = None,
) -> Frozen:
    """Open a hold of a whole lot, with its numbered units, and freeze what is left of it."""
    _open(tx, task, hold_id, kind, lot.item_id, lot.id, None, reason, comment)
    lot_ids = with_units(tx, lot.id)
    status = _STATUS[kind]
    if kind == "quality" and lot.status == RECALLED:
        status = RECALLED
    if status is not None and status != lot.status:
        require_step(LOT_STEPS, lot.status, status, f"lot {lot.code}")
    return freeze(tx, dict.fromkeys(lot_ids, hold_id), reason, task.occurred_at, task.audit_id, status)


def _open(
    tx: Transaction,
    task: Task[Any],
    hold_id: UUID,
    kind: HoldKind,
    item_id: UUID,
    lot_id: UUID,
    location_id: UUID | None,
    reason: str,
    comment: str | None = None,
) -> None:
    if _find(tx.connection, hold_id) is not None:
        raise AlreadyExists(f"hold {hold_id} is there already", field="hold_id", remedy="make a new id")
    tx.connection.execute(
        quality_holds.insert().values(
            id=hold_id,
            kind=kind,
            item_id=item_id,
            lot_id=lot_id,
            location_id=location_id,
            reason=reason,
            comment=comment,
            status="open",
            opened_at=task.occurred_at,
            audit_id=task.audit_id,
        )
    )


def _held(task: Task[Any], hold_id: UUID, units: int, documents: int) -> Done:
    told = {"hold_id": str(hold_id), "units": units, "documents_released": documents}
    return Done(
        told, (Event("StockHeld", "hold", hold_id, 1, told),), after={"status": "open", "units": units}
    )


def release_hold(task: Task[ReleaseHold], tx: Transaction) -> Done:
    """Move what is held to available or to damaged, and close the hold."""
    command = task.command
    hold = _require(tx.connection, command.hold_id)
    to = "released" if command.decision == "release" else "rejected"
    require_step(HOLD_STEPS, hold.status, to, "the hold")
    lot = LotBook.of(tx).get(hold.lot_id) if hold.lot_id != NO_LOT else None
    tx.flush()
    buckets = units_of(tx.connection, hold)
    if command.decision == "release" and lot is not None:
        _require_releasable(tx, hold, lot, task)
    tx.connection.execute(
        update(quality_holds)
        .where(quality_holds.c.id == command.hold_id)
        .values(status=to, decided_at=task.occurred_at)
    )
    if command.decision == "release" and lot is not None and hold.location_id is None:
        if lot.status != RELEASED:
            require_step(LOT_STEPS, lot.status, RELEASED, f"lot {lot.code}")
        set_status(tx, with_units(tx, lot.id), RELEASED)
    state: State = "available" if command.decision == "release" else "damaged"
    ledger = Ledger.of(tx)
    ledger.post(
        [
            _move(
                task,
                command.hold_id,
                Bucket.of(item_id, place, "quarantined", lot_id),
                Bucket.of(item_id, place, state, lot_id),
                units,
                hold.reason,
            )
            for (item_id, place, lot_id), units in buckets.items()
            if units
        ]
    )
    ledger.announce()
    units = sum(buckets.values())
    told = {"hold_id": str(command.hold_id), "decision": command.decision, "units": units}
    return Done(
        told,
        (Event("HoldDecided", "hold", command.hold_id, 2, told),),
        before={"status": hold.status},
        after={"status": to, "units": units},
    )


def _require_releasable(tx: Transaction, hold: Any, lot: Lot, task: Task[ReleaseHold]) -> None:
    if lot.expired(task.occurred_on):
        raise LotHeld(
            f"lot {lot.code} expired on {lot.expires_on}",
            field="decision",
            remedy="reject it, and write it off",
            lot=lot.code,
            expires_on=lot.expires_on,
        )
    others = tx.connection.scalar(
        select(func.count())
        .select_from(quality_holds)
        .where(
            quality_holds.c.lot_id.in_({lot.id, lot.batch_id} - {None}),
            quality_holds.c.location_id.is_(None),
            quality_holds.c.status != "released",
            quality_holds.c.id != hold.id,
        )
    )
    if others:
        raise LotHeld(
            f"lot {lot.code} is held for another reason too",
            field="hold_id",
            remedy="decide about the other holds of the lot first",
            lot=lot.code,
        )


def _find(connection: Connection, hold_id: UUID) -> Any:
    return connection.execute(select(quality_holds).where(quality_holds.c.id == hold_id)).one_or_none()


def _require(connection: Connection, hold_id: UUID) -> Any:
    hold = _find(connection, hold_id)
    if hold is None:
        raise NotFound(f"there is no hold {hold_id}", field="hold_id", remedy="list the holds that are open")
    return hold


def release_facts(command: ReleaseHold, preceding: Sequence[Command], connection: Connection) -> Facts:
    """What the policy weighs: the units that become available, and why they were held."""
    hold = _require(connection, command.hold_id)
    return {"units": sum(units_of(connection, hold).values()), "reason": hold.reason}


def quarantine_expired(task: Task[QuarantineExpired], tx: Transaction) -> Done:
    """Open a hold for each lot that is over and still can be sold, and freeze it."""
    tx.flush()
    over = tx.connection.execute(
        select(lots.c.id, lots.c.item_id)
        .where(sellable_after(task.occurred_on))
        .order_by(lots.c.id)
        .limit(task.command.limit)
    ).all()
    holds = {row.id: tx.new_id() for row in over}
    for row in over:
        _open(tx, task, holds[row.id], "expiry", row.item_id, row.id, None, EXPIRED)
    units = 0
    if holds:
        frozen = freeze(tx, holds, EXPIRED, task.occurred_at, task.audit_id)
        units = sum(frozen.units.values())
    return Done({"lots": len(holds), "units": units})


def _move(task: Task[Any], hold_id: UUID, source: Bucket, target: Bucket, units: int, reason: str) -> Move:
    return Move("hold", source, target, units, "hold", hold_id, task.occurred_at, task.audit_id, reason)


def register(registry: Registry) -> None:
    """Add the commands of holds."""
    registry.register(Registration(HoldStock, each(hold_stock), compensation="ReleaseHold"))
    registry.register(
        Registration(
            ReleaseHold,
            each(release_hold),
            governed=True,
            facts=facts_each(release_facts),
            compensation="HoldStock again",
        )
    )
    registry.register(Registration(QuarantineExpired, each(quarantine_expired)))
