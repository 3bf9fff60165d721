"""Rules of sales orders: pure logic, without database and clock."""

from __future__ import annotations

from erp_core.orders.rules.places import LocationChoice, choose_location
from erp_core.orders.rules.statuses import (
    BY_COMPANY,
    CANCEL_REASONS,
    CARRIER_REASONS,
    COMMITTED,
    GONE,
    HELD,
    HOLD_REASONS,
    OPEN,
    OPEN_PICKS,
    ORDER_STATUSES,
    PICK_REASONS,
    PICK_STATUSES,
    SHORTAGE_ACTIONS,
    WAITING,
    FraudStatus,
    LineParts,
    PaymentStatus,
    Speed,
    hold_reason_of,
    return_steps,
    status_of,
)

__all__ = [
    "BY_COMPANY",
    "CANCEL_REASONS",
    "CARRIER_REASONS",
    "COMMITTED",
    "GONE",
    "HELD",
    "HOLD_REASONS",
    "OPEN",
    "OPEN_PICKS",
    "ORDER_STATUSES",
    "PICK_REASONS",
    "PICK_STATUSES",
    "SHORTAGE_ACTIONS",
    "WAITING",
    "FraudStatus",
    "LineParts",
    "LocationChoice",
    "PaymentStatus",
    "Speed",
    "choose_location",
    "hold_reason_of",
    "return_steps",
    "status_of",
]
