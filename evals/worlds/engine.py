"""The day loop: deliveries in the morning, orders over the day, parcels, reviews and transfers after it."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np

from evals.worlds.anomalies import Anomaly, draw_anomalies
from evals.worlds.buying import Buying
from evals.worlds.catalogue import Catalogue, draw_catalogue
from evals.worlds.demand import Demand, draw_demand
from evals.worlds.events import DAY, ORDER, PROMOTION, SUPPLIER, Bill, Delay, Event, Placed, Purchase, Shipped
from evals.worlds.invoicing import Invoicing
from evals.worlds.parameters import WorldParameters
from evals.worlds.replenishment import Replenishment
from evals.worlds.returns import Returns
from evals.worlds.sales import Sales
from evals.worlds.sourcing import Contracts, Quotations
from evals.worlds.stock import Stock
from evals.worlds.supply import Deliveries, Delivery

_INVOICING = 1_001


@dataclass(frozen=True, slots=True)
class Premise:
    """What a story starts from; `opening` is the stock per cell (item × location) on the first day."""

    world: WorldParameters
    seed: int
    catalogue: Catalogue
    opening: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Story(Premise):
    """All that happened in a world. Events are in the order in which they happened.

    `lost` are (cell, day, units) that customers wanted and nobody could order; `delays` are late purchase
    order lines with their cause. `final_stock` is what the simulation's own ledger holds in the end.
    """

    demand: Demand
    anomalies: tuple[Anomaly, ...]
    events: tuple[Event, ...]
    purchases: tuple[Purchase, ...]
    deliveries: tuple[Delivery, ...]
    delays: tuple[Delay, ...]
    bills: tuple[Bill, ...]
    lost: tuple[tuple[int, int, int], ...]
    final_stock: tuple[int, ...]


def simulate(world: WorldParameters, seed: int) -> Story:
    """The story of a world. The same world and seed give the same story, event by event."""
    days = unfold(world, seed)
    while True:
        try:
            next(days)
        except StopIteration as end:
            story: Story = end.value
            return story


def unfold(world: WorldParameters, seed: int) -> Generator[Premise | tuple[Event, ...], None, Story]:
    """The story of a world while it happens: its premise, then the events of each day; returns all of it."""
    streams = [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(9)]
    catalogue = draw_catalogue(world, streams[0])
    anomalies = draw_anomalies(world, catalogue, streams[1])
    demand = draw_demand(world, catalogue, anomalies, streams[2])
    replenishment = Replenishment(world, catalogue, _expected_units(catalogue, demand), streams[3])
    opening = _opening(catalogue, replenishment, streams[4])
    yield Premise(world, seed, catalogue, opening)
    stock = Stock(list(opening))
    deliveries = Deliveries(world, catalogue, streams[5])
    invoicing = Invoicing(world, catalogue, _apart(seed, _INVOICING))
    contracts = Contracts(world, catalogue)
    buying = Buying(
        world, catalogue, stock, replenishment, deliveries, streams[6], streams[8], invoicing, contracts
    )
    quotations = Quotations(world, catalogue)
    returns = Returns(world, catalogue, streams[7])
    sales = Sales(world, catalogue, demand, stock, replenishment.seen, streams[4])
    price_days = _price_changes(world, catalogue, streams[4])
    events: list[Event] = []
    for day in range(world.days):
        known = len(events)
        for supplier, factor in price_days.get(day, ()):
            changes = buying.set_prices(supplier, factor)
            events.extend(
                Event("SetSupplierItem", day * DAY, (SUPPLIER, supplier), (supplier, *one)) for one in changes
            )
        events.extend(_promotions(demand, day))
        replenishment.revise(day)
        events.extend(contracts.day(day, buying.purchases, buying.prices))
        for event, arrived in (*returns.morning(day), *buying.morning(day)):
            events.append(_given(event, arrived, stock, sales, day))
        placed = sales.day(day)
        events.extend(placed)
        events.extend(buying.transfer(day, replenishment.seen))
        parcels = sales.ship(day)
        events.extend(parcels)
        for order, contents, parcel in _handed_over(placed, parcels, sales):
            returns.plan(order, contents, parcel, day)
        events.extend(buying.review(day))
        events.extend(quotations.day(day, buying.purchases, buying.prices))
        events.extend(invoicing.day(day))
        yield tuple(events[known:])
    return Story(
        world=world,
        seed=seed,
        catalogue=catalogue,
        demand=demand,
        anomalies=anomalies,
        events=tuple(events),
        opening=opening,
        purchases=tuple(buying.purchases),
        deliveries=tuple(buying.deliveries),
        delays=tuple(buying.delays),
        bills=tuple(invoicing.bills),
        lost=tuple(sales.lost),
        final_stock=tuple(stock.available),
    )


def _apart(seed: int, key: int) -> np.random.Generator:
    """A stream of its own: however much is drawn from it, the others stay as they are."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(key,)))


