"""What a command came to, as the API answers it: 200 executed, 202 waiting for people."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Header
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from api.problems import accepted
from erp_core.gate.contract import Executed, Outcome

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=80,
        description="made by the caller, one for each wish: the same key gives the same outcome and acts once",
    ),
]


class Approver(BaseModel):
    """So many people of a role."""

    role: str
    people: int


class ExecutedBody(BaseModel):
    """It happened."""

    outcome: Literal["executed"] = "executed"
    audit_id: UUID
    result: dict[str, Any]


class ProposedBody(BaseModel):
    """It waits for people. A decision must quote `payload_hash`."""

    outcome: Literal["proposed"] = "proposed"
    proposal_id: UUID
    payload_hash: str
    approvers: list[Approver]
    policy: str


OUTCOMES: dict[int | str, dict[str, Any]] = {
    202: {"model": ProposedBody, "description": "it waits for people"}
}


def answer(outcome: Outcome) -> Any:
    """The response to a command the gate took. Raises the problem when it did not."""
    taken = accepted(outcome)
    if isinstance(taken, Executed):
        return ExecutedBody(audit_id=taken.audit_id, result=dict(taken.result))
    body = ProposedBody(
        proposal_id=taken.proposal_id,
        payload_hash=taken.payload_hash,
        approvers=[Approver.model_validate(dict(one)) for one in taken.approvers],
        policy=taken.policy,
    )
    return JSONResponse(body.model_dump(mode="json"), 202)
