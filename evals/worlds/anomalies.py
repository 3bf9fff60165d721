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
RECENT_DAYS = 24


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


def draw_anomalies(world: WorldParameters, catalogue: Catalogue, rng: np.random.Generator) -> tuple[Anomaly, ...]:
    """History at an even pace, then what has begun in the last weeks: a television garden show, a marketplace's
    listing audit and the usual single cases. No item has two anomalies within eight weeks."""
    taken: dict[int, list[int]] = {}
    anomalies: list[Anomaly] = []
    last = world.days - 1
    for kind, count in (("spike", world.recent_spikes), ("drop", world.recent_drops)):
        for _ in range(count):
            start = last - int(rng.integers(8, RECENT_DAYS)) if kind == "drop" else last - int(rng.integers(2, 20))
            _add(anomalies, taken, world, catalogue, rng, kind, start, until=last)
    for _ in range(world.anomalies):
        start = int(rng.integers(min(28, world.days // 4), max(last - 60, world.days // 3)))
        kind = "spike" if rng.random() < 0.55 else "drop"
        _add(anomalies, taken, world, catalogue, rng, kind, start, until=last)
    return tuple(sorted(anomalies, key=lambda one: (one.start, one.item)))


def _add(
    anomalies: list[Anomaly],
    taken: dict[int, list[int]],
    world: WorldParameters,
    catalogue: Catalogue,
    rng: np.random.Generator,
    kind: Kind,
    start: int,
    *,
    until: int,
) -> None:
    causes, shares = (_SPIKES, _SPIKE_SHARES) if kind == "spike" else (_DROPS, _DROP_SHARES)
    cause = str(rng.choice(causes, p=shares))
    item = _subject(taken, catalogue, rng, kind, cause, start)
    if item is None:
        return
    low, high = _DAYS[cause]
    days = min(int(rng.integers(low, high)), until - start + 1)
    factor = units = None
    if cause in _ORDERS:
        a_week = catalogue.items[item].share * world.demand_lines / world.days * 7
        usual = max(8.0, a_week * catalogue.items[item].units_a_line)
        units = int(usual * rng.uniform(3.0, 6.0)) if cause == "bulk_buyer" else int(usual * rng.uniform(20.0, 60.0))
    else:
        factor = round(float(rng.uniform(*_FACTORS[cause])), 3)
    one_channel = cause == "press" and rng.random() < 0.4
    taken.setdefault(item, []).append(start)
    anomalies.append(Anomaly(item, kind, cause, 0 if one_channel else None, start, days, factor, units))


def _subject(
    taken: dict[int, list[int]], catalogue: Catalogue, rng: np.random.Generator, kind: Kind, cause: str, start: int
) -> int | None:
    """An item that sells on the day; drops strike what sells enough that anybody would notice."""
    weights = np.array(
        [
            0.0
            if item.introduced > start - 60 and item.introduced > 0
            or (item.discontinued is not None and item.discontinued < start + 30)
            or any(abs(start - other) < 56 for other in taken.get(index, ()))
            else item.share
            for index, item in enumerate(catalogue.items)
        ]
    )
    floor = np.sort(weights)[-max(1, len(weights) // 4)] if kind == "drop" else np.sort(weights)[-max(1, len(weights) // 3)]
    weights = np.where(weights >= floor, 1.0 if cause != "competitor" else np.sqrt(weights), 0.0)
    if weights.sum() == 0:
        return None
    return int(rng.choice(len(weights), p=weights / weights.sum()))


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
