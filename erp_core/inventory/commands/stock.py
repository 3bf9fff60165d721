"""Opening stock, adjustments and reversals."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from erp_core.gate.contract import Command
from erp_core.inventory.rules import ReasonCode
from erp_core.master.values import SignedUnits, Units

StoredState = Literal[
    "available",
    "reserved",
    "picked",
    "received_held",
    "quarantined",
    "return_pending",
    "refurbishing",
    "damaged",
    "in_transit",
]


class StockLine(BaseModel):
    """Units of one item."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    item_id: UUID
    quantity: Units


class PostOpeningStock(Command):
    """What lies at a location when the ledger begins. `document_id` identifies the count."""

    document_id: UUID
    location_id: UUID
    lines: Annotated[tuple[StockLine, ...], Field(min_length=1, max_length=10_000)]

    @property
    def subject(self) -> tuple[str, UUID]:
        """The count."""
        return ("opening", self.document_id)


class AdjustStock(Command):
    """Correct a bucket by `quantity` base units, up or down, for a stated reason. Governed."""

    adjustment_id: UUID
    item_id: UUID
    location_id: UUID
    quantity: SignedUnits
    reason: ReasonCode
    state: StoredState = "available"

    @property
    def subject(self) -> tuple[str, UUID]:
        """The adjustment."""
        return ("adjustment", self.adjustment_id)


class ReverseStock(Command):
    """Undo all moves of an opening, adjustment or transfer by opposite moves. A document is reversed once."""

    document_kind: Literal["opening", "adjustment", "transfer"]
    document_id: UUID
    reason: ReasonCode

    @property
    def subject(self) -> tuple[str, UUID]:
        """The document."""
        return (self.document_kind, self.document_id)


class ExpireReservations(Command):
    """Give back what is reserved longer than agreed, as of `occurred_at`."""

    limit: Annotated[int, Field(ge=1, le=100_000)] = 10_000
