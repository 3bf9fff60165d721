"""Cases of purchase orders: overdue, or at risk of coming late; and which stockout losses they own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import numpy as np

from copilot.models.arrays import Floats
from copilot.models.evidence import Sources, action_of, deadline, decide_by_hand, fact, money, percent
from copilot.models.pricing import Shortage, Terms
from copilot.models.situation import Company, Inbound
from erp_core.analytics.panels import PurchaseLines
from erp_core.exceptions.draft import CaseDraft

Root = tuple[str, str]
UNPRICED = "stock, cost or forecast is not known: what the delay costs cannot be said"


@dataclass(frozen=True, slots=True)
class Claims:
    """Which loss belongs to which purchase order. `owned` (n,) is the part of each item-location's loss
    that a drafted order carries, `roots` its case by row, `rows` its item-locations by order."""

    owned: Floats
    roots: Mapping[int, Root]
    rows: Mapping[UUID, list[int]]
    members: Mapping[UUID, list[int]]


def claim(company: Company, shortage: Shortage, terms: Terms) -> Claims:
    """Give what delay adds to a loss to the order with most units at risk, if that order becomes a case.

    An order becomes one when it is overdue, or likely enough late and its delay costs enough. Where what
    is left to the stockout would be too little for a case of its own, the order owns the whole loss.
    """
    inbound, lines = company.inbound, company.lines
    members: dict[UUID, list[int]] = defaultdict(list)
    for k, line in enumerate(inbound.line.tolist()):
        members[lines.po_ids[line]].append(k)
    loss = np.where(company.priced & company.forecasted, shortage.priced.expected_loss, 0.0)
    added = np.minimum(shortage.by_delay, loss)
    weight = inbound.units * inbound.probability
    heaviest: dict[int, int] = {}
    for k in np.argsort(weight, kind="stable").tolist():
        if inbound.row[k] >= 0 and weight[k] > 0:
            heaviest[int(inbound.row[k])] = k
    rows: dict[UUID, list[int]] = defaultdict(list)
    for row, k in heaviest.items():
        if added[row] > 0:
            rows[lines.po_ids[int(inbound.line[k])]].append(row)
    owned = np.zeros(len(loss))
    roots: dict[int, Root] = {}
    for po in sorted(members):
        kind = _kind(inbound, members[po])
        chance = float(inbound.probability[members[po]].max())
        costs = float(added[rows.get(po, [])].sum())
        if kind != "po_overdue" and (costs < terms.materiality or chance < terms.least_delay_chance):
            continue
        for row in rows.get(po, []):
            rest = loss[row] - added[row]
            owned[row] = loss[row] if rest < terms.materiality else added[row]
            roots[row] = (kind, str(po))
        rows.setdefault(po, [])
    drafted = {po: rows[po] for po in rows if not rows[po] or rows[po][0] in roots}
    return Claims(owned, roots, drafted, members)


def order_drafts(
    company: Company, shortage: Shortage, claims: Claims, terms: Terms, sources: Sources
) -> list[CaseDraft]:
    """One case per drafted order, with the losses it owns."""
    return [_draft(company, shortage, claims, po, terms, sources) for po in sorted(claims.rows)]


def unpriced_order_drafts(
    inbound: Inbound, lines: PurchaseLines, terms: Terms, sources: Sources
) -> list[CaseDraft]:
    """One case per order that is overdue or more likely late than not, where stock is not known.

    What the delay costs cannot be said then: the amounts are 0, and a note says why.
    """
    members: dict[UUID, list[int]] = defaultdict(list)
    for k, line in enumerate(inbound.line.tolist()):
        members[lines.po_ids[line]].append(k)
    likely = max(terms.least_delay_chance, 0.5)
    return [
        replace(_described(inbound, lines, members[po], sources), notes=(UNPRICED,))
        for po in sorted(members)
        if _kind(inbound, members[po]) == "po_overdue" or inbound.probability[members[po]].max() >= likely
    ]


def _kind(inbound: Inbound, members: list[int]) -> str:
    late = (inbound.overdue[members] > 0) & (inbound.probability[members] >= 1)
    return "po_overdue" if late.any() else "supplier_delay_risk"


def _draft(
    company: Company, shortage: Shortage, claims: Claims, po: UUID, terms: Terms, sources: Sources
) -> CaseDraft:
    members, rows = claims.members[po], claims.rows[po]
    number = company.lines.po_numbers[int(company.inbound.line[members[0]])]
    residual, cost, action = _best(company, shortage, claims, po, number, terms, sources)
    case = _described(company.inbound, company.lines, members, sources)
    return replace(
        case,
        expected_loss=money(claims.owned[rows].sum()),
        residual_loss=money(residual),
        action_cost=money(cost),
        evidence=(*case.evidence, fact("Item-locations that the delay leaves short", len(rows))),
        action=action,
    )


def _described(inbound: Inbound, lines: PurchaseLines, members: list[int], sources: Sources) -> CaseDraft:
    """The case of an order as far as its own lines tell, without money and action."""
    directory = sources.directory
    kind = _kind(inbound, members)
    place = inbound.line[members]
    po, number = lines.po_ids[int(place[0])], lines.po_numbers[int(place[0])]
    supplier = lines.supplier_ids[int(place[0])]
    chance = float(inbound.probability[members].max())
    days = int(inbound.overdue[members].max())
    promises = lines.first_promised_on[place]
    promises = promises[~np.isnat(promises)]
    items = sorted({lines.item_ids[line] for line in place.tolist()})
    what = directory.item(items[0]) if len(items) == 1 else f"{len(items)} items"
    ending = (
        f"is {days} {'day' if days == 1 else 'days'} overdue" if kind == "po_overdue" else "may come late"
    )
    evidence = (
        fact("First promised", str(promises.min()) if len(promises) else "no date"),
        fact("Days overdue", days, "days"),
        fact("Probability to be late", percent(chance), "%"),
        fact("Usual delay when late", inbound.late_days[members].max(), "days"),
        fact("Supplier's share of late lines so far", percent(inbound.supplier_rate[members].max()), "%"),
        fact("Open units", inbound.units[members].sum(), "units"),
        fact("Open value", (inbound.units[members] * lines.unit_price[place]).sum(), "currency"),
        fact("Delay model", sources.delay_model),
    )
    return CaseDraft(
        kind=kind,
        subject_key=str(po),
        title=f"{number} from {directory.supplier(supplier)}, {what}, {ending}",
        subjects=(("purchase_order", po), ("supplier", supplier), *(("item", item) for item in items[:20])),
        probability=min(chance, 1.0),
        deadline=deadline(lines.as_of, max(int(inbound.due[members].min()), 1)),
        expected_loss=0,
        residual_loss=0,
        action_cost=0,
        evidence=evidence,
        action=None,
    )


def _best(
    company: Company,
    shortage: Shortage,
    claims: Claims,
    po: UUID,
    number: str,
    terms: Terms,
    sources: Sources,
) -> tuple[float, float, dict[str, Any] | None]:
    """Residual loss, cost and action: expedite the order, or the best action where it loses most."""
    rows, members, inbound = claims.rows[po], claims.members[po], company.inbound
    priced, owned = shortage.priced, claims.owned
    loss = float(owned[rows].sum())
    lines = company.lines
    supplier = lines.supplier_ids[int(inbound.line[members[0]])]
    chase = decide_by_hand(
        "chase", f"Ask {sources.directory.supplier(supplier)} for a firm date for {number}"
    )
    if loss <= 0:
        return 0.0, 0.0, chase
    concerned = [k for k in members if int(inbound.row[k]) in rows]
    value = float((inbound.units[concerned] * lines.unit_price[inbound.line[concerned]]).sum())
    others = priced.expected_loss[rows] - owned[rows]
    residual = float(np.clip(shortage.expedited_residual[rows] - others, 0, owned[rows]).sum())
    cost = terms.order_cost + terms.expedite_share * value
    whole = [row for row in rows if owned[row] >= priced.expected_loss[row] - 1e-9]
    saved = {row: float(priced.expected_loss[row] - priced.residual_loss[row]) for row in whole}
    top = max(whole, key=lambda row: saved[row] - float(priced.action_cost[row]), default=None)
    other = saved[top] - float(priced.action_cost[top]) if top is not None else 0.0
    if loss - residual - cost > max(other, 0.0):
        return residual, cost, {"kind": "expedite", "label": f"Have {number} expedited", "commands": []}
    if top is None or other <= 0:
        return loss, 0.0, chase
    action = action_of(
        company,
        sources.directory,
        top,
        int(priced.action[top]),
        float(priced.units[top]),
        avoid=supplier,
    )
    return loss - saved[top], float(priced.action_cost[top]), action
