"""Rules of sales orders: the status graph, what a status means, cancellation reasons, where an order is filled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from erp_core.gate.statuses import StatusGraph

PaymentStatus = Literal["cleared", "pending", "review"]

CANCEL_REASONS = "order_cancellation"
"""The kind of reason for cancelling orders."""

BY_COMPANY = "company"
"""The effect of reasons that are the company's doing: the demand was real and stays counted."""

ORDER_STATUSES: StatusGraph = {
    "on_hold": frozenset({"reserved", "backordered", "cancelled"}),
    "reserved": frozenset({"partly_shipped", "shipped", "cancelled", "on_hold"}),
    "backordered": frozenset({"reserved", "partly_shipped", "cancelled", "on_hold"}),
    "partly_shipped": frozenset({"shipped"}),
    "shipped": frozenset(),
    "cancelled": frozenset(),
}


@dataclass(slots=True)
class LineParts:
    """How much of a line's quantity is promised, gone or given up. The rest is open without stock."""

    quantity: int
    reserved: int = 0
    shipped: int = 0
    cancelled: int = 0

    @property
    def open(self) -> int:
        """Units still owed to the customer."""
        return self.quantity - self.shipped - self.cancelled

    @property
    def unfilled(self) -> int:
        """Units owed for which no stock is reserved."""
        return self.quantity - self.shipped - self.cancelled - self.reserved


def status_of(lines: Iterable[LineParts]) -> str:
    """What the lines of an order that is not on hold make it."""
    still_open = unfilled = shipped = 0
    for line in lines:
        still_open += line.open
        unfilled += line.unfilled
        shipped += line.shipped
    if not still_open:
        return "shipped" if shipped else "cancelled"
    if shipped:
        return "partly_shipped"
    return "backordered" if unfilled else "reserved"


@dataclass(frozen=True, slots=True)
class LocationChoice:
    """Where an order is filled, and why there."""

    location_id: UUID
    reason: Literal["whole_order", "largest_part", "nothing_available"]


def choose_location(
    demand: Mapping[UUID, int], available: Sequence[tuple[UUID, Mapping[UUID, int]]]
) -> LocationChoice:
    """The location that fills most units of the order; among equals the one with most stock, then the first.

    `available` gives units by item for each location, in the order of preference; it must not be empty.
    One location for the whole order, so that it goes out in one parcel.
    """
    best: tuple[int, int] | None = None
    chosen = available[0][0]
    for location_id, units in available:
        filled = sum(min(wanted, units[item_id]) for item_id, wanted in demand.items())
        rank = (filled, sum(units[item_id] for item_id in demand))
        if best is None or rank > best:
            best, chosen = rank, location_id
    assert best is not None
    if best[0] == sum(demand.values()):
        return LocationChoice(chosen, "whole_order")
    return LocationChoice(chosen, "largest_part" if best[0] else "nothing_available")
