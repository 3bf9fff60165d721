"""Proposals: what waits for people, and their decisions, which quote the hash that was shown."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, ValidationError

from api.auth import Actor, OfCompany, Reader
from api.company import Company
from api.outcomes import OUTCOMES, ExecutedBody, Key, answer
from api.paging import Limit, Offset, Page
from api.passwords import require_no_hash
from api.problems import from_validation, invalid, not_found, require_known
from api.proposals import ProposalBody, ProposalDetail, bodies_of, detail_of
from erp_core.gate.contract import Command
from erp_core.gate.decisions import ApproveProposal, RejectProposal, SendBackProposal, WithdrawProposal
from erp_core.gate.principals import Principal
from erp_core.gate.queries import ProposalView, get_proposal, list_proposals
from erp_core.gate.rules import PROPOSAL_STEPS
from erp_core.storage.engine import reading

router = APIRouter(prefix="/proposals", tags=["proposals"])

Hash = Annotated[str, Field(min_length=64, max_length=64, description="the payload_hash that was shown")]


class Approve(BaseModel):
    """Yes to exactly what was shown."""

    payload_hash: Hash
    comment: Annotated[str, Field(max_length=2_000)] = ""


class TurnDown(BaseModel):
    """No, or not like this, with the reason."""

    payload_hash: Hash
    comment: Annotated[str, Field(min_length=1, max_length=2_000)]


class PlannedStep(BaseModel):
    """A command by name with its payload."""

    command: str
    payload: dict[str, Any]


class Plan(BaseModel):
    """Commands that run in order in one transaction, or not at all."""

    title: Annotated[str, Field(min_length=1, max_length=200)]
    reason: Annotated[str, Field(min_length=1, max_length=2_000)]
    commands: Annotated[list[PlannedStep], Field(min_length=1, max_length=50)]
    evidence: Annotated[list[dict[str, Any]], Field(max_length=50)] = []
    tainted: bool = False
    urgent: Annotated[bool, Field(description="ask for the expedited path; the reason must say why")] = False
    breaks_glass: Annotated[
        bool, Field(description="run without the approvals asked for: for the role emergency, reviewed later")
    ] = False


def view_of(proposal_id: UUID, company: Company) -> ProposalView:
    """The proposal, or 404."""
    with reading(company.engine) as connection:
        found = get_proposal(connection, proposal_id)
    if found is None:
        raise not_found("proposal", "list the proposals first")
    return found


@router.get("")
def list_(
    actor: Reader,
    company: OfCompany,
    status: Annotated[str, Query(description="left out: pending; `all` for every status")] = "pending",
    mine: bool = False,
    limit: Limit = 50,
    offset: Offset = 0,
) -> Page[ProposalBody]:
    """Proposals, newest first."""
    require_known("status", [status], ("all", *PROPOSAL_STEPS))
    with reading(company.engine) as connection:
        views, total = list_proposals(
            connection,
            status=None if status == "all" else status,
            requested_by=actor.user_id if mine else None,
            limit=limit,
            offset=offset,
        )
        rows = bodies_of(views, actor, company.gate, connection)
    return Page(rows=rows, total=total, limit=limit, offset=offset)


@router.post("", responses=OUTCOMES, response_model=ExecutedBody)
def submit(plan: Plan, actor: Actor, company: OfCompany, key: Key) -> Any:
    """Submit a plan: it runs where policy lets it, and waits for people where not."""
    return _submit(plan, actor, company, key)


def _submit(plan: Plan, actor: Principal, company: Company, key: str, *, revises: UUID | None = None) -> Any:
    """What comes with an agent's token is tainted: nothing says what its model has seen."""
    outcome = company.gate.submit_plan(
        _commands(plan, company),
        actor,
        key=key,
        title=plan.title,
        reason=plan.reason,
        evidence=plan.evidence,
        tainted=plan.tainted or actor.is_agent,
        urgent=plan.urgent,
        breaks_glass=plan.breaks_glass,
        revises=revises,
    )
    return answer(outcome)


def _commands(plan: Plan, company: Company) -> list[Command]:
    commands: list[Command] = []
    for position, step in enumerate(plan.commands):
        registration = company.gate.registry.get(step.command)
        if registration is None:
            raise invalid(
                [
                    {
                        "field": f"commands.{position}.command",
                        "reason": f"there is no command {step.command}",
                        "remedy": "GET /api/v1/commands lists them",
                    }
                ]
            )
        try:
            command = registration.command.model_validate(step.payload)
        except ValidationError as error:
            raise from_validation(error, within=f"commands.{position}.payload") from error
        require_no_hash(command, f"commands.{position}.payload.password_hash")
        commands.append(command)
    return commands


@router.get("/{proposal_id}")
def get(proposal_id: UUID, actor: Reader, company: OfCompany) -> ProposalDetail:
    """A proposal with its plan in words, evidence, the rule that asks, and what changed since."""
    view = view_of(proposal_id, company)
    with reading(company.engine) as connection:
        return detail_of(view, actor, company.gate, connection)


@router.post("/{proposal_id}/approve", response_model=ExecutedBody)
def approve(proposal_id: UUID, body: Approve, actor: Actor, company: OfCompany, key: Key) -> Any:
    """Approve what was shown; the last approval needed executes it."""
    view_of(proposal_id, company)
    command = ApproveProposal(proposal_id=proposal_id, payload_hash=body.payload_hash, comment=body.comment)
    return answer(company.gate.submit(command, actor, key=key))


@router.post("/{proposal_id}/reject", response_model=ExecutedBody)
def reject(proposal_id: UUID, body: TurnDown, actor: Actor, company: OfCompany, key: Key) -> Any:
    """Reject it with a reason."""
    view_of(proposal_id, company)
    command = RejectProposal(proposal_id=proposal_id, payload_hash=body.payload_hash, comment=body.comment)
    return answer(company.gate.submit(command, actor, key=key))


@router.post("/{proposal_id}/send-back", response_model=ExecutedBody)
def send_back(proposal_id: UUID, body: TurnDown, actor: Actor, company: OfCompany, key: Key) -> Any:
    """Ask for another version."""
    view_of(proposal_id, company)
    command = SendBackProposal(proposal_id=proposal_id, payload_hash=body.payload_hash, comment=body.comment)
    return answer(company.gate.submit(command, actor, key=key))


@router.post("/{proposal_id}/withdraw", response_model=ExecutedBody)
def withdraw(proposal_id: UUID, actor: Actor, company: OfCompany, key: Key) -> Any:
    """Take one's own proposal back."""
    view_of(proposal_id, company)
    return answer(company.gate.submit(WithdrawProposal(proposal_id=proposal_id), actor, key=key))


@router.post("/{proposal_id}/revise", responses=OUTCOMES, response_model=ExecutedBody)
def revise(proposal_id: UUID, plan: Plan, actor: Actor, company: OfCompany, key: Key) -> Any:
    """Put a changed plan in its place: the next version, whose approvals start anew."""
    view_of(proposal_id, company)
    return _submit(plan, actor, company, key, revises=proposal_id)


@router.post("/{proposal_id}/rebase", responses=OUTCOMES, response_model=ExecutedBody)
def rebase(proposal_id: UUID, actor: Actor, company: OfCompany, key: Key) -> Any:
    """Propose the same plan on what holds now: the next version, whose approvals start anew."""
    view_of(proposal_id, company)
    return answer(company.gate.rebase(proposal_id, actor, key=key))
