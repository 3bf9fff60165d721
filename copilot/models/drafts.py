"""From priced rows to cases: each loss drafted once, with its evidence in plain terms."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import numpy as np

from copilot.models import pricing
from copilot.models.anomaly import NATURES, Anomalies
from copilot.models.arrays import Floats, Ints
from copilot.models.evidence import Directory, action_of, deadline, fact, metric, money, number_text, percent
from copilot.models.pricing import Priced, Shortage, Terms
from copilot.models.projection import shortage_chance, stockout_day
from copilot.models.situation import Company
from erp_core.exceptions.draft import CaseDraft

_NATURE_TEXT = {
    "true_change": "a change that goes on",
    "one_off": "one large order, not a change in demand",
    "data_error": "more likely wrong data than demand",
}


@dataclass(frozen=True, slots=True)
class Sources:
    """What the evidence cites: names, and the versions of forecast and models."""

    directory: Directory
    forecast: str
    delay_model: str
    anomaly_model: str


def pair_key(item: UUID, place: UUID) -> str:
    """The subject key of an item-location's case."""
    return f"{item}:{place}"


def shortage_drafts(company: Company, shortage: Shortage, terms: Terms, sources: Sources) -> list[CaseDraft]:
    """Stockout risks, supplier delay risks and overdue purchase orders.

    Where open orders' delay brings at least half of an item-location's loss, the order that weighs most
    owns all of it, and the stockout case stands under it without money. Every overdue order is a case.
    """
    owners = _owners(company, shortage)
    names = {row: _po_case(company, po) for row, po in owners.items()}
    drafts = _stockouts(company, shortage, names, terms, sources)
    owned: dict[UUID, list[int]] = defaultdict(list)
    for row, po in owners.items():
        owned[po].append(row)
    drafts += _orders(company, shortage, owned, terms, sources)
    roots = {(draft.kind, draft.subject_key) for draft in drafts}
    return [draft for draft in drafts if draft.caused_by is None or draft.caused_by in roots]


def _owners(company: Company, shortage: Shortage) -> dict[int, UUID]:
    """The purchase order that owns a row's loss: the one with most units at risk of those due in time."""
    owned = pricing.owner_is_delay(shortage.priced.expected_loss, shortage.by_delay)
    inbound = company.inbound
    weight = inbound.units * inbound.probability
    heaviest: dict[int, tuple[float, int]] = {}
    for k in np.flatnonzero((inbound.row >= 0) & (inbound.probability > 0)):
        row = int(inbound.row[k])
        if owned[row] and weight[k] > heaviest.get(row, (0.0, -1))[0]:
            heaviest[row] = (float(weight[k]), int(k))
    return {row: company.lines.po_ids[int(inbound.line[k])] for row, (_, k) in heaviest.items()}


def _po_case(company: Company, po: UUID) -> tuple[str, str]:
    inbound = company.inbound
    lines = [k for k in range(len(inbound.line)) if company.lines.po_ids[int(inbound.line[k])] == po]
    overdue = any(inbound.overdue[k] > 0 and inbound.probability[k] >= 1 for k in lines)
    return ("po_overdue" if overdue else "supplier_delay_risk", str(po))


def _stockouts(
    company: Company, shortage: Shortage, owners: dict[int, tuple[str, str]], terms: Terms, sources: Sources
) -> list[CaseDraft]:
    priced = shortage.priced
    until = pricing.uncovered_days(company.situation, terms, company.outlook.mean.shape[1])
    chance = shortage_chance(company.outlook, company.outlook.promised, until)
    late = shortage_chance(company.outlook, company.outlook.delayed, until)
    chance = np.where(
        company.outlook.late_chance > 0,
        (1 - company.outlook.late_chance) * chance + company.outlook.late_chance * late,
        chance,
    )
    day = stockout_day(company.outlook, company.outlook.promised)
    drafts = []
    directory = sources.directory
    for row in np.flatnonzero(
        (priced.expected_loss >= terms.materiality) & company.priced & company.forecasted
    ):
        row = int(row)
        item, place = company.pairs[row]
        root = owners.get(row)
        mean = company.outlook.mean[row]
        window = int(until[row])
        evidence = [
            fact(
                "Available less backordered",
                company.outlook.stock[row],
                "units",
                metric(directory, "available_units", item, place),
            ),
            fact(
                "Forecast demand a day",
                mean[:window].mean(),
                "units",
                metric(directory, "forecast_units", item, place),
            ),
            fact(
                "Open purchase orders",
                company.situation.inbound_units[row],
                "units",
                metric(directory, "on_order_units", item, place),
            ),
            fact("Lead time of a new order, measured", company.lead[row, 0], "days"),
            fact("Days a decision today answers for", window, "days"),
            fact("Chance to run out in that time", percent(chance[row]), "%"),
            fact("Contribution margin per unit", company.situation.margin[row], "currency"),
            fact("Forecast", sources.forecast),
        ]
        if row in company.recommendation:
            evidence.append(fact("Recommended order", company.recommendation[row]))
        if day[row] < window:
            when = (
                f"runs out in about {int(day[row])} days"
                if day[row] > 0
                else "is out of stock or about to be"
            )
        else:
            when = "may run out before a new order can arrive"
        title = f"{directory.sku(item)} at {directory.place(place)} {when}"
        drafts.append(
            CaseDraft(
                kind="stockout_risk",
                subject_key=pair_key(item, place),
                title=title,
                subjects=(("item", item), ("location", place)),
                probability=float(np.clip(chance[row], 0, 1)),
                deadline=deadline(company.as_of, min(int(day[row]), window)),
                expected_loss=0 if root else money(priced.expected_loss[row]),
                residual_loss=0 if root else money(priced.residual_loss[row]),
                action_cost=0 if root else money(priced.action_cost[row]),
                evidence=tuple(evidence),
                action=action_of(company, directory, row, int(priced.action[row]), float(priced.units[row])),
                caused_by=root,
            )
        )
    return drafts


