"""What customers want, day by day: seasons, promotions, prices, anomalies and chance. Pure numpy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from evals.worlds.anomalies import Anomaly, demand_factors
from evals.worlds.catalogue import CENT, Catalogue
from evals.worlds.parameters import WorldParameters

_UPLIFT = 6.5
_ELASTICITY = -1.4
_DISPERSION = 0.35


@dataclass(frozen=True, slots=True)
class Promotion:
    """A planned price cut of one item in some channels; `known` is the day it was entered."""

    item: int
    channels: tuple[int, ...]
    start: int
    stop: int
    discount: float
    name: str
    known: int


@dataclass(frozen=True, slots=True)
class Demand:
    """Wanted order lines, grouped into orders. Line arrays have one entry per line, sorted by order.

    `expected` (items, channels, days) is the mean of wanted lines; `list_price` (items, days) in
    ten-thousandths; `discount` (items, channels, days) as a share. `order_first` gives each order's
    first line, with one closing entry. `order_error` marks mis-keyed orders, `order_trade` bulk ones.
    """

    expected: np.ndarray
    list_price: np.ndarray
    discount: np.ndarray
    promotions: tuple[Promotion, ...]
    line_item: np.ndarray
    line_units: np.ndarray
    order_first: np.ndarray
    order_day: np.ndarray
    order_minute: np.ndarray
    order_channel: np.ndarray
    order_country: np.ndarray
    order_trade: np.ndarray
    order_error: np.ndarray


def draw_demand(
    world: WorldParameters, catalogue: Catalogue, anomalies: tuple[Anomaly, ...], rng: np.random.Generator
) -> Demand:
    """All demand of a world from start to end."""
    promotions = _promotions(world, catalogue, rng)
    discount = _discounts(world, catalogue, promotions)
    list_price = _prices(world, catalogue, rng)
    expected = _expected(world, catalogue, list_price, discount, rng) * demand_factors(
        world, catalogue, anomalies
    )
    noise = rng.gamma(1 / _DISPERSION, _DISPERSION, (len(catalogue.items), 1, world.days))
    counts = rng.poisson(expected * noise)
    return Demand(
        expected=expected,
        list_price=list_price,
        discount=discount,
        promotions=promotions,
        **_orders(world, catalogue, counts, anomalies, rng),
    )


def season(world: WorldParameters, catalogue: Catalogue, days_ahead: int = 0) -> np.ndarray:
    """Yearly profile per item and day, shape (items, days), by category; Christmas included."""
    ordinals = np.array([world.day(index).timetuple().tm_yday for index in range(world.days)]) + days_ahead
    middles = np.array([date(2025, month, 15).timetuple().tm_yday for month in range(1, 13)])
    profiles = {item.category: item for item in catalogue.items}
    curves = {}
    for category, item in profiles.items():
        monthly = np.interp(ordinals % 365, middles, item.season, period=365)
        to_peak = (ordinals % 365) - date(2025, 12, 15).timetuple().tm_yday
        ramp = np.where(to_peak <= 0, np.exp(to_peak / 12.0), np.exp(-((to_peak / 5.0) ** 2)))
        curves[category] = monthly * (1 + (item.christmas - 1) * ramp)
    return np.stack([curves[item.category] for item in catalogue.items])


def _expected(
    world: WorldParameters,
    catalogue: Catalogue,
    list_price: np.ndarray,
    discount: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    items, channels, days = len(catalogue.items), len(catalogue.channels), world.days
    span = np.arange(days)
    years = span / 365
    trend = np.exp(np.outer(rng.normal(0.06, 0.18, items), years))
    life = np.ones((items, days))
    for index, item in enumerate(catalogue.items):
        if item.introduced:
            life[index] = np.clip((span - item.introduced) / 45, 0, 1) * (span >= item.introduced)
        if item.discontinued is not None:
            life[index] *= np.where(span < item.discontinued, 1.0, np.exp(-(span - item.discontinued) / 25))
    weekday = np.array([world.day(index).weekday() for index in range(days)])
    rhythm = np.stack([np.array(channel.weekday)[weekday] for channel in catalogue.channels])
    rhythm *= _holidays(world, catalogue)
    price_level = list_price / list_price[:, :1]
    per_item = season(world, catalogue) * trend * life * price_level**_ELASTICITY
    shares = np.array([item.share for item in catalogue.items])
    taste = rng.dirichlet(np.array([channel.share for channel in catalogue.channels]) * 25, items)
    for index, item in enumerate(catalogue.items):
        for number, channel in enumerate(catalogue.channels):
            if channel.kind == "store" and channel.nodes[0][0] not in item.stocked:
                taste[index, number] = 0.0
    expected = shares[:, None, None] * taste[:, :, None] * rhythm[None] * per_item[:, None, :]
    expected *= world.demand_lines / expected.sum()
    spread = rng.uniform(0.75, 1.25, (items, channels, 1))
    uplift = 1 + _UPLIFT * discount * spread
    after = np.zeros_like(discount, dtype=bool)
    promoted = discount > 0
    after[:, :, 5:] = promoted[:, :, :-5] & ~promoted[:, :, 5:]
    return expected * uplift * np.where(after, 0.85, 1.0)


def _holidays(world: WorldParameters, catalogue: Catalogue) -> np.ndarray:
    factors = np.ones((len(catalogue.channels), world.days))
    for index in range(world.days):
        day = world.day(index)
        if (day.month, day.day) in ((12, 25), (12, 26), (1, 1)):
            for number, channel in enumerate(catalogue.channels):
                factors[number, index] = 0.0 if channel.kind == "store" else 0.3
        elif (day.month, day.day) == (12, 24):
            factors[:, index] = 0.5
    return factors


def _promotions(
    world: WorldParameters, catalogue: Catalogue, rng: np.random.Generator
) -> tuple[Promotion, ...]:
    """Single promotions all year and a few campaigns; some are planned beyond the end of the history."""
    shares = np.sqrt(np.array([item.share for item in catalogue.items]))
    web = tuple(index for index, channel in enumerate(catalogue.channels) if channel.kind == "web")
    everywhere = tuple(range(len(catalogue.channels)))
    promotions: list[Promotion] = []
    for number in range(world.promotions):
        item = int(rng.choice(len(shares), p=shares / shares.sum()))
        ahead = number < max(1, world.promotions // 25)
        start = int(rng.integers(world.days, world.days + 21) if ahead else rng.integers(10, world.days))
        length = int(rng.integers(5, 12))
        discount = float(rng.choice((0.10, 0.15, 0.20, 0.25, 0.30), p=(0.25, 0.3, 0.25, 0.12, 0.08)))
        day = world.day(start)
        if number % 5 == 4:
            day, start, length, discount = *_campaign_start(world, start), 5, 0.25
        title = f"{_campaign_name(day)}: {catalogue.items[item].name}"
        known = max(0, min(start - int(rng.integers(14, 35)), world.days - 1))
        channels = everywhere if rng.random() < 0.3 else web
        overlaps = any(
            one.item == item and one.start <= start + length and start <= one.stop for one in promotions
        )
        if not overlaps and catalogue.items[item].introduced < start:
            promotions.append(Promotion(item, channels, start, start + length, discount, title, known))
    return tuple(sorted(promotions, key=lambda one: (one.known, one.item, one.start)))


def _campaign_start(world: WorldParameters, near: int) -> tuple[date, int]:
    """The last Friday of November of a year in the world, or else the day itself."""
    day = world.day(near)
    friday = next(
        date(day.year, 11, number)
        for number in range(30, 22, -1)
        if date(day.year, 11, number).weekday() == 4
    )
    index = (friday - world.start).days
    return (friday, index) if 0 <= index < world.days else (day, near)


def _campaign_name(day: date) -> str:
    if day.month == 11 and day.day > 20:
        return "Black Week"
    names = {
        12: "Winter",
        1: "Winter",
        2: "Winter",
        3: "Spring",
        4: "Spring",
        5: "Spring",
        9: "Autumn",
        10: "Autumn",
        11: "Autumn",
    }
    return f"{names.get(day.month, 'Summer')} offer {day.year}"


def _discounts(world: WorldParameters, catalogue: Catalogue, promotions: tuple[Promotion, ...]) -> np.ndarray:
    discount = np.zeros((len(catalogue.items), len(catalogue.channels), world.days))
    for one in promotions:
        for channel in one.channels:
            discount[one.item, channel, one.start : one.stop + 1] = one.discount
    return discount


def _prices(world: WorldParameters, catalogue: Catalogue, rng: np.random.Generator) -> np.ndarray:
    """List price per item and day: up to three changes, mostly upwards, ending on today's list price."""
    items = len(catalogue.items)
    today = np.array([item.price for item in catalogue.items], dtype=np.int64)
    prices = np.repeat(today[:, None], world.days, axis=1)
    for index in range(items):
        for _ in range(int(rng.poisson(world.days / 420))):
            day = int(rng.integers(20, world.days))
            change = float(rng.choice((1.04, 1.06, 1.09, 0.93), p=(0.35, 0.3, 0.15, 0.2)))
            prices[index, :day] = np.round(prices[index, :day] / change / (5 * CENT)) * 5 * CENT
    return prices


