"""Pure rules of inventory classes: who belongs to which, and what a class selects.

Items are sorted by what they sell, the most first. An item is of class A when those before it make up less than
the share of A of all sales, of B while less than the share of B, else of C. Items that sell the same are of the
same class.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from types import MappingProxyType
from typing import Any
from uuid import UUID

ITEM_CLASSES = ("new", "seasonal", "fast", "private_label", "imported", "A", "B", "C")
SEASON = 3
MONTHS = 12


@dataclass(frozen=True, slots=True)
class Selling:
    """What is known of an item on a day: its sales in the days looked at, and its nature.

    `months` are units in the last twelve full months, the oldest first; None where sales are not known so far back.
    """

    item_id: UUID
    net_sales: int
    units: int
    months: tuple[int, ...] | None
    introduced_on: date | None
    private_label: bool
    imported: bool


@dataclass(frozen=True, slots=True)
class Classified:
    """An item with every class it belongs to, in the order of `ITEM_CLASSES`; `abc` None where nothing was sold yet."""

    item_id: UUID
    classes: tuple[str, ...]
    abc: str | None
    net_sales: int
    units: int


def leading(values: Mapping[UUID, int], percent: int) -> set[UUID]:
    """The items that come before the share of `percent` is reached, the largest first; equal ones together.

    An item without sales never leads; where nothing was sold, nothing does.
    """
    total, before, found = sum(value for value in values.values() if value > 0), 0, set()
    ranked = sorted(((value, id_) for id_, value in values.items() if value > 0), reverse=True)
    for value, same in groupby(ranked, key=lambda one: one[0]):
        if before * 100 >= total * percent:
            break
        members = [id_ for _, id_ in same]
        found.update(members)
        before += value * len(members)
    return found


def is_seasonal(months: Sequence[int], percent: int) -> bool:
    """Whether three months in a row, December next to January, hold at least the share of the year's units."""
    total = sum(months)
    seasons = (sum(months[(first + step) % MONTHS] for step in range(SEASON)) for first in range(len(months)))
    return total > 0 and max(seasons) * 100 >= total * percent


def is_new(introduced_on: date | None, today: date, days: int) -> bool:
    """Whether it was introduced so few days ago, or will be."""
    return introduced_on is not None and (today - introduced_on).days < days


def classify(
    selling: Iterable[Selling], today: date, parameters: Mapping[str, int], *, sales_known: bool
) -> list[Classified]:
    """The classes of every item; without sales data none that rests on sales.

    A new item that sold nothing is of no ABC class yet: nobody could have bought it.
    """
    known = list(selling)
    value = {one.item_id: one.net_sales for one in known} if sales_known else {}
    units = {one.item_id: one.units for one in known} if sales_known else {}
    a, b = (leading(value, parameters[name]) for name in ("class_a_percent", "class_b_percent"))
    fast = leading(units, parameters["fast_percent"])
    found = []
    for one in known:
        new = is_new(one.introduced_on, today, parameters["new_days"])
        abc = "A" if one.item_id in a else "B" if one.item_id in b else "C"
        known_abc = abc if sales_known and not (new and one.units == 0) else None
        seasonal = one.months is not None and is_seasonal(one.months, parameters["seasonal_percent"])
        belongs = {
            "new": new,
            "seasonal": sales_known and seasonal,
            "fast": one.item_id in fast,
            "private_label": one.private_label,
            "imported": one.imported,
        }
        classes = (*(name for name in ITEM_CLASSES if belongs.get(name)), *filter(None, (known_abc,)))
        found.append(Classified(one.item_id, classes, known_abc, one.net_sales, one.units))
    return found


@dataclass(frozen=True, slots=True)
class ClassPolicy:
    """What a class selects: how well to serve, how often to review and to count. None says nothing."""

    item_class: str
    rank: int
    service_level: float | None = None
    review_days: int | None = None
    count_days: int | None = None


CLASS_POLICIES: Mapping[str, ClassPolicy] = MappingProxyType(
    {
        one.item_class: one
        for one in (
            ClassPolicy("new", 10, review_days=7, count_days=30),
            ClassPolicy("seasonal", 20, review_days=7),
            ClassPolicy("fast", 30, service_level=0.98, review_days=7, count_days=30),
            ClassPolicy("private_label", 40),
            ClassPolicy("imported", 50),
            ClassPolicy("A", 60, service_level=0.98, review_days=7, count_days=30),
            ClassPolicy("B", 70, service_level=0.95, review_days=7, count_days=90),
            ClassPolicy("C", 80, service_level=0.9, review_days=14, count_days=180),
        )
    }
)
"""What a company starts with."""


@dataclass(frozen=True, slots=True)
class Selected:
    """What an item's classes select; `because` names the class by aspect. None where no class says anything."""

    service_level: float | None
    review_days: int | None
    count_days: int | None
    because: Mapping[str, str]


_ASPECTS = ("service_level", "review_days", "count_days")


def select_policy(classes: Iterable[str], policies: Mapping[str, ClassPolicy]) -> Selected:
    """For each aspect the word of the first of the item's classes, by rank, that says something about it."""
    own = sorted((policies[one] for one in classes), key=lambda one: (one.rank, one.item_class))
    said: dict[str, Any] = dict.fromkeys(_ASPECTS)
    because: dict[str, str] = {}
    for policy in own:
        for aspect in _ASPECTS:
            value = getattr(policy, aspect)
            if value is not None and aspect not in because:
                said[aspect], because[aspect] = value, policy.item_class
    return Selected(because=because, **said)
