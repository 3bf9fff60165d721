"""Who is asking: a bearer token, or the same token in the console's cookie.

The principal is fixed by the token alone; no field of a request names anybody else. With the cookie,
a request that changes something must come from our own pages (its `Origin`), so that another site
cannot ride on the session.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response

from api.company import Company
from api.problems import Problem, lacks_right, unauthenticated
from erp_core.gate import credentials
from erp_core.gate.credentials import Presented
from erp_core.gate.principals import Principal
from erp_core.storage.engine import reading, writing

COOKIE = "quartermaster_session"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def company_of(request: Request) -> Company:
    """The company that this app serves."""
    company: Company = request.app.state.company
    return company


OfCompany = Annotated[Company, Depends(company_of)]


def token_of(request: Request) -> str | None:
    """The token a request carries. A cookie counts only on requests from our own pages."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    token = request.cookies.get(COOKIE, "")
    if token and request.method not in _SAFE:
        require_own_origin(request)
    return token or None


def address_of(request: Request) -> str:
    """Where a request comes from, as the connection says; headers that the client may write do not count."""
    return request.client.host if request.client is not None else "unknown"


def require_own_origin(request: Request) -> None:
    """Refuse a changing request that a browser sends on behalf of another site."""
    origin = request.headers.get("origin")
    if origin is None:
        own = request.headers.get("sec-fetch-site") in ("same-origin", "none")
    else:
        own = urlsplit(origin).netloc == request.headers.get("host")
    if not own:
        raise Problem(
            403, "cross_site", "the request comes from another site", remedy="use the console's own pages"
        )


def presented_by(request: Request, company: Company) -> Presented | None:
    """The credential that a request shows, with its principal and the roles they have now; None without a valid one.

    Its last use is written down now and then, not at each request.
    """
    token = token_of(request)
    if token is None:
        return None
    now = company.clock.now()
    with reading(company.engine) as connection:
        presented = credentials.present(connection, token, now, idle=company.settings.session_idle)
    if presented is not None:
        request.state.principal_id = presented.principal.user_id
        if presented.is_stale(now):
            with writing(company.engine) as connection:
                credentials.touch(connection, presented.id, now)
    return presented


def principal_of(request: Request, company: Company) -> Principal | None:
    """Who a request's token belongs to; None without a valid one."""
    presented = presented_by(request, company)
    return presented.principal if presented is not None else None


def shown(request: Request, company: OfCompany) -> Presented:
    """The valid credential that the request shows, or 401."""
    presented = presented_by(request, company)
    if presented is None:
        raise unauthenticated("there is no valid session" if token_of(request) else "log in first")
    return presented


Credential = Annotated[Presented, Depends(shown)]


def actor(credential: Credential) -> Principal:
    """The authenticated principal, or 401."""
    return credential.principal


Actor = Annotated[Principal, Depends(actor)]


def human(principal: Actor) -> Principal:
    """The principal when it is no agent, or 403: agents read and propose, and start nothing."""
    if principal.is_agent:
        raise Problem(403, "denied", "an agent may not start this", remedy="let its user start it")
    return principal


def holding(right: str) -> Callable[[Principal], Principal]:
    """A dependency that gives the principal when their roles carry the right, or 403."""

    def check(principal: Actor) -> Principal:
        if not principal.has_right(right):
            raise lacks_right(right, principal.login)
        return principal

    return check


Reader = Annotated[Principal, Depends(holding("read_records"))]
Auditor = Annotated[Principal, Depends(holding("read_audit"))]
Analyst = Annotated[Principal, Depends(holding("read_metrics"))]
Asker = Annotated[Principal, Depends(holding("ask"))]
Human = Annotated[Principal, Depends(human)]


def operator(person: Human) -> Principal:
    """A person or service that may start background work, or 403; never an agent."""
    return holding("run_jobs")(person)


Operator = Annotated[Principal, Depends(operator)]


def set_cookie(response: Response, token: str, *, secure: bool) -> None:
    """Give a browser its session: out of reach of scripts, never sent from another site."""
    response.set_cookie(
        COOKIE,
        token,
        httponly=True,
        samesite="strict",
        secure=secure,
        max_age=int(credentials.LIFETIMES["session"].total_seconds()),
        path="/",
    )
