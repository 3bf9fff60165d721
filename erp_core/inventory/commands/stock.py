"""Opening stock, adjustments, and reservations that run out."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import Connection, select

from erp_core.gate.contract import (
    Asked,
    Command,
    DomainError,
    Done,
    Duty,
    Event,
    Facts,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
)
from erp_core.gate.policies.unasked import Unasked, unasked_since
from erp_core.inventory.checks import Items, check_items, check_places, load_known
from erp_core.inventory.events import ChangeKind, ReservationsExpired, StockChange, StockChanged
from erp_core.inventory.ledger import Ledger
from erp_core.inventory.lots.book import LotBook, Source
from erp_core.inventory.lots.rules import LotFields, Named, Tracking, named_lots
from erp_core.inventory.model import stock_moves
from erp_core.inventory.queries import unasked_adjustments
from erp_core.inventory.reservations import Reservations
from erp_core.inventory.rules import (
    REASONS,
    VALUED_STATES,
    VIRTUAL,
    WRITTEN_OFF,
    Bucket,
    Move,
)
from erp_core.master.commands.records import AlreadyExists
from erp_core.master.queries.classes import classes_of
from erp_core.master.queries.reasons import Reasons, losses
from erp_core.master.values import Comment, ReasonCode, SignedUnits, Units
from erp_core.master.virtual import LOSS, SUPPLIER
from erp_core.storage.locks import lock_names
from erp_core.storage.lookup import fetch_in

AdjustableState = Literal[
    "available", "received_held", "quarantined", "return_pending", "refurbishing", "damaged", "in_transit"
]


class StockLine(LotFields):
    """Units of one item; of a tracked one also which lot or numbered units they are."""

    item_id: UUID
    quantity: Units


class PostOpeningStock(Command):
    """What lies at a location when the ledger begins. `document_id` identifies the count."""

    document_id: UUID
    location_id: UUID
    lines: Annotated[tuple[StockLine, ...], Field(min_length=1, max_length=10_000)]

    @property
    def subject(self) -> tuple[str, UUID]:
        """The count."""
        return ("opening", self.document_id)


class AdjustStock(Command, LotFields):
    """Correct stock up or down for a stated reason. Governed; `quantity` in base units with its sign.

    Reserved and picked stock belongs to orders: release it first. Of a tracked item it names the lot or the numbered units.
    """

    adjustment_id: UUID
    item_id: UUID
    location_id: UUID
    quantity: SignedUnits
    reason_code: ReasonCode
    comment: Comment | None = None
    state: AdjustableState = "available"

    @property
    def subject(self) -> tuple[str, UUID]:
        """The adjustment."""
        return ("adjustment", self.adjustment_id)


class ExpireReservations(Command):
    """Give back what is reserved longer than agreed, as of `occurred_at`."""

    limit: Annotated[int, Field(ge=1, le=100_000)] = 10_000


def post_opening_stock(
    tasks: Sequence[Task[PostOpeningStock]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Post what the counts found; each count once."""
    counted = _posted(tx, "opening", [task.command.document_id for task in tasks])
    places = check_places(tx, [task.command.location_id for task in tasks])
    items = check_items(tx, [line.item_id for task in tasks for line in task.command.lines])
    ledger, lots = Ledger.of(tx), LotBook.of(tx)
    outcomes: list[Done | DomainError] = []
    changes: list[StockChange] = []
    buckets = [
        Bucket(line.item_id, task.command.location_id)
        for task in tasks
        for line in task.command.lines
        if line.item_id not in items.tracking
    ]
    load_known(ledger, buckets, items, places)
    for task in tasks:
        command = task.command
        try:
            places.require(command.location_id)
            for line in command.lines:
                items.require(line.item_id, lots=True)
            if command.document_id in counted:
                raise _posted_before("opening", command.document_id)
            ledger.require_kept(task.occurred_at)
            source = Source("opening", command.document_id, task.occurred_on, task.audit_id)
            moves = [
                Move(
                    "opening",
                    Bucket.of(target.item_id, SUPPLIER, VIRTUAL, target.lot_id),
                    target,
                    units,
                    "opening",
                    command.document_id,
                    task.occurred_at,
                    task.audit_id,
                )
                for target, units in _arriving(command, items, lots, source)
            ]
        except DomainError as error:
            outcomes.append(error)
            continue
        counted.add(command.document_id)
        ledger.post(moves)
        changes += [
            stock_change(line.item_id, line.quantity, "opening", "opening", command.document_id, task)
            for line in command.lines
        ]
        units = sum(line.quantity for line in command.lines)
        event = Event("OpeningStockPosted", "opening", command.document_id, 1, {"units": units})
        outcomes.append(Done({"document_id": str(command.document_id), "units": units}, (event,)))
    publish_changes(tx, changes)
    return outcomes


