"""Whether more comes back of an item on a channel than before: an exact test with control of false alarms.

For each cell (item, channel) order lines of two ship cohorts are compared by the share that came back within
`HORIZON_DAYS` of shipping, so that a young cohort is not called good for being young: a one-sided Fisher test, exact
for any count. Over all cells of a scan the Benjamini-Hochberg procedure keeps the share of false alarms
among the alarms below `FALSE_ALARMS`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

HORIZON_DAYS = 14
RECENT_DAYS = 28
BEFORE_DAYS = 180
FALSE_ALARMS = 0.05
LEAST_RECENT_LINES = 10
LEAST_EARLIER_LINES = 30
LEAST_RETURNED_LINES = 3


@dataclass(frozen=True, slots=True)
class Cohorts:
    """The ship days compared, both ends inclusive. Lines shipped after `recent_to` have not had their days yet."""

    before_from: date
    before_to: date
    recent_from: date
    recent_to: date

    @classmethod
    def on(cls, today: date) -> Cohorts:
        """Those that a scan of a day compares."""
        recent_to = today - timedelta(days=HORIZON_DAYS)
        recent_from = recent_to - timedelta(days=RECENT_DAYS - 1)
        return cls(
            recent_from - timedelta(days=BEFORE_DAYS), recent_from - timedelta(days=1), recent_from, recent_to
        )


@dataclass(frozen=True, slots=True)
class Counts:
    """Order lines of a cell by cohort: shipped, and those of them that came back in time."""

    shipped: int
    returned: int
    shipped_before: int
    returned_before: int

    @property
    def judged(self) -> bool:
        """Whether there is enough to say anything."""
        return self.shipped >= LEAST_RECENT_LINES and self.shipped_before >= LEAST_EARLIER_LINES


@dataclass(frozen=True, slots=True)
class Spike:
    """An alarm: the index of its cell, its p-value, and that value corrected for the number of cells judged."""

    cell: int
    p_value: float
    adjusted: float


def find_spikes(cells: Sequence[Counts]) -> list[Spike]:
    """The cells where more comes back than chance explains, the surest first. Those not `judged` are left out."""
    judged = [index for index, one in enumerate(cells) if one.judged]
    if not judged:
        return []
    import numpy as np
    from scipy.stats import false_discovery_control, hypergeom

    shipped, returned, shipped_before, returned_before = np.array(
        [
            (one.shipped, one.returned, one.shipped_before, one.returned_before)
            for one in (cells[index] for index in judged)
        ]
    ).T
    p_values = hypergeom.sf(returned - 1, shipped + shipped_before, returned + returned_before, shipped)
    adjusted = false_discovery_control(np.clip(p_values, 0.0, 1.0))
    found = [
        Spike(index, float(p_value), float(corrected))
        for index, p_value, corrected in zip(judged, p_values, adjusted, strict=True)
        if corrected < FALSE_ALARMS and cells[index].returned >= LEAST_RETURNED_LINES
    ]
    return sorted(found, key=lambda one: (one.adjusted, one.p_value, one.cell))
