"""Claims on suppliers for goods that went back: what is open and for how long, and what a supplier credits."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError
from sqlalchemy import Connection

from api.auth import OfCompany
from api.company import Company
from api.console.forms import amount_of
from api.console.view import Viewer, back, page, seeing
from api.fields import reveal
from api.paging import Offset
from api.problems import Problem, accepted, from_validation, not_found, require_known
from erp_core.gate.contract import Proposed
from erp_core.gate.principals import Principal
from erp_core.master.queries import Names
from erp_core.procurement.claims.crediting import covered_units
from erp_core.procurement.claims.rules import CLAIM_STEPS
from erp_core.returns.commands import SettleVendorClaim
from erp_core.returns.queries import VendorClaim, open_vendor_claims, vendor_claim, vendor_claims_page
from erp_core.storage.engine import reading

router = APIRouter(include_in_schema=False, prefix="/buying/claims")
Reader = Annotated[Principal, Depends(seeing("read_records"))]
Key = Annotated[str, Form(min_length=8, max_length=80)]
Typed = Annotated[str, Form(max_length=80)]
PER_PAGE = 40


@router.get("", response_class=HTMLResponse)
def claims(
    request: Request, viewer: Reader, company: OfCompany, status: str = "", offset: Offset = 0
) -> Response:
    """The claims, those that are open first, and all that is open together."""
    require_known("status", [status] if status else None, CLAIM_STEPS)
    with reading(company.engine) as connection:
        found, total = vendor_claims_page(connection, status=status or None, limit=PER_PAGE, offset=offset)
        owed = open_vendor_claims(connection)
        names = _names(connection, found)
    today = company.clock.today()
    return page(
        request,
        company,
        viewer,
        "buying_claims.html",
        _under(viewer),
        tab="claims",
        claims=[(reveal(one, viewer.rights), _days(one, today)) for one in found],
        owed=owed,
        names=names,
        statuses=list(CLAIM_STEPS),
        wanted=status,
        shown={"total": total, "limit": PER_PAGE, "offset": offset},
    )


@router.get("/{claim_id}", response_class=HTMLResponse)
def claim(claim_id: UUID, request: Request, viewer: Reader, company: OfCompany) -> Response:
    """One claim; while it is open, a form to settle it for who may."""
    return _claim(claim_id, request, viewer, company)


def _claim(
    claim_id: UUID,
    request: Request,
    viewer: Principal,
    company: Company,
    problem: Problem | None = None,
    typed: Mapping[str, str] | None = None,
) -> HTMLResponse:
    with reading(company.engine) as connection:
        found = vendor_claim(connection, claim_id)
        if found is None:
            raise not_found("claim", "choose one of the list")
        covered = covered_units(connection, [claim_id]).get(claim_id, 0)
        names = _names(connection, [found])
    return page(
        request,
        company,
        viewer,
        "buying_claim.html",
        _under(viewer),
        status=problem.status if problem else 200,
        problem=problem.body if problem else None,
        tab="claims",
        claim=reveal(found, viewer.rights),
        days=_days(found, company.clock.today()),
        covered=covered,
        names=names,
        may_settle=found.status == "open" and viewer.may_run("SettleVendorClaim"),
        typed=typed or {},
    )


@router.post("/{claim_id}/settle")
def settle(
    claim_id: UUID,
    request: Request,
    viewer: Viewer,
    company: OfCompany,
    key: Key,
    credited: Typed = "",
    credit_note: Typed = "",
) -> Response:
    """Settle a claim at what the supplier credits; zero: it refused."""
    typed = {"credited": credited, "credit_note": credit_note}
    try:
        command = SettleVendorClaim.model_validate(
            {
                "claim_id": claim_id,
                "credited": amount_of(credited),
                "credit_note": credit_note.strip() or None,
            }
        )
        outcome = accepted(company.gate.submit(command, viewer, key=key))
    except ValidationError as error:
        return _claim(claim_id, request, viewer, company, from_validation(error), typed)
    except Problem as problem:
        return _claim(claim_id, request, viewer, company, problem, typed)
    if isinstance(outcome, Proposed):
        return back(f"/approvals/{outcome.proposal_id}", "proposed")
    return back(f"/buying/claims/{claim_id}", "done")


def _under(viewer: Principal) -> str:
    """The page of the navigation from which the viewer comes here."""
    return "buying" if viewer.may_run("SubmitPurchaseOrder") else "books"


def _names(connection: Connection, found: Collection[VendorClaim]) -> Names:
    return Names.read(
        connection,
        items={one.item_id for one in found},
        suppliers={one.supplier_id for one in found if one.supplier_id is not None},
    )


def _days(claim: VendorClaim, today: date) -> int:
    """How long a claim is open, or was."""
    return ((claim.settled_on or today) - claim.opened_on).days
