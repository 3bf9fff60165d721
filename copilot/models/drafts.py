"""From priced rows to cases: each loss drafted once, with its evidence in plain terms."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import numpy as np

from copilot.models import pricing
from copilot.models.arrays import Floats, Ints
from copilot.models.evidence import Sources, action_of, deadline, decide_by_hand, fact, metric, money, percent
from copilot.models.order_drafts import Claims
from copilot.models.pricing import Priced, Shortage, Terms
from copilot.models.projection import shortage_chance, stockout_day
from copilot.models.situation import Company
from erp_core.exceptions.draft import CaseDraft


def pair_key(item: UUID, place: UUID) -> str:
    """The subject key of an item-location's case."""
    return f"{item}:{place}"


def stockout_drafts(
    company: Company, shortage: Shortage, claims: Claims, terms: Terms, sources: Sources
) -> list[CaseDraft]:
    """Item-locations that stand to lose sales. What late orders own of a loss is theirs: a case of which
    they own all stands under the order without money."""
    priced = shortage.priced
    until = pricing.uncovered_days(company.situation, terms, company.outlook.mean.shape[1])
    chance = _chance(company, until)
    day = stockout_day(company.outlook, company.outlook.promised)
    kept = 1 - claims.owned / np.maximum(priced.expected_loss, 1e-9)
    drafts = []
    worth = (priced.expected_loss >= terms.materiality) & company.priced & company.forecasted
    for row in np.flatnonzero(worth).tolist():
        item, place = company.pairs[row]
        root = claims.roots.get(row) if kept[row] < 1e-6 else None
        share = 0.0 if root else float(kept[row])
        window, left = int(until[row]), int(day[row])
        if left >= window:
            when = "may run out before a new order can arrive"
        else:
            when = f"runs out in about {left} days" if left > 0 else "is out of stock or about to be"
        drafts.append(
            CaseDraft(
                kind="stockout_risk",
                subject_key=pair_key(item, place),
                title=f"{sources.directory.item(item)} at {sources.directory.place(place)} {when}",
                subjects=(("item", item), ("location", place)),
                probability=float(np.clip(chance[row], 0, 1)),
                deadline=deadline(company.as_of, min(left, window)),
                expected_loss=money(share * priced.expected_loss[row]),
                residual_loss=money(share * priced.residual_loss[row]),
                action_cost=money(priced.action_cost[row]) if share else 0,
                evidence=_stockout_evidence(company, row, window, float(chance[row]), sources),
                action=action_of(
                    company, sources.directory, row, int(priced.action[row]), float(priced.units[row])
                )
                or decide_by_hand("review", "No order, transfer or expedite pays: decide by hand"),
                caused_by=root,
            )
        )
    return drafts


def _chance(company: Company, until: Ints) -> Floats:
    """Chance to run out, over both fates of what is inbound."""
    outlook = company.outlook
    on_time = shortage_chance(outlook, outlook.promised, until)
    late = shortage_chance(outlook, outlook.delayed, until)
    result: Floats = (1 - outlook.late_chance) * on_time + outlook.late_chance * late
    return result


def _stockout_evidence(
    company: Company, row: int, window: int, chance: float, sources: Sources
) -> tuple[dict[str, Any], ...]:
    item, place = company.pairs[row]

    def query(name: str) -> dict[str, Any]:
        return metric(sources.directory, name, item, place)

    evidence = [
        fact("Available less backordered", company.outlook.stock[row], "units", query("available_units")),
        fact(
            "Forecast demand a day",
            company.outlook.mean[row, :window].mean(),
            "units",
            query("forecast_units"),
        ),
        fact("Open purchase orders", company.situation.inbound_units[row], "units", query("on_order_units")),
        fact("Lead time of a new order, measured", company.lead[row, 0], "days"),
        fact("Days a decision today answers for", window, "days"),
        fact("Chance to run out in that time", percent(chance), "%"),
        fact("Contribution margin per unit", company.situation.margin[row], "currency"),
        fact("Forecast", sources.forecast),
    ]
    if company.in_transit[row]:
        evidence.append(fact("On its way from other places", company.in_transit[row], "units"))
    if company.returning[row]:
        evidence.append(fact("Came back and will be sellable again", company.returning[row], "units"))
    if row in company.recommendation:
        evidence.append(fact("Recommended order", company.recommendation[row]))
    return tuple(evidence)


def excess_drafts(
    company: Company, priced: Priced, excess: Floats, terms: Terms, sources: Sources
) -> list[CaseDraft]:
    """Overstock: what nobody will ask for soon, and the capital in it."""
    directory, drafts = sources.directory, []
    pace = company.outlook.mean.mean(axis=1)
    for row in np.flatnonzero(
        (priced.expected_loss >= terms.materiality) & company.priced & company.forecasted
    ).tolist():
        item, place = company.pairs[row]
        sell = excess[row] / max(pace[row], 1e-6)
        days = int(min(sell + terms.excess_days, 365))
        evidence = (
            fact(
                "Available less backordered",
                company.outlook.stock[row],
                "units",
                metric(directory, "available_units", item, place),
            ),
            fact(
                "Open purchase orders",
                company.situation.inbound_units[row],
                "units",
                metric(directory, "on_order_units", item, place),
            ),
            fact(
                "Forecast demand a day", pace[row], "units", metric(directory, "forecast_units", item, place)
            ),
            fact(
                f"Units beyond {terms.excess_days} days of demand",
                excess[row],
                "units",
                metric(directory, "excess_units", item, place),
            ),
            fact(
                "Capital in them",
                excess[row] * company.situation.cost[row],
                "currency",
                metric(directory, "excess_value", item, place),
            ),
            fact("Days to sell them", sell, "days")
            if sell < 3650
            else fact("Days to sell them", "more than ten years"),
            fact("Forecast", sources.forecast),
        )
        drafts.append(
            CaseDraft(
                kind="overstock",
                subject_key=pair_key(item, place),
                title=f"{directory.item(item)} at {directory.place(place)}: {int(excess[row])} units more than needed",
                subjects=(("item", item), ("location", place)),
                probability=0.9,
                deadline=deadline(company.as_of, days),
                expected_loss=money(priced.expected_loss[row]),
                residual_loss=money(priced.residual_loss[row]),
                action_cost=money(priced.action_cost[row]),
                evidence=evidence,
                action=action_of(company, directory, row, int(priced.action[row]), float(priced.units[row]))
                or decide_by_hand(
                    "hold", f"Hold further orders of {directory.item(item)} for {directory.place(place)}"
                ),
            )
        )
    return drafts
