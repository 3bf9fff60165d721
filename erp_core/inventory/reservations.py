"""Reservations: stock promised to a document line. One counts from when it is made, and ends exactly once.

It is posted (goods leave for the customer), voided (released) or expired. Ending part of one splits it: the
part ends, the rest stays pending. The units in state `reserved` always equal the pending reservations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select

from erp_core.gate.contract import DomainError, Transaction
from erp_core.inventory import locks
from erp_core.inventory.events import ReservationsDue
from erp_core.inventory.ledger import Ledger
from erp_core.inventory.model import reservations
from erp_core.inventory.rules import VIRTUAL, Bucket, EventKind, Move
from erp_core.master.virtual import CUSTOMER
from erp_core.storage.bulk import insert_rows, update_rows
from erp_core.storage.lookup import fetch_in

Ending = Literal["posted", "voided", "expired"]
_PENDING = select(reservations).where(reservations.c.status == "pending").order_by(reservations.c.id)
_PENDING_LOCKED = _PENDING.with_for_update()
_EVENTS: Mapping[Ending, EventKind] = {"posted": "shipment", "voided": "release", "expired": "release"}


class NothingReserved(DomainError):
    """Less is reserved for the line than is to be shipped or released."""

    code = "nothing_reserved"


@dataclass(frozen=True, slots=True)
class Request:
    """Units wanted for a document line."""

    document_kind: str
    document_id: UUID
    line_id: UUID
    item_id: UUID
    location_id: UUID
    quantity: int
    occurred_at: datetime
    audit_id: UUID
    expires_at: datetime | None = None


class Reservations:
    """A transaction's unit of work for reservations; it posts their moves to the `Ledger`."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._ledger = Ledger.of(tx)
        self._pending: dict[UUID, list[dict[str, Any]]] = {}
        self._loaded: set[UUID] = set()
        self._new: dict[UUID, dict[str, Any]] = {}
        self._changed: dict[UUID, dict[str, Any]] = {}

    @classmethod
    def of(cls, tx: Transaction) -> Reservations:
        """The transaction's reservations."""
        return tx.unit(cls, cls)

    def load(self, document_ids: Iterable[UUID]) -> None:
        """Read and lock what is pending for these documents."""
        wanted = set(document_ids) - self._loaded
        if not wanted:
            return
        statement = _PENDING_LOCKED if locks.locks_rows(self._tx.connection) else _PENDING
        known = {row["id"] for document_id in wanted for row in self._pending.get(document_id, ())}
        known |= self._changed.keys()
        for row in fetch_in(self._tx.connection, statement, reservations.c.document_id, sorted(wanted)):
            if row.id not in known:
                self._pending.setdefault(row.document_id, []).append(dict(row._mapping))
        self._loaded |= wanted

    def buckets(self, document_ids: Iterable[UUID]) -> set[Bucket]:
        """The `reserved` buckets that loaded documents hold, for loading the ledger in bulk."""
        return {
            Bucket.of(row["item_id"], row["location_id"], "reserved")
            for document_id in document_ids
            for row in self._pending.get(document_id, ())
        }

    def reserve(self, requests: Sequence[Request]) -> None:
        """Reserve all of them or none. Raises `InsufficientStock`."""
        self._ledger.post(
            [
                Move(
                    "reservation",
                    Bucket.of(request.item_id, request.location_id),
                    Bucket.of(request.item_id, request.location_id, "reserved"),
                    request.quantity,
                    request.document_kind,
                    request.document_id,
                    request.occurred_at,
                    request.audit_id,
                )
                for request in requests
            ]
        )
        for request in requests:
            self._add(
                {
                    "id": self._tx.new_id(),
                    "document_kind": request.document_kind,
                    "document_id": request.document_id,
                    "line_id": request.line_id,
                    "item_id": request.item_id,
                    "location_id": request.location_id,
                    "quantity": request.quantity,
                    "status": "pending",
                    "expires_at": request.expires_at,
                    "audit_id": request.audit_id,
                }
            )

    def _add(self, row: dict[str, Any]) -> None:
        self._new[row["id"]] = row
        self._pending.setdefault(row["document_id"], []).append(row)

    def end(
        self,
        document_id: UUID,
        units: Mapping[UUID, int],
        ending: Ending,
        occurred_at: datetime,
        audit_id: UUID,
        moved_document: tuple[str, UUID] | None = None,
    ) -> None:
        """End `units` per line id of a loaded document: ship them (`posted`) or give them back.

        `moved_document` is the business reference of the moves where it is not the document itself.
        Raises `NothingReserved`, and ends nothing then.
        """
        parts = self._parts_of(document_id, units)
        self._ledger.post(
            [
                self._ending_move(row, part, ending, occurred_at, audit_id, moved_document)
                for row, part in parts
            ]
        )
        for row, part in parts:
            self._end_row(row, part, ending)

    def require(self, document_id: UUID, units: Mapping[UUID, int]) -> None:
        """Raise `NothingReserved` unless so much is pending for each line of a loaded document."""
        self._parts_of(document_id, units)

    def _parts_of(self, document_id: UUID, units: Mapping[UUID, int]) -> list[tuple[dict[str, Any], int]]:
        parts: list[tuple[dict[str, Any], int]] = []
        for line_id, wanted in units.items():
            parts += self._parts(document_id, line_id, wanted)
        return parts

    def _parts(self, document_id: UUID, line_id: UUID, wanted: int) -> list[tuple[dict[str, Any], int]]:
        parts: list[tuple[dict[str, Any], int]] = []
        left = wanted
        for row in self._pending.get(document_id, ()):
            if row["line_id"] == line_id and left > 0:
                part = min(left, row["quantity"])
                parts.append((row, part))
                left -= part
        if left > 0:
            raise NothingReserved(
                f"{wanted} units wanted from the reservation, {wanted - left} are reserved",
                field="quantity",
                remedy=f"ask for {wanted - left} or less, or wait until the rest is reserved",
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
        item_id, location_id = row["item_id"], row["location_id"]
        target = (
            Bucket.of(item_id, CUSTOMER, VIRTUAL) if ending == "posted" else Bucket.of(item_id, location_id)
        )
        kind, document_id = moved_document or (row["document_kind"], row["document_id"])
        return Move(
            _EVENTS[ending],
            Bucket.of(item_id, location_id, "reserved"),
            target,
            quantity,
            kind,
            document_id,
            occurred_at,
            audit_id,
        )

    def _end_row(self, row: dict[str, Any], part: int, ending: Ending) -> None:
        rest = row["quantity"] - part
        row["quantity"], row["status"] = part, ending
        self._pending[row["document_id"]].remove(row)
        if row["id"] not in self._new:
            self._changed[row["id"]] = row
        if rest:
            self._add({**row, "id": self._tx.new_id(), "quantity": rest, "status": "pending"})

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
            held = self._pending.get(row["document_id"], [])
            held[:] = [other for other in held if other["id"] != row["id"]]
        return expired

    def flush(self) -> None:
        """Write new reservations and the ends of old ones."""
        connection = self._tx.connection
        insert_rows(connection, reservations, list(self._new.values()))
        ended = [
            {"id": id_, "status": row["status"], "quantity": row["quantity"]}
            for id_, row in self._changed.items()
        ]
        update_rows(connection, reservations, ended)
        self._new, self._changed = {}, {}

    def discard(self) -> None:
        """Forget what is not written and everything read."""
        self._pending, self._loaded, self._new, self._changed = {}, set(), {}, {}
