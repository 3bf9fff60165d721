"""How suppliers deliver: promises, causes of delay that drift by supplier, partial and excessive deliveries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evals.worlds.catalogue import FAR, Catalogue
from evals.worlds.parameters import WorldParameters

_SUMMER_BREAK = ("Italy", "Spain", "France", "Portugal", "Greece")
_LUNAR_BREAK = ("China", "Vietnam")
_DRIFT = 0.22
_WORSE = 2.6
_BETTER = -1.3
_LATE_OFFSET = -1.3

_STRIKE = 4.0
_CUSTOMS_DAYS, _FAR_DAYS, _NEAR_DAYS = 34.0, 13.0, 8.0
_STRIKE_DAYS = 52

Cause = str
"""Truth: raw_material, port_congestion, customs, quality_hold, late_approval, holiday, capacity, carrier."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One delivery of a purchase order: the day, and per line number (units arrived, of them rejected)."""

    day: int
    lines: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Delivery:
    """What will come of a purchase order. `promised` and `repromised` are days per line number.

    `repromised_on` is the day the supplier gives another date, if ever. `late` is the delay in days of
    the shipment (0 when in time), `cause` why.
    """

    promised: int
    arrivals: tuple[Arrival, ...]
    repromised: int | None
    repromised_on: int | None
    late: int
    cause: Cause | None
    cancelled_on: int | None


