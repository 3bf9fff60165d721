"""Domain events of inventory: what higher contexts may react to, in the same transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

ChangeKind = Literal["opening", "adjustment", "write_off", "reversal"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """One item became available at one location."""

    item_id: UUID
    location_id: UUID
    occurred_at: datetime
    audit_id: UUID
    lot_id: UUID


@dataclass(frozen=True, slots=True)
class GoodsAvailable:
    """Stock came into `available`. Published by `Ledger.announce`; orders allocate their backorders to it."""

    arrivals: tuple[Arrival, ...]


@dataclass(frozen=True, slots=True)
class StockChange:
    """Valued stock changed by `quantity` (signed) without a purchase, sale or return behind it."""

    item_id: UUID
    quantity: int
    event: ChangeKind
    document_kind: str
    document_id: UUID
    occurred_at: datetime
    audit_id: UUID


@dataclass(frozen=True, slots=True)
class StockChanged:
    """Opening stock, an adjustment or a reversal was posted; finance values it."""

    changes: tuple[StockChange, ...]


@dataclass(frozen=True, slots=True)
class ReservationsDue:
    """Reservations of these documents are about to expire: whoever owns the documents locks them first."""

    document_kind: str
    document_ids: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class ReservationsHalted:
    """Stock of these lines, as (document id, line id), is about to be held back: whoever owns the documents locks
    them and puts back what was picked.
    """

    document_kind: str
    lines: frozenset[tuple[UUID, UUID]]
    occurred_at: datetime
    audit_id: UUID


@dataclass(frozen=True, slots=True)
class ReservationsVoided:
    """Stock that was promised is held back; `units` per (document id, line id) are promised no more."""

    document_kind: str
    units: dict[tuple[UUID, UUID], int]
    occurred_at: datetime
    audit_id: UUID


@dataclass(frozen=True, slots=True)
class ReservationsExpired:
    """Reservations ran out; `units` per (document id, line id) went back to available."""

    document_kind: str
    units: dict[tuple[UUID, UUID], int]
    occurred_at: datetime
    audit_id: UUID


@dataclass(frozen=True, slots=True)
class StockConverted:
    """`consumed` units by item became `made` units by item in one kitting: their value goes over, all of it."""

    consumed: tuple[tuple[UUID, int], ...]
    made: tuple[tuple[UUID, int], ...]
    document_kind: str
    document_id: UUID
    occurred_at: datetime
    audit_id: UUID
