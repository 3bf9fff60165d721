"""The life of an order and of a pick list: their status graphs, and what a status means."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from erp_core.gate.statuses import StatusGraph

PaymentStatus = Literal["cleared", "pending", "review"]
FraudStatus = Literal["clear", "suspected"]
Speed = Literal["economy", "standard", "express", "overnight"]

CANCEL_REASONS = "order_cancellation"
"""The kind of reason for cancelling orders."""

HOLD_REASONS = "order_hold"
"""The kind of reason for holding orders: the exception code of an order on hold."""

PICK_REASONS = "pick_cancellation"
"""The kind of reason for cancelling pick lists."""

CARRIER_REASONS = "carrier_override"
"""The kind of reason for sending a parcel with another carrier than the rules chose."""

BY_COMPANY = "company"
"""The effect of reasons that are the company's doing: the demand was real and stays counted."""

ORDER_STATUSES: StatusGraph = {
    "on_hold": frozenset({"reserved", "backordered", "cancelled"}),
    "payment_review": frozenset({"on_hold", "reserved", "backordered", "cancelled"}),
    "reserved": frozenset(
        {"pick_released", "partly_shipped", "shipped", "cancelled", "on_hold", "backordered"}
    ),
    "backordered": frozenset({"reserved", "pick_released", "partly_shipped", "cancelled", "on_hold"}),
    "pick_released": frozenset(
        {"picked", "packed", "reserved", "backordered", "partly_shipped", "cancelled", "on_hold"}
    ),
    "picked": frozenset(
        {"packed", "pick_released", "reserved", "backordered", "partly_shipped", "cancelled"}
    ),
    "packed": frozenset({"shipped", "partly_shipped", "pick_released", "picked", "reserved", "backordered"}),
    "partly_shipped": frozenset({"shipped"}),
    "shipped": frozenset({"returned"}),
    "returned": frozenset({"inspected"}),
    "inspected": frozenset({"restocked", "credited", "returned"}),
    "restocked": frozenset({"credited", "returned"}),
    "credited": frozenset({"returned"}),
    "cancelled": frozenset(),
}

HELD = ("on_hold", "payment_review")
"""Without stock, until somebody decides."""
COMMITTED = ("reserved", "backordered", "pick_released", "picked", "packed", "partly_shipped")
"""Owed to a customer whose order is cleared."""
WAITING = ("backordered", "pick_released", "picked", "packed", "partly_shipped")
"""An order in one of these may have units without stock, which it gets as soon as there is some."""
OPEN = (*HELD, *COMMITTED)
"""Something is still owed, or may be."""
GONE = ("shipped", "returned", "inspected", "restocked", "credited")
"""Everything left that was not cancelled."""

PICK_STATUSES: StatusGraph = {
    "released": frozenset({"picked", "cancelled"}),
    "picked": frozenset({"packed", "cancelled"}),
    "packed": frozenset({"shipped", "cancelled"}),
    "shipped": frozenset(),
    "cancelled": frozenset(),
}
SHORTAGE_ACTIONS = ("substitute", "reallocate", "partial", "procure", "wait")
"""What may be done about stock that is short."""
OPEN_PICKS = ("released", "picked", "packed")
_STAGES = {"released": "pick_released", "picked": "picked", "packed": "packed"}


def return_steps(current: str, stage: str, restocked: bool) -> list[str]:
    """The statuses that lead an order from `current` to the `stage` of its returns, in their order.

    One whose goods were `restocked` passes through it. A new return begins at `returned` again.
    """
    way = [step for step in GONE[1:] if step in ("returned", "inspected", stage) or restocked]
    way = way[: way.index(stage) + 1]
    return way[way.index(current) + 1 :] if current in way else way


@dataclass(slots=True)
class LineParts:
    """How much of a line's quantity is promised, gone or given up. The rest is open without stock.

    `reserved` is what stock is held for; `picked`, a part of it, lies on a cart or in a parcel already.
    """

    quantity: int
    reserved: int = 0
    shipped: int = 0
    cancelled: int = 0
    picked: int = 0

    @property
    def open(self) -> int:
        """Units still owed to the customer."""
        return self.quantity - self.shipped - self.cancelled

    @property
    def unfilled(self) -> int:
        """Units owed for which no stock is reserved."""
        return self.quantity - self.shipped - self.cancelled - self.reserved


def hold_reason_of(payment: PaymentStatus, fraud: FraudStatus, speed_offered: bool) -> str | None:
    """Why an order may not reserve stock yet, the gravest reason first; None when it may."""
    if fraud == "suspected":
        return "fraud_check"
    if payment != "cleared":
        return f"payment_{payment}"
    return None if speed_offered else "service_not_offered"


def status_of(lines: Iterable[LineParts], picks: Iterable[str] = ()) -> str:
    """What its lines and the statuses of its open pick lists make an order that is not held.

    Of several pick lists the one that is least far counts.
    """
    still_open = unfilled = shipped = 0
    for line in lines:
        still_open += line.open
        unfilled += line.unfilled
        shipped += line.shipped
    if not still_open:
        return "shipped" if shipped else "cancelled"
    if shipped:
        return "partly_shipped"
    least = min(picks, key=OPEN_PICKS.index, default=None)
    if least is not None:
        return _STAGES[least]
    return "backordered" if unfilled else "reserved"