def _orders(
    company: Company, shortage: Shortage, owned: dict[UUID, list[int]], terms: Terms, sources: Sources
) -> list[CaseDraft]:
    inbound, lines = company.inbound, company.lines
    by_po: dict[UUID, list[int]] = defaultdict(list)
    for k in range(len(inbound.line)):
        by_po[lines.po_ids[int(inbound.line[k])]].append(k)
    drafts = []
    for po, members in sorted(by_po.items()):
        kind, key = _po_case(company, po)
        rows = [row for row in owned.get(po, []) if company.priced[row]]
        loss = float(shortage.priced.expected_loss[rows].sum())
        chance = float(inbound.probability[members].max())
        if kind == "supplier_delay_risk" and (loss < terms.materiality or chance < terms.least_delay_chance):
            continue
        drafts.append(_order_draft(company, shortage, po, kind, key, members, rows, chance, terms, sources))
    return drafts


def _order_draft(
    company: Company,
    shortage: Shortage,
    po: UUID,
    kind: str,
    key: str,
    members: list[int],
    rows: list[int],
    chance: float,
    terms: Terms,
    sources: Sources,
) -> CaseDraft:
    inbound, lines, directory = company.inbound, company.lines, sources.directory
    first = int(inbound.line[members[0]])
    number, supplier = lines.po_numbers[first], lines.supplier_ids[first]
    loss = float(shortage.priced.expected_loss[rows].sum())
    residual, cost, action = _best_for_order(company, shortage, members, rows, number, terms, sources)
    value = sum(float(inbound.units[k] * lines.unit_price[int(inbound.line[k])]) for k in members)
    days = max((float(inbound.overdue[k]) for k in members), default=0.0)
    promise = min(
        (
            str(lines.first_promised_on[int(inbound.line[k])])
            for k in members
            if not np.isnat(lines.first_promised_on[int(inbound.line[k])])
        ),
        default="none",
    )
    evidence = [
        fact("First promised", promise),
        fact("Days overdue", days, "days"),
        fact("Probability to be late", percent(chance), "%"),
        fact("Usual delay when late", max(float(inbound.late_days[k]) for k in members), "days"),
        fact("Supplier's share of late lines so far", percent(inbound.supplier_rate[members].max()), "%"),
        fact("Open units", sum(float(inbound.units[k]) for k in members), "units"),
        fact("Open value", value, "currency"),
        fact("Item-locations that the delay leaves short", len(rows), ""),
        fact("Delay model", sources.delay_model),
    ]
    items = {lines.item_ids[int(inbound.line[k])] for k in members}
    what = directory.sku(next(iter(items))) if len(items) == 1 else f"{len(items)} items"
    name = directory.supplier(supplier)
    if kind == "po_overdue":
        title = f"{number} from {name} ({what}) is {int(days)} days overdue"
    else:
        title = f"{number} from {name} ({what}) is likely to come late"
    due = min(int(inbound.due[k]) for k in members)
    subjects = [("purchase_order", po), ("supplier", supplier)]
    subjects += [("item", item) for item in sorted(items)[:20]]
    return CaseDraft(
        kind=kind,
        subject_key=key,
        title=title,
        subjects=tuple(subjects),
        probability=min(chance, 1.0),
        deadline=deadline(company.as_of, max(due, 1)),
        expected_loss=money(loss),
        residual_loss=money(residual),
        action_cost=money(cost),
        evidence=tuple(evidence),
        action=action,
    )


