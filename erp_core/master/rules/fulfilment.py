"""Pure rules of fulfilment: where a country lies, what a parcel costs, when it leaves, and what an order may use."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from math import ceil
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

PICKUP_DAYS = 22
"""A pickup further ahead than this is none: three weeks bridge any run of holidays."""


@dataclass(frozen=True, slots=True)
class Service:
    """What a carrier offers. `most_grams` is the heaviest parcel, None without limit."""

    id: UUID
    carrier_id: UUID
    carrier: str
    code: str
    name: str
    speed: str
    most_grams: int | None


@dataclass(frozen=True, slots=True)
class Lane:
    """A service into a zone. `rates` are (from grams, price of a parcel), the lightest first."""

    service_id: UUID
    zone: str
    transit_days: int
    rates: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Cutoff:
    """Until when, on which weekday (0 is Monday), a service picks up at a place, on the clock there."""

    location_id: UUID
    service_id: UUID
    weekday: int
    minute: int
    time_zone: str

    def moment(self, day: date) -> datetime:
        """The cutoff on this day, in UTC."""
        local = datetime.combine(day, time(*divmod(self.minute, 60)), ZoneInfo(self.time_zone))
        return local.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Pickup:
    """When a service leaves a place next: what is packed before `cutoff` (UTC) leaves on `day`."""

    service_id: UUID
    day: date
    cutoff: datetime


@dataclass(frozen=True, slots=True)
class Offer:
    """One way for a parcel: its price (None where its weight is needed and unknown) and its days."""

    service: Service
    price: int | None
    pickup: Pickup
    arrives_on: date


@dataclass(frozen=True, slots=True)
class Packaging:
    """A box or bag. Inner measures in millimetres, weights in grams, None where unknown or without limit."""

    id: UUID
    code: str
    name: str
    length_mm: int | None
    width_mm: int | None
    height_mm: int | None
    tare_grams: int
    most_grams: int | None


@dataclass(frozen=True, slots=True)
class PackagingRule:
    """Which packaging an item or a category (every item without both) leaves in."""

    id: UUID
    name: str
    rank: int
    item_id: UUID | None
    category: str | None
    packaging_id: UUID
    alone: bool
    most_units: int | None

    def covers(self, item_id: UUID, category: str) -> bool:
        """Whether it is about this item."""
        return self.item_id in (None, item_id) and self.category in (None, category)


@dataclass(frozen=True, slots=True)
class Wish:
    """What fulfilment rules look at in an order. `margin` is in hundredths of a percent, None if unknown."""

    channel_id: UUID
    priority: int
    categories: frozenset[str]
    zone: str | None
    value: int
    margin: int | None = None


@dataclass(frozen=True, slots=True)
class FulfilmentRule:
    """What an order that meets all conditions may use. A condition on something unknown is not met."""

    id: UUID
    name: str
    rank: int
    channel_id: UUID | None
    category: str | None
    zone: str | None
    most_priority: int | None
    margin_below: int | None
    value_from: int | None
    value_below: int | None
    locations: tuple[UUID, ...] | None
    speeds: tuple[str, ...] | None
    services: tuple[UUID, ...] | None
    most_parcels: int | None

    def holds(self, wish: Wish) -> bool:
        """Whether the order meets every condition that is given; bounds are half-open."""
        return (
            self.channel_id in (None, wish.channel_id)
            and (self.category is None or self.category in wish.categories)
            and self.zone in (None, wish.zone)
            and (self.most_priority is None or wish.priority <= self.most_priority)
            and (self.margin_below is None or (wish.margin is not None and wish.margin < self.margin_below))
            and (self.value_from is None or wish.value >= self.value_from)
            and (self.value_below is None or wish.value < self.value_below)
        )


@dataclass(frozen=True, slots=True)
class Directions:
    """What an order may use; None leaves it open. `because` names the rule that said so, by aspect."""

    locations: tuple[UUID, ...] | None
    speeds: tuple[str, ...] | None
    services: tuple[UUID, ...] | None
    most_parcels: int | None
    because: Mapping[str, str]


_ASPECTS = ("locations", "speeds", "services", "most_parcels")


def directions(rules: Sequence[FulfilmentRule], wish: Wish) -> Directions:
    """For each aspect the word of the first rule, by rank and name, that holds and says something about it."""
    said: dict[str, Any] = dict.fromkeys(_ASPECTS)
    because: dict[str, str] = {}
    for rule in sorted(rules, key=lambda one: (one.rank, one.name)):
        if not rule.holds(wish):
            continue
        for aspect in _ASPECTS:
            value = getattr(rule, aspect)
            if value is not None and aspect not in because:
                said[aspect], because[aspect] = value, rule.name
    return Directions(because=because, **said)


def zone_of(zones: Mapping[str, str], country: str) -> str | None:
    """The zone of a country, by zones of casefolded countries; the zone of all others where it has none."""
    return zones.get(country.casefold(), zones.get(""))


def price_of(lane: Lane, grams: int | None) -> int | None:
    """The price of a parcel of this weight: that of the last step it reaches.

    None where it is lighter than every step, or of unknown weight and weight decides.
    """
    if grams is None:
        return lane.rates[0][1] if len(lane.rates) == 1 and lane.rates[0][0] == 0 else None
    return next((price for least, price in reversed(lane.rates) if grams >= least), None)


def next_pickup(cutoffs: Iterable[Cutoff], ready: datetime, closed: Collection[date] = ()) -> Pickup | None:
    """The first pickup whose cutoff lies after `ready`, on no `closed` day; at the cutoff it is too late.

    None without cutoffs, and where none is left in `PICKUP_DAYS`.
    """
    found = [
        Pickup(one.service_id, day, one.moment(day))
        for one in cutoffs
        for days in range(-1, PICKUP_DAYS)
        if (day := ready.date() + timedelta(days=days)).weekday() == one.weekday
        and day not in closed
        and one.moment(day) > ready
    ]
    return min(found, key=lambda one: one.cutoff, default=None)


def offers_of(
    services: Iterable[Service],
    lanes: Mapping[UUID, Lane],
    cutoffs: Mapping[UUID, Sequence[Cutoff]],
    ready: datetime,
    grams: int | None,
    holidays: Mapping[UUID, Collection[date]] | None = None,
) -> list[Offer]:
    """The services that reach the zone of `lanes` from the place of `cutoffs`, the cheapest first, unknown last.

    On its `holidays` (by carrier) one neither picks up nor delivers: what would arrive then arrives the day after.
    A service without a lane or a pickup is none; nor is one for which the parcel is too heavy.
    """
    found = []
    for service in services:
        closed = (holidays or {}).get(service.carrier_id, ())
        lane, pickup = lanes.get(service.id), next_pickup(cutoffs.get(service.id, ()), ready, closed)
        too_heavy = grams is not None and service.most_grams is not None and grams > service.most_grams
        if lane is None or pickup is None or too_heavy:
            continue
        arrives = pickup.day + timedelta(days=lane.transit_days)
        while arrives in closed:
            arrives += timedelta(days=1)
        found.append(Offer(service, price_of(lane, grams), pickup, arrives))
    return sorted(
        found, key=lambda one: (one.price is None, one.price or 0, one.arrives_on, one.service.code)
    )


def tare_of(parcel: Iterable[tuple[PackagingRule | None, int]], packagings: Mapping[UUID, Packaging]) -> int:
    """What the packagings of a parcel weigh, in grams; `parcel` are the rule of each item and its units.

    Items that leave alone take boxes of their own, the others share those of their packaging; a rule may say how many
    units one holds. An item without a rule, or whose packaging is out of use, adds nothing.
    """
    boxes: dict[tuple[UUID, int], Fraction] = {}
    for number, (rule, units) in enumerate(parcel, 1):
        if rule is None or rule.packaging_id not in packagings or units <= 0:
            continue
        key = (rule.packaging_id, number if rule.alone else 0)
        share = Fraction(0) if rule.most_units is None else Fraction(units, rule.most_units)
        boxes[key] = boxes.get(key, Fraction(0)) + share
    return sum(packagings[id_].tare_grams * max(ceil(share), 1) for (id_, _), share in boxes.items())


R = TypeVar("R", bound=PackagingRule)


def packaging_for(rules: Sequence[R], item_id: UUID, category: str) -> R | None:
    """The first rule, by rank and name, that covers the item; None where none does."""
    covering = (one for one in rules if one.covers(item_id, category))
    return min(covering, key=lambda one: (one.rank, one.name), default=None)