def _orders(
    world: WorldParameters,
    catalogue: Catalogue,
    counts: np.ndarray,
    anomalies: tuple[Anomaly, ...],
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    item, channel, day = (axis.astype(np.int64) for axis in np.nonzero(counts))
    repeats = counts[item, channel, day]
    item, channel, day = (np.repeat(axis, repeats) for axis in (item, channel, day))
    total = len(item)
    mean_units = np.array([one.units_a_line for one in catalogue.items])
    units = 1 + rng.poisson(mean_units[item] - 1)
    shuffle = np.lexsort((rng.random(total), channel, day))
    item, channel, day, units = item[shuffle], channel[shuffle], day[shuffle], units[shuffle]
    starts = rng.random(total) < 1 / world.lines_per_order
    starts[0] = True
    starts[1:] |= (day[1:] != day[:-1]) | (channel[1:] != channel[:-1])
    order = np.cumsum(starts) - 1
    item, order, units = _merged(item, order, units)
    first = np.flatnonzero(np.diff(order, prepend=-1))
    order_day, order_channel = day[starts], channel[starts]
    number = len(first)
    minute = np.where(
        order_channel == len(catalogue.channels) - 1,
        rng.integers(9 * 60, 18 * 60, number),
        rng.integers(0, 1440, number),
    )
    trade = rng.random(number) < 0.06
    error = np.zeros(number, dtype=bool)
    extra = [one for one in anomalies if one.units is not None]
    positions = np.argsort(
        np.concatenate((order_day * 1440 + minute, [one.start * 1440 + 600 for one in extra])), kind="stable"
    )
    line_count = np.diff(np.append(first, len(item)))
    all_first = np.append(first, len(item) + np.arange(len(extra)))
    all_count = np.append(line_count, np.ones(len(extra), dtype=np.int64))
    lines = (
        np.concatenate([np.arange(all_first[p], all_first[p] + all_count[p]) for p in positions])
        if number
        else np.array([])
    )
    countries = rng.random(number + len(extra))
    channels = np.append(order_channel, [one.channel or 0 for one in extra]).astype(np.int64)
    country = np.zeros(number + len(extra), dtype=np.int64)
    for index, one in enumerate(catalogue.channels):
        mine = channels == index
        country[mine] = np.minimum(
            np.searchsorted(np.cumsum(one.country_shares), countries[mine]), len(one.countries) - 1
        )
    return {
        "line_item": np.append(item, [one.item for one in extra]).astype(np.int64)[lines],
        "line_units": np.append(units, [one.units for one in extra]).astype(np.int64)[lines],
        "order_first": np.append(0, np.cumsum(all_count[positions])),
        "order_day": np.append(order_day, [one.start for one in extra]).astype(np.int64)[positions],
        "order_minute": np.append(minute, [600] * len(extra)).astype(np.int64)[positions],
        "order_channel": channels[positions],
        "order_country": country[positions],
        "order_trade": np.append(trade, [True] * len(extra)).astype(bool)[positions],
        "order_error": np.append(error, [one.cause == "data_error" for one in extra]).astype(bool)[positions],
    }


def _merged(
    item: np.ndarray, order: np.ndarray, units: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One line per item and order, in order of the orders."""
    key = order * (item.max() + 1) + item
    unique, inverse = np.unique(key, return_inverse=True)
    return unique % (item.max() + 1), unique // (item.max() + 1), np.bincount(inverse, units).astype(np.int64)
