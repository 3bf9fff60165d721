"""Receipt of goods against a purchase order."""

from __future__ import annotations

from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from erp_core.gate.contract import Command


class ReceivedLine(BaseModel):
    """What arrived for a line: `quantity` in all, of which `rejected_quantity` was turned away at the dock."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    receipt_line_id: UUID
    po_line_id: UUID
    quantity: int = Field(gt=0)
    rejected_quantity: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _rejected_within_quantity(self) -> Self:
        if self.rejected_quantity > self.quantity:
            raise ValueError("rejected_quantity cannot exceed quantity, which counts all that arrived")
        return self


class ReceiveGoods(Command):
    """Goods arrived. Up to the ordered quantity they become available at the order's price.

    What is beyond it is held: physically there, neither sellable nor payable.
    """

    receipt_id: UUID
    po_id: UUID
    lines: tuple[ReceivedLine, ...] = Field(min_length=1, max_length=500)

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("purchase_order", self.po_id)
