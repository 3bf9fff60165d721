"""Snapshots of stock that somebody else reports: kept and compared, and never posted."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

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
from erp_core.inventory.snapshots.model import stock_snapshot_lines, stock_snapshots
from erp_core.master.commands.records import AlreadyExists, existing
from erp_core.storage.bulk import insert_rows


class ReportedLine(BaseModel):
    """Units of an item that are reported to be physically there, whatever their state."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    item_id: UUID
    quantity: Annotated[int, Field(ge=0, le=10**15)]


class RecordStockSnapshot(Command):
    """What a third-party warehouse says lies at a location at the end of a day. It changes no stock.

    The scan compares the latest one of each location with the ledger of that day; what differs by more than
    `snapshot_units` and `snapshot_percent` is an exception. An item that is left out is reported with none.
    """

    snapshot_id: UUID
    location_id: UUID
    source: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
    as_of: date
    lines: Annotated[tuple[ReportedLine, ...], Field(min_length=1, max_length=50_000)]

    @property
    def subject(self) -> tuple[str, UUID]:
        """The snapshot."""
        return ("snapshot", self.snapshot_id)


class SnapshotAhead(DomainError):
    """A snapshot of a day that has not come."""

    code = "snapshot_ahead"


class RepeatedItem(DomainError):
    """An item is reported twice: which figure counts is not for us to choose."""

    code = "repeated_item"


def record_stock_snapshot(task: Task[RecordStockSnapshot], tx: Transaction) -> Done:
    """Write what was reported."""
    command = task.command
    check_places(tx, [command.location_id]).require(command.location_id)
    items = check_items(tx, [line.item_id for line in command.lines])
    for line in command.lines:
        items.require(line.item_id, "lines.item_id", lots=True)
    if len({line.item_id for line in command.lines}) < len(command.lines):
        raise RepeatedItem(
            "an item is reported twice",
            field="lines.item_id",
            remedy="report each item once, with all its units",
        )
    if command.as_of > tx.today:
        raise SnapshotAhead(
            f"{command.as_of} has not come", field="as_of", remedy="give the day whose end the snapshot shows"
        )
    if command.snapshot_id in existing(tx, stock_snapshots, [command.snapshot_id]):
        raise AlreadyExists(
            f"snapshot {command.snapshot_id} is there already",
            field="snapshot_id",
            remedy="make a new id for a new snapshot",
        )
    head = {
        "id": command.snapshot_id,
        "location_id": command.location_id,
        "source": command.source,
        "as_of": command.as_of,
        "audit_id": task.audit_id,
    }
    insert_rows(tx.connection, stock_snapshots, [head])
    insert_rows(
        tx.connection,
        stock_snapshot_lines,
        [
            {"snapshot_id": command.snapshot_id, "item_id": line.item_id, "reported": line.quantity}
            for line in command.lines
        ],
    )
    told = {"source": command.source, "items": len(command.lines)}
    event = Event("StockSnapshotRecorded", "snapshot", command.snapshot_id, 1, told)
    return Done({"snapshot_id": str(command.snapshot_id), **told}, (event,), after=told)


def register(registry: Registry) -> None:
    """Add the command for snapshots."""
    registry.register(
        Registration(
            RecordStockSnapshot, each(record_stock_snapshot), compensation="a later snapshot takes its place"
        )
    )
