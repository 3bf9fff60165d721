"""Exceptions: the ranked list, and one of them with everything needed to act."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, get_args
from urllib.parse import urlencode
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError

from api.auth import OfCompany
from api.cases import explain, poor_data, seen_case, seen_detail
from api.company import Company
from api.console.view import Viewer, back, page, seeing
from api.paging import Offset
from api.plans import describe, without_prices
from api.problems import Problem, accepted, from_validation
from api.routers.exceptions import detail_of
from erp_core.exceptions.actions import ready_commands, submit_best_action
from erp_core.exceptions.commands import AssignCase, ResolveCase, SnoozeCase
from erp_core.exceptions.commands.cases import Resolution
from erp_core.exceptions.draft import KINDS
from erp_core.exceptions.playbooks import playbooks_for
from erp_core.exceptions.queries import (
    ACTIVE,
    Case,
    CaseFilter,
    ranked_cases,
    summary_by_kind,
    withheld_detections,
)
from erp_core.gate.contract import Command, Proposed
from erp_core.gate.principals import Principal
from erp_core.gate.queries import list_users
from erp_core.master.queries import Names
from erp_core.procurement.invoices.queries import SupplierInvoiceDetail, supplier_invoice
from erp_core.storage.engine import reading

router = APIRouter(include_in_schema=False, prefix="/exceptions")
Reader = Annotated[Principal, Depends(seeing("read_records"))]
Key = Annotated[str, Form(min_length=8, max_length=80)]
PER_PAGE = 40


@router.get("", response_class=HTMLResponse)
def cases(
    request: Request,
    viewer: Reader,
    company: OfCompany,
    kind: str = "",
    status: str = "",
    mine: bool = False,
    offset: Offset = 0,
) -> Response:
    """The exceptions, most worth acting on first."""
    wanted = CaseFilter(
        kinds=(kind,) if kind else (),
        statuses=(status,) if status else ACTIVE,
        owner_id=viewer.user_id if mine else None,
    )
    with reading(company.engine) as connection:
        found = ranked_cases(connection, wanted, limit=PER_PAGE, offset=offset)
        summary = summary_by_kind(connection)
        withheld = withheld_detections(connection)
        people = {one.id: one.name for one in list_users(connection)}
    return page(
        request,
        company,
        viewer,
        "exceptions.html",
        "exceptions",
        cases=[seen_case(one, viewer.rights) for one in found.cases],
        shown={"total": found.total, "limit": PER_PAGE, "offset": offset},
        summary=summary,
        withheld=withheld,
        people=people,
        kinds=KINDS,
        statuses=("open", "assigned", "proposed", "snoozed", "resolved", "expired"),
        chosen={"kind": kind, "status": status, "mine": mine},
    )


@router.get("/{case_id}", response_class=HTMLResponse)
def case(case_id: UUID, request: Request, viewer: Reader, company: OfCompany) -> Response:
    """One exception."""
    return _case(case_id, request, viewer, company)


def _case(
    case_id: UUID, request: Request, viewer: Principal, company: Company, problem: Problem | None = None
) -> HTMLResponse:
    detail = detail_of(case_id, company)
    commands = ready_commands(detail.case, "preview")
    blocked = next((one["command"] for one in commands if not viewer.may_run(one["command"])), None)
    with reading(company.engine) as connection:
        people = {one.id: one.name for one in list_users(connection)}
        plan = describe(commands, company.gate.registry, connection, today=company.clock.today())
        quality = poor_data(detail.case.subjects, connection)
    top, sees_cost = max(detail.case.expected_loss, 1), viewer.has_right("see_cost")
    return page(
        request,
        company,
        viewer,
        "exception.html",
        "exceptions",
        status=problem.status if problem else 200,
        problem=problem.body if problem else None,
        case=seen_case(detail.case, viewer.rights),
        detail=seen_detail(detail, viewer.rights),
        why=explain(detail, viewer.rights, quality),
        plan=plan if sees_cost else [without_prices(step) for step in plan],
        sees_cost=sees_cost,
        invoice=_invoice(detail.case, company) if sees_cost else None,
        blocked=blocked,
        people=people,
        shares={
            "loss": round(100 * detail.case.expected_loss / top),
            "residual": round(100 * detail.case.residual_loss / top),
            "cost": round(100 * detail.case.action_cost / top),
            "worth": round(100 * max(detail.case.net_benefit, 0) / top),
        },
        playbooks=playbooks_for(detail.case.kind),
        supply=_supply(detail.case, company) if sees_cost else None,
        resolutions=get_args(Resolution),
        open=detail.case.status in ACTIVE,
        may_act=viewer.may_run("ResolveCase"),
        propose_key=f"console-{uuid4()}",
    )


def _supply(case: Case, company: Company) -> str | None:
    """Where to look for other supply of the item that the case is about; None where it is about none."""
    subjects = dict(case.subjects)
    if "item" not in subjects or not playbooks_for(case.kind):
        return None
    with reading(company.engine) as connection:
        places = [subjects["location"]] if "location" in subjects else []
        names = Names.read(connection, items=[subjects["item"]], locations=places)
    asked = {"sku": names.code(subjects["item"])}
    if places:
        asked["place"] = names.code(places[0])
    if "supplier" in subjects:
        asked["without"] = str(subjects["supplier"])
    return f"/buying/sources?{urlencode(asked)}"


def _invoice(case: Case, company: Company) -> SupplierInvoiceDetail | None:
    """The invoice that the case is about, with what holds it and what is proposed; None where it is about none."""
    wanted = dict(case.subjects).get("supplier_invoice")
    if wanted is None:
        return None
    with reading(company.engine) as connection:
        return supplier_invoice(connection, wanted, company.clock.today())


def _submit(
    case_id: UUID,
    request: Request,
    viewer: Principal,
    company: Company,
    kind: type[Command],
    done: str,
    key: str,
    **given: Any,
) -> Response:
    try:
        command = kind.model_validate({"case_id": case_id, **given})
        accepted(company.gate.submit(command, viewer, key=key))
    except ValidationError as error:
        return _case(case_id, request, viewer, company, from_validation(error))
    except Problem as problem:
        return _case(case_id, request, viewer, company, problem)
    return back(f"/exceptions/{case_id}", done)


@router.post("/{case_id}/propose")
def propose(case_id: UUID, request: Request, viewer: Viewer, company: OfCompany, key: Key) -> Response:
    """Submit the best action in one step."""
    try:
        outcome = accepted(submit_best_action(company.gate, detail_of(case_id, company).case, viewer, key))
    except Problem as problem:
        return _case(case_id, request, viewer, company, problem)
    if isinstance(outcome, Proposed):
        return back(f"/approvals/{outcome.proposal_id}", "proposed")
    return back(f"/exceptions/{case_id}", "done")


@router.post("/{case_id}/assign")
def assign(case_id: UUID, request: Request, viewer: Viewer, company: OfCompany, key: Key) -> Response:
    """Take it oneself."""
    return _submit(case_id, request, viewer, company, AssignCase, "assigned", key, owner_id=viewer.user_id)


@router.post("/{case_id}/snooze")
def snooze(
    case_id: UUID,
    request: Request,
    viewer: Viewer,
    company: OfCompany,
    key: Key,
    days: Annotated[int, Form(ge=1, le=90)],
    note: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Put it aside for some days."""
    until = company.clock.business_now() + timedelta(days=days)
    return _submit(case_id, request, viewer, company, SnoozeCase, "snoozed", key, until=until, note=note)


@router.post("/{case_id}/resolve")
def resolve(
    case_id: UUID,
    request: Request,
    viewer: Viewer,
    company: OfCompany,
    key: Key,
    resolution: Annotated[str, Form()],
    note: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Close it with a reason."""
    given = {"resolution": resolution, "note": note}
    return _submit(case_id, request, viewer, company, ResolveCase, "resolved", key, **given)
