"""Rules of cycle counts: the status graph, and how soon something is to be counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from erp_core.gate.contract import DomainError
from erp_core.gate.statuses import StatusGraph

COUNT_STATUSES: StatusGraph = {
    "open": frozenset({"counted", "cancelled"}),
    "counted": frozenset({"counted", "posted", "cancelled"}),
    "posted": frozenset(),
    "cancelled": frozenset(),
}
DEFAULT_DAYS = 180
"""The longest time between two counts where no class of the item says another."""
RISKY_PERCENT = 2
"""From this share of counted units that was found missing, the time between two counts is halved."""


class BeingCounted(DomainError):
    """The item is on a sheet of that location already."""

    code = "being_counted"


class NotCounted(DomainError):
    """Something on the sheet has no count yet."""

    code = "not_counted"


class NotOnSheet(DomainError):
    """The sheet does not ask for this item."""

    code = "not_on_sheet"


@dataclass(frozen=True, slots=True)
class Countable:
    """Stock that could be counted. `value` in ten-thousandths, None where the cost is unknown.

    `moved` units went in or out lately; of `counted` units in past counts `missing` were not found.
    """

    item_id: UUID
    location_id: UUID
    units: int
    value: int | None
    moved: int
    counted: int
    missing: int
    last_counted_on: date | None
    first_moved_on: date
    count_days: int | None


@dataclass(frozen=True, slots=True)
class DueCount:
    """What is to be counted, and why. `days` since the last count (or since stock first came) of `interval` days.

    `shrinkage` is the share of counted units that was missing, in hundredths of a percent; None before the first count.
    """

    item_id: UUID
    location_id: UUID
    units: int
    value: int | None
    moved: int
    shrinkage: int | None
    days: int
    interval: int

    @property
    def urgency(self) -> tuple[float, int, int]:
        """Most urgent first when sorted downwards: how overdue, then the value at risk, then velocity.

        The value at risk is that of the stock times the share that is usually missing; what was never counted or
        has no known cost counts as if it were all at risk or worth one unit each.
        """
        risk = 10_000 if self.shrinkage is None else self.shrinkage + 1
        return (
            round(self.days / self.interval, 1),
            risk * (self.units if self.value is None else self.value),
            self.moved,
        )


def shrinkage(counted: int, missing: int) -> int | None:
    """Missing units of those that should have been there, in hundredths of a percent; None without a count."""
    expected = counted + missing
    return missing * 10_000 // expected if expected else None


def due(stock: Countable, today: date) -> DueCount | None:
    """The count that is due, or None. Where much was missing before, twice as often as the item's class asks."""
    interval = stock.count_days or DEFAULT_DAYS
    lost = shrinkage(stock.counted, stock.missing)
    if lost is not None and lost >= RISKY_PERCENT * 100:
        interval = max(interval // 2, 1)
    days = (today - (stock.last_counted_on or stock.first_moved_on)).days
    if days < interval:
        return None
    return DueCount(
        stock.item_id, stock.location_id, stock.units, stock.value, stock.moved, lost, days, interval
    )
