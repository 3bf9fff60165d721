"""Cases of demand anomalies: one per item, priced over the item-locations it concerns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from copilot.models import pricing
from copilot.models.anomaly import NATURES, Anomalies
from copilot.models.arrays import Floats, Ints
from copilot.models.evidence import (
    Sources,
    action_of,
    deadline,
    decide_by_hand,
    fact,
    metric,
    money,
    number_text,
    percent,
)
from copilot.models.pricing import Terms
from copilot.models.situation import Company, Pair
from erp_core.exceptions.draft import CaseDraft

UNPRICED_LIMIT = 200
_GOES_ON = {"one_off": 0.1, "data_error": 0.0}
_NATURE_TEXT = {
    "true_change": "a change that goes on",
    "one_off": "one large order, not a change in demand",
    "data_error": "more likely wrong data than demand",
}


@dataclass(frozen=True, slots=True)
class _Money:
    """A finding's amounts, and its best action: where (a row of the company), which, how many units."""

    loss: float
    residual: float
    cost: float
    row: int
    action: int
    units: float


def anomaly_drafts(
    found: Anomalies, pairs: list[Pair], company: Company | None, terms: Terms, sources: Sources, as_of: date
) -> list[CaseDraft]:
    """Spikes and drops; never left out for a small amount, as what is wrong with demand is wrong with the forecast.

    One is to be reviewed some days after it was last seen, and at the end of `as_of` where that has passed.
    Without stock or cost to price it by, a case carries no money and no action, and says so; at most 200
    of such, the likeliest first.
    """
    priced = _priced(found, pairs, company, terms) if company else {}
    drafts = [
        _draft(found, k, pairs, priced.get(k), company, terms, sources, as_of)
        for k in range(len(found.series))
    ]
    unpriced = sorted(
        (one for one in drafts if one.notes), key=lambda one: (-one.probability, one.subject_key)
    )
    return [one for one in drafts if not one.notes] + unpriced[:UNPRICED_LIMIT]


def _priced(found: Anomalies, pairs: list[Pair], company: Company, terms: Terms) -> Mapping[int, _Money]:
    """Amounts by finding: losses of its item-locations summed, and the one action that saves most."""
    of_item: dict[Any, list[int]] = {}
    for row, (item, _) in enumerate(company.pairs):
        if company.priced[row] and company.forecasted[row]:
            of_item.setdefault(item, []).append(row)
    result: dict[int, _Money] = {}
    for upward in (True, False):
        finding, rows = [], []
        for k in np.flatnonzero(found.upward == upward).tolist():
            pair = pairs[int(found.series[k])]
            wanted = of_item.get(pair[0], [])
            if found.local[k]:
                wanted = [row for row in wanted if company.pairs[row] == pair]
            finding += [k] * len(wanted)
            rows += wanted
        if rows:
            result |= _amounts(found, np.asarray(finding), np.asarray(rows), company, upward, terms)
    return result


def _amounts(
    found: Anomalies, finding: Ints, rows: Ints, company: Company, upward: bool, terms: Terms
) -> dict[int, _Money]:
    goes_on = np.array([_GOES_ON.get(name, terms.persistence) for name in NATURES])
    chance = (found.probability * goes_on[found.nature])[finding]
    if upward:
        ratio = (found.actual / np.maximum(found.expected, 1e-6))[finding]
        priced = pricing.price_spike(company.outlook, company.situation, rows, ratio, chance, terms)
    else:
        days = (found.last - found.first).astype(np.int64) + 1
        missing = ((found.expected - found.actual) / days)[finding]
        missing = missing * _shares(finding, company.outlook.mean[rows].sum(axis=1, dtype=np.float64))
        priced = pricing.price_drop(
            company.outlook, company.situation, company.price, rows, missing, chance, terms
        )
    saved = priced.expected_loss - priced.residual_loss
    result = {}
    for k in np.unique(finding).tolist():
        mine = np.flatnonzero(finding == k)
        top = int(mine[np.argmax(saved[mine] - priced.action_cost[mine])])
        loss = float(priced.expected_loss[mine].sum())
        result[k] = _Money(
            loss,
            loss - float(saved[top]),
            float(priced.action_cost[top]),
            int(rows[top]),
            int(priced.action[top]),
            float(priced.units[top]),
        )
    return result


def _shares(finding: Ints, weight: Floats) -> Floats:
    total = np.bincount(finding, weights=weight)
    count = np.bincount(finding)
    even = total[finding] <= 0
    result: Floats = np.where(even, 1 / count[finding], weight / np.maximum(total[finding], 1e-9))
    return result


def _draft(
    found: Anomalies,
    k: int,
    pairs: list[Pair],
    amounts: _Money | None,
    company: Company | None,
    terms: Terms,
    sources: Sources,
    as_of: date,
) -> CaseDraft:
    directory, upward = sources.directory, bool(found.upward[k])
    item, location = pairs[int(found.series[k])]
    place = location if found.local[k] else None
    nature = NATURES[int(found.nature[k])]
    first, last = found.first[k].astype(object), found.last[k].astype(object)
    times = float(found.actual[k]) / max(float(found.expected[k]), 1e-9)
    change = f"{number_text(times)} times" if upward else f"{percent(1 - times)}% below"
    where = f" at {directory.place(place)}" if place else ""
    action = None
    if amounts is not None and company is not None:
        action = action_of(company, directory, amounts.row, amounts.action, amounts.units)
        action = action or _by_hand(directory.item(item), nature, upward, f"{first} to {last}", terms)
    evidence = (
        fact(
            "Ordered units",
            found.actual[k],
            "units",
            metric(directory, "ordered_units", item, place)
            | {"period": {"from": str(first), "to": str(last)}},
        ),
        fact("Expected units, promotions and season included", found.expected[k], "units"),
        fact("From", str(first)),
        fact("To", str(last)),
        fact("Largest day", found.largest_day[k], "units"),
        fact("One in so many quiet items looks so in four weeks", _rarity(float(found.score[k]))),
        fact("Reading", _NATURE_TEXT[nature]),
        fact("Concerns", "this location" if place else "all locations together"),
        fact("Anomaly model", sources.anomaly_model),
    )
    return CaseDraft(
        kind="demand_spike" if upward else "demand_drop",
        subject_key=str(item),
        title=f"Demand for {directory.item(item)}{where} {change} expected since {first:%-d %b %Y}",
        subjects=(("item", item), ("location", place)) if place else (("item", item),),
        probability=float(found.probability[k]),
        deadline=max(deadline(last, terms.review_days), deadline(as_of, 0)),
        expected_loss=money(amounts.loss) if amounts else 0,
        residual_loss=money(amounts.residual) if amounts else 0,
        action_cost=money(amounts.cost) if amounts else 0,
        evidence=evidence,
        action=action,
        notes=() if amounts else ("not priced: no stock or cost is known for this item",),
    )


def _rarity(score: float) -> float | str:
    """One in how many; beyond a million the number says nothing more."""
    return 10**score if score < 6 else "more than a million"


def _by_hand(item: str, nature: str, upward: bool, period: str, terms: Terms) -> dict[str, Any]:
    if nature == "data_error":
        return decide_by_hand("check_data", f"Check the orders of {item} from {period}")
    if upward:
        return decide_by_hand(
            "review", f"No order for {item} pays yet: look again in {terms.review_days} days"
        )
    return decide_by_hand("hold", f"Hold further orders of {item} until its demand is clear")
