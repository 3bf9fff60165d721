"""Reorder points from a forecast: demand over the measured lead time, its spread, and the service level."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

import numpy as np

from copilot.models.demand import Forecast
from copilot.models.lead_times import LeadTimes
from erp_core.master.queries import Supplier, SupplierItem
from erp_core.master.rules.classes import Selected, select_policy
from erp_core.master.rules.planning_policies import PlanningPolicy, asked_of_places
from erp_core.planning.commands import ReorderPoint
from erp_core.planning.rules import replenishment_targets

SERVICE_LEVEL = 0.95
REVIEW_DAYS = 7
CYCLE_DAYS = 28
_NOTHING = select_policy((), {})


def preferred_sources(sources: Iterable[SupplierItem]) -> dict[UUID, SupplierItem]:
    """The supply record of rank 1, or the lowest there is, by item."""
    best: dict[UUID, SupplierItem] = {}
    for source in sources:
        if source.item_id not in best or source.rank < best[source.item_id].rank:
            best[source.item_id] = source
    return best


def ranked_sources(sources: Iterable[SupplierItem]) -> dict[UUID, tuple[SupplierItem, ...]]:
    """All supply records by item, the preferred one first."""
    found: dict[UUID, list[SupplierItem]] = {}
    for source in sources:
        found.setdefault(source.item_id, []).append(source)
    return {item: tuple(sorted(own, key=lambda one: one.rank)) for item, own in found.items()}


def reorder_points(
    made: Forecast,
    lead_times: LeadTimes,
    policies: Iterable[PlanningPolicy],
    sources: Iterable[SupplierItem],
    suppliers: Iterable[Supplier],
    selected: Mapping[UUID, Selected] | None = None,
    sold_again: Mapping[UUID, float] | None = None,
) -> list[ReorderPoint]:
    """One per series whose item has a supplier; the others cannot be ordered and get none.

    Demand a day and its deviation are those over lead time plus review period; a policy's service
    level and review period count, else what the item's inventory class selects, else 95 % and 7 days. `sold_again` is
    the share of an item's shipped units that come back and are restocked: so much of its demand need not be bought,
    while its spread stays.
    """
    preferred = preferred_sources(sources)
    typed_in = {supplier.id: supplier.lead_time_days for supplier in suppliers}
    asked = asked_of_places(policies)
    rows = [row for row, item in enumerate(made.item_ids) if item in preferred]
    if not rows:
        return []
    lead, review, level = [], [], []
    for row in rows:
        item, place = made.item_ids[row], made.location_ids[row]
        source = preferred[item]
        typed = source.lead_time_days or typed_in.get(source.supplier_id)
        lead.append(lead_times.of(source.supplier_id, item, typed))
        own = asked.get((item, place))
        usual = (selected or {}).get(item, _NOTHING)
        review.append(own.review_days if own else usual.review_days or REVIEW_DAYS)
        level.append(own.service_level if own else usual.service_level or SERVICE_LEVEL)
    times, index = np.asarray(lead), np.asarray(rows)
    protection = np.clip(np.ceil(times[:, 0] + review), 1, made.mean.shape[1]).astype(np.int64)
    last = np.zeros(len(made.item_ids), dtype=np.int64)
    last[index] = protection
    total, ratio = made.window(0, last)
    bought = 1 - np.array([(sold_again or {}).get(made.item_ids[row], 0.0) for row in rows])
    mean = total[index] * bought / protection
    std = np.sqrt(ratio[index] * total[index] / protection)
    targets = replenishment_targets(
        level, mean, std, times[:, 0], times[:, 1], review, np.full(len(rows), CYCLE_DAYS)
    )
    return [
        ReorderPoint(
            made.item_ids[row],
            made.location_ids[row],
            int(targets.safety_stock[k]),
            int(targets.reorder_point[k]),
            int(targets.order_up_to[k]),
            float(mean[k]),
            float(std[k]),
            *lead[k],
            level[k],
        )
        for k, row in enumerate(rows)
    ]
