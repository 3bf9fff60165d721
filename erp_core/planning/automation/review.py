"""Stepping down by itself: scopes that act although their outcomes or their data quality fell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from erp_core.gate.autonomy.rules import Level, Scope, shortfalls
from erp_core.gate.autonomy.state import current_levels, current_limits
from erp_core.gate.contract import Outcome
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.master.model import items, suppliers
from erp_core.master.queries.quality import Key, quality_threshold, scores_of
from erp_core.planning.commands.autonomy import StepDownAutonomy
from erp_core.planning.outcomes.record import record_of
from erp_core.storage.engine import reading

FEW = 5
"""Outcomes of acts before their share says anything."""
DOWN_TO: Level = "propose"


@dataclass(frozen=True, slots=True)
class Fall:
    """A scope that should not act any more, and why. `version` is that of its level."""

    scope: Scope
    version: int
    reason: str


def falling_scopes(connection: Connection) -> list[Fall]:
    """The scopes at act whose outcomes since then, or whose records, are below what acting asks for."""
    limits = current_limits(connection)
    found = []
    for row in current_levels(connection):
        if row.level != "act":
            continue
        scope = (row.scope_kind, row.scope)
        record = record_of(connection, scope, acts_since=row.since.date())
        reasons = shortfalls(record, limits) if record.judged >= FEW else []
        reasons += _poor_records(connection, scope)
        if reasons:
            found.append(Fall(scope, row.version, "; ".join(reasons)))
    return found


def step_down_falling(gate: Gate, jobs: Principal) -> list[tuple[Fall, Outcome]]:
    """Lower each of them to propose; once for each version of the level."""
    with reading(gate.engine) as connection:
        falls = falling_scopes(connection)
    return [
        (
            fall,
            gate.submit(
                StepDownAutonomy(
                    scope_kind=fall.scope[0],
                    scope=fall.scope[1],
                    level=DOWN_TO,
                    reason=fall.reason[:500],
                ),
                jobs,
                key=f"step-down:{fall.version}:{fall.scope[0]}:{fall.scope[1]}"[:120],
            ),
        )
        for fall in falls
    ]


def _poor_records(connection: Connection, scope: Scope) -> list[str]:
    """Why a category or supplier is too poor: the mean score of its records is below what acting asks for."""
    kind, name = scope
    records: Sequence[Key]
    if kind == "supplier":
        records = [
            ("supplier", id_)
            for id_ in connection.scalars(select(suppliers.c.id).where(suppliers.c.code == name))
        ]
    elif kind == "category":
        active = (items.c.category == name) & (items.c.status == "active")
        records = [("item", id_) for id_ in connection.scalars(select(items.c.id).where(active))]
    else:
        return []
    scores, least = list(scores_of(connection, records).values()), quality_threshold(connection)
    if not scores or sum(scores) >= least * len(scores):
        return []
    return [f"data quality of its records is {sum(scores) // len(scores)} of 100, {least} needed"]
