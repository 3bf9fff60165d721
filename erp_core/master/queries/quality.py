"""Data-quality scores as they are stored: cheap to read for everything that rests on a record."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Connection, Row, Select, select

from erp_core.master.model import data_quality, items, suppliers
from erp_core.master.queries.parameters import parameters
from erp_core.master.rules.parameters import PARAMETERS
from erp_core.master.rules.quality import Problem
from erp_core.storage.lookup import fetch_in

QualityKind = Literal["item", "supplier"]
Key = tuple[str, UUID]


@dataclass(frozen=True, slots=True)
class Quality:
    """The data quality of an item or supplier: 100 less its problems, as of the day it last changed."""

    kind: QualityKind
    record_id: UUID
    code: str
    score: int
    problems: tuple[Problem, ...]
    scored_on: date


_SCORES = select(
    data_quality.c.kind,
    data_quality.c.record_id,
    data_quality.c.score,
    data_quality.c.problems,
    data_quality.c.scored_on,
)
_ITEMS = (
    _SCORES.add_columns(items.c.sku.label("code"))
    .join(items, items.c.id == data_quality.c.record_id)
    .where(data_quality.c.kind == "item")
)
_SUPPLIERS = (
    _SCORES.add_columns(suppliers.c.code)
    .join(suppliers, suppliers.c.id == data_quality.c.record_id)
    .where(data_quality.c.kind == "supplier")
)
_PLAIN = select(data_quality.c.kind, data_quality.c.record_id, data_quality.c.score)


def quality_of(connection: Connection, kind: QualityKind, ids: Iterable[UUID]) -> dict[UUID, Quality]:
    """The scores of these records; one that was never scored is left out."""
    rows = fetch_in(connection, _of(kind), data_quality.c.record_id, ids)
    return {row.record_id: _read(row) for row in rows}


def list_quality(
    connection: Connection, kind: QualityKind, *, below: int | None = None, limit: int | None = None
) -> list[Quality]:
    """Scored records, the worst first; with `below` only those under a score."""
    statement = _of(kind).order_by(data_quality.c.score, "code").limit(limit)
    if below is not None:
        statement = statement.where(data_quality.c.score < below)
    return [_read(row) for row in connection.execute(statement)]


def scores_of(connection: Connection, records: Iterable[Key]) -> dict[Key, int]:
    """The scores of (kind, id) records by them; one that was never scored is left out."""
    wanted = set(records)
    rows = fetch_in(connection, _PLAIN, data_quality.c.record_id, {id_ for _, id_ in wanted})
    return {(row.kind, row.record_id): row.score for row in rows if (row.kind, row.record_id) in wanted}


def lowest_score(connection: Connection, records: Iterable[Key]) -> int | None:
    """The lowest score among (kind, id) records that were scored; None where none was."""
    return min(scores_of(connection, records).values(), default=None)


def quality_threshold(connection: Connection) -> int:
    """The score from which automation may rest on a record."""
    return parameters(connection)["automation_quality"]


def automation_allowed(connection: Connection, records: Iterable[Key]) -> dict[Key, bool]:
    """Whether automation may rest on each (kind, id): scored, and not below the threshold."""
    wanted = list(records)
    scores, threshold = scores_of(connection, wanted), quality_threshold(connection)
    return {key: key in scores and scores[key] >= threshold for key in wanted}


def poor_among(connection: Connection, wanted: Mapping[QualityKind, Collection[str]]) -> list[Quality]:
    """Of the records with these codes those whose score is below the threshold, the worst first."""
    threshold = quality_threshold(connection)
    found: list[Quality] = []
    for kind, codes in wanted.items():
        known = set(codes)
        found += [one for one in list_quality(connection, kind, below=threshold) if one.code in known]
    return sorted(found, key=lambda one: (one.score, one.code))


def in_words(problem: Problem) -> str:
    """What is wrong."""
    label = PARAMETERS[problem.name].label.removeprefix("deduction: ")
    return f"{label} ({problem.detail})" if problem.detail else label


NAMED = 3


def quality_notes(connection: Connection, wanted: Mapping[QualityKind, Iterable[str]]) -> tuple[str, ...]:
    """What an answer that names these records by code must say: which of them have poor data, the worst first."""
    known = {kind: codes for kind, given in wanted.items() if (codes := set(given))}
    if not known:
        return ()
    found = poor_among(connection, known)
    if not found:
        return ()
    said = "; ".join(f"{one.code} {one.score} ({_worst(one)})" for one in found[:NAMED])
    more = f"; and {len(found) - NAMED} more" if len(found) > NAMED else ""
    threshold = quality_threshold(connection)
    return (f"Data quality below {threshold} of 100, so read with care: {said}{more}",)


def _worst(quality: Quality) -> str:
    return ", ".join(in_words(one) for one in sorted(quality.problems, key=lambda one: -one.points)[:2])


def _of(kind: QualityKind) -> Select[Any]:
    return _ITEMS if kind == "item" else _SUPPLIERS


def _read(row: Row[Any]) -> Quality:
    problems = tuple(Problem(*one) for one in row.problems)
    return Quality(row.kind, row.record_id, row.code, row.score, problems, row.scored_on)