def _arriving(
    command: PostOpeningStock, items: Items, lots: LotBook, source: Source
) -> list[tuple[Bucket, int]]:
    """The buckets of what was counted: one for a plain item, one for each lot of a tracked one."""
    place = command.location_id
    plain: list[tuple[Bucket, int]] = []
    named: list[Named] = []
    for line in command.lines:
        found = named_lots(line.item_id, items.tracking.get(line.item_id), line.quantity, line)
        named += found
        if not found:
            plain.append((Bucket.of(line.item_id, place), line.quantity))
    if not named:
        return plain
    taken = lots.take_in(named, source)
    return plain + [(Bucket.of(lot.item_id, place, state, lot.id), units) for lot, units, state in taken]


def adjust_stock(tasks: Sequence[Task[AdjustStock]], tx: Transaction) -> Sequence[Done | DomainError]:
    """Post the adjustments one after the other, each if its bucket allows it."""
    posted = _posted(tx, "adjustment", [task.command.adjustment_id for task in tasks])
    places = check_places(tx, [task.command.location_id for task in tasks])
    items = check_items(tx, [task.command.item_id for task in tasks])
    ledger, reasons = Ledger.of(tx), Reasons.of(tx)
    outcomes: list[Done | DomainError] = []
    changes: list[StockChange] = []
    buckets = [
        Bucket(task.command.item_id, task.command.location_id, task.command.state)
        for task in tasks
        if task.command.item_id not in items.tracking
    ]
    load_known(ledger, buckets, items, places)
    for task in tasks:
        command = task.command
        try:
            reason = reasons.require(REASONS, command.reason_code)
            places.require(command.location_id)
            places.require_authority(command.location_id, task.principal)
            items.require(command.item_id, lots=True)
            if command.adjustment_id in posted:
                raise _posted_before("adjustment", command.adjustment_id)
            parts = _adjusted(task, items.tracking.get(command.item_id), LotBook.of(tx))
            before = sum(ledger.quantity(bucket) for bucket, _ in parts)
            ledger.post([_correction(task, bucket, units) for bucket, units in parts])
        except DomainError as error:
            outcomes.append(error)
            continue
        posted.add(command.adjustment_id)
        if command.state in VALUED_STATES:
            event: ChangeKind = (
                "write_off" if command.quantity < 0 and reason.effect == WRITTEN_OFF else "adjustment"
            )
            changes.append(
                stock_change(
                    command.item_id, command.quantity, event, "adjustment", command.adjustment_id, task
                )
            )
        held = sum(ledger.quantity(bucket) for bucket, _ in parts)
        after = {"quantity": held, "state": command.state, "reason": command.reason_code}
        told = {"item_id": str(command.item_id), "quantity": command.quantity, "reason": command.reason_code}
        outcomes.append(
            Done(
                {"adjustment_id": str(command.adjustment_id)},
                (Event("StockAdjusted", "adjustment", command.adjustment_id, 1, told),),
                before={"quantity": before},
                after=after,
            )
        )
    publish_changes(tx, changes)
    return outcomes


def _adjusted(task: Task[AdjustStock], tracking: Tracking | None, lots: LotBook) -> list[tuple[Bucket, int]]:
    """The buckets that are corrected, and by how many units."""
    command, up = task.command, task.command.quantity > 0
    item_id, place, state = command.item_id, command.location_id, command.state
    named = named_lots(item_id, tracking, abs(command.quantity), command, field="", arriving=up)
    if not named:
        return [(Bucket(item_id, place, state), abs(command.quantity))]
    if not up:
        found = lots.find(named, field="lot_code")
        return [(Bucket.of(item_id, place, state, lot.id), units) for lot, units in found]
    source = Source("adjustment", command.adjustment_id, task.occurred_on, task.audit_id)
    return [
        (Bucket.of(item_id, place, allowed if state == "available" else state, lot.id), units)
        for lot, units, allowed in lots.take_in(named, source)
    ]


