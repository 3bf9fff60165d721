"""Pure rules of procurement: statuses, supplier terms, receipts and the recommended quantity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from erp_core.gate.statuses import StatusGraph

PURCHASE_ORDER_STEPS: StatusGraph = {
    "draft": frozenset({"submitted", "approved", "cancelled"}),
    "submitted": frozenset({"draft", "approved"}),
    "approved": frozenset({"sent", "cancelled"}),
    "sent": frozenset({"confirmed", "shipped", "partly_received", "received", "cancelled"}),
    "confirmed": frozenset({"sent", "shipped", "partly_received", "received", "cancelled"}),
    "shipped": frozenset({"partly_received", "received", "cancelled"}),
    "partly_received": frozenset({"received", "closed", "sent", "confirmed", "shipped"}),
    "received": frozenset({"closed", "partly_received", "sent", "confirmed", "shipped"}),
    "closed": frozenset(),
    "cancelled": frozenset(),
}
"""A receipt that is reversed leads back: to partly received, or to where the order stood before anything came."""
REQUISITION_STEPS: StatusGraph = {
    "approved": frozenset({"ordered", "cancelled"}),
    "ordered": frozenset(),
    "cancelled": frozenset(),
}
COMMITTED = ("approved", "sent", "confirmed", "shipped", "partly_received")
INBOUND = ("sent", "confirmed", "shipped", "partly_received")

RECEIVABLE = (*INBOUND, "received")

ON_TIME_GRACE_DAYS = 0


@dataclass(frozen=True, slots=True)
class ReorderTarget:
    """When to order and up to where, in base units."""

    reorder_point: int
    order_up_to: int


@dataclass(frozen=True, slots=True)
class Position:
    """What an item-location can count on, and what it owes, in base units. `in_transit` is on its way from other places."""

    available: int
    on_order: int
    backordered: int
    in_transit: int = 0

    @property
    def supply(self) -> int:
        """Units that are there or come: available, in transit and on order."""
        return self.available + self.in_transit + self.on_order

    @property
    def units(self) -> int:
        """The inventory position: what is there or comes, less what is backordered."""
        return self.supply - self.backordered


@dataclass(frozen=True, slots=True)
class Terms:
    """What a supplier asks: at least `minimum_quantity`, in steps of `order_multiple`, base units."""

    minimum_quantity: int = 1
    order_multiple: int = 1

    def accepts(self, quantity: int) -> bool:
        """Whether the quantity keeps minimum and multiple."""
        return quantity >= self.minimum_quantity and quantity % self.order_multiple == 0

    def next_valid(self, quantity: int) -> int:
        """The smallest quantity, no less than this one, that keeps minimum and multiple."""
        wanted = max(quantity, self.minimum_quantity)
        return -(-wanted // self.order_multiple) * self.order_multiple


@dataclass(frozen=True, slots=True)
class Recommendation:
    """How much to order, and why; `quantity` is 0 when nothing needs to be ordered."""

    quantity: int
    needed: int
    explanation: str


def recommend_quantity(target: ReorderTarget, position: Position, terms: Terms) -> Recommendation:
    """Order up to the level when the position is at or below the reorder point, within the supplier's terms.

    Every open order counts once, however far away it is; a draft or a pending proposal does not count.
    """
    sent = f" + {position.in_transit} in transit" if position.in_transit else ""
    sum_up = (
        f"{position.available} available{sent} + {position.on_order} on order"
        f" - {position.backordered} backordered = {position.units}"
    )
    if position.units > target.reorder_point:
        return Recommendation(
            0, 0, f"{sum_up}, above the reorder point of {target.reorder_point}: nothing to order"
        )
    needed = max(target.order_up_to - position.units, 0)
    if needed == 0:
        return Recommendation(0, 0, f"{sum_up}, already at the order-up-to level of {target.order_up_to}")
    quantity = terms.next_valid(needed)
    why = (
        f"{sum_up}, at or below the reorder point of {target.reorder_point}:"
        f" {needed} up to the level of {target.order_up_to}"
    )
    if quantity != needed:
        why += (
            f", raised to {quantity} by the supplier's minimum of {terms.minimum_quantity}"
            f" and multiple of {terms.order_multiple}"
        )
    return Recommendation(quantity, needed, why)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of the units that arrived for a line: accepted, held and rejected add up to what arrived.

    Of the held ones some wait for `inspection`, some are `quarantined`; the others came beyond the order.
    """

    accepted: int
    held: int
    rejected: int
    inspection: int = 0
    quarantined: int = 0

    @property
    def beyond(self) -> int:
        """Units that came beyond the order."""
        return self.held - self.inspection - self.quarantined


