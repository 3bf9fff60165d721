"""Holding lots back: what is promised of them is promised no more, and what is left is quarantined. All of it or none.

Reservations end before the stock moves, and whoever waits for it gets other lots where there are any.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, text, update

from erp_core.gate.contract import DomainError, Transaction
from erp_core.inventory import locks
from erp_core.inventory.events import ReservationsHalted, ReservationsVoided
from erp_core.inventory.ledger import Bucket, Ledger
from erp_core.inventory.lots.book import LotBook
from erp_core.inventory.model import LOTTED, lots, reservations, stock_balances
from erp_core.inventory.reservations import Reservations
from erp_core.inventory.rules import OWN, Move
from erp_core.storage.lookup import fetch_in

_PROMISED = select(
    reservations.c.lot_id, reservations.c.document_kind, reservations.c.document_id, reservations.c.line_id
).where(reservations.c.status.in_(("pending", "picked")), text(f"reservations.{LOTTED}"))
_THERE = select(stock_balances.c.location_id, stock_balances.c.item_id, stock_balances.c.lot_id).where(
    text(f"stock_balances.{LOTTED}"),
    stock_balances.c.state.in_(("available", "reserved", "picked")),
    stock_balances.c.owner == OWN,
    stock_balances.c.quantity > 0,
)


class LotBusy(DomainError):
    """Somebody promised units of the lot at this moment."""

    code = "lot_busy"


@dataclass(frozen=True, slots=True)
class Frozen:
    """What was held back: units by (lot, location), and units by (document kind, document) that lost their stock."""

    units: Mapping[tuple[UUID, UUID], int]
    released: Mapping[tuple[str, UUID], int]


def with_units(tx: Transaction, lot_id: UUID) -> list[UUID]:
    """The lot and the numbered units that are of it, locked."""
    statement = (
        select(lots.c.id).where(or_(lots.c.id == lot_id, lots.c.batch_id == lot_id)).order_by(lots.c.id)
    )
    if locks.locks_rows(tx.connection):
        statement = statement.with_for_update()
    return list(tx.connection.scalars(statement))


def freeze(
    tx: Transaction,
    holds: Mapping[UUID, UUID],
    reason: str,
    at: datetime,
    audit_id: UUID,
    status: str | None = None,
) -> Frozen:
    """Quarantine what is available, reserved or picked of the lots; `holds` gives the hold of each.

    Documents that had units of them reserved lose them. The lots take the `status`, where one is given.
    """
    tx.flush()
    lines = _promised(tx, holds)
    for kind, wanted in lines.items():
        tx.publish(ReservationsHalted(kind, frozenset(wanted), at, audit_id))
    promises = Reservations.of(tx)
    promises.load({document_id for wanted in lines.values() for document_id, _ in wanted})
    found = fetch_in(tx.connection, _THERE, stock_balances.c.lot_id, holds)
    places = sorted({(row.item_id, row.location_id, row.lot_id) for row in found})
    ledger = Ledger.of(tx)
    ledger.load(
        Bucket.of(item_id, place, state, lot_id)
        for item_id, place, lot_id in places
        for state in ("available", "reserved", "picked", "quarantined")
    )
    voided = promises.void_lots(holds, at, audit_id)
    _require_free(ledger, places)
    units: dict[tuple[UUID, UUID], int] = {}
    moves = []
    for item_id, place, lot_id in places:
        source = Bucket.of(item_id, place, "available", lot_id)
        there = ledger.quantity(source)
        if there:
            units[lot_id, place] = there
            target = Bucket.of(item_id, place, "quarantined", lot_id)
            moves.append(Move("hold", source, target, there, "hold", holds[lot_id], at, audit_id, reason))
    ledger.post(moves)
    released: dict[tuple[str, UUID], int] = {}
    for kind, of_lines in voided.items():
        tx.publish(ReservationsVoided(kind, of_lines, at, audit_id))
        for (document_id, _), count in of_lines.items():
            released[kind, document_id] = released.get((kind, document_id), 0) + count
    if status is not None:
        set_status(tx, holds, status)
    ledger.announce()
    return Frozen(units, released)


def set_status(tx: Transaction, lot_ids: Collection[UUID], status: str) -> None:
    """Write the status of lots. Stock that it forbids to be promised must have left before."""
    tx.flush()
    tx.connection.execute(update(lots).where(lots.c.id.in_(list(lot_ids))).values(status=status))
    LotBook.of(tx).mark(lot_ids, status)


def _promised(tx: Transaction, lot_ids: Iterable[UUID]) -> dict[str, set[tuple[UUID, UUID]]]:
    lines: dict[str, set[tuple[UUID, UUID]]] = {}
    row: Any
    for row in fetch_in(tx.connection, _PROMISED, reservations.c.lot_id, lot_ids):
        lines.setdefault(row.document_kind, set()).add((row.document_id, row.line_id))
    return lines


def _require_free(ledger: Ledger, places: Iterable[tuple[UUID, UUID, UUID]]) -> None:
    """Now that the stock is locked nobody can promise any of it; what was promised meanwhile is not ours to end."""
    for item_id, place, lot_id in places:
        for state in ("reserved", "picked"):
            if ledger.quantity(Bucket.of(item_id, place, state, lot_id)):
                raise LotBusy(
                    "units of the lot were promised while it was being held",
                    field="lot_code",
                    remedy="ask again: what was promised meanwhile is taken back too",
                )
