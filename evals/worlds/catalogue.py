"""The company's master data, drawn from `catalogue.toml`: items, suppliers, places and people."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from evals.worlds.parameters import WorldParameters

CENT = 100
"""Ten-thousandths of the currency in a cent: prices end on whole cents."""

FAR = ("China", "Vietnam", "India", "Türkiye")
"""Where goods come from by sea."""

_STOCKED = {"A": (1.0, 0.75, 0.9, 0.85), "B": (1.0, 0.45, 0.5, 0.4), "C": (1.0, 0.12, 0.14, 0.2)}


@dataclass(frozen=True, slots=True)
class Source:
    """One supplier's offer for an item; `price` in ten-thousandths per unit."""

    supplier: int
    price: int
    minimum: int
    multiple: int
    supplier_sku: str


@dataclass(frozen=True, slots=True)
class Item:
    """An item as the planner sees it, with what drives its demand. Money in ten-thousandths."""

    sku: str
    name: str
    category: str
    brand: str
    cost: int
    price: int
    units_a_line: float
    season: tuple[float, ...]
    christmas: float
    return_share: float
    share: float
    abc: str
    introduced: int
    discontinued: int | None
    stocked: tuple[int, ...]
    sources: tuple[Source, ...]
    carton: int


@dataclass(frozen=True, slots=True)
class Supplier:
    """A supplier; `late` is the usual share of late deliveries, hidden from the company."""

    code: str
    name: str
    country: str
    segment: str
    risk: str
    lead: int
    late: float
    payment_days: int
    terms: str
    minimum_order: int
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Location:
    """A warehouse or a shop."""

    code: str
    name: str
    kind: str
    country: str


@dataclass(frozen=True, slots=True)
class Channel:
    """A way to sell; `nodes` gives per customer country the locations in order of preference."""

    code: str
    name: str
    kind: str
    share: float
    weekday: tuple[float, ...]
    countries: tuple[str, ...]
    country_shares: tuple[float, ...]
    nodes: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All master data of a world. Indices in the tuples are the only keys the simulation uses.

    `users` are (login, name) with the role as login, `colleagues` (login, name, role) of further people, `customers` (name, country) of those that buy on account.
    """

    items: tuple[Item, ...]
    suppliers: tuple[Supplier, ...]
    locations: tuple[Location, ...]
    channels: tuple[Channel, ...]
    users: tuple[tuple[str, str], ...]
    colleagues: tuple[tuple[str, str, str], ...]
    customers: tuple[tuple[str, str], ...]


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    with Path(__file__).with_name("catalogue.toml").open("rb") as file:
        return tomllib.load(file)


def draw_catalogue(world: WorldParameters, rng: np.random.Generator) -> Catalogue:
    """The world's master data. A smaller world takes an even share of every category."""
    suppliers = _suppliers(world)
    locations = _locations(world)
    channels = _channels(locations)
    return Catalogue(
        items=_items(world, rng, suppliers, len(locations)),
        suppliers=suppliers,
        locations=locations,
        channels=channels,
        users=tuple((user["login"], user["name"]) for user in _data()["user"]),
        colleagues=tuple((one["login"], one["name"], one["role"]) for one in _data()["colleague"]),
        customers=_customers(world, channels, rng),
    )


def _customers(
    world: WorldParameters, channels: tuple[Channel, ...], rng: np.random.Generator
) -> tuple[tuple[str, str], ...]:
    kinds, owners = _data()["customer_kinds"], _data()["customer_owners"]
    web = [channel for channel in channels if channel.kind == "web"]
    countries = [country for channel in web for country in channel.countries]
    shares = np.array([channel.share * share for channel in web for share in channel.country_shares])
    drawn = rng.choice(len(countries), world.customers, p=shares / shares.sum())
    return tuple(
        (
            f"{kinds[int(rng.integers(len(kinds)))]} {owners[int(rng.integers(len(owners)))]}",
            countries[country],
        )
        for country in drawn.tolist()
    )


def _suppliers(world: WorldParameters) -> tuple[Supplier, ...]:
    rows = _data()["supplier"]
    if world.suppliers < len(rows):
        rows = rows[: world.suppliers]
    return tuple(
        Supplier(
            code=f"SUP-{row['code']}",
            name=row["name"],
            country=row["country"],
            segment=row["segment"],
            risk=row["risk"],
            lead=row["lead"],
            late=row["late"],
            payment_days=row["payment_days"],
            terms=row["terms"],
            minimum_order=row["minimum_order"] * 10_000,
            categories=tuple(row["categories"]),
        )
        for row in rows
    )


def _locations(world: WorldParameters) -> tuple[Location, ...]:
    rows = _data()["location"]
    kept = [*rows[: world.locations - 1], rows[-1]]
    return tuple(Location(row["code"], row["name"], row["kind"], row["country"]) for row in kept)


def _channels(locations: tuple[Location, ...]) -> tuple[Channel, ...]:
    index = {location.code: position for position, location in enumerate(locations)}
    shop = len(locations) - 1
    channels = []
    for row in _data()["channel"]:
        countries = tuple(row["countries"])
        if row["kind"] == "store":
            nodes: tuple[tuple[int, ...], ...] = tuple((shop,) for _ in countries)
        else:
            serves = _data()["serves"]
            nodes = tuple(
                tuple(index[code] for code in serves[country] if code in index) for country in countries
            )
        channels.append(
            Channel(
                code=row["code"],
                name=row["name"],
                kind=row["kind"],
                share=row["share"],
                weekday=tuple(row["weekday"]),
                countries=countries,
                country_shares=tuple(row["countries"].values()),
                nodes=nodes,
            )
        )
    return tuple(channels)


