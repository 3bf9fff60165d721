"""The command that places an order, and why it may be refused."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from erp_core.clock import Moment
from erp_core.gate.contract import Command, DomainError
from erp_core.master.values import Amount, Code, Country, Units
from erp_core.orders.rules import FraudStatus, PaymentStatus, Speed


class OrderLine(BaseModel):
    """One line of a new order. Prices per base unit, without tax but where the order says; `unit_price` is what is charged.

    Without a location the order goes to the warehouse that can fill most of it. `quantity` is in base units, or in
    `unit`, one of the item's; it is converted exactly, or refused.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    line_id: UUID
    item_id: UUID
    quantity: Units
    unit_price: Amount
    list_price: Amount
    location_id: UUID | None = None
    unit: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20)] | None = None


class PlaceOrder(Command):
    """An order of a channel. The same `external_ref` of a channel makes one order, however often it is sent.

    Paid orders reserve what is available and wait for the rest. Held without a reservation are those that are not
    paid, that may be fraud, or whose `speed` no carrier offers to the customer.
    `ship_now` is a sale over the counter: all of it is handed over at once, or it is refused.
    With `prices_include_tax` the tax of the day is taken out of the prices; the invoice comes to what they say.
    """

    order_id: UUID
    external_ref: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
    channel_id: UUID
    customer_country: Country
    lines: Annotated[tuple[OrderLine, ...], Field(min_length=1, max_length=1_000)]
    number: Code | None = None
    customer_id: UUID | None = None
    promised_on: date | None = None
    payment_status: PaymentStatus = "cleared"
    fraud_status: FraudStatus = "clear"
    speed: Speed | None = None
    reserve_until: Moment | None = None
    ship_now: bool = False
    shipment_id: UUID | None = None
    prices_include_tax: bool = False

    @property
    def subject(self) -> tuple[str, UUID]:
        """The order."""
        return ("order", self.order_id)


class PaymentNotCleared(DomainError):
    """Goods are handed over against payment."""

    code = "payment_not_cleared"


class NoWarehouse(DomainError):
    """There is no place that could fill an order."""

    code = "no_warehouse"


class SeveralPlaces(DomainError):
    """Goods are handed over at one place."""

    code = "several_places"


class RepeatedLine(DomainError):
    """Two lines of an order share an id."""

    code = "repeated_line"
