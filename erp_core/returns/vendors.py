"""Whose goods they are that go back to a supplier, and which order line brought them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, select, text

from erp_core.inventory.lots.book import LotBook
from erp_core.inventory.model import LOTTED, stock_moves
from erp_core.inventory.rules import NO_LOT, OWN
from erp_core.master.model import supplier_items
from erp_core.master.virtual import SUPPLIER
from erp_core.procurement.model import po_lines
from erp_core.returns.book import Line
from erp_core.storage.lookup import fetch_in

_SUPPLIERS = select(supplier_items.c.item_id, supplier_items.c.supplier_id).order_by(
    supplier_items.c.rank.desc(), supplier_items.c.supplier_id.desc()
)
_BROUGHT = (
    select(stock_moves.c.lot_id, stock_moves.c.document_id)
    .where(
        text(f"stock_moves.{LOTTED}"),
        stock_moves.c.event == "receipt",
        stock_moves.c.document_kind == "purchase_order",
        stock_moves.c.from_location_id == SUPPLIER,
        stock_moves.c.owner == OWN,
    )
    .distinct()
)
_LINES = select(po_lines.c.id, po_lines.c.po_id, po_lines.c.item_id)


class Vendor(NamedTuple):
    """Who is to credit goods; None where nobody knows."""

    supplier_id: UUID | None
    po_line_id: UUID | None


def vendors_of(connection: Connection, lots: LotBook, lines: Sequence[Line]) -> dict[UUID, Vendor]:
    """The supplier of each line's goods: who brought their lot, else the item's preferred one, else None.

    The order line is known where all their lots came with one order, and it has one line of the item.
    """
    if not lines:
        return {}
    wanted = {line.item_id for line in lines}
    preferred = dict(map(tuple, fetch_in(connection, _SUPPLIERS, supplier_items.c.item_id, wanted)))
    orders = orders_of_lots(connection, {lot_id for line in lines for lot_id, _ in line.parts})
    bought: dict[tuple[UUID, UUID], set[UUID]] = {}
    for row in fetch_in(
        connection, _LINES, po_lines.c.po_id, {po_id for some in orders.values() for po_id in some}
    ):
        bought.setdefault((row.po_id, row.item_id), set()).add(row.id)
    found = {}
    for line in lines:
        brought = {po_id for lot_id, _ in line.parts for po_id in orders.get(lot_id, {None})}
        po_id = brought.pop() if len(brought) == 1 else None
        candidates = bought.get((po_id, line.item_id), set()) if po_id is not None else set()
        supplier_id = _of_lots(lots, line) or preferred.get(line.item_id)
        found[line.id] = Vendor(supplier_id, min(candidates) if len(candidates) == 1 else None)
    return found


def orders_of_lots(connection: Connection, lot_ids: Iterable[UUID]) -> dict[UUID, set[UUID | None]]:
    """The purchase orders that brought each lot; of a lot whose receipts are not in the ledger none."""
    found: dict[UUID, set[UUID | None]] = {}
    wanted = [lot_id for lot_id in lot_ids if lot_id != NO_LOT]
    for lot_id, po_id in fetch_in(connection, _BROUGHT, stock_moves.c.lot_id, wanted):
        found.setdefault(lot_id, set()).add(po_id)
    return found


def _of_lots(lots: LotBook, line: Line) -> UUID | None:
    known = {lots.get(lot_id).supplier_id for lot_id, _ in line.parts if lot_id != NO_LOT}
    return known.pop() if len(known) == 1 else None
