"""Reads of the inbox. Money in ten-thousandths of the company's currency."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, and_, func, select

from erp_core.exceptions.model import case_events, case_subjects, cases, withheld
from erp_core.exceptions.rules import CASE_STEPS, CLOSED
from erp_core.storage.lookup import fetch_in

ACTIVE = tuple(status for status in CASE_STEPS if status not in CLOSED)


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases to list; every field left out means all. `statuses` defaults to those not closed."""

    kinds: Sequence[str] = ()
    statuses: Sequence[str] = ACTIVE
    item_id: UUID | None = None
    location_id: UUID | None = None
    supplier_id: UUID | None = None
    owner_id: UUID | None = None
    minimum_amount: int | None = None
    roots_only: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """One exception. `net_benefit` is its rank: expected loss less residual loss less action cost."""

    id: UUID
    kind: str
    subject_key: str
    title: str
    status: str
    probability: float
    deadline: datetime
    expected_loss: int
    residual_loss: int
    action_cost: int
    net_benefit: int
    evidence: Sequence[Mapping[str, Any]]
    action: Mapping[str, Any] | None
    caused_by: UUID | None
    owner_id: UUID | None
    proposal_id: UUID | None
    resolution: str | None
    snoozed_until: datetime | None
    opened_at: datetime
    changed_at: datetime
    closed_at: datetime | None
    version: int
    subjects: Sequence[tuple[str, UUID]]