def _expected_units(catalogue: Catalogue, demand: Demand) -> np.ndarray:
    """Mean units per cell and day as a perfect planner would know them, the shop's needs included in its supplier."""
    places = len(catalogue.locations)
    units = np.zeros((len(catalogue.items), places, demand.expected.shape[2]))
    for index, item in enumerate(catalogue.items):
        for number, channel in enumerate(catalogue.channels):
            for share, nodes in zip(channel.country_shares, channel.nodes, strict=True):
                first = next((place for place in nodes if place in item.stocked), None)
                if first is not None:
                    units[index, first] += demand.expected[index, number] * share * item.units_a_line
    units[:, 0] += units[:, places - 1]
    return units.reshape(-1, demand.expected.shape[2])


def _opening(catalogue: Catalogue, replenishment: Replenishment, rng: np.random.Generator) -> tuple[int, ...]:
    places = len(catalogue.locations)
    cells = np.arange(len(catalogue.items) * places)
    point, level = replenishment.targets(cells, 0)
    units = np.ceil(
        point * rng.uniform(0.8, 1.0, len(cells)) + (level - point) * rng.uniform(0.0, 1.0, len(cells))
    )
    stocked = np.zeros(len(cells), dtype=bool)
    for index, item in enumerate(catalogue.items):
        if item.introduced == 0:
            for place in item.stocked:
                stocked[index * places + place] = True
    shop = cells % places == places - 1
    units = np.where(shop, np.ceil(units * 0.4) + 1, units)
    return tuple(np.where(stocked, units, 0).astype(int).tolist())


def _price_changes(
    world: WorldParameters, catalogue: Catalogue, rng: np.random.Generator
) -> dict[int, list[tuple[int, float]]]:
    """Suppliers that raise their prices on a first of February."""
    changes: dict[int, list[tuple[int, float]]] = {}
    for day in range(1, world.days):
        if (world.day(day).month, world.day(day).day) == (2, 1):
            for supplier in range(len(catalogue.suppliers)):
                if rng.random() < 0.4:
                    changes.setdefault(day, []).append(
                        (supplier, 1 + round(float(rng.uniform(0.01, 0.06)), 3))
                    )
    return changes


def _promotions(demand: Demand, day: int) -> Iterator[Event]:
    for number, one in enumerate(demand.promotions):
        if one.known == day:
            for channel in one.channels:
                yield Event("PlanPromotion", day * DAY + 3_600, (PROMOTION, number), (one, channel))


def _given(event: Event, arrived: list[tuple[int, int]], stock: Stock, sales: Sales, day: int) -> Event:
    """The event with what its goods did: orders that waited for them are served first."""
    if not arrived:
        return event
    others: list[int] = []
    for cell, units in arrived:
        others.extend(sales.served(stock.give(cell, units), day))
    return event._replace(gives=tuple(arrived), others=(*event.others, *others))


def _handed_over(
    placed: list[Event], parcels: list[Event], sales: Sales
) -> Iterator[tuple[int, Placed, Shipped]]:
    for event in placed:
        if event.kind == "PlaceOrder" and event.data.ship_now:
            lines = tuple((number, line.units) for number, line in enumerate(event.data.lines))
            yield event.document[1], event.data, Shipped(event.data.lines[0].location, lines, 0)
    for event in parcels:
        contents = sales.placed(event.document[1])
        if event.document[0] == ORDER and contents is not None:
            yield event.document[1], contents, event.data
