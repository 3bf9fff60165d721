"""What the API and the console add to a case: the reason for its rank, and its best action submitted."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from api.problems import Problem, invalid
from erp_core.exceptions.queries import Case, CaseDetail
from erp_core.gate.contract import Outcome
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
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


def submit_best_action(gate: Gate, case: Case, actor: Principal, key: str) -> Outcome:
    """Submit the plan that the case carries, with the case as its evidence."""
    wanted = (case.action or {}).get("commands") or ()
    if not wanted:
        raise Problem(
            409,
            "no_action",
            "this exception has no action that can be proposed",
            remedy="decide it by hand and resolve it",
        )
    commands = []
    for one in wanted:
        registration = gate.registry.get(one["command"])
        if registration is None:
            raise invalid(
                [{"field": "command", "reason": f"{one['command']} is unknown", "remedy": "scan again"}]
            )
        commands.append(registration.command.model_validate(one["payload"]))
    assert case.action is not None
    return gate.submit_plan(
        commands,
        actor,
        key=key,
        title=str(case.action["label"])[:200],
        reason=case.title,
        evidence=[{"kind": "case", "id": str(case.id), "label": case.title}, *case.evidence],
    )
