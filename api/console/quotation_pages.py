"""Requests for quotation: who answered what, side by side, and the award."""

from __future__ import annotations

from typing import Annotated
from uuid import NAMESPACE_URL, UUID, uuid5

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError

from api.auth import OfCompany
from api.company import Company
from api.console.view import Viewer, back, page, seeing
from api.problems import Problem, accepted, from_validation, not_found
from erp_core.gate.contract import Proposed
from erp_core.gate.principals import Principal
from erp_core.master.queries import Names
from erp_core.master.queries.reasons import reason_catalogue
from erp_core.procurement.commands import AwardQuotation, ExtendQuotationDeadline
from erp_core.procurement.quotations.reading import (
    awards_of,
    compare_quotations,
    list_quotation_requests,
    read_requests,
)
from erp_core.procurement.quotations.rules import OPEN
from erp_core.storage.engine import reading

router = APIRouter(include_in_schema=False, prefix="/buying/quotations")
CostReader = Annotated[Principal, Depends(seeing("see_cost"))]
Key = Annotated[str, Form(min_length=8, max_length=80)]


@router.get("", response_class=HTMLResponse)
def requests(request: Request, viewer: CostReader, company: OfCompany) -> Response:
    """The requests, the latest first."""
    with reading(company.engine) as connection:
        found = list_quotation_requests(connection)
        names = Names.read(connection, locations={one.location_id for one in found})
    return page(
        request,
        company,
        viewer,
        "buying_quotations.html",
        "buying",
        tab="quotations",
        requests=found,
        names=names,
    )


@router.get("/{request_id}", response_class=HTMLResponse)
def quotation_request(request_id: UUID, request: Request, viewer: CostReader, company: OfCompany) -> Response:
    """One request with its comparison."""
    return _request(request_id, request, viewer, company)


def _request(
    request_id: UUID, request: Request, viewer: Principal, company: Company, problem: Problem | None = None
) -> HTMLResponse:
    today = company.clock.today()
    with reading(company.engine) as connection:
        asked = read_requests(connection, [request_id]).get(request_id)
        if asked is None:
            raise not_found("quotation request", "choose one of the list")
        comparison = compare_quotations(connection, asked, today)
        names = Names.read(
            connection,
            items=[line.item_id for line in asked.lines],
            suppliers=[one.supplier_id for one in asked.invited],
            locations=[asked.request.location_id],
        )
        reasons = awards_of(connection, request_id)
        known = reason_catalogue(connection, "quotation_award")
    return page(
        request,
        company,
        viewer,
        "buying_quotation.html",
        "buying",
        status=problem.status if problem else 200,
        problem=problem.body if problem else None,
        tab="quotations",
        asked=asked,
        comparison=comparison,
        names=names,
        reasons=reasons,
        award_reasons=[(one.code, one.label) for one in known if one.active],
        quoted=[
            one
            for one in asked.invited
            if one.quotation is not None and one.quotation.lines and one.quotation.valid_on(today)
        ],
        may_extend=viewer.may_run("ExtendQuotationDeadline") and asked.request.status == "open",
        may_award=viewer.may_run("AwardQuotation") and asked.request.status in OPEN,
    )


@router.post("/{request_id}/award")
def award(
    request_id: UUID,
    request: Request,
    viewer: Viewer,
    company: OfCompany,
    key: Key,
    quotation_id: Annotated[str, Form()],
    reason_code: Annotated[str, Form()] = "",
) -> Response:
    """Award what a supplier quoted."""
    try:
        command = AwardQuotation.model_validate(
            {
                "quotation_id": quotation_id,
                "po_id": uuid5(NAMESPACE_URL, key),
                "reason_code": reason_code or None,
            }
        )
        outcome = accepted(company.gate.submit(command, viewer, key=key))
    except ValidationError as error:
        return _request(request_id, request, viewer, company, from_validation(error))
    except Problem as problem:
        return _request(request_id, request, viewer, company, problem)
    if isinstance(outcome, Proposed):
        return back(f"/approvals/{outcome.proposal_id}", "proposed")
    return back(f"/buying/orders/{command.po_id}", "done")


@router.post("/{request_id}/extend")
def extend(
    request_id: UUID,
    request: Request,
    viewer: Viewer,
    company: OfCompany,
    key: Key,
    deadline_on: Annotated[str, Form()],
) -> Response:
    """Take quotations until a later day."""
    try:
        command = ExtendQuotationDeadline.model_validate(
            {"request_id": request_id, "deadline_on": deadline_on}
        )
        accepted(company.gate.submit(command, viewer, key=key))
    except ValidationError as error:
        return _request(request_id, request, viewer, company, from_validation(error))
    except Problem as problem:
        return _request(request_id, request, viewer, company, problem)
    return back(f"/buying/quotations/{request_id}", "done")