def split_receipt(
    open_quantity: int, arrived: int, rejected: int, quarantined: int = 0, *, inspect: bool = False
) -> Receipt:
    """Good units up to what is still open are accepted, or wait where they are to be inspected first.

    The rest is held, neither sellable nor payable, as is what is in doubt.
    """
    good = arrived - rejected - quarantined
    within = min(good, max(open_quantity, 0))
    accepted, inspection = (0, within) if inspect else (within, 0)
    return Receipt(accepted, arrived - rejected - accepted, rejected, inspection, quarantined)


def arrival_days(arrived: Sequence[tuple[date, int]], decided: int, units: int) -> list[tuple[date, int]]:
    """On which days `units` came, the earliest first, after `decided` earlier ones were decided about.

    What a supplier delivered in time stays in time, however long we take to look at it.
    """
    found: list[tuple[date, int]] = []
    for day, came in sorted(arrived):
        passed = min(decided, came)
        decided -= passed
        part = min(units, came - passed)
        units -= part
        if part:
            found.append((day, part))
    return found


def in_time(received_on: date, first_promised_on: date | None) -> bool:
    """Whether a receipt keeps the first promise; without a promise nothing is in time."""
    return first_promised_on is not None and received_on <= first_promised_on + timedelta(
        days=ON_TIME_GRACE_DAYS
    )


def expected_day(first_promised_on: date | None, promised_on: date | None, slip_days: int) -> date | None:
    """The day a line is expected: the latest promise, or the first one put off by what its milestones are late.

    A re-promise that takes the delay into account already is not put off twice. No promise: no day.
    """
    if promised_on is None:
        return None
    return max(promised_on, (first_promised_on or promised_on) + timedelta(days=max(slip_days, 0)))


def slip_days(milestones: Sequence[tuple[date, date | None]], today: date) -> int:
    """Days that an order is behind its milestones, (due, reached or None) with the earliest first; 0 when it is not.

    The last one reached says where it stands; one overdue since counts where it is further behind.
    """
    behind = 0
    for due_on, reached_on in milestones:
        if reached_on is not None:
            behind = (reached_on - due_on).days
        else:
            behind = max(behind, (today - due_on).days)
    return max(behind, 0)


@dataclass(frozen=True, slots=True)
class Lateness:
    """Days late, and whose: ordered too late, approved or sent late, delivered late. They add up to `days`."""

    days: int
    planning: int | None
    approval: int | None
    supplier: int | None

    @property
    def cause(self) -> str:
        """Who has most of the days, the earliest in the chain where they are equal; `unknown` without a lead time."""
        if self.planning is None or self.approval is None or self.supplier is None:
            return "unknown"
        shares = {"planning": self.planning, "approval": self.approval, "supplier": self.supplier}
        return max(shares, key=lambda name: shares[name])


def split_lateness(
    due_on: date, created_on: date, sent_on: date, came_on: date, lead_days: int | None
) -> Lateness:
    """Whose the days are that a line came after it was due, with the lead time agreed.

    Planning owns what would have been late had the order gone out when it was made; approval owns how long it then
    took to go out, as far as that used up more than there was to spare; the supplier owns the rest.
    """
    late = max((came_on - due_on).days, 0)
    if lead_days is None:
        return Lateness(late, None, None, None)
    spare = (due_on - created_on).days - lead_days
    planning = min(max(-spare, 0), late)
    approval = min(max((sent_on - created_on).days - max(spare, 0), 0), late - planning)
    return Lateness(late, planning, approval, late - planning - approval)


def percent_of(quantity: int, recommended: int) -> int:
    """The quantity in percent of a recommendation; one of nothing counts as a unit, so the figure is large."""
    return quantity * 100 // max(recommended, 1)
