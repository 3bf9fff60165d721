"""Scan confirmation of a pick: the place, the item and the lot must be those the order was promised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import select

from erp_core.gate.contract import Transaction
from erp_core.gate.statuses import require_step
from erp_core.inventory.checks import check_items
from erp_core.inventory.ledger import Bucket, Ledger
from erp_core.inventory.lots.book import LotBook
from erp_core.inventory.lots.rules import Lot, LotFields, LotRequired, Tracking, named_lots
from erp_core.inventory.reservations import Reservations
from erp_core.inventory.rules import NO_LOT
from erp_core.inventory.scanning import WrongLot, agreed, read_barcode, require_item, require_location
from erp_core.master.model import items, locations
from erp_core.orders.book import BookOrder, BookPick
from erp_core.orders.rules import PICK_STATUSES
from erp_core.storage.lookup import fetch_in


class ScannedLine(Protocol):
    """What was taken for an order line, and what its labels said."""

    @property
    def line_id(self) -> UUID: ...
    @property
    def quantity(self) -> int: ...
    @property
    def barcode(self) -> str | None: ...
    @property
    def lot_code(self) -> str | None: ...
    @property
    def serials(self) -> tuple[str, ...]: ...


class Scanned(Protocol):
    """A pick as it was confirmed."""

    @property
    def lines(self) -> tuple[ScannedLine, ...] | None: ...
    @property
    def scanned_location(self) -> str | None: ...


def check_scans(
    tx: Transaction, order: BookOrder, pick: BookPick, said: Scanned, at: datetime, audit_id: UUID
) -> None:
    """Refuse a pick at another place, of another item or of another lot than is reserved.

    A numbered unit of the same lot is as good as the one reserved, and takes its place. Raises `WrongLocation`,
    `WrongItem`, `WrongLot`, `LotHeld`, `LotRequired` or `NotTracked`. Nothing is read where nothing is tracked or
    scanned.
    """
    require_step(PICK_STATUSES, pick.status, "picked", "the pick list")
    if said.scanned_location is not None:
        code = tx.connection.scalar(select(locations.c.code).where(locations.c.id == pick.location_id))
        require_location(said.scanned_location, str(code))
    reservations = Reservations.of(tx)
    lines = [line for line in said.lines or () if line.quantity and line.line_id in order.lines]
    with_lots = {
        line_id for line_id in pick.units if reservations.lots_of(order.id, line_id).keys() - {NO_LOT}
    }
    scanned = [line for line in lines if line.barcode or line.lot_code or line.serials]
    if not with_lots and not scanned:
        return
    item_ids = {order.lines[line_id].item_id for line_id in (*with_lots, *(line.line_id for line in scanned))}
    tracking = check_items(tx, item_ids).tracking
    _require_numbers(order, pick, said, tracking)
    statement = select(items.c.id, items.c.sku, items.c.gtin)
    labels = {row.id: (row.sku, row.gtin) for row in fetch_in(tx.connection, statement, items.c.id, item_ids)}
    lots = LotBook.of(tx)
    taken: list[tuple[UUID, Lot, int]] = []
    for line in scanned:
        item_id = order.lines[line.line_id].item_id
        fields = _fields(line, labels[item_id], tracking.get(item_id))
        if fields.lot_code is not None or fields.serials:
            named = named_lots(item_id, tracking.get(item_id), line.quantity, fields, arriving=False)
            taken += [(line.line_id, lot, units) for lot, units in lots.find(named)]
    chosen = {lot.id for _, lot, _ in taken}
    lots.require_good(chosen, at.date())
    swaps = _swaps(tx, order, taken)
    for line_id, reserved_id, lot_id in swaps:
        reservations.swap(order.id, line_id, reserved_id, lot_id, at, audit_id)
    reservations.take_first(order.id, chosen)


def _fields(line: ScannedLine, label: tuple[str, str | None], tracking: Tracking | None) -> LotFields:
    lot_code, serials = line.lot_code, line.serials
    if line.barcode is not None:
        scan = read_barcode(line.barcode)
        require_item(scan, *label, field="lines.barcode")
        if tracking is not None:
            lot_code = agreed(scan.lot if tracking.lots else None, lot_code, "lines.lot_code")
            if scan.serial is not None and tracking.serials and not serials:
                serials = (scan.serial,)
    return LotFields(lot_code=lot_code, serials=serials)


def _require_numbers(order: BookOrder, pick: BookPick, said: Scanned, tracking: dict[UUID, Tracking]) -> None:
    """Numbered units are picked by their numbers: the customer must get the one that the books say."""
    given = {line.line_id for line in said.lines or () if line.serials or line.barcode or not line.quantity}
    for line_id, units in pick.units.items():
        asked = tracking.get(order.lines[line_id].item_id)
        left_out = said.lines is not None and all(line.line_id != line_id for line in said.lines)
        if units and asked is not None and asked.serials and line_id not in given and not left_out:
            raise LotRequired(
                f"units of {asked.sku} are picked by their serial numbers",
                field="lines.serials",
                remedy="scan each unit",
                item=asked.sku,
            )


def _swaps(
    tx: Transaction, order: BookOrder, taken: Sequence[tuple[UUID, Lot, int]]
) -> list[tuple[UUID, UUID, UUID]]:
    """Line, reserved unit and the unit that was taken instead; none where all that was taken is reserved.

    Raises `WrongLot`, or `InsufficientStock` where the unit is not on the shelf.
    """
    reservations, lots, ledger = Reservations.of(tx), LotBook.of(tx), Ledger.of(tx)
    left = {line_id: Counter(reservations.lots_of(order.id, line_id)) for line_id, _, _ in taken}
    lots.read(lot_id for held in left.values() for lot_id in held)
    strange: list[tuple[UUID, Lot, int]] = []
    for line_id, lot, units in taken:
        if left[line_id][lot.id] >= units:
            left[line_id][lot.id] -= units
        else:
            strange.append((line_id, lot, units))
    swaps: list[tuple[UUID, UUID, UUID]] = []
    for line_id, lot, units in strange:
        alike = (
            id_
            for id_, there in left[line_id].items()
            if there and lot.serial and id_ != NO_LOT and lots.get(id_).batch_id == lot.batch_id
        )
        instead = next(alike, None)
        if instead is None:
            raise _wrong_lot(lot, units, [lots.get(id_) for id_ in left[line_id] if id_ != NO_LOT])
        place = order.lines[line_id].location_id
        shelf = Bucket.of(lot.item_id, place, "available", lot.id)
        if not ledger.quantity(shelf):
            raise ledger.shortage(shelf, 1, 0)
        left[line_id][instead] -= 1
        swaps.append((line_id, instead, lot.id))
    return swaps


def _wrong_lot(lot: Lot, units: int, reserved: Iterable[Lot]) -> WrongLot:
    codes = sorted(one.code for one in reserved)
    return WrongLot(
        f"{units} units of {lot.code} were scanned, reserved are {', '.join(codes) or 'none'}",
        field="lines.lot_code",
        remedy="take the lot that is reserved, or put it back and hold the lot that cannot be used",
        scanned=lot.code,
        reserved=codes,
    )
