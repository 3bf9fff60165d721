"""Automation's run: what the stored rules recommend, taken as far as each scope's level lets it go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from erp_core.gate.autonomy.permit import RULE_EVIDENCE, scopes_of
from erp_core.gate.autonomy.rules import Applied, level_of, rank
from erp_core.gate.autonomy.state import current_levels, current_switch, levels_by_scope
from erp_core.gate.contract import Denied, Executed, Invalid, Outcome, Proposed, Refused
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.master.queries import Names, list_locations, list_suppliers
from erp_core.planning.automation.rule import REASON, RuleLine, rule_lines, waiting_pairs
from erp_core.procurement.commands import CreatePurchaseOrder, PurchaseOrderLine, SubmitPurchaseOrder
from erp_core.procurement.ordering.thresholds import explain_short
from erp_core.storage.derived import derived_id, line_id
from erp_core.storage.engine import reading

MOST_LINES = 500


@dataclass(frozen=True, slots=True)
class RuleOrder:
    """What one supplier should deliver to one place, of scopes that stand at the same level."""

    supplier: str
    warehouse: str
    applied: Applied
    lines: tuple[RuleLine, ...]
    minimum_order: int = 0

    @property
    def amount(self) -> int:
        """What it costs, in the supplier's currency."""
        return sum(line.amount for line in self.lines)

    @property
    def rule(self) -> str:
        """The stored rule behind it."""
        return max(self.lines, key=lambda line: line.as_of).rule

    def short_of(self, names: Names) -> list[str]:
        """What it stands just short of: price breaks of its items, and the supplier's minimum order."""
        said = [
            f"{names.code(line.item_id)}: {line.next_break.explanation}"
            for line in self.lines
            if line.next_break is not None
        ]
        small = explain_short(self.amount, self.minimum_order)
        return [*said, small] if small else said


@dataclass(slots=True)
class RunReport:
    """What a run came to. `executed` and `proposed` hold order and proposal ids, `refused` why each was not taken."""

    stopped: bool = False
    executed: list[UUID] = field(default_factory=list)
    proposed: list[UUID] = field(default_factory=list)
    recommended: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)


def rule_orders(connection: Connection, today: date) -> list[RuleOrder]:
    """What the rules recommend and nobody is deciding or turned down lately, the most expensive order first.

    Scopes at see or alert are left out: nothing is recommended there.
    """
    waiting = waiting_pairs(connection, today)
    lines = [line for line in rule_lines(connection, today) if line.pair not in waiting]
    levels = levels_by_scope(current_levels(connection))
    suppliers = {one.id: one for one in list_suppliers(connection)}
    places = {one.id: one.code for one in list_locations(connection)}
    groups: dict[tuple[str, str, str], list[RuleLine]] = {}
    held_by: dict[tuple[str, str, str], Applied] = {}
    for line in lines:
        supplier = suppliers[line.supplier_id]
        facts = {
            "category": line.category,
            "supplier": supplier.code,
            "supplier_group": supplier.segment,
            "warehouse": places[line.location_id],
        }
        applied = level_of(levels, scopes_of(facts))
        if rank(applied.level) >= rank("recommend"):
            key = (supplier.code, places[line.location_id], applied.level)
            groups.setdefault(key, []).append(line)
            held_by.setdefault(key, applied)
    least = {one.code: one.minimum_order for one in suppliers.values()}
    found = [
        RuleOrder(*key[:2], held_by[key], tuple(part), least[key[0]])
        for key, own in groups.items()
        for part in _parts(own)
    ]
    return sorted(found, key=lambda one: (-one.amount, one.supplier, one.warehouse))


def run_automation(gate: Gate, automation: Principal, today: date) -> RunReport:
    """Take every recommendation as far as its level allows: buy it, propose it, or only list it.

    A run that is repeated on the same day with the same facts does nothing twice. A stopped automation does nothing.
    """
    with reading(gate.engine) as connection:
        if current_switch(connection).stopped:
            return RunReport(stopped=True)
        orders = rule_orders(connection, today)
        names = Names.read(connection, items={line.item_id for one in orders for line in one.lines})
    report = RunReport()
    for order in orders:
        if rank(order.applied.level) < rank("propose"):
            report.recommended.append(_shown(order, names))
            continue
        outcome = submit_rule_order(gate, automation, order, today)
        if isinstance(outcome, Executed):
            report.executed.append(UUID(outcome.result["results"][0]["po_id"]))
        elif isinstance(outcome, Proposed):
            report.proposed.append(outcome.proposal_id)
        else:
            report.refused.append({**_shown(order, names), "why": _why(outcome)})
    return report


def submit_rule_order(gate: Gate, automation: Principal, order: RuleOrder, today: date) -> Outcome:
    """Submit one order as a plan that carries ids and quantities only."""
    first = order.lines[0]
    content = ",".join(f"{line.item_id}:{line.quantity}:{line.position}" for line in order.lines)
    key = f"rule:{today}:{sha256(f'{first.supplier_id}:{first.location_id}:{content}'.encode()).hexdigest()[:40]}"
    po_id = derived_id(today, key)
    draft = CreatePurchaseOrder(
        po_id=po_id,
        supplier_id=first.supplier_id,
        location_id=first.location_id,
        lines=tuple(
            PurchaseOrderLine(line_id=line_id(po_id, number), item_id=line.item_id, quantity=line.quantity)
            for number, line in enumerate(order.lines, 1)
        ),
        reason=REASON,
    )
    return gate.submit_plan(
        [draft, SubmitPurchaseOrder(po_id=po_id)],
        automation,
        key=key,
        title=f"Order {len(order.lines)} items from {order.supplier} for {order.warehouse}",
        reason=REASON,
        evidence=[{"kind": RULE_EVIDENCE, "id": "reorder_points", "label": order.rule}],
    )


def _parts(lines: Sequence[RuleLine]) -> Iterable[Sequence[RuleLine]]:
    for start in range(0, len(lines), MOST_LINES):
        yield lines[start : start + MOST_LINES]


def _shown(order: RuleOrder, names: Names) -> dict[str, Any]:
    return {
        "supplier": order.supplier,
        "warehouse": order.warehouse,
        "level": order.applied.level,
        "amount": order.amount,
        "lines": [{"item": names.code(line.item_id), "quantity": line.quantity} for line in order.lines],
    }


def _why(outcome: Outcome) -> str:
    if isinstance(outcome, Refused):
        return outcome.error.message
    if isinstance(outcome, Denied):
        return outcome.message
    assert isinstance(outcome, Invalid)
    return "; ".join(f"{one['field']}: {one['reason']}" for one in outcome.errors)
