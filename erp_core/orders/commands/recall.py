"""Recalling a lot: one request freezes what is left and names everything it touched."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from erp_core.gate.contract import Command, Done, Event, Registration, Registry, Task, Transaction, each
from erp_core.inventory.checks import check_items
from erp_core.inventory.lots.holds import find_lot, hold_lot
from erp_core.inventory.lots.rules import HOLD_REASONS, LotCode
from erp_core.master.queries.reasons import Reasons
from erp_core.master.values import Comment, ReasonCode
from erp_core.orders.queries.lots import trace_lot


class RecallLot(Command):
    """Call a lot back. All that is left of it is frozen wherever it lies; what was promised of it is promised no more.

    The answer lists its stock, transfers, shipments, the orders that got it and those that lost their reservation, and
    the customers by their ids. All of it happens, or none.
    """

    recall_id: UUID
    item_id: UUID
    reason_code: ReasonCode
    lot_code: LotCode | None = None
    serial: LotCode | None = None
    comment: Comment | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The recall, which is a hold."""
        return ("hold", self.recall_id)


def recall_lot(task: Task[RecallLot], tx: Transaction) -> Done:
    """Freeze the lot and answer with where it is and went."""
    command = task.command
    Reasons.of(tx).require(HOLD_REASONS, command.reason_code)
    check_items(tx, [command.item_id]).require(command.item_id, lots=True)
    lot = find_lot(tx, command.item_id, command.lot_code, command.serial)
    frozen = hold_lot(tx, task, lot, "recall", command.recall_id, command.reason_code, command.comment)
    tx.flush()
    trace = trace_lot(tx.connection, lot.id)
    backordered = [str(id_) for (kind, id_) in frozen.released if kind == "order"]
    told: dict[str, Any] = {
        "recall_id": str(command.recall_id),
        "lot_id": str(lot.id),
        "frozen_units": sum(frozen.units.values()),
        "shipped_units": sum(one.units for one in trace.shipments),
    }
    listed = {
        "stock": [
            {"location_id": str(one.location_id), "state": one.state, "units": one.units}
            for one in trace.stock
        ],
        "transfers": sorted({str(one.document_id) for one in trace.transfers}),
        "shipments": sorted({str(one.shipment_id) for one in trace.shipments}),
        "orders_shipped": sorted({str(one.order_id) for one in trace.shipments}),
        "orders_released": sorted(backordered),
        "customers": sorted({str(one.customer_id) for one in trace.shipments if one.customer_id is not None}),
    }
    event = Event("LotRecalled", "hold", command.recall_id, 1, told)
    return Done(told | listed, (event,), before={"status": lot.status}, after={"status": "recalled"} | told)


def register(registry: Registry) -> None:
    """Add the recall."""
    registry.register(Registration(RecallLot, each(recall_lot), compensation="ReleaseHold"))
