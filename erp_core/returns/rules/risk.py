"""How much a return looks like abuse: points with their reasons. It asks a person to look and refuses nothing.

Each rule is a sentence with the numbers it rests on, so that whoever decides can weigh it. The points are a declared
ordering, no probability.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

LOOK_FROM = 50
"""From so many points on a person decides about the refund."""
_MOST = 100
_FEW_UNITS = 5
_LATE_SHARE = 10


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What is known when a return is asked for. Counts of the customer are of the last year and leave this return out.

    The three first are None where the order names no customer: then they say nothing.
    """

    units_bought: int | None
    units_returned: int | None
    returns_lately: int | None
    worse_than_said: int | None
    days_left: int | None
    window_days: int
    beyond_shipped: int
    refund: int
    usual_order: int | None


@dataclass(frozen=True, slots=True)
class RiskReason:
    """One rule that held: its code, its points, and the sentence with its numbers."""

    code: str
    points: int
    text: str


@dataclass(frozen=True, slots=True)
class Risk:
    """The sum of the points, a hundred at most, and what they are for."""

    score: int
    reasons: tuple[RiskReason, ...]


def judge_risk(seen: Behaviour) -> Risk:
    """The score of a return with its reasons, the weightiest first. Nothing known is no reason."""
    reasons = sorted(_reasons(seen), key=lambda one: (-one.points, one.code))
    return Risk(min(sum(one.points for one in reasons), _MOST), tuple(reasons))


def _reasons(seen: Behaviour) -> Iterator[RiskReason]:
    bought, returned = seen.units_bought, seen.units_returned
    if bought is not None and returned is not None and bought >= _FEW_UNITS and 2 * returned >= bought:
        yield RiskReason(
            "returns_most", 30, f"{returned} of {bought} units bought in the last year came back before"
        )
    if seen.returns_lately is not None and seen.returns_lately >= 3:
        yield RiskReason("returns_often", 20, f"{seen.returns_lately} other returns in the last 90 days")
    if seen.worse_than_said:
        yield RiskReason(
            "worse_than_said",
            30,
            f"{seen.worse_than_said} earlier lines said to be fine were found damaged or suspect",
        )
    if seen.beyond_shipped:
        yield RiskReason("beyond_shipped", 30, f"{seen.beyond_shipped} units more than were shipped")
    if seen.days_left is not None and 0 <= seen.days_left * _LATE_SHARE < seen.window_days:
        yield RiskReason(
            "last_days", 10, f"asked for with {seen.days_left} of {seen.window_days} days left of the window"
        )
    if seen.days_left is not None and seen.days_left < 0:
        yield RiskReason("after_window", 20, f"asked for {-seen.days_left} days after the window")
    if seen.usual_order and seen.refund >= 3 * seen.usual_order:
        yield RiskReason("dear", 15, "the refund is three times the customer's usual order or more")
