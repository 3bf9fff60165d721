"""Reservations: stock promised to a document line. One counts from when it is made, and ends exactly once.

It is posted (goods leave for the customer), voided (released) or expired. While it lasts its units lie on the shelf
(`pending`, stock in state `reserved`) or are fetched already (`picked`, in that state). Ending or picking part of
one splits it. The units in state `reserved` always equal the pending reservations, those in `picked` the picked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select

from erp_core.gate.contract import DomainError, Transaction
from erp_core.inventory import locks
from erp_core.inventory.events import ReservationsDue
from erp_core.inventory.ledger import Ledger
from erp_core.inventory.lots.book import LotBook
from erp_core.inventory.model import reservations
from erp_core.inventory.rules import VIRTUAL, Bucket, EventKind, Move, State
from erp_core.master.virtual import CUSTOMER
from erp_core.storage.bulk import PIECE, insert_rows, update_rows
from erp_core.storage.lookup import fetch_in

Held = Literal["pending", "picked"]
Ending = Literal["posted", "voided", "expired"]
_STATES: Mapping[str, State] = {"pending": "reserved", "picked": "picked"}
_HELD = select(reservations).where(reservations.c.status.in_(tuple(_STATES))).order_by(reservations.c.id)
_HELD_LOCKED = _HELD.with_for_update()
_EVENTS: Mapping[Ending, EventKind] = {"posted": "shipment", "voided": "release", "expired": "release"}


class NothingReserved(DomainError):
    """Less is reserved for the line than is to be shipped or released."""

    code = "nothing_reserved"


@dataclass(frozen=True, slots=True)
class Request:
    """Units wanted for a document line, of lots that last `minimum_days` yet where the item has lots."""

    document_kind: str
    document_id: UUID
    line_id: UUID
    item_id: UUID
    location_id: UUID
    quantity: int
    occurred_at: datetime
    audit_id: UUID
    expires_at: datetime | None = None
    minimum_days: int = 0


class Reservations:
    """A transaction's unit of work for reservations; it posts their moves to the `Ledger`."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._ledger = Ledger.of(tx)
        self._lots = LotBook.of(tx)
        self._held: dict[UUID, list[dict[str, Any]]] = {}
        self._loaded: set[UUID] = set()
        self._new: dict[UUID, dict[str, Any]] = {}
        self._changed: dict[UUID, dict[str, Any]] = {}

    @classmethod
    def of(cls, tx: Transaction) -> Reservations:
        """The transaction's reservations."""
        return tx.unit(cls, cls)

    def load(self, document_ids: Iterable[UUID]) -> None:
        """Read and lock what is held for these documents."""
        wanted = set(document_ids) - self._loaded
        if not wanted:
            return
        statement = _HELD_LOCKED if locks.locks_rows(self._tx.connection) else _HELD
        known = {row["id"] for document_id in wanted for row in self._held.get(document_id, ())}
        known |= self._changed.keys()
        for row in fetch_in(self._tx.connection, statement, reservations.c.document_id, sorted(wanted)):
            if row.id not in known:
                self._held.setdefault(row.document_id, []).append(dict(row._mapping))
        self._loaded |= wanted

    def buckets(self, document_ids: Iterable[UUID]) -> set[Bucket]:
        """The buckets that hold stock for loaded documents, for loading the ledger in bulk."""
        return {
            _bucket(row, _STATES[row["status"]])
            for document_id in document_ids
            for row in self._held.get(document_id, ())
        }

    def reserve(self, requests: Sequence[Request]) -> None:
        """Reserve all of them or none. Raises `InsufficientStock`.

        Of an item with lots the first to expire are taken that may be promised, a row for each.
        """
        parts = self._by_lot(requests)
        self._ledger.post(
            [
                Move(
                    "reservation",
                    Bucket.of(request.item_id, request.location_id, "available", lot_id),
                    Bucket.of(request.item_id, request.location_id, "reserved", lot_id),
                    units,
                    request.document_kind,
                    request.document_id,
                    request.occurred_at,
                    request.audit_id,
                )
                for request, lot_id, units in parts
            ]
        )
        for request, lot_id, units in parts:
            self._add(
                {
                    "id": self._tx.new_id(),
                    "document_kind": request.document_kind,
                    "document_id": request.document_id,
                    "line_id": request.line_id,
                    "item_id": request.item_id,
                    "location_id": request.location_id,
                    "lot_id": lot_id,
                    "quantity": units,
                    "status": "pending",
                    "expires_at": request.expires_at,
                    "audit_id": request.audit_id,
                }
            )
        if len(self._new) >= PIECE:
            self.flush()

    def _by_lot(self, requests: Sequence[Request]) -> list[tuple[Request, UUID, int]]:
        parts: list[tuple[Request, UUID, int]] = []
        taken: dict[UUID, int] = {}
        for request in requests:
            chosen = self._lots.choose(
                request.item_id,
                request.location_id,
                request.quantity,
                request.occurred_at.date(),
                request.minimum_days,
                taken,
            )
            for lot_id, units in chosen:
                taken[lot_id] = taken.get(lot_id, 0) + units
                parts.append((request, lot_id, units))
        return parts

    def _add(self, row: dict[str, Any]) -> None:
        self._new[row["id"]] = row
        self._held.setdefault(row["document_id"], []).append(row)

    def end(
        self,
        document_id: UUID,
        units: Mapping[UUID, int],
        ending: Ending,
        occurred_at: datetime,
        audit_id: UUID,
        moved_document: tuple[str, UUID] | None = None,
        held: Held = "pending",
    ) -> None:
        """End `units` per line id of a loaded document: ship them (`posted`) or give them back.

        `moved_document` is the business reference of the moves where it is not the document itself, `held` says
        whether they are taken from the shelf or from what is picked. Raises `NothingReserved`, and ends nothing then.
        """
        parts = self._parts_of(document_id, units, held)
        if ending == "posted":
            self._lots.require_good((row["lot_id"] for row, _ in parts), occurred_at.date())
        self._ledger.post(
            [
                self._ending_move(row, part, ending, occurred_at, audit_id, moved_document)
                for row, part in parts
            ]
        )
        for row, part in parts:
            self._end_row(row, part, ending)

    def take(
        self,
        document_id: UUID,
        units: Mapping[UUID, int],
        held: Held,
        occurred_at: datetime,
        audit_id: UUID,
        moved_document: tuple[str, UUID],
    ) -> None:
        """Fetch `units` per line id of a loaded document from the shelf (`picked`), or put them back (`pending`).

        Raises `NothingReserved`, and moves nothing then.
        """
        parts = self._parts_of(document_id, units, "pending" if held == "picked" else "picked")
        kind, moved_id = moved_document
        self._ledger.post(
            [
                Move(
                    "pick",
                    _bucket(row, _STATES[row["status"]]),
                    _bucket(row, _STATES[held]),
                    part,
                    kind,
                    moved_id,
                    occurred_at,
                    audit_id,
                )
                for row, part in parts
            ]
        )
        for row, part in parts:
            self._split(row, part, held)

    def lots_of(self, document_id: UUID, line_id: UUID) -> dict[UUID, int]:
        """Units that lie on the shelf for a line of a loaded document, by lot."""
        units: dict[UUID, int] = {}
        for row in self._held.get(document_id, ()):
            if row["line_id"] == line_id and row["status"] == "pending":
                units[row["lot_id"]] = units.get(row["lot_id"], 0) + row["quantity"]
        return units

    def take_first(self, document_id: UUID, lot_ids: Collection[UUID]) -> None:
        """Let the next `take` or `end` for a loaded document begin with these lots."""
        self._held.get(document_id, []).sort(key=lambda row: row["lot_id"] not in lot_ids)

    def swap(
        self, document_id: UUID, line_id: UUID, lot_id: UUID, other_id: UUID, at: datetime, audit_id: UUID
    ) -> None:
        """Hold one unit of another lot for a line instead of one of `lot_id`. Raises `InsufficientStock`."""
        row = next(
            row
            for row in self._held[document_id]
            if row["line_id"] == line_id and row["lot_id"] == lot_id and row["status"] == "pending"
        )
        self._split(row, 1, "pending")
        free = Bucket.of(row["item_id"], row["location_id"], "available", other_id)
        back = _bucket(row, "available")
        kind, held = row["document_kind"], _bucket(row, "reserved")
        self._ledger.post(
            [
                Move("release", held, back, 1, kind, document_id, at, audit_id),
                Move(
                    "reservation",
                    free,
                    Bucket.of(row["item_id"], row["location_id"], "reserved", other_id),
                    1,
                    kind,
                    document_id,
                    at,
                    audit_id,
                ),
            ]
        )
        self._end_row(row, 1, "voided")
        self._add(row | {"id": self._tx.new_id(), "lot_id": other_id, "quantity": 1, "status": "pending"})

    def keep(self, document_id: UUID) -> None:
        """Let what is held for a loaded document expire no more: it is being used."""
        for row in self._held.get(document_id, ()):
            if row["expires_at"] is not None:
                row["expires_at"] = None
                if row["id"] not in self._new:
                    self._changed[row["id"]] = row

    def require(self, document_id: UUID, units: Mapping[UUID, int], held: Held = "pending") -> None:
        """Raise `NothingReserved` unless so much is held for each line of a loaded document."""
        self._parts_of(document_id, units, held)

    def _parts_of(
        self, document_id: UUID, units: Mapping[UUID, int], held: Held
    ) -> list[tuple[dict[str, Any], int]]:
        parts: list[tuple[dict[str, Any], int]] = []
        for line_id, wanted in units.items():
            parts += self._parts(document_id, line_id, wanted, held)
        return parts

    def _parts(
        self, document_id: UUID, line_id: UUID, wanted: int, held: Held
    ) -> list[tuple[dict[str, Any], int]]:
        parts: list[tuple[dict[str, Any], int]] = []
        left = wanted
        for row in self._held.get(document_id, ()):
            if row["line_id"] == line_id and row["status"] == held and left > 0:
                part = min(left, row["quantity"])
                parts.append((row, part))
                left -= part
        if left > 0:
            word = _STATES[held]
            raise NothingReserved(
                f"{wanted} units wanted, {wanted - left} are {word}",
                field="quantity",
                remedy=f"ask for {wanted - left} or less, or wait until the rest is {word}",
                line=line_id,
                wanted=wanted,
                reserved=wanted - left,
            )
        return parts

    @staticmethod
    def _ending_move(
        row: Mapping[str, Any],
        quantity: int,
        ending: Ending,
        occurred_at: datetime,
        audit_id: UUID,
        moved_document: tuple[str, UUID] | None,
    ) -> Move:
        target = (
            Bucket.of(row["item_id"], CUSTOMER, VIRTUAL, row["lot_id"])
            if ending == "posted"
            else _bucket(row, "available")
        )
        kind, document_id = moved_document or (row["document_kind"], row["document_id"])
        return Move(
            _EVENTS[ending],
            _bucket(row, _STATES[row["status"]]),
            target,
            quantity,
            kind,
            document_id,
            occurred_at,
            audit_id,
        )

    def _end_row(self, row: dict[str, Any], part: int, ending: Ending) -> None:
        self._split(row, part, ending)
        self._held[row["document_id"]].remove(row)

    def _split(self, row: dict[str, Any], part: int, status: Held | Ending) -> None:
        rest = {**row, "quantity": row["quantity"] - part}
        row["quantity"], row["status"] = part, status
        if row["id"] not in self._new:
            self._changed[row["id"]] = row
        if rest["quantity"]:
            self._add(rest | {"id": self._tx.new_id()})

    def void_lots(
        self, lot_ids: Collection[UUID], at: datetime, audit_id: UUID
    ) -> dict[str, dict[tuple[UUID, UUID], int]]:
        """Give back what is pending of these lots for the documents that are loaded.

        Gives the units by document kind and (document id, line id).
        """
        voided: dict[str, dict[tuple[UUID, UUID], int]] = {}
        rows = [
            row
            for held in self._held.values()
            for row in held
            if row["lot_id"] in lot_ids and row["status"] == "pending"
        ]
        self._ledger.post(
            [self._ending_move(row, row["quantity"], "voided", at, audit_id, None) for row in rows]
        )
        for row in rows:
            lines = voided.setdefault(row["document_kind"], {})
            key = (row["document_id"], row["line_id"])
            lines[key] = lines.get(key, 0) + row["quantity"]
            self._end_row(row, row["quantity"], "voided")
        return voided

    def expire(self, now: datetime, audit_id: UUID, limit: int) -> dict[str, dict[tuple[UUID, UUID], int]]:
        """End what ran out by `now`. Gives the units by document kind and (document id, line id)."""
        self.flush()
        due = (reservations.c.status == "pending", reservations.c.expires_at <= now)
        rows = self._tx.connection.execute(
            select(reservations.c.id, reservations.c.document_kind, reservations.c.document_id)
            .where(*due)
            .order_by(reservations.c.id)
            .limit(limit)
        ).all()
        for kind in {row.document_kind for row in rows}:
            ids = frozenset(row.document_id for row in rows if row.document_kind == kind)
            self._tx.publish(ReservationsDue(kind, ids))
        statement = select(reservations).where(*due)
        found = locks.lock_documents(
            self._tx.connection, statement, reservations.c.id, [row.id for row in rows]
        )
        return self._expire([dict(row._mapping) for row in found], now, audit_id)

    def _expire(
        self, rows: list[dict[str, Any]], now: datetime, audit_id: UUID
    ) -> dict[str, dict[tuple[UUID, UUID], int]]:
        expired: dict[str, dict[tuple[UUID, UUID], int]] = {}
        for row in rows:
            lines = expired.setdefault(row["document_kind"], {})
            key = (row["document_id"], row["line_id"])
            lines[key] = lines.get(key, 0) + row["quantity"]
        self._ledger.post(
            [self._ending_move(row, row["quantity"], "expired", now, audit_id, None) for row in rows]
        )
        for row in rows:
            row["status"] = "expired"
            self._changed[row["id"]] = row
            held = self._held.get(row["document_id"], [])
            held[:] = [other for other in held if other["id"] != row["id"]]
        return expired

    def flush(self) -> None:
        """Write new reservations and the ends of old ones."""
        connection = self._tx.connection
        insert_rows(connection, reservations, list(self._new.values()))
        ended = [
            {name: row[name] for name in ("id", "status", "quantity", "expires_at")}
            for row in self._changed.values()
        ]
        update_rows(connection, reservations, ended)
        self._new, self._changed = {}, {}

    def discard(self) -> None:
        """Forget what is not written and everything read."""
        self._held, self._loaded, self._new, self._changed = {}, set(), {}, {}


def _bucket(row: Mapping[str, Any], state: State) -> Bucket:
    return Bucket.of(row["item_id"], row["location_id"], state, row["lot_id"])
