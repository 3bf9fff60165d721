"""Approvals: what waits for whom, one's own that need a new version, and what is to be looked at afterwards."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError
from sqlalchemy import Connection

from api.auth import OfCompany
from api.company import Company
from api.console.view import Viewer, back, page, seeing
from api.paging import Offset
from api.problems import Problem, accepted, from_validation
from api.proposals import ProposalBody, bodies_of, deciding
from erp_core.gate.authority import authorities_of
from erp_core.gate.policies.rules import Policy
from erp_core.gate.policies.store import active_policies
from erp_core.gate.principals import Principal
from erp_core.gate.queries import list_proposals, revisable_ids
from erp_core.gate.reviews import CompleteReview, list_reviews
from erp_core.storage.engine import reading

router = APIRouter(include_in_schema=False, prefix="/approvals")
Reader = Annotated[Principal, Depends(seeing("read_records"))]
PER_PAGE, MOST = 50, 500
TABS = (
    ("me", "For me"),
    ("all", "All waiting"),
    ("mine", "Mine"),
    ("again", "Sent back or changed"),
    ("reviews", "Reviews"),
    ("decided", "Decided"),
)


@router.get("", response_class=HTMLResponse)
def approvals(
    request: Request,
    viewer: Reader,
    company: OfCompany,
    show: str = "",
    offset: Offset = 0,
) -> Response:
    """Proposals: those one may decide, all that wait, one's own, those that need a new version, and those decided.

    Whose roles no policy asks for lands on all that wait.
    """
    return _approvals(request, viewer, company, show, offset)


def _approvals(
    request: Request,
    viewer: Principal,
    company: Company,
    show: str,
    offset: int,
    problem: Problem | None = None,
    typed: dict[str, Any] | None = None,
) -> HTMLResponse:
    with reading(company.engine) as connection:
        again = _again(viewer, company, connection)
        reviews = reviews_shown(viewer, company, connection)
        decides = _decides(viewer, company, connection)
        tabs = [one for one in TABS if one[0] != "me" or decides]
        show = show if show in dict(tabs) else tabs[0][0]
        if show == "again":
            total, proposals = len(again), again[offset : offset + PER_PAGE]
        elif show == "reviews":
            total, proposals = 0, []
        else:
            total, proposals = _listed(show, offset, viewer, company, connection)
    return page(
        request,
        company,
        viewer,
        "approvals.html",
        "approvals",
        status=problem.status if problem else 200,
        problem=problem.body if problem else None,
        proposals=proposals,
        reviews=reviews,
        typed=typed or {},
        show=show,
        tabs=tabs,
        counts={"again": len(again), "reviews": sum(one["may_complete"] for one in reviews)},
        shown={"total": total, "limit": PER_PAGE, "offset": offset},
    )


def _listed(
    show: str, offset: int, viewer: Principal, company: Company, connection: Connection
) -> tuple[int, list[ProposalBody]]:
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
    return total, bodies_of(views, viewer, company.gate, connection)


def _again(viewer: Principal, company: Company, connection: Connection) -> list[ProposalBody]:
    """One's own newest versions that nobody can approve as they are, the newest first."""
    ids = revisable_ids(connection, viewer.user_id, company.clock.business_now())
    if not ids:
        return []
    views, _ = list_proposals(connection, status=None, ids=ids)
    return [
        one
        for one in bodies_of(views, viewer, company.gate, connection)
        if one.standing is None or one.standing.stale or one.standing.hours_left <= 0
    ]


def _decides(viewer: Principal, company: Company, connection: Connection) -> bool:
    """Whether any policy in force asks for a role that the viewer has, or was lent."""
    held = {one.role for one in authorities_of(connection, viewer, company.clock.today())}
    return any(held & _asked(policy) for policy in active_policies(connection))


def _asked(policy: Policy) -> set[str]:
    named = {role for role, _ in policy.approvers}
    return named | ({policy.escalation.role} if policy.escalation else set())


def reviews_shown(viewer: Principal, company: Company, connection: Connection) -> list[dict[str, Any]]:
    """What waits for a look, the one due first at the top; what the viewer may complete is marked."""
    now = company.clock.business_now()
    return [
        {
            **one,
            "own": one["made_by"] == viewer.user_id,
            "may_complete": one["made_by"] != viewer.user_id
            and one["role"] in viewer.roles
            and viewer.may_run("CompleteReview"),
            "overdue": one["due_at"] < now,
        }
        for one in list_reviews(connection)
    ]


@router.post("/reviews/{review_id}")
def complete_review(
    review_id: UUID,
    request: Request,
    viewer: Viewer,
    company: OfCompany,
    key: Annotated[str, Form(min_length=8, max_length=80)],
    verdict: Annotated[str, Form()] = "",
    comment: Annotated[str, Form(max_length=2_000)] = "",
) -> Response:
    """Say whether it was justified."""
    typed = {"review_id": review_id, "verdict": verdict, "comment": comment}
    try:
        command = CompleteReview.model_validate({**typed, "comment": comment.strip()})
        accepted(company.gate.submit(command, viewer, key=key))
    except ValidationError as error:
        wrong = {str(part) for one in error.errors() for part in one["loc"]}
        problem = from_validation(error)
        if "verdict" in wrong:
            problem = Problem(
                422, "invalid", "Verdict: choose one", remedy="was it justified?", field="verdict"
            )
        elif "comment" in wrong:
            problem = Problem(
                422, "invalid", "Comment: say why", remedy="a sentence is enough", field="comment"
            )
        return _approvals(request, viewer, company, "reviews", 0, problem, typed)
    except Problem as problem:
        return _approvals(request, viewer, company, "reviews", 0, problem, typed)
    return back("/approvals?show=reviews", "reviewed")
