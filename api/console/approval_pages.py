"""Approvals: what waits, and one proposal with all its approver needs; decisions quote the hash shown."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError

from api.auth import OfCompany
from api.company import Company
from api.console.view import Viewer, back, page, seeing
from api.paging import Offset
from api.plans import known_fact
from api.problems import Problem, accepted, from_validation
from api.proposals import bodies_of, deciding, detail_of
from api.routers.proposals import view_of
from erp_core.gate.contract import Command, Executed
from erp_core.gate.decisions import ApproveProposal, RejectProposal, SendBackProposal, WithdrawProposal
from erp_core.gate.principals import Principal
from erp_core.gate.queries import list_proposals
from erp_core.storage.engine import reading

router = APIRouter(include_in_schema=False, prefix="/approvals")
Reader = Annotated[Principal, Depends(seeing("read_records"))]
DECISIONS = {"approve": ApproveProposal, "reject": RejectProposal, "send-back": SendBackProposal}
PER_PAGE, MOST = 50, 500
TABS = (("me", "For me"), ("all", "All waiting"), ("mine", "Mine"), ("decided", "Decided"))


@router.get("", response_class=HTMLResponse)
def approvals(
    request: Request,
    viewer: Reader,
    company: OfCompany,
    show: str = "",
    offset: Offset = 0,
) -> Response:
    """Proposals: those one may decide, all that wait, one's own, and those decided.

    Who decides nothing lands on all that wait.
    """
    tabs = [one for one in TABS if one[0] != "me" or viewer.may_run("ApproveProposal")]
    show = show if show in dict(tabs) else tabs[0][0]
    with reading(company.engine) as connection:
        views, total = list_proposals(
            connection,
            status="pending" if show in ("me", "all") else None,
            closed=show == "decided",
            requested_by=viewer.user_id if show == "mine" else None,
            limit=MOST if show == "me" else PER_PAGE,
            offset=0 if show == "me" else offset,
        )
        if show == "me":
            mine = deciding(views, viewer, company.gate, connection)
            views = [view for view, one in zip(views, mine, strict=True) if one.may_decide]
            total, views = len(views), views[offset : offset + PER_PAGE]
        proposals = bodies_of(views, viewer, company.gate, connection)
    return page(
        request,
        company,
        viewer,
        "approvals.html",
        "approvals",
        proposals=proposals,
        show=show,
        tabs=tabs,
        shown={"total": total, "limit": PER_PAGE, "offset": offset},
    )


@router.get("/{proposal_id}", response_class=HTMLResponse)
def approval(proposal_id: UUID, request: Request, viewer: Reader, company: OfCompany) -> Response:
    """One proposal."""
    return _approval(proposal_id, request, viewer, company)


def _approval(
    proposal_id: UUID, request: Request, viewer: Principal, company: Company, problem: Problem | None = None
) -> HTMLResponse:
    view = view_of(proposal_id, company)
    with reading(company.engine) as connection:
        proposal = detail_of(view, viewer, company.gate, connection)
    return page(
        request,
        company,
        viewer,
        "approval.html",
        "approvals",
        status=problem.status if problem else 200,
        problem=problem.body if problem else None,
        proposal=proposal,
        rests_on=[
            known_fact(str(one["fact"]), one["value"])
            for one in proposal.read_set
            if not str(one["fact"]).startswith("content of ")
        ],
        figures=[one for one in proposal.evidence if one.get("label") and one.get("kind") != "case"],
        case_id=next((one["id"] for one in proposal.evidence if one.get("kind") == "case"), None),
    )


@router.post("/{proposal_id}/decide")
def decide(
    proposal_id: UUID,
    request: Request,
    viewer: Viewer,
    company: OfCompany,
    key: Annotated[str, Form(min_length=8, max_length=80)],
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
            problem = Problem(422, "invalid", "say why", remedy="write a comment for who asked")
        return _approval(proposal_id, request, viewer, company, problem)
    except Problem as problem:
        return _approval(proposal_id, request, viewer, company, problem)
    assert isinstance(outcome, Executed)
    failed = outcome.result.get("failed")
    if failed:
        refusal = Problem(409, failed["code"], f"not executed: {failed['message']}", remedy=failed["remedy"])
        return _approval(proposal_id, request, viewer, company, refusal)
    status = str(outcome.result["status"])
    if status == "stale":
        stale = Problem(
            409,
            "stale",
            "what it rests on changed, so it was not executed",
            remedy="see what changed, and ask for a new proposal",
        )
        return _approval(proposal_id, request, viewer, company, stale)
    return back(f"/approvals/{proposal_id}", "approved" if status == "pending" else status)


@router.post("/{proposal_id}/withdraw")
def withdraw(
    proposal_id: UUID,
    request: Request,
    viewer: Viewer,
    company: OfCompany,
    key: Annotated[str, Form(min_length=8, max_length=80)],
) -> Response:
    """Take one's own proposal back."""
    try:
        accepted(company.gate.submit(WithdrawProposal(proposal_id=proposal_id), viewer, key=key))
    except Problem as problem:
        return _approval(proposal_id, request, viewer, company, problem)
    return back(f"/approvals/{proposal_id}", "withdrawn")
