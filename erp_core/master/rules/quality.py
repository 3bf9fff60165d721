"""Data quality of an item or supplier: 100 less named deductions, never below 0."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from erp_core.master.rules.documents import DocumentGap, invalid

Deductions = Mapping[str, int]


class Problem(NamedTuple):
    """A named deduction, with what it is about where that helps."""

    name: str
    points: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """What is known of an item. Days and money as elsewhere; `prices` are those in force by rank, `expired` is the
    last day of the newest price where none is in force, `sources` counts who supplies it, `twin` is the code of
    a probable duplicate.
    """

    base_unit: str
    category: str
    standard_cost: int | None
    list_price: int | None
    lead_time_days: int | None
    order_multiple: int
    factors: Collection[int]
    sources: int
    prices: Sequence[int]
    expired: date | None
    twin: str | None = None


@dataclass(frozen=True, slots=True)
class SupplierFacts:
    """What is known of a supplier."""

    country: str | None
    payment_days: int | None
    delivery_terms: str | None
    lead_time_days: int | None
    gaps: Sequence[DocumentGap] = ()
    twin: str | None = None


def score_of(problems: Iterable[Problem]) -> int:
    """100 less the points of the problems, never below 0."""
    return max(0, 100 - sum(problem.points for problem in problems))


def item_problems(facts: ItemFacts, parameters: Deductions, stale: str | None) -> list[Problem]:
    """What is wrong with an item; `stale` names a feed it rests on that is old."""
    found: list[tuple[str, str]] = []
    if not facts.sources:
        found.append(("supplier_missing", ""))
    else:
        found += _lead_time(facts.lead_time_days, parameters)
        if facts.expired is not None:
            found.append(("price_expired", f"on {facts.expired}"))
        elif not facts.prices:
            found.append(("price_missing", ""))
    dearest = max((*facts.prices[:1], facts.standard_cost or 0), default=0)
    if facts.list_price is not None and dearest > facts.list_price:
        found.append(("price_implausible", ""))
    if facts.standard_cost is None:
        found.append(("cost_missing", ""))
    if not facts.base_unit or not _counted(facts.order_multiple, facts.factors):
        multiple = f"ordered by {facts.order_multiple}" if facts.base_unit else ""
        found.append(("unit_missing", multiple))
    if not facts.category:
        found.append(("category_missing", ""))
    return _problems(found, facts.twin, stale, parameters)


def supplier_problems(facts: SupplierFacts, parameters: Deductions, stale: str | None) -> list[Problem]:
    """What is wrong with a supplier; `stale` names a feed it rests on that is old."""
    found = _lead_time(facts.lead_time_days, parameters)
    if None in (facts.country, facts.payment_days, facts.delivery_terms):
        found.append(("terms_missing", ""))
    standing = invalid(facts.gaps)
    if standing:
        found.append(("documents_missing", ", ".join(gap.label for gap in standing)))
    elif facts.gaps:
        found.append(("documents_expiring", ", ".join(f"{gap.label} on {gap.ends_on}" for gap in facts.gaps)))
    return _problems(found, facts.twin, stale, parameters)


def _lead_time(days: int | None, parameters: Deductions) -> list[tuple[str, str]]:
    if days is None:
        return [("lead_time_missing", "")]
    if not 1 <= days <= parameters["longest_lead_time_days"]:
        return [("lead_time_implausible", f"{days} days")]
    return []


def _counted(multiple: int, factors: Collection[int]) -> bool:
    """Whether an order multiple is a whole number of some unit the item has."""
    return multiple == 1 or any(factor > 1 and multiple % factor == 0 for factor in factors)


def _problems(
    found: list[tuple[str, str]], twin: str | None, stale: str | None, parameters: Deductions
) -> list[Problem]:
    if twin is not None:
        found.append(("probable_duplicate", f"of {twin}"))
    if stale is not None:
        found.append(("stale_feed", stale))
    return [Problem(name, parameters[name], detail[:120]) for name, detail in found if parameters[name]]
