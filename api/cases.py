"""What the API and the console add to a case: the reason for its rank."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from erp_core.exceptions.queries import CaseDetail
from erp_core.storage.types import money_text


class Explanation(BaseModel):
    """Why a case is here and ranks where it does, in sentences whose numbers are the case's own."""

    because: str
    rank: str
    best_action: str | None
    evidence: list[dict[str, Any]]


def explain(detail: CaseDetail) -> Explanation:
    """The explanation of a case."""
    case = detail.case
    if detail.cause is not None:
        rank = (
            f"Its loss is counted once, at the case that causes it: {detail.cause.title}. "
            "It carries no money of its own."
        )
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
        evidence=[dict(one) for one in case.evidence],
    )
