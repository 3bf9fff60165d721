"""The life of a return: what follows what, and what it makes of its order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from erp_core.gate.statuses import StatusGraph

RETURN_STEPS: StatusGraph = {
    "authorised": frozenset({"received", "cancelled", "expired"}),
    "received": frozenset({"inspected", "authorised"}),
    "inspected": frozenset({"disposed", "authorised"}),
    "disposed": frozenset(),
    "cancelled": frozenset(),
    "expired": frozenset(),
}
ENDED = ("cancelled", "expired")
"""An authorisation that was never used: it counts for nothing any more."""
NOTHING_BACK = ("authorised", *ENDED)
"""Nothing of these returns came back."""

UNDECIDED = "undecided"
DISPOSITION_STEPS: StatusGraph = {
    UNDECIDED: frozenset({"restock", "refurbish", "quarantine", "vendor_return", "write_off"}),
    "refurbish": frozenset({"restock", "vendor_return", "write_off"}),
    "quarantine": frozenset({"restock", "refurbish", "vendor_return", "write_off"}),
    "restock": frozenset(),
    "vendor_return": frozenset(),
    "write_off": frozenset(),
}

STAYING = tuple(way for way, later in DISPOSITION_STEPS.items() if later and way != UNDECIDED)
"""Where goods stay only until they are decided on again: in refurbishing and quarantine."""
STRANDED_AFTER_DAYS = 14
"""For more days than these in the same place, goods that came back are stranded: undecided, or where they only stay."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a return is, what it gives back to the customer, and whether goods of it can be sold again."""

    status: str
    refund: int
    restocked: bool

    @property
    def stage(self) -> str | None:
        """What it makes of its order, seen alone; None while nothing came back."""
        if self.status in NOTHING_BACK:
            return None
        if self.status != "disposed":
            return "returned" if self.status == "received" else "inspected"
        return "credited" if self.refund else "restocked" if self.restocked else "inspected"


_STAGES = ("returned", "inspected", "restocked", "credited")


def order_stage(returns: Iterable[Progress]) -> str | None:
    """The stage of an order: that of its return that is least far. None while nothing came back."""
    stages = [stage for one in returns if (stage := one.stage) is not None]
    return min(stages, key=_STAGES.index, default=None)


def ways_on(current: str | None, *, resalable: bool) -> tuple[str, ...]:
    """The dispositions that may follow this one; None stands for goods that were not decided on."""
    later = DISPOSITION_STEPS[current or UNDECIDED]
    return tuple(sorted(way for way in later if resalable or way != "restock"))


def returnable(shipped: int, already_returned: int) -> int:
    """How many units of an order line may still come back."""
    return max(shipped - already_returned, 0)


def share_of(value: int | None, part: int, whole: int) -> int | None:
    """The value of `part` units out of `whole`, rounded half up; None while the value is unknown."""
    if value is None or whole == 0:
        return None
    return (2 * value * part + whole) // (2 * whole)
