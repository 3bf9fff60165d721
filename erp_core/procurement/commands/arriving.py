"""What arrives on purchase orders: the commands, checked against what was scanned, and a bucket for each lot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Self
from uuid import UUID

from pydantic import Field, model_validator
from sqlalchemy import select

from erp_core.gate.contract import Command, Task, Transaction
from erp_core.inventory.checks import check_items
from erp_core.inventory.ledger import Bucket
from erp_core.inventory.lots.book import LotBook, Source
from erp_core.inventory.lots.rules import LotFields, Named, Tracking, named_lots
from erp_core.inventory.rules import NO_LOT, State
from erp_core.inventory.scanning import Barcode, agreed, read_barcode, require_item, require_location
from erp_core.master.model import items, locations
from erp_core.master.values import Code, Units
from erp_core.procurement.ordering.in_units import InUnit
from erp_core.procurement.ordering.purchase_orders import Line, PurchaseOrder, PurchaseOrders
from erp_core.procurement.receiving.packaging import StatedPackaging
from erp_core.procurement.rules import Receipt
from erp_core.storage.lookup import fetch_in


class ReceivedLine(InUnit, LotFields):
    """What arrived for a line: `quantity` in all, of which `rejected_quantity` was turned away at the dock.

    `quarantined_quantity` of them are in doubt: they stay, held, until somebody decides. All three are in base units, or in `unit`, one of the item's. Of a tracked item, what was not turned away names its lot, its last day and its serial numbers. A `barcode` that
    was scanned must be the item's; what it says of the lot need not be typed.
    """

    receipt_line_id: UUID
    po_line_id: UUID
    quantity: Units
    rejected_quantity: int = Field(default=0, ge=0)
    quarantined_quantity: int = Field(default=0, ge=0)
    barcode: Barcode | None = None
    packaging: StatedPackaging | None = Field(default=None, description="as measured at the dock")

    @model_validator(mode="after")
    def _parts_within_quantity(self) -> Self:
        if self.rejected_quantity > self.quantity:
            raise ValueError("rejected_quantity cannot exceed quantity, which counts all that arrived")
        if self.rejected_quantity + self.quarantined_quantity > self.quantity:
            raise ValueError("rejected_quantity and quarantined_quantity cannot exceed quantity together")
        return self


class UnorderedLine(InUnit, LotFields):
    """Units of an item that the order doesn't ask for; `instead_of_line_id` says which line it stands in for."""

    unordered_id: UUID
    item_id: UUID
    quantity: Units
    instead_of_line_id: UUID | None = None


class ReceiveGoods(Command):
    """Goods arrived. Up to the ordered quantity they become available at the order's price.

    What is beyond it is held: physically there, neither sellable nor payable. What is rejected goes
    back with the carrier: it is counted and never enters stock. Goods to be inspected first are held as well.

    `unordered` are goods of other items, by mistake or as a substitute: held under their own item, never as the one
    that was ordered.
    """

    receipt_id: UUID
    po_id: UUID
    lines: tuple[ReceivedLine, ...] = Field(default=(), max_length=500)
    unordered: tuple[UnorderedLine, ...] = Field(default=(), max_length=500)
    scanned_location: Code | None = Field(default=None, description="the label of the place, as scanned")

    @model_validator(mode="after")
    def _brings_something(self) -> Self:
        if not self.lines and not self.unordered:
            raise ValueError("say in lines what arrived, or in unordered")
        return self

    @property
    def subject(self) -> tuple[str, UUID]:
        """The purchase order."""
        return ("purchase_order", self.po_id)


Part = tuple[Line, Receipt, ReceivedLine]