class Deliveries:
    """Draws deliveries. A supplier's tendency to be late is its own, drifts, and has its seasons."""

    def __init__(self, world: WorldParameters, catalogue: Catalogue, rng: np.random.Generator) -> None:
        self._world = world
        self._suppliers = catalogue.suppliers
        self._rng = rng
        self._tendency = _tendencies(world, catalogue, rng)
        self._strikes = _strikes(world)

    def draw(
        self, supplier: int, sent: int, units: tuple[int, ...], approval_days: int, value: float
    ) -> Delivery:
        """The delivery of an order sent on a day; `value` in currency units."""
        rng = self._rng
        who = self._suppliers[supplier]
        promised = self._working_day(sent + max(3, round(who.lead * rng.uniform(0.92, 1.08))))
        if rng.random() < 0.008:
            return Delivery(
                promised, (), None, None, 0, None, sent + int(rng.integers(4, max(6, who.lead // 2)))
            )
        late, cause = self._delay(supplier, sent, promised, approval_days, value)
        if late == 0 and rng.random() < 0.27:
            arrives = max(sent + 2, promised - int(rng.integers(1, 5)))
        else:
            arrives = promised + late
        arrives = self._working_day(arrives) if late else self._working_day(arrives, latest=promised)
        late = max(0, arrives - promised)
        repromised, repromised_on = (
            self._repromise(promised, arrives, sent, cause) if late >= 4 else (None, None)
        )
        return Delivery(
            promised,
            self._arrivals(arrives, units),
            repromised,
            repromised_on,
            late,
            cause if late else None,
            None,
        )

    def _working_day(self, day: int, latest: int | None = None) -> int:
        """The next working day, or the one before where the promise allows no later."""
        weekday = (self._world.start.weekday() + day) % 7
        if weekday < 5:
            return day
        forward = day + 7 - weekday
        return forward if latest is None or forward <= latest else day - (weekday - 4)

    def _delay(
        self, supplier: int, sent: int, promised: int, approval_days: int, value: float
    ) -> tuple[int, Cause | None]:
        who, rng = self._suppliers[supplier], self._rng
        month, last = self._world.day(promised).month, self._world.day(sent).month
        reasons = {"raw_material": 0.35, "quality_hold": 0.25, "capacity": 0.3, "carrier": 0.3}
        tendency = self._tendency[supplier, min(sent, self._world.days - 1)]
        if who.country in FAR:
            congestion = 0.7 if month in (9, 10, 11, 12) else 0.25
            reasons["port_congestion"] = 1.4 * congestion
            tendency += congestion
            if self._strike(promised) is not None:
                reasons["customs"] = 4.0
                tendency += _STRIKE
        if (who.country in _LUNAR_BREAK and month in (2, 3)) or (
            who.country in _SUMMER_BREAK and (month in (8, 9) and last < 9)
        ):
            reasons["holiday"] = 1.6
            tendency += 0.9
        if approval_days >= 4:
            reasons["late_approval"] = 1.8
            tendency += 0.9
        tendency += 0.25 * np.log(max(value, 100.0) / 1500.0)
        if rng.random() >= 1 / (1 + np.exp(-tendency)):
            return 0, None
        weights = np.array(list(reasons.values()))
        cause = list(reasons)[int(rng.choice(len(weights), p=weights / weights.sum()))]
        median = _CUSTOMS_DAYS if cause == "customs" else _FAR_DAYS if who.country in FAR else _NEAR_DAYS
        return max(1, min(75, round(median * float(np.exp(rng.normal(0.0, 0.75)))))), cause

    def _strike(self, promised: int) -> int | None:
        """The first day of the strike that an order promised for a day runs into."""
        return next((start for start in self._strikes if start <= promised < start + _STRIKE_DAYS), None)

    def _repromise(
        self, promised: int, arrives: int, sent: int, cause: Cause | None
    ) -> tuple[int | None, int | None]:
        """A new date and the day it is told: near the promise, or soon after a strike has begun."""
        if self._rng.random() > 0.72:
            return None, None
        told = max(sent + 2, promised - int(self._rng.integers(-2, 16)))
        strike = self._strike(promised) if cause == "customs" else None
        if strike is not None:
            told = max(sent + 2, min(told, strike + 3 + told % 7))
        optimism = int(self._rng.choice((0, 0, 0, 3, 7)))
        date = max(promised + 1, arrives - optimism)
        return (date, told) if told < arrives else (None, None)

    def _arrivals(self, arrives: int, units: tuple[int, ...]) -> tuple[Arrival, ...]:
        rng = self._rng
        first, second = [], []
        split = rng.random() < 0.04
        for number, ordered in enumerate(units):
            now = ordered
            if split and rng.random() < 0.6:
                now = int(ordered * rng.uniform(0.4, 0.8))
            elif rng.random() < 0.02:
                now = ordered + max(1, int(ordered * rng.uniform(0.03, 0.15)))
            rejected = max(1, int(now * rng.uniform(0.02, 0.25))) if now >= 4 and rng.random() < 0.02 else 0
            if now:
                first.append((number, now, rejected))
            rest = ordered - (now - rejected)
            if rest > 0 and (now < ordered or rng.random() < 0.7):
                second.append((number, rest, 0))
        arrivals = [Arrival(arrives, tuple(first))] if first else []
        if second:
            arrivals.append(Arrival(self._working_day(arrives + int(rng.integers(5, 19))), tuple(second)))
        return tuple(arrivals)


def _strikes(world: WorldParameters) -> tuple[int, ...]:
    """First days of customs strikes: now and then in the history, and one that is going on in the end."""
    return (*range(170, world.days - 200, 260), world.days - 28) if world.days > 200 else ()


def _tendencies(world: WorldParameters, catalogue: Catalogue, rng: np.random.Generator) -> np.ndarray:
    """Log-odds of being late, shape (suppliers, days): a slow random walk, some suppliers getting worse or better."""
    quarters = world.days // 91 + 2
    count = len(catalogue.suppliers)
    walks = np.cumsum(rng.normal(0, _DRIFT, (count, quarters)), axis=1)
    walks -= walks.mean(axis=1, keepdims=True)
    days = np.arange(world.days)
    base = np.array([np.log(one.late / (1 - one.late)) for one in catalogue.suppliers])
    tendency = (
        base[:, None]
        + _LATE_OFFSET
        + np.stack([np.interp(days / 91, np.arange(quarters), walk) for walk in walks])
    )
    far = np.array([one.country in FAR for one in catalogue.suppliers])
    order = rng.permutation(count)
    order = np.concatenate((order[far[order]][:3], order[~far[order]], order[far[order]][3:]))
    worse, better = order[: max(1, count // 4)], order[count // 4 : count // 4 + max(1, count // 8)]
    tendency[worse] += _WORSE / (1 + np.exp(-(days - (world.days - 210)) / 20.0))
    tendency[better] += _BETTER / (1 + np.exp(-(days - world.days * 0.5) / 20.0))
    return np.clip(tendency, -4.5, 1.2)
