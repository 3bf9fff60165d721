"""Shipping orders."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict

from erp_core.gate.contract import Command
from erp_core.master.values import Amount, Units


class ShippedLine(BaseModel):
    """How much of an order line goes out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    line_id: UUID
    quantity: Units


class ShipOrder(Command):
    """One parcel leaves: the lines given, or all that is reserved (at `location_id` where given)."""

    order_id: UUID
    shipment_id: UUID
    freight_cost: Amount = 0
    location_id: UUID | None = None
    lines: tuple[ShippedLine, ...] | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The order."""
        return ("order", self.order_id)
