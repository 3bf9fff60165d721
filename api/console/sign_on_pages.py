"""Log-in at the identity provider: there and back."""

from __future__ import annotations

from secrets import compare_digest
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import select

from api.auth import OfCompany, set_cookie
from api.company import Company
from api.console.login import own_path, show_login
from api.console.view import templates
from api.log_in import open_session, record_failure
from api.oidc import FLOW_LIFETIME, SignOnRefused, open_flow, take_flow
from api.problems import Problem
from erp_core.gate.contract import Executed
from erp_core.gate.credentials import roles_of
from erp_core.gate.model import users
from erp_core.gate.principals import PROVISIONER
from erp_core.gate.roles import POWER_ROLES
from erp_core.gate.sign_in import LinkIdentity, subject_key
from erp_core.gate.users import CreateUser
from erp_core.storage.engine import reading, writing
from erp_core.storage.ids import new_id

router = APIRouter(include_in_schema=False, prefix="/login/provider")
FLOW_COOKIE = "quartermaster_login"


@router.get("")
def start(request: Request, company: OfCompany, next: str = "/") -> Response:
    """Send the browser to the provider."""
    provider = company.provider
    if provider is None:
        return RedirectResponse("/login", 303)
    try:
        with writing(company.engine) as connection:
            state, flow = open_flow(connection, own_path(next), company.clock.now())
        address = provider.address(state, flow, _redirect(request, company))
    except SignOnRefused as refused:
        return _refused(company, refused, "")
    answer = RedirectResponse(address, 303)
    answer.set_cookie(
        FLOW_COOKIE,
        state,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
        max_age=int(FLOW_LIFETIME.total_seconds()),
        path=router.prefix,
    )
    return answer


@router.get("/callback", response_class=HTMLResponse)
def callback(
    request: Request,
    company: OfCompany,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=2_000)] = "",
) -> Response:
    """Come back from the provider, and get a session when everything it says holds."""
    provider = company.provider
    if provider is None:
        return RedirectResponse("/login", 303)
    subject = ""
    try:
        if not state or not compare_digest(state.encode(), request.cookies.get(FLOW_COOKIE, "").encode()):
            raise SignOnRefused("this log-in was not started in this browser")
        with writing(company.engine) as connection:
            flow = take_flow(connection, state, company.clock.now())
        if not code:
            raise SignOnRefused("the identity provider did not let you in")
        claims = provider.claims(code, flow, _redirect(request, company))
        subject = subject_key(provider.issuer, str(claims["sub"]))
        token, _ = _session(company, subject, claims, provider.roles(claims))
    except SignOnRefused as refused:
        return _refused(company, refused, subject)
    # The cookie is for our own pages only: a browser that comes from another site sends it from the next page on.
    answer = HTMLResponse(templates().get_template("signed_on.html").render({"next": flow.next}))
    set_cookie(answer, token, secure=request.url.scheme == "https")
    answer.delete_cookie(FLOW_COOKIE, path=router.prefix)
    return answer


def _session(company: Company, subject: str, claims: Any, mapped: frozenset[str] | None) -> tuple[str, Any]:
    with reading(company.engine) as connection:
        user = connection.execute(
            select(users.c.id, users.c.active).where(users.c.subject == subject)
        ).one_or_none()
        roles = frozenset() if user is None else roles_of(connection, user.id)
    if user is None:
        user_id = _provision(company, claims, mapped)
    elif not user.active:
        raise SignOnRefused("the account is not active")
    elif mapped is not None and not roles & mapped:
        raise SignOnRefused("none of the account's roles is granted by the identity provider")
    else:
        user_id = user.id
    try:
        return open_session(company, user_id, "provider", roles=mapped)
    except Problem as problem:
        raise SignOnRefused(problem.body.detail) from problem


def _provision(company: Company, claims: Any, mapped: frozenset[str] | None) -> Any:
    """An account for somebody the provider knows and the company does not, where that is configured."""
    if not company.settings.oidc_create_users or not mapped or mapped & POWER_ROLES:
        raise SignOnRefused("no account is linked to you: ask an administrator")
    user_id, login = new_id(), str(claims.get("preferred_username") or claims.get("email") or claims["sub"])
    commands = [
        CreateUser(
            user_id=user_id,
            login=login[:80],
            person_name=str(claims.get("name") or login)[:120],
            roles=tuple(sorted(mapped)),
        ),
        LinkIdentity(user_id=user_id, issuer=str(claims["iss"]), subject_id=str(claims["sub"])),
    ]
    outcome = company.gate.submit_plan(
        commands, PROVISIONER, key=f"provision:{user_id}", title="First log-in", reason="identity provider"
    )
    if not isinstance(outcome, Executed):
        raise SignOnRefused("no account could be made for you: ask an administrator")
    return user_id


def _refused(company: Company, refused: SignOnRefused, subject: str) -> Response:
    record_failure(company, subject, refused.why)
    problem = Problem(401, "sign_on_refused", refused.why, remedy="try again, or ask an administrator")
    answer = show_login(company, "/", "", problem, 401)
    answer.delete_cookie(FLOW_COOKIE, path=router.prefix)
    return answer


def _redirect(request: Request, company: Company) -> str:
    base: Literal[""] | str = company.settings.public_url or str(request.base_url)
    return f"{base.rstrip('/')}{router.prefix}/callback"
