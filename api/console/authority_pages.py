"""Lent rights: who decides for whom and until when; lending one's own, and taking it back."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError

from api.auth import OfCompany
from api.company import Company
from api.console.fact_fields import fact_value
from api.console.view import Viewer, back, page
from api.problems import Problem, accepted, invalid
from erp_core.gate.authority import DelegateAuthority, EndDelegation, list_delegations
from erp_core.gate.principals import Principal
from erp_core.gate.queries import list_users
from erp_core.gate.roles import SYSTEM_ROLES
from erp_core.storage.engine import reading
from erp_core.storage.ids import new_id

router = APIRouter(include_in_schema=False, prefix="/governance/lent")
Key = Annotated[str, Form(min_length=8, max_length=80)]
LABELS = {
    "to_user_id": "To whom",
    "role": "Role",
    "starts_on": "From",
    "ends_on": "Until",
    "amount_below": "Only below",
    "reason": "Why",
}


@router.get("", response_class=HTMLResponse)
def lent(request: Request, viewer: Viewer, company: OfCompany) -> Response:
    """Rights lent and borrowed: one's own, and everybody's for who may read the audit log."""
    return _lent(request, viewer, company, {})


def _lent(
    request: Request,
    viewer: Principal,
    company: Company,
    typed: dict[str, str],
    problem: Problem | None = None,
) -> HTMLResponse:
    today = company.clock.today()
    with reading(company.engine) as connection:
        rows = list_delegations(connection, None if viewer.has_right("read_audit") else viewer.user_id)
        people = [one for one in list_users(connection) if one.kind == "person" and one.active]
    names = {one.login: one.name for one in people}
    return page(
        request,
        company,
        viewer,
        "lent.html",
        "governance",
        status=problem.status if problem else 200,
        problem=problem.body if problem else None,
        tab="lent",
        rows=[
            {
                **row,
                "from_name": names.get(row["lender"], row["lender"]),
                "to_name": names.get(row["borrower"], row["borrower"]),
                "state": _state(row, today),
                "may_end": row["ended_at"] is None
                and row["ends_on"] >= today
                and viewer.user_id in (row["lender_id"], row["borrower_id"]),
            }
            for row in rows
        ],
        people=[one for one in people if one.person_id != viewer.person],
        roles=sorted(viewer.roles - SYSTEM_ROLES),
        typed={"starts_on": today.isoformat(), "ends_on": today.isoformat()} | typed,
        may_lend=viewer.may_run("DelegateAuthority"),
    )


def _state(row: Any, today: date) -> str:
    if row["ended_at"] is not None:
        return "taken back"
    if row["ends_on"] < today:
        return "over"
    return "in force" if row["starts_on"] <= today else "to come"


@router.post("")
def lend(
    request: Request,
    viewer: Viewer,
    company: OfCompany,
    key: Key,
    to_user_id: Annotated[str, Form(max_length=40)] = "",
    role: Annotated[str, Form(max_length=20)] = "",
    starts_on: Annotated[str, Form(max_length=20)] = "",
    ends_on: Annotated[str, Form(max_length=20)] = "",
    amount_below: Annotated[str, Form(max_length=20)] = "",
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Lend a right of one's own for some days."""
    typed = {
        "to_user_id": to_user_id,
        "role": role,
        "starts_on": starts_on,
        "ends_on": ends_on,
        "amount_below": amount_below,
        "reason": reason,
    }
    try:
        accepted(company.gate.submit(_wish(typed), viewer, key=key))
    except Problem as problem:
        return _lent(request, viewer, company, typed, problem)
    return back("/governance/lent", "lent")


def _wish(typed: dict[str, str]) -> DelegateAuthority:
    given: dict[str, Any] = {name: text.strip() or None for name, text in typed.items()}
    if given["amount_below"] is not None:
        given["amount_below"] = fact_value("amount", typed["amount_below"])
        if given["amount_below"] is None:
            remedy = "give an amount, such as 5,000, or leave it empty"
            raise invalid([{"field": LABELS["amount_below"], "reason": "is no amount", "remedy": remedy}])
    try:
        return DelegateAuthority(delegation_id=new_id(), **given)
    except ValidationError as error:
        raise invalid(
            [
                {
                    "field": LABELS.get(str(one["loc"][0]), str(one["loc"][0])) if one["loc"] else "The form",
                    "reason": "is missing" if one.get("input") is None else one["msg"].lower(),
                    "remedy": "correct this field and send it again",
                }
                for one in error.errors(include_url=False)
            ]
        ) from error


@router.post("/{delegation_id}/end")
def end(delegation_id: UUID, request: Request, viewer: Viewer, company: OfCompany, key: Key) -> Response:
    """Take a lent right back, or give a borrowed one up."""
    try:
        accepted(company.gate.submit(EndDelegation(delegation_id=delegation_id), viewer, key=key))
    except Problem as problem:
        return _lent(request, viewer, company, {}, problem)
    return back("/governance/lent", "taken_back")
