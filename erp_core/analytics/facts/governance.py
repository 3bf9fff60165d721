"""Proposals and exceptions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Float, Select, cast, func, literal, null, select

from erp_core.analytics.expressions import day_of, divided, seconds_between
from erp_core.analytics.facts.fact import Fact, Measure, Scope
from erp_core.exceptions.model import case_subjects, cases
from erp_core.exceptions.rules import CLOSED, NO_LONGER_DETECTED
from erp_core.gate.model import proposal_states, proposals

_SUBJECTS = {"item": "item", "warehouse": "location", "supplier": "supplier"}


def _cases(scope: Scope, *columns: Any) -> Select[Any]:
    """Cases, a row per combination of the wanted subjects; `share` makes a case's rows add up to one."""
    source: Any = cases
    dimensions: list[ColumnElement[Any]] = []
    for dimension, kind in _SUBJECTS.items():
        if not scope.wants(dimension):
            dimensions.append(null().label(dimension))
            continue
        subject = (
            select(case_subjects.c.case_id, case_subjects.c.subject_id)
            .where(case_subjects.c.subject_kind == kind)
            .subquery(f"{kind}_subjects")
        )
        source = source.outerjoin(subject, subject.c.case_id == cases.c.id)
        dimensions.append(subject.c.subject_id.label(dimension))
    share = divided(literal(1), func.count().over(partition_by=cases.c.id))
    return select(
        cases.c.kind.label("exception_kind"), *dimensions, share.label("share"), *columns
    ).select_from(source)


def _open_cases(scope: Scope) -> Select[Any]:
    rows = (
        _cases(scope, cases.c.id.label("cases"), cases.c.expected_loss.label("amount"))
        .where(cases.c.status.not_in(sorted(CLOSED)))
        .subquery()
    )
    return select(rows, (rows.c.amount * rows.c.share).label("expected_loss"))


def _resolved_cases(scope: Scope) -> Select[Any]:
    seconds = cast(seconds_between(cases.c.opened_at, cases.c.closed_at), Float)
    rows = (
        _cases(scope, day_of(cases.c.closed_at).label("day"), seconds.label("seconds"))
        .where(cases.c.status == "resolved", cases.c.resolution.is_distinct_from(NO_LONGER_DETECTED))
        .subquery()
    )
    return select(rows, (rows.c.seconds / 3600.0 * rows.c.share).label("hours"), rows.c.share.label("cases"))


def _proposals(scope: Scope) -> Select[Any]:
    return (
        select(proposals.c.requested_by.label("buyer"), literal(1).label("pending"))
        .join(proposal_states, proposal_states.c.proposal_id == proposals.c.id)
        .where(proposal_states.c.status == "pending")
    )


_CASE = frozenset({"exception_kind", "item", "warehouse", "supplier"})

FACTS = (
    Fact("proposals", _proposals, frozenset({"buyer"}), (Measure("pending"),)),
    Fact(
        "open_cases",
        _open_cases,
        _CASE,
        (Measure("cases", "distinct"), Measure("expected_loss", whole=False)),
        records="case",
    ),
    Fact(
        "resolved_cases",
        _resolved_cases,
        _CASE,
        (Measure("hours", whole=False), Measure("cases", whole=False)),
        dated=True,
        records="case",
    ),
)
