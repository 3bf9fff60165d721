"""Rules of sales orders: the status graph, cancellation reasons, where an order is filled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

CancelReason = Literal["customer_request", "payment_failed", "fraud", "duplicate", "out_of_stock", "discontinued"]
"""Why an order is cancelled. The last two are the company's doing: the demand was real and stays counted."""

COMPANY_REASONS = frozenset({"out_of_stock", "discontinued"})

ORDER_STATUSES: Mapping[str, frozenset[str]] = {
    "on_hold": frozenset({"reserved", "backordered", "cancelled"}),
    "reserved": frozenset({"partly_shipped", "shipped", "cancelled", "on_hold"}),
    "backordered": frozenset({"reserved", "partly_shipped", "cancelled", "on_hold"}),
    "partly_shipped": frozenset({"shipped"}),
    "shipped": frozenset(),
    "cancelled": frozenset(),
}
