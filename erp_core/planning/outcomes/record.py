"""The outcome ledger read: what became of a scope's recommendations, and sums by origin, model version and override."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, select

from erp_core.gate.autonomy.rules import COMPANY, Record, Scope
from erp_core.planning.model import decision_outcomes, outcome_scopes
from erp_core.planning.outcomes.rules import interval


def record_of(connection: Connection, scope: Scope, *, acts_since: date | None = None) -> Record:
    """What became of the rule-made recommendations of a scope; with `acts_since` only of what ran by itself since then."""
    table = decision_outcomes
    proposed = table.c.decision == "proposal"
    accepted = and_(proposed, table.c.status == "executed", table.c.overridden.is_(False))
    statement = select(
        _count(proposed),
        _count(accepted),
        _count(table.c.verdict.is_not(None)),
        _count(table.c.verdict == "good"),
    ).where(table.c.origin == "rule")
    if scope != COMPANY:
        statement = statement.join(
            outcome_scopes,
            and_(
                outcome_scopes.c.decision_id == table.c.decision_id,
                outcome_scopes.c.scope_kind == scope[0],
                outcome_scopes.c.scope == scope[1],
            ),
        )
    if acts_since is not None:
        statement = statement.where(table.c.decision == "act", table.c.decided_on >= acts_since)
    return Record(*(int(number or 0) for number in connection.execute(statement).one()))


@dataclass(frozen=True, slots=True)
class OutcomeSum:
    """Decisions of one origin, model version and override. Shares come with their 95 % interval; None without any."""

    origin: str
    model_version: str | None
    overridden: bool
    decided: int
    executed: int
    judged: int
    good: int
    bad: int
    accepted_interval: tuple[float, float] | None
    good_interval: tuple[float, float] | None


def outcome_sums(connection: Connection) -> list[OutcomeSum]:
    """The ledger summed up, the largest group first."""
    table = decision_outcomes
    keys = (table.c.origin, table.c.model_version, table.c.overridden)
    rows = connection.execute(
        select(
            *keys,
            func.count().label("decided"),
            _count(table.c.status == "executed").label("executed"),
            _count(table.c.verdict.is_not(None)).label("judged"),
            _count(table.c.verdict == "good").label("good"),
            _count(table.c.verdict == "bad").label("bad"),
        )
        .group_by(*keys)
        .order_by(func.count().desc(), *keys)
    )
    return [
        OutcomeSum(
            **row._mapping,
            accepted_interval=interval(row.executed, row.decided),
            good_interval=interval(row.good, row.judged),
        )
        for row in rows
    ]


def list_outcomes(connection: Connection, *, limit: int = 100, offset: int = 0) -> list[dict[str, Any]]:
    """Single outcomes, the latest decision first."""
    table = decision_outcomes
    columns = [column for column in table.columns if column.name not in ("audit_id", "scored_at")]
    rows = connection.execute(
        select(*columns)
        .order_by(table.c.decided_on.desc(), table.c.decision_id.desc())
        .limit(limit)
        .offset(offset)
    )
    return [dict(row._mapping) for row in rows]


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))