def _correction(task: Task[AdjustStock], bucket: Bucket, units: int) -> Move:
    command = task.command
    outside = Bucket.of(bucket.item_id, LOSS, VIRTUAL, bucket.lot_id)
    source, target = (outside, bucket) if command.quantity > 0 else (bucket, outside)
    return Move(
        "adjustment",
        source,
        target,
        units,
        "adjustment",
        command.adjustment_id,
        task.occurred_at,
        task.audit_id,
        command.reason_code,
    )


def adjustment_facts(asked: Sequence[Asked[AdjustStock]], connection: Connection) -> list[Facts]:
    """Units, and `cumulative_units` of the item: up and down add up, also those before it in the batch.

    `written_off` are the units that leave as a loss. Three statements for any number of adjustments. Who reads keeps others from the item's until the transaction ends,
    so that adjustments at the same moment count with each other. Inventory knows units and no money.
    """
    unasked, moments = Unasked(), [one.occurred_at for one in asked if one.occurred_at is not None]
    if moments:
        items = {one.command.item_id for one in asked}
        lock_names(connection, (f"adjustments of {item_id}" for item_id in items))
        for row in unasked_adjustments(connection, items, unasked_since(moments)):
            unasked.add(row.item_id, row.occurred_at, row.quantity)
    classes, lost = classes_of(connection, (one.command.item_id for one in asked)), losses(connection)
    return [_adjustment_facts(one, unasked, classes.get(one.command.item_id, ()), lost) for one in asked]


def _adjustment_facts(
    asked: Asked[AdjustStock], unasked: Unasked, classes: Sequence[str], lost: Set[str]
) -> Facts:
    command, units = asked.command, abs(asked.command.quantity)
    told = {
        "units": units,
        "written_off": units if command.quantity < 0 and command.reason_code in lost else 0,
        "quantity": command.quantity,
        "reason": command.reason_code,
        "state": command.state,
        "inventory_class": list(classes),
    }
    if asked.occurred_at is None:
        return told
    return told | {"cumulative_units": unasked.with_earlier(command.item_id, asked.occurred_at, units)}


def expire_reservations(task: Task[ExpireReservations], tx: Transaction) -> Done:
    """End reservations that ran out, and let their documents know."""
    expired = Reservations.of(tx).expire(task.occurred_at, task.audit_id, task.command.limit)
    for kind, units in expired.items():
        tx.publish(ReservationsExpired(kind, units, task.occurred_at, task.audit_id))
    Ledger.of(tx).announce()
    return Done({"expired": sum(len(units) for units in expired.values())})


def _posted(tx: Transaction, kind: str, ids: Sequence[UUID]) -> set[UUID]:
    Ledger.of(tx).flush()
    statement = select(stock_moves.c.document_id).where(stock_moves.c.document_kind == kind).distinct()
    return {row[0] for row in fetch_in(tx.connection, statement, stock_moves.c.document_id, ids)}


def _posted_before(kind: str, id_: UUID) -> AlreadyExists:
    return AlreadyExists(
        f"{kind} {id_} was posted before", field="id", remedy="make a new id for a new document"
    )


def stock_change(
    item_id: UUID, quantity: int, event: ChangeKind, kind: str, document_id: UUID, task: Task[Any]
) -> StockChange:
    """What finance is told of a posting."""
    return StockChange(item_id, quantity, event, kind, document_id, task.occurred_at, task.audit_id)


def publish_changes(tx: Transaction, changes: Sequence[StockChange]) -> None:
    """Tell finance what changed, and orders what became available."""
    if changes:
        tx.publish(StockChanged(tuple(changes)))
    Ledger.of(tx).announce()


def register(registry: Registry) -> None:
    """Add the stock commands."""
    registry.register(Registration(PostOpeningStock, post_opening_stock))
    registry.register(
        Registration(
            AdjustStock,
            adjust_stock,
            governed=True,
            facts=adjustment_facts,
            duties=lambda command: [Duty("adjustment", command.adjustment_id, "counter")],
            approver_duties=lambda command: [Duty("adjustment", command.adjustment_id, "write_off_approver")],
            compensation="ReverseStock",
        )
    )
    registry.register(Registration(ExpireReservations, each(expire_reservations)))
