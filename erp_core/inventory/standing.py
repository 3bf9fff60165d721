"""Moves of documents that still stand, so that what takes them back names them: goods are as old as they were."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.inventory.model import stock_moves
from erp_core.inventory.rules import EventKind
from erp_core.storage.lookup import fetch_in

_BACK = stock_moves.alias("back")
_MOVES = (
    select(
        stock_moves.c.id,
        stock_moves.c.event,
        stock_moves.c.document_id,
        stock_moves.c.item_id,
        stock_moves.c.lot_id,
        stock_moves.c.quantity,
    )
    .where(
        ~select(_BACK.c.id)
        .where(_BACK.c.document_id == stock_moves.c.document_id, _BACK.c.reverses_id == stock_moves.c.id)
        .exists()
    )
    .order_by(stock_moves.c.id.desc())
)


class StandingMoves:
    """What these documents moved by an event and nothing took back yet, each move given once."""

    def __init__(self, connection: Connection, event: EventKind, document_ids: Iterable[UUID]) -> None:
        self._ids: dict[tuple[UUID, UUID, UUID, int], list[UUID]] = {}
        for row in fetch_in(connection, _MOVES, stock_moves.c.document_id, document_ids):
            if row.event == event:
                key = (row.document_id, row.item_id, row.lot_id, row.quantity)
                self._ids.setdefault(key, []).append(row.id)

    def take(self, document_id: UUID, item_id: UUID, lot_id: UUID, units: int) -> UUID | None:
        """The first move of so many units of a lot; None where the ledger does not hold it any more."""
        ids = self._ids.get((document_id, item_id, lot_id, units))
        return ids.pop() if ids else None
