"""Rules of the ledger: buckets, moves, which states are what, reason codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

from erp_core.gate.contract import DomainError

State = Literal[
    "available",
    "reserved",
    "picked",
    "received_held",
    "quarantined",
    "return_pending",
    "refurbishing",
    "damaged",
    "in_transit",
    "virtual",
]
EventKind = Literal[
    "opening",
    "receipt",
    "reservation",
    "release",
    "shipment",
    "return",
    "disposition",
    "adjustment",
    "count",
    "transfer",
    "kitting",
    "pick",
    "hold",
    "ownership",
    "reversal",
]
LEDGER = "ledger"
"""The system that is right about stock where no other one is named: this one."""
REASONS = "stock_adjustment"
"""The kind of reason for corrections of stock; those of effect `WRITTEN_OFF` are losses."""
WRITTEN_OFF = "loss"

VIRTUAL: State = "virtual"
KEPT = timedelta(days=366)
"""How long moves stay in the ledger at least: months that ended later are never retired."""
OWN = "own"
CONSIGNED = "consigned"
NO_LOT = UUID(int=0)

ON_HAND_STATES: tuple[State, ...] = (
    "available",
    "reserved",
    "picked",
    "received_held",
    "quarantined",
    "return_pending",
    "refurbishing",
    "damaged",
)
SELLABLE_STATES: tuple[State, ...] = ("available", "reserved")
VALUED_STATES: tuple[State, ...] = (
    "available",
    "reserved",
    "picked",
    "quarantined",
    "return_pending",
    "refurbishing",
    "damaged",
    "in_transit",
)
RESERVATION_STATUSES: Mapping[str, frozenset[str]] = {
    "pending": frozenset({"picked", "posted", "voided", "expired"}),
    "picked": frozenset({"pending", "posted", "voided"}),
    "posted": frozenset(),
    "voided": frozenset(),
    "expired": frozenset(),
}


@dataclass(frozen=True, slots=True, eq=False)
class Bucket:
    """Where stock of one item stands. State `virtual` is outside the company and holds no balance."""

    item_id: UUID
    location_id: UUID
    state: State = "available"
    lot_id: UUID = NO_LOT
    owner: str = OWN
    value: tuple[int, int, str, int, str] = field(init=False, repr=False)
    _hash: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # Buckets are dictionary keys on the hottest path; identifiers hash and compare slowly, integers fast.
        value = (self.item_id.int, self.location_id.int, self.state, self.lot_id.int, self.owner)
        object.__setattr__(self, "value", value)
        object.__setattr__(self, "_hash", hash(value))

    @staticmethod
    def of(item_id: UUID, location_id: UUID, state: State = "available", lot_id: UUID = NO_LOT) -> Bucket:
        """The company's own bucket: mostly one that is there already, several times faster than a new one."""
        value = (item_id.int, location_id.int, state, lot_id.int)
        known = _KNOWN.get(value)
        if known is None:
            if len(_KNOWN) >= _MOST_KNOWN:
                _KNOWN.clear()
            known = _KNOWN[value] = Bucket(item_id, location_id, state, lot_id)
        return known

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Bucket) and self.value == other.value)

    @property
    def key(self) -> tuple[UUID, UUID, str, UUID, str]:
        """The bucket as the balance table's primary key."""
        return (self.item_id, self.location_id, self.state, self.lot_id, self.owner)


_KNOWN: dict[tuple[int, int, str, int], Bucket] = {}
_MOST_KNOWN = 1 << 15


class Move(NamedTuple):
    """`quantity` base units of one item go from `source` to `target`. Never edited, only reversed."""

    event: EventKind
    source: Bucket
    target: Bucket
    quantity: int
    document_kind: str
    document_id: UUID
    occurred_at: datetime
    audit_id: UUID
    reason: str | None = None
    reverses_id: UUID | None = None


class InsufficientStock(DomainError):
    """More is wanted from a bucket than it holds."""

    code = "insufficient_stock"


class MonthRetired(DomainError):
    """A move dated into a month whose moves were taken out of the ledger."""

    code = "month_retired"


class MalformedMove(DomainError):
    """A move that cannot be: nothing moved, another item, or no way between."""

    code = "malformed_move"


def check_move(move: Move) -> None:
    """Raise `MalformedMove` unless something of one item, lot and owner goes somewhere else."""
    if move.quantity <= 0:
        raise MalformedMove(
            f"a move of {move.quantity} units is none", field="quantity", remedy="give at least one base unit"
        )
    item, place, state, lot, owner = move.source.value
    other_item, other_place, other_state, other_lot, other_owner = move.target.value
    if item != other_item or lot != other_lot or owner != other_owner:
        raise MalformedMove(
            "a move keeps its item, lot and owner", remedy="post one move for each item, lot and owner"
        )
    if place == other_place and state == other_state:
        raise MalformedMove("a move needs two different buckets", remedy="choose another location or state")


def net_changes(moves: Iterable[Move]) -> dict[Bucket, int]:
    """What the moves together do to each stored bucket: all demand and supply of a bucket is summed first."""
    changes: dict[Bucket, int] = {}
    for move in moves:
        source, target, quantity = move.source, move.target, move.quantity
        if source.state != VIRTUAL:
            changes[source] = changes.get(source, 0) - quantity
        if target.state != VIRTUAL:
            changes[target] = changes.get(target, 0) + quantity
    return changes