@dataclass(frozen=True, slots=True)
class _Product:
    sku: str
    name: str
    category: dict[str, Any]
    brand: str
    cost: float
    units: float
    product: int


def _products(world: WorldParameters, suppliers: tuple[Supplier, ...]) -> list[_Product]:
    served = {category for supplier in suppliers for category in supplier.categories}
    products = []
    for category in _data()["category"]:
        if category["name"] not in served:
            continue
        for number, (name, cost, units, variants) in enumerate(category["products"], start=1):
            for position, variant in enumerate(variants):
                sized = any(character.isdigit() for character in variant) or variant in ("L", "Large")
                products.append(
                    _Product(
                        sku=f"{category['prefix']}-{number * 10 + position + 1:04d}",
                        name=f"{name}, {variant}",
                        category=category,
                        brand=category["brands"][number % len(category["brands"])],
                        cost=cost * (1 + 0.32 * position if sized else 1.0),
                        units=units,
                        product=number,
                    )
                )
    if world.items < len(products):
        step = len(products) / world.items
        products = [products[int(position * step)] for position in range(world.items)]
    return products


def _abc(revenue: np.ndarray) -> list[str]:
    order = np.argsort(-revenue, kind="stable")
    cumulated = np.cumsum(revenue[order]) / revenue.sum()
    classes = np.empty(len(revenue), dtype="<U1")
    classes[order] = np.where(cumulated <= 0.75, "A", np.where(cumulated <= 0.93, "B", "C"))
    return [str(label) for label in classes]


def _items(
    world: WorldParameters, rng: np.random.Generator, suppliers: tuple[Supplier, ...], locations: int
) -> tuple[Item, ...]:
    products = _products(world, suppliers)
    count = len(products)
    costs = np.array([product.cost for product in products]) * rng.uniform(0.92, 1.08, count)
    popularity = np.exp(rng.normal(0.0, 1.9, count)) * costs**-0.3
    popularity /= popularity.sum()
    popularity /= 1 + popularity / 0.06
    shares = popularity / popularity.sum()
    markup = rng.uniform(2.1, 2.9, count)
    classes = _abc(shares * costs * markup * np.array([product.units for product in products]))
    new = rng.random(count) < 0.1
    introduced = (
        np.where(new, rng.integers(90, max(world.days - 60, 91), count), 0) if world.days > 180 else 0 * new
    )
    fading = (rng.random(count) < 0.05) & ~new & (world.days > 180)
    discontinued = rng.integers(int(world.days * 0.6), int(world.days * 0.9) + 1, count)
    places = rng.random((count, 4))
    by_category = {
        category["name"]: [index for index, row in enumerate(suppliers) if category["name"] in row.categories]
        for category in _data()["category"]
    }
    offers = rng.random((count, 6))
    items = []
    for index, product in enumerate(products):
        category = product.category
        cost = round(float(costs[index]) * 100) * CENT
        columns = [*range(locations - 1), 3]
        stocked = tuple(
            place
            for place, column in enumerate(columns)
            if places[index, column] < _STOCKED[classes[index]][column]
        )
        carton = int(2 ** round(np.log2(max(2.0, 60 / costs[index]))))
        items.append(
            Item(
                sku=product.sku,
                name=product.name,
                category=category["name"],
                brand=product.brand,
                cost=cost,
                price=_retail(costs[index] * markup[index]),
                units_a_line=product.units,
                season=tuple(category["season"]),
                christmas=category["christmas"],
                return_share=category["returns"],
                share=float(shares[index]),
                abc=classes[index],
                introduced=int(introduced[index]),
                discontinued=int(discontinued[index]) if fading[index] else None,
                stocked=stocked,
                sources=_sources(
                    product, cost, carton, suppliers, by_category[category["name"]], offers[index]
                ),
                carton=carton,
            )
        )
    return tuple(items)


def _retail(amount: float) -> int:
    """A shelf price: ends on .95 above 10, on .50 or .95 below."""
    whole = int(amount)
    if amount >= 10:
        return (whole * 100 + 95) * CENT
    return (whole * 100 + (50 if amount - whole < 0.5 else 95)) * CENT


def _sources(
    product: _Product,
    cost: int,
    carton: int,
    suppliers: tuple[Supplier, ...],
    candidates: list[int],
    draws: np.ndarray,
) -> tuple[Source, ...]:
    """Where an item comes from: every other product from overseas, where its category is made there."""
    far = [candidate for candidate in candidates if suppliers[candidate].country in FAR]
    near = [candidate for candidate in candidates if candidate not in far]
    pool = (far if product.product % 2 else near) or candidates
    first = pool[(product.product // 2) % len(pool)]
    chosen = [first]
    if draws[1] < 0.55 and len(candidates) > 1:
        others = [candidate for candidate in candidates if candidate != first]
        chosen.append(others[int(draws[2] * len(others))])
    return tuple(
        Source(
            supplier=supplier,
            price=cost if rank == 0 else int(cost * (1.03 + 0.12 * draws[3]) / CENT) * CENT,
            minimum=carton * (1 + int(draws[4] * 2)),
            multiple=carton,
            supplier_sku=f"{product.sku.replace('-', '')}/{int(100 + draws[5] * 899)}{'AB'[rank]}",
        )
        for rank, supplier in enumerate(chosen)
    )
