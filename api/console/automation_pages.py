"""Automation: how far it goes where, what it used of its caps today, what came of decisions, and the kill switch."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError

from api.auth import OfCompany
from api.company import Company
from api.console.view import back, page, seeing
from api.problems import Problem, accepted, invalid
from api.routers.autonomy import AutonomyBody, autonomy_now
from erp_core.gate.autonomy.rules import LEVELS
from erp_core.gate.contract import Executed
from erp_core.gate.principals import Principal
from erp_core.planning.commands.autonomy import ResumeAutomation, StopAutomation
from erp_core.planning.outcomes.record import outcome_sums
from erp_core.storage.engine import reading

router = APIRouter(include_in_schema=False, prefix="/governance/automation")
Auditor = Annotated[Principal, Depends(seeing("read_audit"))]
SWITCH = {"stop": StopAutomation, "resume": ResumeAutomation}
ORIGINS = {"rule": "Stored rules", "person": "People", "agent": "The agent", "model": "Models"}


@router.get("", response_class=HTMLResponse)
def automation(request: Request, viewer: Auditor, company: OfCompany) -> Response:
    """Levels, caps and their use, outcomes, and the switch."""
    return _automation(request, viewer, company)


def _automation(
    request: Request, viewer: Principal, company: Company, problem: Problem | None = None, reason: str = ""
) -> HTMLResponse:
    with reading(company.engine) as connection:
        now = autonomy_now(company, connection, viewer)
        sums = outcome_sums(connection)
    return page(
        request,
        company,
        viewer,
        "automation.html",
        "governance",
        status=problem.status if problem else 200,
        problem=problem.body if problem else None,
        tab="automation",
        now=now,
        levels=LEVELS,
        caps=_caps(now),
        sums=sums,
        origins=ORIGINS,
        reason=reason,
        may_stop=viewer.may_run("StopAutomation"),
        may_resume=viewer.may_run("ResumeAutomation"),
    )


def _caps(now: AutonomyBody) -> list[tuple[str, int | None, int | None, bool]]:
    """Each cap of the day: its name, what is used, the cap, and whether these are amounts."""
    return [
        ("Orders a day", now.orders_today, now.limits["day_orders"], False),
        ("Amount a day", now.amount_today, now.limits["day_amount"], True),
        *(
            (f"Amount a day in {category}", amount, now.limits["category_day_amount"], True)
            for category, amount in sorted((now.amount_by_category or {}).items())
        ),
    ]


@router.post("/{switch}")
def turn(
    switch: str,
    request: Request,
    viewer: Auditor,
    company: OfCompany,
    key: Annotated[str, Form(min_length=8, max_length=80)],
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Stop automation at once, or ask that it may work again."""
    kind = SWITCH.get(switch)
    if kind is None:
        raise Problem(404, "not_found", "there is no such switch", remedy="stop or resume")
    try:
        command = kind(reason=reason)
        outcome = accepted(company.gate.submit(command, viewer, key=key))
    except ValidationError:
        said = [{"field": "Why", "reason": "is missing", "remedy": "say it in a few words"}]
        return _automation(request, viewer, company, invalid(said), reason)
    except Problem as problem:
        return _automation(request, viewer, company, problem, reason)
    if isinstance(outcome, Executed):
        return back("/governance/automation", "stopped" if switch == "stop" else "resumed")
    return back(f"/approvals/{outcome.proposal_id}", "proposed")
