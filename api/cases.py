"""What the API and the console add to a case: the reason for its rank, and the poor data that it rests on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Connection

from api.fields import reveal
from erp_core.exceptions.draft import evidence_for
from erp_core.exceptions.queries import Case, CaseDetail
from erp_core.master.queries.quality import QualityKind, in_words, quality_of, quality_threshold
from erp_core.storage.types import money_text


class PoorData(BaseModel):
    """An item or supplier that something rests on, whose data are too poor for automation."""

    kind: str
    code: str
    score: int
    problems: list[str]


def poor_data(subjects: Iterable[tuple[str, UUID]], connection: Connection) -> list[PoorData]:
    """Of these (kind, id) the items and suppliers whose data quality is below the threshold, the worst first."""
    threshold, found, given = quality_threshold(connection), [], list(subjects)
    kinds: tuple[QualityKind, ...] = ("item", "supplier")
    for kind in kinds:
        ids = [id_ for subject, id_ in given if subject == kind]
        found += [one for one in quality_of(connection, kind, ids).values() if one.score < threshold]
    return [
        PoorData(kind=one.kind, code=one.code, score=one.score, problems=[in_words(p) for p in one.problems])
        for one in sorted(found, key=lambda one: (one.score, one.code))
    ]


class Explanation(BaseModel):
    """Why a case is here and ranks where it does, in sentences whose numbers are the case's own."""

    because: str
    rank: str
    best_action: str | None
    evidence: list[dict[str, Any]]
    quality: list[PoorData] = []


def seen_case(case: Case, rights: Collection[str]) -> dict[str, Any]:
    """A case as the holder of these rights sees it; without the right to see cost, without money and without a plan to buy."""
    shown = reveal(case, rights)
    if "see_cost" not in rights:
        shown["evidence"] = evidence_for(case.evidence, rights)
        if case.action is not None:
            shown["action"] = {**case.action, "commands": []}
    return shown


def seen_detail(detail: CaseDetail, rights: Collection[str]) -> dict[str, Any]:
    """A case in full, likewise."""
    return {
        "case": seen_case(detail.case, rights),
        "history": [reveal(one, rights) for one in detail.history],
        "cause": None if detail.cause is None else seen_case(detail.cause, rights),
        "effects": [seen_case(one, rights) for one in detail.effects],
    }


def explain(detail: CaseDetail, rights: Collection[str], quality: Sequence[PoorData] = ()) -> Explanation:
    """The explanation of a case, in money for roles that see cost, with the poor data that it rests on."""
    case = detail.case
    sees_cost = "see_cost" in rights
    if detail.cause is not None:
        rank = (
            f"Its loss is counted once, at the case that causes it: {detail.cause.title}. "
            "It carries no money of its own."
        )
    elif not sees_cost:
        rank = "Exceptions are ranked by what acting is worth; amounts are for roles that see cost."
    else:
        rank = (
            f"If nothing is done by {case.deadline:%Y-%m-%d}, {money_text(case.expected_loss)} are expected to be lost. "
            f"The best action leaves {money_text(case.residual_loss)} of it and costs {money_text(case.action_cost)}: "
            f"acting is worth {money_text(case.net_benefit)}, and that is its rank."
        )
    return Explanation(
        because=f"{case.title} (probability {case.probability:.0%}).",
        rank=rank,
        best_action=None if case.action is None else str(case.action.get("label")),
        evidence=[dict(one) for one in seen_case(case, rights)["evidence"]],
        quality=list(quality),
    )
