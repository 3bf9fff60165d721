"""True demand anomalies: what happened, to which item, when. Only scorers learn of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from evals.worlds.catalogue import Catalogue
from evals.worlds.parameters import WorldParameters

Kind = Literal["spike", "drop"]

_SPIKES = ("virality", "press", "bulk_buyer", "data_error")
_SPIKE_SHARES = (0.42, 0.26, 0.2, 0.12)
_DROPS = ("listing_loss", "competitor", "wrong_price")
_DROP_SHARES = (0.42, 0.3, 0.28)
_DAYS = {
    "virality": (6, 15),
    "press": (4, 9),
    "bulk_buyer": (1, 2),
    "data_error": (1, 2),
    "listing_loss": (9, 24),
    "competitor": (20, 45),
    "wrong_price": (6, 13),
}
_FACTORS = {
    "virality": (3.5, 8.0),
    "press": (3.5, 7.0),
    "listing_loss": (0.0, 0.04),
    "competitor": (0.2, 0.4),
    "wrong_price": (0.03, 0.15),
}
_ORDERS = ("bulk_buyer", "data_error")
RECENT_DAYS = 27


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One anomaly. `channel` None means all of them; `factor` multiplies demand, `units` is one big order."""

    item: int
    kind: Kind
    cause: str
    channel: int | None
    start: int
    days: int
    factor: float | None
    units: int | None

    @property
    def stop(self) -> int:
        """The first day after it."""
        return self.start + self.days


def draw_anomalies(
    world: WorldParameters, catalogue: Catalogue, rng: np.random.Generator
) -> tuple[Anomaly, ...]:
    """History at an even pace, then what has begun in the last four weeks. No item has two within eight weeks."""
    drawer = _Drawer(world, catalogue, rng)
    last = world.days - 1
    for _ in range(world.recent_drops):
        drawer.add(
            "drop",
            last - int(rng.integers(22, RECENT_DAYS + 1)),
            (0.5, 0.1, 0.4),
            breadth=0.085,
            goes_on=True,
        )
    for _ in range(world.recent_spikes):
        drawer.add("spike", last - int(rng.integers(3, 15)), (0.6, 0.2, 0.15, 0.05), breadth=0.12)
    for _ in range(world.anomalies):
        start = int(rng.integers(min(28, world.days // 4), max(last - 60, world.days // 3)))
        if rng.random() < 0.55:
            drawer.add("spike", start, _SPIKE_SHARES, breadth=0.35)
        else:
            drawer.add("drop", start, _DROP_SHARES, breadth=0.25)
    return tuple(sorted(drawer.anomalies, key=lambda one: (one.start, one.item)))


class _Drawer:
    """Draws anomalies one by one; `breadth` is the share of best-selling items that one may strike."""

    def __init__(self, world: WorldParameters, catalogue: Catalogue, rng: np.random.Generator) -> None:
        self.anomalies: list[Anomaly] = []
        self._world = world
        self._items = catalogue.items
        self._rng = rng
        self._starts: dict[int, list[int]] = {}
        self._units = np.array([item.share * item.units_a_line for item in catalogue.items])
        self._week = self._units * world.demand_lines / world.days * 7

    def add(
        self, kind: Kind, start: int, shares: tuple[float, ...], *, breadth: float, goes_on: bool = False
    ) -> None:
        """An anomaly of a kind, of causes in these shares; one that goes on lasts to the end of the history."""
        rng = self._rng
        cause = str(rng.choice(_SPIKES if kind == "spike" else _DROPS, p=shares))
        item = self._subject(start, breadth)
        if item is None:
            return
        left = self._world.days - start
        days = left if goes_on else min(int(rng.integers(*_DAYS[cause])), left)
        factor = units = None
        if cause in _ORDERS:
            times = rng.uniform(3.0, 6.0) if cause == "bulk_buyer" else rng.uniform(20.0, 60.0)
            units = int(max(8.0, self._week[item]) * times)
        else:
            factor = round(float(rng.uniform(*_FACTORS[cause])), 3)
        one_channel = cause == "press" and rng.random() < 0.4
        self._starts.setdefault(item, []).append(start)
        self.anomalies.append(
            Anomaly(item, kind, cause, 0 if one_channel else None, start, days, factor, units)
        )

    def _subject(self, start: int, breadth: float) -> int | None:
        month = self._world.day(start).month - 1
        pace = self._units * np.array([item.season[month] for item in self._items])
        candidates = [
            index
            for index in np.argsort(-pace, kind="stable").tolist()
            if (self._items[index].introduced == 0 or self._items[index].introduced < start - 120)
            and ((stop := self._items[index].discontinued) is None or stop > start + 30)
        ]
        widest = candidates[: max(2, round(len(self._items) * breadth))]
        free = [
            index
            for index in widest
            if all(abs(start - other) >= 56 for other in self._starts.get(index, ()))
        ]
        return int(self._rng.choice(free)) if free else None


def demand_factors(
    world: WorldParameters, catalogue: Catalogue, anomalies: tuple[Anomaly, ...]
) -> np.ndarray:
    """Multipliers of demand, shape (items, channels, days); 1 where nothing happened."""
    factors = np.ones((len(catalogue.items), len(catalogue.channels), world.days))
    for one in anomalies:
        if one.factor is None:
            continue
        span = np.arange(one.days)
        shape = np.full(one.days, one.factor)
        if one.kind == "spike":
            shape = 1 + (one.factor - 1) * np.exp(-span / max(3.0, one.days / 1.5))
        channels = slice(None) if one.channel is None else one.channel
        factors[one.item, channels, one.start : one.stop] *= shape
    return factors
