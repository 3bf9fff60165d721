"""Suppliers and what they supply."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from erp_core.gate.contract import Command
from erp_core.master.values import Amount, Code, Country, Currency, Units


class CreateSupplier(Command):
    """A new supplier as a draft; nothing can be ordered from it until it is activated."""

    supplier_id: UUID
    code: Code
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=160)]
    currency: Currency
    country: Country | None = None
    payment_days: Annotated[int, Field(ge=0, le=365)] | None = None
    delivery_terms: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20)] | None = None
    minimum_order: Amount = 0
    lead_time_days: Annotated[int, Field(ge=0, le=730)] | None = None
    segment: Literal["strategic", "long_tail", "imported", "domestic"] = "long_tail"
    risk_class: Literal["low", "medium", "high"] = "medium"

    @property
    def subject(self) -> tuple[str, UUID]:
        """The supplier."""
        return ("supplier", self.supplier_id)


class ActivateSupplier(Command):
    """Let purchase orders go to the supplier. Governed; refused while a mandatory term is missing."""

    supplier_id: UUID

    @property
    def subject(self) -> tuple[str, UUID]:
        """The supplier."""
        return ("supplier", self.supplier_id)


class SetSupplierItem(Command):
    """What a supplier asks for an item: price and quantities per base unit. Rank 1 is the preferred supplier."""

    supplier_id: UUID
    item_id: UUID
    price: Amount
    supplier_sku: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)] | None = None
    minimum_quantity: Units = 1
    order_multiple: Units = 1
    lead_time_days: Annotated[int, Field(ge=0, le=730)] | None = None
    rank: Annotated[int, Field(ge=1, le=99)] = 1

    @property
    def subject(self) -> tuple[str, UUID]:
        """The supplier."""
        return ("supplier", self.supplier_id)
