"""One proposal with all its approver needs: decisions quote the hash shown; new versions take its place."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError

from api.auth import OfCompany
from api.company import Company
from api.console.forms import texts_of
from api.console.policy_words import policy_changes, rules_shown, undone_by
from api.console.revising import changed_payload, changed_title, quantities_of, restated
from api.console.seats import decisions_shown, lender_of, seats_shown
from api.console.view import Viewer, back, page, seeing
from api.plans import commands_of, known_fact
from api.problems import Problem, accepted, from_validation, invalid
from api.proposals import ProposalDetail, detail_of
from api.routers.proposals import view_of
from erp_core.gate.contract import Command, Executed, Outcome
from erp_core.gate.decisions import ApproveProposal, RejectProposal, SendBackProposal, WithdrawProposal
from erp_core.gate.principals import Principal
from erp_core.gate.queries import company_facts
from erp_core.storage.engine import reading

router = APIRouter(include_in_schema=False, prefix="/approvals")
Reader = Annotated[Principal, Depends(seeing("read_records"))]
Key = Annotated[str, Form(min_length=8, max_length=80)]
DECISIONS = {"approve": ApproveProposal, "reject": RejectProposal, "send-back": SendBackProposal}
KEPT_EVIDENCE = frozenset({"case"})
"""Evidence that a person's restatement of a tainted plan keeps: our own exceptions, nothing a model gathered."""


@router.get("/{proposal_id}", response_class=HTMLResponse)
def approval(proposal_id: UUID, request: Request, viewer: Reader, company: OfCompany) -> Response:
    """One proposal."""
    return _approval(proposal_id, request, viewer, company)


def _approval(
    proposal_id: UUID,
    request: Request,
    viewer: Principal,
    company: Company,
    problem: Problem | None = None,
    comment: str = "",
) -> HTMLResponse:
    view = view_of(proposal_id, company)
    with reading(company.engine) as connection:
        proposal = detail_of(view, viewer, company.gate, connection)
        decisions = decisions_shown(view, connection)
        lender = lender_of(view, viewer, company.gate, connection) if proposal.deciding.lent else None
        currency = company_facts(connection).get("currency", "")
        rules = rules_shown(
            connection,
            proposal.policies,
            view.facts,
            currency,
            view.facts.keys() - proposal.facts.keys(),
        )
        changes = (
            policy_changes(commands_of(view.payload, company.gate.registry), connection, currency)
            if view.status == "pending"
            else []
        )
    return page(
        request,
        company,
        viewer,
        "approval.html",
        "approvals",
        status=problem.status if problem else 200,
        problem=problem.body if problem else None,
        proposal=proposal,
        comment=comment,
        decisions=decisions,
        seats=seats_shown(view, decisions, proposal.deciding.missing),
        lender=lender,
        rules=rules,
        policy_changes=changes,
        undone=undone_by(proposal.compensation),
        newer=[one for one in proposal.versions if one.version > proposal.version],
        may_ask=_may_ask(proposal, viewer, company),
        outdated=_outdated(proposal),
        rests_on=[
            known_fact(str(one["fact"]), one["value"])
            for one in proposal.read_set
            if not str(one["fact"]).startswith("content of ")
        ],
        figures=[one for one in proposal.evidence if one.get("label") and one.get("kind") != "case"],
        case_id=next((one["id"] for one in proposal.evidence if one.get("kind") == "case"), None),
    )


def _outdated(proposal: ProposalDetail) -> bool:
    """Whether it needs a new version before anybody can say yes."""
    if not proposal.revisable:
        return False
    return proposal.standing is None or proposal.standing.stale or proposal.standing.hours_left <= 0


def _may_ask(proposal: ProposalDetail, viewer: Principal, company: Company) -> bool:
    """Whether the viewer may put a new version in its place."""
    commands = commands_of(proposal.payload, company.gate.registry)
    return (
        proposal.revisable
        and len(commands) == len(proposal.payload)
        and all(viewer.may_run(one.command_name) for one in commands)
    )


@router.post("/{proposal_id}/decide")
def decide(
    proposal_id: UUID,
    request: Request,
    viewer: Viewer,
    company: OfCompany,
    key: Key,
    decision: Annotated[str, Form()],
    payload_hash: Annotated[str, Form()],
    comment: Annotated[str, Form(max_length=2_000)] = "",
) -> Response:
    """Approve, reject or send back what was shown."""
    kind = DECISIONS.get(decision)
    if kind is None:
        raise Problem(422, "invalid", "there is no such decision", remedy="approve, reject or send back")
    try:
        command: Command = kind.model_validate(
            {"proposal_id": proposal_id, "payload_hash": payload_hash, "comment": comment}
        )
        outcome = accepted(company.gate.submit(command, viewer, key=key))
    except ValidationError as error:
        problem = from_validation(error)
        if any("comment" in one["loc"] for one in error.errors()):
            problem = Problem(
                422, "invalid", "say why", remedy="write a comment for who asked", field="comment"
            )
        return _approval(proposal_id, request, viewer, company, problem, comment)
    except Problem as problem:
        return _approval(proposal_id, request, viewer, company, problem, comment)
    assert isinstance(outcome, Executed)
    failed = outcome.result.get("failed")
    if failed:
        refusal = Problem(409, failed["code"], f"not executed: {failed['message']}", remedy=failed["remedy"])
        return _approval(proposal_id, request, viewer, company, refusal, comment)
    status = str(outcome.result["status"])
    if status == "stale":
        stale = Problem(
            409,
            "stale",
            "what it rests on changed, so it was not executed",
            remedy="see what changed; who asked can propose it again on what holds now",
        )
        return _approval(proposal_id, request, viewer, company, stale)
    return back(f"/approvals/{proposal_id}", "approved" if status == "pending" else status)


