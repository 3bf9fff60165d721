"""Access: rules of separation, roles by commands by fields as one readable table, and who was turned away."""

from __future__ import annotations

from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from api.access_table import access_table
from api.auth import OfCompany
from api.console.view import page, seeing
from erp_core.gate.principals import Principal
from erp_core.gate.queries import list_users
from erp_core.gate.refusals import list_refusals
from erp_core.gate.separation import separation_rules_in_force
from erp_core.storage.engine import reading

router = APIRouter(include_in_schema=False, prefix="/governance")
Auditor = Annotated[Principal, Depends(seeing("read_audit"))]
CONTEXTS = {"gate": "Gate", "master": "Master data", "exceptions": "Exceptions"}
REFUSED = {
    "unauthenticated": "not logged in",
    "denied": "no right to it",
    "login": "wrong login or password",
    "locked": "locked out",
}
NEWEST = 200


@router.get("/separation", response_class=HTMLResponse)
def separation(request: Request, viewer: Auditor, company: OfCompany) -> Response:
    """Duties that no single person may have in one document."""
    with reading(company.engine) as connection:
        rules = separation_rules_in_force(connection)
    return page(request, company, viewer, "separation.html", "governance", tab="separation", rules=rules)


@router.get("/access", response_class=HTMLResponse)
def access(request: Request, viewer: Auditor, company: OfCompany, role: str = "") -> Response:
    """Who may do and see what: the whole table, or what one role may; and who has which role."""
    table = access_table(company.gate.registry)
    with reading(company.engine) as connection:
        users = list_users(connection)
    roles = [one for one in table.roles if one.role != "simulator"]
    chosen = role if role in {one.role for one in roles} else ""
    commands = [one for one in table.commands if not chosen or chosen in one.roles]
    return page(
        request,
        company,
        viewer,
        "access.html",
        "governance",
        tab="access",
        roles=[one for one in roles if not chosen or one.role == chosen],
        all_roles=roles,
        chosen=chosen,
        contexts=[
            (CONTEXTS.get(name, name.replace("_", " ").capitalize()), list(group))
            for name, group in groupby(commands, key=lambda one: one.context)
        ],
        rights=[one for one in table.rights if not chosen or chosen in one.roles],
        toxic=table.toxic,
        users=[one for one in users if not chosen or chosen in one.roles],
    )


@router.get("/refusals", response_class=HTMLResponse)
def refusals(request: Request, viewer: Auditor, company: OfCompany) -> Response:
    """Who was turned away where, counted by five minutes, the newest first."""
    with reading(company.engine) as connection:
        found = list_refusals(connection, limit=NEWEST)
        names = {one.login: one.name for one in list_users(connection)}
    return page(
        request,
        company,
        viewer,
        "refusals.html",
        "governance",
        tab="refusals",
        rows=[(one, REFUSED.get(one.kind, one.kind), names.get(one.login or "")) for one in found],
        newest=NEWEST,
    )