class ArrivingLots:
    """A batch of receipts: what of it is tracked, and what the scanned labels must say."""

    def __init__(self, tx: Transaction, tasks: Sequence[Task[ReceiveGoods]], orders: PurchaseOrders) -> None:
        self._lots = LotBook.of(tx)
        found = [order for task in tasks if (order := orders.find(task.command.po_id)) is not None]
        item_ids = {line.item_id for order in found for line in order.lines.values()}
        unordered = {line.item_id for task in tasks for line in task.command.unordered}
        self._items = check_items(tx, item_ids | unordered)
        self._tracking = self._items.tracking
        scanned = any(line.barcode for task in tasks for line in task.command.lines)
        labels = select(items.c.id, items.c.sku, items.c.gtin)
        rows = fetch_in(tx.connection, labels, items.c.id, item_ids if scanned else ())
        self._labels = {row.id: (row.sku, row.gtin) for row in rows}
        places = {
            order.location_id for order in found if any(task.command.scanned_location for task in tasks)
        }
        codes = fetch_in(tx.connection, select(locations.c.id, locations.c.code), locations.c.id, places)
        self._codes = {row.id: row.code for row in codes}

    def buckets(
        self, task: Task[ReceiveGoods], order: PurchaseOrder, parts: Sequence[Part]
    ) -> list[tuple[Bucket, int]]:
        """Where the units of a receipt go, and how many. New lots are made when all of it is found right.

        Raises `WrongItem`, `WrongLocation`, `WrongLot`, `LotRequired`, `NotTracked`, `LotDiffers` or `SerialTwice`.
        """
        command, place = task.command, order.location_id
        if command.scanned_location is not None:
            require_location(command.scanned_location, self._codes[place])
        named = [self._named(line, received, part) for line, part, received in parts]
        strange = [self._strange(line) for line in command.unordered]
        source = Source("receipt", command.receipt_id, task.occurred_on, task.audit_id, order.supplier_id)
        every = [one for of_line in (*named, *strange) for one in of_line]
        taken = iter(self._lots.take_in(every, source) if every else ())
        found: list[tuple[Bucket, int]] = []
        for (line, part, _), of_line in zip(parts, named, strict=True):
            if of_line:
                lots = [(lot.id, units, state) for lot, units, state in (next(taken) for _ in of_line)]
                found += _split(line.item_id, place, part, lots)
            else:
                found += [
                    (Bucket.of(line.item_id, place), part.accepted),
                    (Bucket.of(line.item_id, place, "received_held"), part.held),
                ]
        for unordered, of_line in zip(command.unordered, strange, strict=True):
            strange_lots = [(lot.id, units) for lot, units, _ in (next(taken) for _ in of_line)]
            found += [
                (Bucket.of(unordered.item_id, place, "received_held", lot_id), units)
                for lot_id, units in strange_lots or [(NO_LOT, unordered.quantity)]
            ]
        return [(bucket, units) for bucket, units in found if units]

    def _strange(self, line: UnorderedLine) -> list[Named]:
        self._items.require(line.item_id, "unordered.item_id", lots=True)
        tracking = self._tracking.get(line.item_id)
        return named_lots(line.item_id, tracking, line.quantity, line, field="unordered")

    def _named(self, line: Line, received: ReceivedLine, part: Receipt) -> list[Named]:
        tracking, said = self._tracking.get(line.item_id), _scanned(received)
        if received.barcode is not None:
            said = self._with_label(line.item_id, tracking, received)
        kept = part.accepted + part.held
        return named_lots(line.item_id, tracking, kept, said) if kept else []

    def _with_label(self, item_id: UUID, tracking: Tracking | None, received: ReceivedLine) -> LotFields:
        assert received.barcode is not None
        scan = read_barcode(received.barcode)
        sku, gtin = self._labels[item_id]
        require_item(scan, sku, gtin, field="lines.barcode")
        if tracking is None:
            return _scanned(received)
        serial = (scan.serial,) if scan.serial is not None and tracking.serials else ()
        if serial and received.serials and serial != received.serials:
            agreed(scan.serial, ", ".join(received.serials), "lines.serials")
        return LotFields(
            lot_code=agreed(scan.lot if tracking.lots else None, received.lot_code, "lines.lot_code"),
            expires_on=agreed(
                scan.expires_on if tracking.expiry else None, received.expires_on, "lines.expires_on"
            ),
            serials=serial or received.serials,
        )


def _scanned(received: ReceivedLine) -> LotFields:
    return LotFields(lot_code=received.lot_code, expires_on=received.expires_on, serials=received.serials)


def _split(
    item_id: UUID, place: UUID, part: Receipt, lots: Sequence[tuple[UUID, int, State]]
) -> Iterator[tuple[Bucket, int]]:
    """Of the first lots what is accepted; what is left of them is held."""
    accepted = part.accepted
    for lot_id, units, state in lots:
        good = min(accepted, units)
        accepted -= good
        yield Bucket.of(item_id, place, state, lot_id), good
        yield Bucket.of(item_id, place, "received_held", lot_id), units - good