@router.post("/{proposal_id}/withdraw")
def withdraw(proposal_id: UUID, request: Request, viewer: Viewer, company: OfCompany, key: Key) -> Response:
    """Take one's own proposal back."""
    try:
        accepted(company.gate.submit(WithdrawProposal(proposal_id=proposal_id), viewer, key=key))
    except Problem as problem:
        return _approval(proposal_id, request, viewer, company, problem)
    return back(f"/approvals/{proposal_id}", "withdrawn")


@router.post("/{proposal_id}/rebase")
def rebase(proposal_id: UUID, request: Request, viewer: Viewer, company: OfCompany, key: Key) -> Response:
    """Propose the same plan on what holds now."""
    try:
        return _onwards(proposal_id, company.gate.rebase(proposal_id, viewer, key=key))
    except Problem as problem:
        return _approval(proposal_id, request, viewer, company, problem)


def _onwards(proposal_id: UUID, outcome: Outcome) -> Response:
    taken = accepted(outcome)
    if isinstance(taken, Executed):
        return back(f"/approvals/{proposal_id}", "ran")
    return back(f"/approvals/{taken.proposal_id}", "rebased")


@router.get("/{proposal_id}/revise", response_class=HTMLResponse)
def revise_form(proposal_id: UUID, request: Request, viewer: Reader, company: OfCompany) -> Response:
    """The quantities of a plan, to be restated."""
    return _revision(proposal_id, request, viewer, company, {})


def _revision(
    proposal_id: UUID,
    request: Request,
    viewer: Principal,
    company: Company,
    typed: dict[str, str],
    problem: Problem | None = None,
) -> HTMLResponse:
    proposal = _detail(proposal_id, viewer, company)
    return page(
        request,
        company,
        viewer,
        "revise.html",
        "approvals",
        status=problem.status if problem else 200,
        problem=problem.body if problem else None,
        proposal=proposal,
        quantities=quantities_of(proposal.payload, proposal.plan, typed),
        may_ask=_may_ask(proposal, viewer, company),
        reason=typed.get("reason", ""),
    )


def _detail(proposal_id: UUID, viewer: Principal, company: Company) -> ProposalDetail:
    view = view_of(proposal_id, company)
    with reading(company.engine) as connection:
        return detail_of(view, viewer, company.gate, connection)


@router.post("/{proposal_id}/revise")
async def revise(proposal_id: UUID, request: Request, viewer: Viewer, company: OfCompany) -> Response:
    """Put the plan with other quantities in its place, restated by a person."""
    typed = await texts_of(request)
    return await run_in_threadpool(_revise, proposal_id, request, viewer, company, typed)


def _revise(
    proposal_id: UUID, request: Request, viewer: Principal, company: Company, typed: dict[str, str]
) -> Response:
    try:
        reason = typed.get("reason", "").strip()
        if not reason:
            remedy = "say it in a sentence for who decides"
            raise invalid([{"field": "Why", "reason": "is missing", "remedy": remedy}])
        view = view_of(proposal_id, company)
        proposal = _detail(proposal_id, viewer, company)
        quantities = quantities_of(view.payload, proposal.plan, typed)
        texts = None if view.tainted else frozenset({view.title, view.reason})
        changed = restated(changed_payload(view.payload, quantities), reason, texts)
        commands = _commands(changed, company)
        return _onwards(
            proposal_id,
            company.gate.submit_plan(
                commands,
                viewer,
                key=typed.get("key", ""),
                title="" if view.tainted else changed_title(view.title, quantities),
                reason=reason,
                evidence=_evidence(view.evidence, tainted=view.tainted),
                urgent=view.urgent,
                revises=proposal_id,
            ),
        )
    except Problem as problem:
        return _revision(proposal_id, request, viewer, company, typed, problem)


def _evidence(evidence: list[dict[str, Any]], *, tainted: bool) -> list[dict[str, Any]]:
    return [one for one in evidence if not tainted or one.get("kind") in KEPT_EVIDENCE]


def _commands(payload: list[dict[str, Any]], company: Company) -> list[Command]:
    try:
        return [
            company.gate.registry.require(one["command"]).command.model_validate(one["payload"])
            for one in payload
        ]
    except ValidationError as error:
        raise from_validation(error) from error
