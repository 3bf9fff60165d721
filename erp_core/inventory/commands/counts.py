"""Cycle counts: a sheet is opened, counted (again, if need be) and posted. Who counts does not approve what is written off."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import select, update

from erp_core.gate.contract import (
    Command,
    Done,
    Duty,
    Event,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
)
from erp_core.gate.statuses import require_step
from erp_core.inventory import locks
from erp_core.inventory.checks import check_items, check_places
from erp_core.inventory.counts.by_lot import count_lots
from erp_core.inventory.counts.model import stock_count_lines, stock_counts
from erp_core.inventory.counts.rules import COUNT_STATUSES, BeingCounted, NotOnSheet
from erp_core.inventory.counts.variances import (
    OfCount,
    count_facts,
    count_read_sets,
    lines_of,
    unknown_count,
    variances_of,
)
from erp_core.inventory.events import StockChange, StockChanged
from erp_core.inventory.ledger import Ledger
from erp_core.inventory.lots.book import LotBook
from erp_core.inventory.lots.rules import LotFields, named_lots
from erp_core.inventory.rules import NO_LOT, SELLABLE_STATES, VIRTUAL, Bucket, Move, State
from erp_core.master.commands.records import AlreadyExists, existing
from erp_core.master.queries import Names
from erp_core.master.virtual import LOSS
from erp_core.storage.bulk import insert_rows, update_rows
from erp_core.storage.locks import lock_names
from erp_core.storage.lookup import AnyRow, fetch_in


class OpenCount(Command):
    """A sheet for some items at a location. An item is on one open sheet of a location at a time."""

    count_id: UUID
    location_id: UUID
    item_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=2_000)]
    blind: bool = True

    @property
    def subject(self) -> tuple[str, UUID]:
        """The count."""
        return ("count", self.count_id)


class CountedLine(LotFields):
    """Units of an item that lie there: available and reserved ones together. 0 where nothing was found.

    Of an item that is tracked each lot is a line, and numbered units are named; what is not named was not found.
    """

    item_id: UUID
    quantity: Annotated[int, Field(ge=0, le=10**15)]

    @property
    def said(self) -> LotFields:
        """The lot and the numbers."""
        return self


class RecordCount(OfCount):
    """What was found, for some or all items of the sheet. The ledger's figure of this moment is kept beside it.

    Counting again replaces what was found before.
    """

    lines: Annotated[tuple[CountedLine, ...], Field(min_length=1, max_length=2_000)]


class PostCount(OfCount):
    """Correct the ledger by what was found more or less. Governed: a large variance is reviewed by somebody else.

    Moves after the counting stay: the variance is posted, not the counted figure. Reserved stock that is missing
    has to be released first.
    """


class CancelCount(OfCount):
    """Give a sheet up without posting anything."""


def open_count(task: Task[OpenCount], tx: Transaction) -> Done:
    """Write the sheet."""
    command, wanted = task.command, list(dict.fromkeys(task.command.item_ids))
    places = check_places(tx, [command.location_id])
    places.require(command.location_id)
    places.require_authority(command.location_id, task.principal)
    items = check_items(tx, wanted)
    for item_id in wanted:
        items.require(item_id, "item_ids", lots=True)
    lock_names(
        tx.connection,
        [f"count {command.count_id}", *(f"count of {item_id} {command.location_id}" for item_id in wanted)],
    )
    if command.count_id in existing(tx, stock_counts, [command.count_id]):
        raise AlreadyExists(
            f"count {command.count_id} is there already", field="count_id", remedy="make a new id"
        )
    busy = fetch_in(
        tx.connection,
        select(stock_count_lines.c.item_id, stock_count_lines.c.count_id).where(
            stock_count_lines.c.open, stock_count_lines.c.location_id == command.location_id
        ),
        stock_count_lines.c.item_id,
        wanted,
    )
    if busy:
        sku = Names.read(tx.connection, items=[busy[0].item_id]).code(busy[0].item_id)
        raise BeingCounted(
            f"{sku} is on the sheet of count {busy[0].count_id}",
            field="item_ids",
            remedy="leave it out, or post or cancel that count first",
            item=sku,
            count=str(busy[0].count_id),
        )
    insert_rows(
        tx.connection,
        stock_counts,
        [
            {
                "id": command.count_id,
                "location_id": command.location_id,
                "status": "open",
                "blind": command.blind,
                "opened_on": task.occurred_on,
                "counted_at": None,
                "posted_on": None,
                "counts": 0,
                "audit_id": task.audit_id,
            }
        ],
    )
    insert_rows(
        tx.connection,
        stock_count_lines,
        [
            {
                "count_id": command.count_id,
                "item_id": item_id,
                "location_id": command.location_id,
                "open": True,
                "expected": None,
                "counted": None,
            }
            for item_id in wanted
        ],
    )
    return Done({"count_id": str(command.count_id), "items": len(wanted)}, after={"status": "open"})


def record_count(task: Task[RecordCount], tx: Transaction) -> Done:
    """Write what was found beside what the ledger has."""
    command = task.command
    count = _locked(tx, command.count_id)
    require_step(COUNT_STATUSES, count.status, "counted", "the count")
    wanted = {line.item_id for line in command.lines}
    on_sheet = {row.item_id for row in lines_of(tx.connection, command.count_id)}
    for item_id in wanted:
        if item_id not in on_sheet:
            raise NotOnSheet(
                f"item {item_id} is not on the sheet",
                field="lines.item_id",
                remedy="count what the sheet asks for, and open another count for the rest",
            )
    tracking = check_items(tx, wanted).tracking
    found: dict[UUID, int] = {}
    for line in command.lines:
        if line.item_id not in tracking:
            named_lots(line.item_id, None, line.quantity, line)
            found[line.item_id] = line.quantity
    of_lots = [line for line in command.lines if line.item_id in tracking]
    by_lot = count_lots(tx, command.count_id, count.location_id, of_lots, tracking) if of_lots else {}
    ledger = Ledger.of(tx)
    ledger.load(
        Bucket.of(item_id, count.location_id, state) for item_id in found for state in SELLABLE_STATES
    )
    rows = [
        {
            "count_id": command.count_id,
            "item_id": item_id,
            "expected": sum(
                ledger.quantity(Bucket.of(item_id, count.location_id, state)) for state in SELLABLE_STATES
            ),
            "counted": units,
        }
        for item_id, units in found.items()
    ] + [
        {"count_id": command.count_id, "item_id": item_id, "expected": expected, "counted": counted}
        for item_id, (expected, counted) in by_lot.items()
    ]
    update_rows(tx.connection, stock_count_lines, rows)
    _step(tx, task, count, "counted", counted_at=task.occurred_at, counts=count.counts + 1)
    told = {"items": len(rows), "counts": count.counts + 1}
    event = Event("StockCounted", "count", command.count_id, count.counts + 1, told)
    return Done({"count_id": str(command.count_id), **told}, (event,), after={"status": "counted"})


def post_count(task: Task[PostCount], tx: Transaction) -> Done:
    """Post the variances, all or none."""
    command = task.command
    count = _locked(tx, command.count_id)
    require_step(COUNT_STATUSES, count.status, "posted", "the count")
    places = check_places(tx, [count.location_id])
    places.require_authority(count.location_id, task.principal, "count_id")
    variances = variances_of(tx.connection, command.count_id)
    lots = LotBook.of(tx)
    lots.read(lot_id for _, lot_id in variances)
    moves = [
        Move(
            "count",
            *_from_and_to(item_id, lot_id, count.location_id, variance, _shelf(lots, lot_id, variance, task)),
            abs(variance),
            "count",
            command.count_id,
            task.occurred_at,
            task.audit_id,
            "counted",
        )
        for (item_id, lot_id), variance in variances.items()
    ]
    ledger = Ledger.of(tx)
    ledger.post(moves)
    _step(tx, task, count, "posted", posted_on=task.occurred_on)
    changes = [
        StockChange(
            item_id, variance, "adjustment", "count", command.count_id, task.occurred_at, task.audit_id
        )
        for (item_id, _), variance in variances.items()
    ]
    if changes:
        tx.publish(StockChanged(tuple(changes)))
    ledger.announce()
    told = {
        "missing": -sum(min(variance, 0) for variance in variances.values()),
        "found": sum(max(variance, 0) for variance in variances.values()),
    }
    event = Event("CountPosted", "count", command.count_id, count.counts + 1, told)
    return Done(
        {"count_id": str(command.count_id), **told},
        (event,),
        before={"status": count.status},
        after={"status": "posted", **told},
    )


def cancel_count(task: Task[CancelCount], tx: Transaction) -> Done:
    """Close the sheet."""
    count = _locked(tx, task.command.count_id)
    require_step(COUNT_STATUSES, count.status, "cancelled", "the count")
    _step(tx, task, count, "cancelled")
    return Done({"count_id": str(count.id)}, before={"status": count.status}, after={"status": "cancelled"})


def _locked(tx: Transaction, count_id: UUID) -> AnyRow:
    tx.flush()
    rows = locks.lock_documents(tx.connection, select(stock_counts), stock_counts.c.id, [count_id])
    if not rows:
        raise unknown_count(count_id)
    return rows[0]


def _step(tx: Transaction, task: Task[Any], count: AnyRow, status: str, **values: Any) -> None:
    tx.connection.execute(
        update(stock_counts)
        .where(stock_counts.c.id == count.id)
        .values(status=status, audit_id=task.audit_id, **values)
    )
    if status in ("posted", "cancelled"):
        line = stock_count_lines
        tx.connection.execute(update(line).where(line.c.count_id == count.id).values(open=False))


def _shelf(lots: LotBook, lot_id: UUID, variance: int, task: Task[PostCount]) -> State:
    """Where the units are taken from or put: what is found of a lot that is held or over is quarantined."""
    if lot_id == NO_LOT or variance < 0:
        return "available"
    return lots.get(lot_id).state_on(task.occurred_on)


def _from_and_to(
    item_id: UUID, lot_id: UUID, location_id: UUID, variance: int, state: State
) -> tuple[Bucket, Bucket]:
    shelf = Bucket.of(item_id, location_id, state, lot_id)
    outside = Bucket.of(item_id, LOSS, VIRTUAL, lot_id)
    return (outside, shelf) if variance > 0 else (shelf, outside)


def register(registry: Registry) -> None:
    """Add the commands of cycle counts."""
    registry.register(Registration(OpenCount, each(open_count), compensation="CancelCount"))
    registry.register(
        Registration(
            RecordCount,
            each(record_count),
            duties=lambda command: [Duty("count", command.count_id, "counter")],
            compensation="RecordCount with what is found then",
        )
    )
    registry.register(
        Registration(
            PostCount,
            each(post_count),
            governed=True,
            facts=count_facts,
            read_sets=count_read_sets,
            approver_duties=lambda command: [Duty("count", command.count_id, "write_off_approver")],
            compensation="AdjustStock by the opposite variances",
        )
    )
    registry.register(Registration(CancelCount, each(cancel_count)))
