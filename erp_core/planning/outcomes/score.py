"""`ScoreOutcomes`: the ledger is written from the company's own records alone; nobody brings a verdict along."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from erp_core.gate.autonomy.rules import Scope
from erp_core.gate.contract import Command, Done, Event, Registration, Registry, Task, Transaction, each
from erp_core.master.queries import list_items, list_locations, list_suppliers
from erp_core.planning.model import decision_outcomes, outcome_scopes
from erp_core.planning.outcomes.decisions import Decision, unscored
from erp_core.planning.outcomes.measures import covered, deliveries, lead_times, line_results
from erp_core.planning.outcomes.rules import PATIENCE_DAYS, cutoff, line_verdict, verdict_of
from erp_core.storage.bulk import insert_rows
from erp_core.storage.locks import lock_names

AT_ONCE = 20
"""Decisions in one command, so that its transaction stays short."""


class ScoreOutcomes(Command):
    """Measure what came of decisions whose horizon has passed, each once, the oldest first."""


def score_outcomes(task: Task[ScoreOutcomes], tx: Transaction) -> Done:
    """Write an outcome for each decision that is due. One without a horizon gets no measures and no verdict."""
    connection = tx.connection
    lock_names(connection, ("outcomes",))
    timed = due_outcomes(connection, tx.today)
    due, lead = [one for one, _ in timed], {one.id: days for one, days in timed if days is not None}
    results = line_results(connection, due, lead)
    delivered = deliveries(connection, due, lead)
    rows: list[dict[str, Any]] = []
    for one in due:
        executed = one.status == "executed"
        lines = results.get(one.id, [])
        out = [line.stockout_days for line in lines if line.stockout_days is not None]
        needless = [line.needless for line in lines if line.needless is not None]
        delivery = delivered.get(one.id)
        rows.append(
            {
                "decision_id": one.id,
                "decision": one.decision,
                "status": one.status,
                "origin": one.origin,
                "model_version": one.model_version,
                "overridden": one.overridden,
                "case_kind": one.case_kind,
                "decided_on": one.decided_on,
                "cutoff_on": cutoff(one.decided_on, lead[one.id]) if one.id in lead else one.decided_on,
                "stockout_days": sum(out) if out else None,
                "excess_units": sum(needless) if needless else None,
                "arrived_percent": delivery.arrived_percent if delivery else None,
                "days_late": delivery.days_late if delivery else None,
                "cost_change": delivery.cost_change if delivery else None,
                "verdict": verdict_of(line_verdict(line, executed=executed) for line in lines),
                "scored_at": task.occurred_at,
                "audit_id": task.audit_id,
            }
        )
    insert_rows(connection, decision_outcomes, rows)
    scopes = _scopes(due, tx)
    insert_rows(
        connection,
        outcome_scopes,
        [
            {"decision_id": id_, "scope_kind": kind, "scope": name}
            for id_, own in scopes.items()
            for kind, name in sorted(own)
        ],
    )
    counted = {"scored": len(rows), "judged": sum(row["verdict"] is not None for row in rows)}
    events = (Event("OutcomesScored", "outcomes", task.audit_id, 1, counted),) if rows else ()
    return Done(result=counted, events=events)


def due_outcomes(connection: Connection, today: date) -> list[tuple[Decision, float | None]]:
    """Decisions to be scored now, at most `AT_ONCE`, each with its lead time in days; None where none is known."""
    ended = unscored(connection, today)
    lead, known = lead_times(connection, ended), covered(connection)
    due = [
        (one, lead.get(one.id))
        for one in ended
        if one.id not in lead or _is_due(cutoff(one.decided_on, lead[one.id]), known, today)
    ]
    return due[:AT_ONCE]


def _is_due(end: date, known: tuple[date, date] | None, today: date) -> bool:
    """Whether the window is over, and known to its end or hopeless to wait for."""
    complete = known is not None and end <= known[1]
    return end < today and (complete or (today - end).days > PATIENCE_DAYS)


def _scopes(decisions: Sequence[Decision], tx: Transaction) -> dict[UUID, set[Scope]]:
    """The scopes of autonomy that each decision belongs to."""
    connection = tx.connection
    item_ids = {item_id for one in decisions for item_id, _, _ in one.lines}
    categories = {item.id: item.category for item in list_items(connection, ids=item_ids)}
    places = {place.id: place.code for place in list_locations(connection)} if item_ids else {}
    known = {
        supplier.id: supplier
        for supplier in list_suppliers(
            connection, ids={one.supplier_id for one in decisions if one.supplier_id is not None}
        )
    }
    found: dict[UUID, set[Scope]] = {}
    for one in decisions:
        own: set[Scope] = set()
        for item_id, place, _ in one.lines:
            own.add(("category", categories[item_id]))
            own.add(("warehouse", places[place]))
        if one.supplier_id is not None and one.supplier_id in known:
            supplier = known[one.supplier_id]
            own |= {("supplier", supplier.code), ("supplier_group", supplier.segment)}
        found[one.id] = own
    return found


def register(registry: Registry) -> None:
    """Register the command."""
    registry.register(Registration(ScoreOutcomes, each(score_outcomes)))
