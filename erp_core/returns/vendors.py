"""Whose goods they are that go back to a supplier."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.inventory.lots.book import LotBook
from erp_core.inventory.rules import NO_LOT
from erp_core.master.model import supplier_items
from erp_core.returns.book import Line
from erp_core.storage.lookup import fetch_in

_SUPPLIERS = select(supplier_items.c.item_id, supplier_items.c.supplier_id).order_by(
    supplier_items.c.rank.desc(), supplier_items.c.supplier_id.desc()
)


def vendors_of(connection: Connection, lots: LotBook, lines: Sequence[Line]) -> dict[UUID, UUID | None]:
    """The supplier of each line's goods: who brought their lot, else the item's preferred one, else None."""
    if not lines:
        return {}
    wanted = {line.item_id for line in lines}
    preferred = dict(map(tuple, fetch_in(connection, _SUPPLIERS, supplier_items.c.item_id, wanted)))
    return {line.id: _of_lots(lots, line) or preferred.get(line.item_id) for line in lines}


def _of_lots(lots: LotBook, line: Line) -> UUID | None:
    known = {lots.get(lot_id).supplier_id for lot_id, _ in line.parts if lot_id != NO_LOT}
    return known.pop() if len(known) == 1 else None