def _best_for_order(
    company: Company,
    shortage: Shortage,
    members: list[int],
    rows: list[int],
    number: str,
    terms: Terms,
    sources: Sources,
) -> tuple[float, float, dict[str, object] | None]:
    """Residual loss, cost and action: expedite the order, or the best action of the row that loses most."""
    priced = shortage.priced
    loss = float(priced.expected_loss[rows].sum())
    if not rows or loss <= 0:
        return loss, 0.0, None
    concerned = [k for k in members if int(company.inbound.row[k]) in set(rows)]
    value = sum(
        float(company.inbound.units[k] * company.lines.unit_price[int(company.inbound.line[k])])
        for k in concerned
    )
    residual = float(shortage.expedited_residual[rows].sum())
    cost = terms.order_cost + terms.expedite_share * value
    top = max(
        rows,
        key=lambda row: float(
            priced.expected_loss[row] - priced.residual_loss[row] - priced.action_cost[row]
        ),
    )
    saved = float(priced.expected_loss[top] - priced.residual_loss[top])
    other = saved - float(priced.action_cost[top])
    if loss - residual - cost >= max(other, 0.0) and loss - residual - cost > 0:
        return residual, cost, {"kind": "expedite", "label": f"Have {number} expedited", "commands": []}
    if other <= 0:
        return loss, 0.0, None
    action = action_of(company, sources.directory, top, int(priced.action[top]), float(priced.units[top]))
    return loss - saved, float(priced.action_cost[top]), action


def excess_drafts(
    company: Company, priced: Priced, excess: Floats, terms: Terms, sources: Sources
) -> list[CaseDraft]:
    """Overstock: what nobody will ask for soon, and the capital in it."""
    directory, drafts = sources.directory, []
    pace = company.outlook.mean.mean(axis=1)
    for row in np.flatnonzero(
        (priced.expected_loss >= terms.materiality) & company.priced & company.forecasted
    ):
        row = int(row)
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
                title=f"{directory.sku(item)} at {directory.place(place)}: {int(excess[row])} units more than needed",
                subjects=(("item", item), ("location", place)),
                probability=0.9,
                deadline=deadline(company.as_of, days),
                expected_loss=money(priced.expected_loss[row]),
                residual_loss=money(priced.residual_loss[row]),
                action_cost=money(priced.action_cost[row]),
                evidence=evidence,
                action=action_of(company, directory, row, int(priced.action[row]), float(priced.units[row])),
            )
        )
    return drafts


def anomaly_drafts(
    pairs: Iterable[tuple[UUID, UUID]],
    found: Anomalies,
    priced: dict[int, tuple[float, float, float, int, float]],
    company: Company | None,
    rows: Ints,
    upward: bool,
    terms: Terms,
    sources: Sources,
) -> list[CaseDraft]:
    """Demand spikes or drops. `priced` gives per found anomaly the amounts, action and units; one that is
    not in it has no stock or cost to price it by, and carries no money."""
    directory, drafts, known = sources.directory, [], list(pairs)
    kind = "demand_spike" if upward else "demand_drop"
    for k in np.flatnonzero(found.upward == upward).tolist():
        amounts = priced.get(k)
        if amounts is not None and amounts[0] < terms.materiality:
            continue
        item, place = known[int(found.series[k])]
        loss, residual, cost, code, units = amounts or (0.0, 0.0, 0.0, 0, 0.0)
        nature = NATURES[int(found.nature[k])]
        first, last = found.first[k].astype(object), found.last[k].astype(object)
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
            fact(
                "One in so many such spans looks so by chance",
                f"1e{number_text(float(min(found.score[k], 300)))}",
            ),
            fact("Reading", _NATURE_TEXT[nature]),
            fact("Anomaly model", sources.anomaly_model),
        )
        times = found.actual[k] / max(float(found.expected[k]), 1e-9)
        change = f"{number_text(float(times))} times" if upward else f"{percent(1 - times)}% below"
        row = int(rows[k])
        action = action_of(company, directory, row, code, units) if company is not None and row >= 0 else None
        notes = (
            () if amounts is not None else ("not priced: no stock or cost is known for this item-location",)
        )
        drafts.append(
            CaseDraft(
                kind=kind,
                subject_key=pair_key(item, place),
                title=f"Demand for {directory.sku(item)} at {directory.place(place)} {change} expected since {first}",
                subjects=(("item", item), ("location", place)),
                probability=float(found.probability[k]),
                deadline=deadline(last + timedelta(days=0), terms.review_days),
                expected_loss=money(loss),
                residual_loss=money(residual),
                action_cost=money(cost),
                evidence=evidence,
                action=action,
                notes=notes,
            )
        )
    return drafts
