"""Pure rules of the outcome ledger: horizon, verdicts, intervals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil, sqrt
from typing import Literal

Verdict = Literal["good", "neutral", "bad"]
Origin = Literal["person", "agent", "rule", "import"]

SETTLING_DAYS = 7
"""Added to the lead time: the review period that reorder points cover as well."""
TRANSFER_DAYS = 7
PATIENCE_DAYS = 30
"""So long an outcome waits for feeds that do not reach its cut-off yet; then it stays without a verdict."""
EXCESS_DAYS = 90
"""Stock beyond what was asked for in so many days is excess."""
_Z = 1.959964


def cutoff(decided_on: date, lead_time_days: float) -> date:
    """The last day that counts: one lead time and the settling days after the decision."""
    return decided_on + timedelta(days=ceil(lead_time_days) + SETTLING_DAYS)


@dataclass(frozen=True, slots=True)
class LineResult:
    """What happened to one item at one place until the cut-off. None where there is no data."""

    quantity: int
    stockout_days: int | None
    excess: int | None

    @property
    def needless(self) -> int | None:
        """How many of the units asked for turned out to be excess."""
        return None if self.excess is None else min(self.excess, self.quantity)


def line_verdict(result: LineResult, *, executed: bool) -> Verdict | None:
    """Whether the recommendation was right.

    Executed: *bad* when the item ran out, or when all that was ordered is excess at the cut-off; *good* when neither
    and there is no excess at all. Not executed: *good* when the item then ran out, *bad* when even without it there is
    excess. Anything else is *neutral*; without data there is no verdict.
    """
    needless = result.needless
    if result.stockout_days is None or needless is None:
        return None
    if not executed:
        return "good" if result.stockout_days else "bad" if needless else "neutral"
    if result.stockout_days or needless == result.quantity:
        return "bad"
    return "good" if needless == 0 else "neutral"


def verdict_of(lines: Iterable[Verdict | None]) -> Verdict | None:
    """One verdict for a decision with several lines: bad where half of them are, good where none is and half are good."""
    judged = [one for one in lines if one is not None]
    if not judged:
        return None
    bad, good = judged.count("bad"), judged.count("good")
    if 2 * bad >= len(judged):
        return "bad"
    return "good" if bad == 0 and 2 * good >= len(judged) else "neutral"


def stockout_days(
    opening: int, changes: Sequence[tuple[date, int]], demand: Iterable[date], first: date, last: date
) -> int:
    """Days from `first` to `last` with demand that closed with nothing available.

    `opening` is what was available before `first`; `changes` are net changes by day, in order, within the days.
    """
    wanted = sorted({day for day in demand if first <= day <= last})
    level, position, out = opening, 0, 0
    for day in wanted:
        while position < len(changes) and changes[position][0] <= day:
            level += changes[position][1]
            position += 1
        out += level <= 0
    return out


def interval(successes: int, trials: int) -> tuple[float, float] | None:
    """The 95 % interval of a share (Wilson, 1927); None of nothing."""
    if trials == 0:
        return None
    share = successes / trials
    spread = _Z * sqrt(share * (1 - share) / trials + _Z**2 / (4 * trials**2))
    middle, scale = share + _Z**2 / (2 * trials), 1 + _Z**2 / trials
    return (max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale))
