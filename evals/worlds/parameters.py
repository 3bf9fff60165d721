"""What describes a world. Everything else follows from these numbers and the seed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class WorldParameters:
    """A company to simulate, as data.

    `demand_lines` is the expected number of order lines that customers want; what is lost to stockouts
    is not ordered. `anomalies` are spread over the history, `recent_spikes` and `recent_drops` start
    within the last four weeks. `planner_skill` is the share of item-locations whose parameters the
    planner keeps up to date. `message_share` is the share of purchase orders on which the supplier
    writes, `hostile_share` of those with mail that tries to give orders. `posting_days` are posted together.
    """

    name: str
    start: date
    end: date
    items: int
    suppliers: int
    locations: int
    demand_lines: int
    customers: int
    lines_per_order: float
    anomalies: int
    recent_spikes: int
    recent_drops: int
    promotions: int
    planner_skill: float
    return_factor: float
    message_share: float
    hostile_share: float
    posting_days: int

    @property
    def days(self) -> int:
        """Days simulated, both ends included."""
        return (self.end - self.start).days + 1

    def day(self, index: int) -> date:
        """The date of a day index; 0 is `start`."""
        return self.start + timedelta(days=index)


DEMO = WorldParameters(
    name="demo",
    start=date(2024, 4, 1),
    end=date(2026, 6, 30),
    items=300,
    suppliers=25,
    locations=4,
    demand_lines=75_000,
    customers=240,
    lines_per_order=7.0,
    anomalies=100,
    recent_spikes=28,
    recent_drops=18,
    promotions=170,
    planner_skill=0.72,
    return_factor=1.88,
    message_share=0.45,
    hostile_share=0.02,
    posting_days=105,
)

TINY = WorldParameters(
    name="tiny",
    start=date(2026, 4, 1),
    end=date(2026, 6, 30),
    items=20,
    suppliers=4,
    locations=3,
    demand_lines=900,
    customers=8,
    lines_per_order=1.8,
    anomalies=2,
    recent_spikes=2,
    recent_drops=2,
    promotions=4,
    planner_skill=0.7,
    return_factor=1.0,
    message_share=0.6,
    hostile_share=0.3,
    posting_days=91,
)

SIZES = {world.name: world for world in (DEMO, TINY)}
