"""What the API and the console add to a case: the reason for its rank, and its best action submitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

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


def action_commands(case: Case, key: str) -> list[dict[str, Any]]:
    """The commands of the case's best action, with the ids that the caller makes filled in.

    The same case and key give the same ids, so that a repeated request is the same wish. An id that
    several commands name (the order to create and to submit) is one.
    """
    found = []
    for one in (case.action or {}).get("commands") or ():
        payload = _with_ids(one["payload"], case.id, key)
        lines = payload.get("lines")
        if isinstance(lines, list):
            payload["lines"] = [
                _with_ids(line, case.id, f"{key}:{number}") for number, line in enumerate(lines)
            ]
        found.append({"command": one["command"], "payload": payload})
    return found


def _with_ids(payload: Mapping[str, Any], case_id: UUID, key: str) -> dict[str, Any]:
    return {
        name: str(uuid5(case_id, f"{key}:{name}")) if value is None and name.endswith("_id") else value
        for name, value in payload.items()
    }


def submit_best_action(gate: Gate, case: Case, actor: Principal, key: str) -> Outcome:
    """Submit the plan that the case carries, with the case as its evidence."""
    wanted = action_commands(case, key)
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