@dataclass(frozen=True, slots=True)
class CasePage:
    """A page of the ranked list, and how many cases the filter holds in all."""

    cases: Sequence[Case]
    total: int

    @property
    def cut(self) -> bool:
        """Whether the filter holds more cases than the page."""
        return len(self.cases) < self.total


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One step in the history of a case; without `user_id` a scan or a proposal did it."""

    status: str
    user_id: UUID | None
    note: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class CaseDetail:
    """A case with its history, the case that causes it and the cases it causes."""

    case: Case
    history: Sequence[CaseEvent]
    cause: Case | None
    effects: Sequence[Case]


@dataclass(frozen=True, slots=True)
class KindSummary:
    """The cases of one kind that are not closed, with their money."""

    kind: str
    cases: int
    expected_loss: int
    net_benefit: int


@dataclass(frozen=True, slots=True)
class WithheldDetection:
    """What the last scan could not judge, and why."""

    kind: str
    reason: str
    subjects: int


_RANK = (cases.c.net_benefit.desc(), cases.c.expected_loss.desc(), cases.c.deadline, cases.c.id)
_COLUMNS = [column for column in cases.c if column.name not in ("dismissed", "audit_id")]


def ranked_cases(
    connection: Connection, wanted: CaseFilter = CaseFilter(), *, limit: int = 50, offset: int = 0
) -> CasePage:
    """The exceptions, most worth acting on first."""
    conditions = _conditions(wanted)
    total = connection.execute(select(func.count()).select_from(cases).where(*conditions)).scalar_one()
    rows = connection.execute(
        select(*_COLUMNS).where(*conditions).order_by(*_RANK).limit(limit).offset(offset)
    ).all()
    return CasePage(_with_subjects(connection, rows), total)


def case_detail(connection: Connection, case_id: UUID) -> CaseDetail | None:
    """One case in full, or None when there is no such case."""
    rows = connection.execute(select(*_COLUMNS).where(cases.c.id == case_id)).all()
    if not rows:
        return None
    (case,) = _with_subjects(connection, rows)
    around = connection.execute(
        select(*_COLUMNS)
        .where((cases.c.caused_by == case_id) | (cases.c.id == case.caused_by))
        .order_by(*_RANK)
    ).all()
    related = _with_subjects(connection, around)
    history = connection.execute(
        select(case_events)
        .where(case_events.c.case_id == case_id)
        .order_by(case_events.c.occurred_at, case_events.c.id)
    )
    return CaseDetail(
        case,
        tuple(CaseEvent(row.status, row.user_id, row.note, row.occurred_at) for row in history),
        next((other for other in related if other.id == case.caused_by), None),
        tuple(other for other in related if other.caused_by == case_id),
    )


def summary_by_kind(connection: Connection) -> tuple[KindSummary, ...]:
    """Count and money of the cases that are not closed, by kind, the largest benefit first."""
    benefit = func.sum(cases.c.net_benefit)
    rows = connection.execute(
        select(cases.c.kind, func.count(), func.sum(cases.c.expected_loss), benefit)
        .where(cases.c.status.in_(ACTIVE))
        .group_by(cases.c.kind)
        .order_by(benefit.desc(), cases.c.kind)
    )
    return tuple(KindSummary(kind, count, int(loss), int(net)) for kind, count, loss, net in rows)


def stockout_losses(connection: Connection, item_ids: Iterable[UUID]) -> dict[tuple[UUID, UUID], int]:
    """What open cases expect to lose where an item runs out, by item and location; a case whose loss its cause carries counts
    with that. A pair without such a case is not there.
    """
    found: dict[tuple[UUID, UUID], int] = {}
    for row in fetch_in(connection, _STOCKOUTS, _OF_ITEM.c.subject_id, item_ids):
        pair = (row.item_id, row.location_id)
        found[pair] = max(int(row.loss), found.get(pair, 0))
    return found


_OF_ITEM, _AT_PLACE, _CAUSE = case_subjects.alias(), case_subjects.alias(), cases.alias()
_STOCKOUTS = (
    select(
        _OF_ITEM.c.subject_id.label("item_id"),
        _AT_PLACE.c.subject_id.label("location_id"),
        (cases.c.expected_loss + func.coalesce(_CAUSE.c.expected_loss, 0)).label("loss"),
    )
    .join(_OF_ITEM, and_(_OF_ITEM.c.case_id == cases.c.id, _OF_ITEM.c.subject_kind == "item"))
    .join(_AT_PLACE, and_(_AT_PLACE.c.case_id == cases.c.id, _AT_PLACE.c.subject_kind == "location"))
    .outerjoin(_CAUSE, _CAUSE.c.id == cases.c.caused_by)
    .where(cases.c.kind == "stockout_risk", cases.c.status.in_(ACTIVE))
)


def withheld_detections(connection: Connection) -> tuple[WithheldDetection, ...]:
    """What the last scan withheld, with the reason."""
    rows = connection.execute(select(withheld).order_by(withheld.c.kind, withheld.c.reason))
    return tuple(WithheldDetection(row.kind, row.reason, row.subjects) for row in rows)


def _conditions(wanted: CaseFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [cases.c.status.in_(wanted.statuses)]
    if wanted.kinds:
        conditions.append(cases.c.kind.in_(wanted.kinds))
    if wanted.owner_id is not None:
        conditions.append(cases.c.owner_id == wanted.owner_id)
    if wanted.minimum_amount is not None:
        conditions.append(cases.c.net_benefit >= wanted.minimum_amount)
    if wanted.roots_only:
        conditions.append(cases.c.caused_by.is_(None))
    subjects = (("item", wanted.item_id), ("location", wanted.location_id), ("supplier", wanted.supplier_id))
    for kind, subject_id in subjects:
        if subject_id is not None:
            conditions.append(
                select(case_subjects.c.case_id)
                .where(
                    case_subjects.c.case_id == cases.c.id,
                    case_subjects.c.subject_kind == kind,
                    case_subjects.c.subject_id == subject_id,
                )
                .exists()
            )
    return conditions


def _with_subjects(connection: Connection, rows: Sequence[Row[Any]]) -> tuple[Case, ...]:
    if not rows:
        return ()
    subjects: dict[UUID, list[tuple[str, UUID]]] = {row.id: [] for row in rows}
    found = connection.execute(
        select(case_subjects)
        .where(case_subjects.c.case_id.in_(subjects))
        .order_by(case_subjects.c.subject_kind, case_subjects.c.subject_id)
    )
    for row in found:
        subjects[row.case_id].append((row.subject_kind, row.subject_id))
    return tuple(Case(**row._mapping, subjects=tuple(subjects[row.id])) for row in rows)
