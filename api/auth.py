"""Who is asking: a bearer token, or the same token in the console's cookie.

The principal is fixed by the token alone; no field of a request names anybody else. With the cookie,
a request that changes something must come from our own pages (its `Origin`), so that another site
cannot ride on the session.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response

from api.company import Company
from api.problems import Problem, lacks_right, unauthenticated
from erp_core.gate import credentials
from erp_core.gate.principals import Principal
from erp_core.gate.roles import RIGHTS, has_right
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


def principal_of(request: Request, company: Company) -> Principal | None:
    """Who a request's token belongs to, with the roles they have now; None without a valid one."""
    token = token_of(request)
    if token is None:
        return None
    with reading(company.engine) as connection:
        return credentials.authenticate(connection, token, company.clock.now())


def actor(request: Request, company: OfCompany) -> Principal:
    """The authenticated principal, or 401."""
    principal = principal_of(request, company)
    if principal is None:
        raise unauthenticated("there is no valid session" if token_of(request) else "log in first")
    return principal


Actor = Annotated[Principal, Depends(actor)]


def human(principal: Actor) -> Principal:
    """The principal when it is no agent, or 403: agents read and propose, and start nothing."""
    if principal.is_agent:
        raise Problem(403, "denied", "an agent may not start this", remedy="let its user start it")
    return principal


def holding(right: str) -> Callable[[Principal], Principal]:
    """A dependency that gives the principal when their roles carry the right, or 403."""

    def check(principal: Actor) -> Principal:
        if not has_right(principal.roles, right):
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


def rights_of(principal: Principal) -> frozenset[str]:
    """All rights that the principal's roles carry."""
    return frozenset().union(*(RIGHTS.get(role, frozenset()) for role in principal.roles))


class Throttle:
    """Slows guessing: so many failed log-ins per login within a window, then none for the rest of it."""

    def __init__(self, failures: int = 10, window: float = 300.0) -> None:
        self._failures = failures
        self._window = window
        self._seen: dict[str, list[float]] = {}
        self._lock = threading.Lock()

    def check(self, login: str) -> None:
        """Raise 429 while the login is closed."""
        with self._lock:
            recent = self._recent(login)
        if len(recent) >= self._failures:
            raise Problem(
                429,
                "too_many_attempts",
                "too many failed log-ins",
                remedy=f"wait {self._window / 60:.0f} minutes",
                headers={"Retry-After": str(int(self._window))},
            )

    def failed(self, login: str) -> None:
        """Count a failure."""
        with self._lock:
            self._seen[login] = [*self._recent(login), time.monotonic()]

    def succeeded(self, login: str) -> None:
        """Forget the failures."""
        with self._lock:
            self._seen.pop(login, None)

    def _recent(self, login: str) -> list[float]:
        since = time.monotonic() - self._window
        return [moment for moment in self._seen.get(login, ()) if moment > since]


def log_in(company: Company, throttle: Throttle, login: str, password: str) -> tuple[str, Principal]:
    """A new session token for login and password. 401 says nothing about which of them was wrong."""
    throttle.check(login)
    with reading(company.engine) as connection:
        user_id = credentials.check_password(connection, login, password)
    if user_id is None:
        throttle.failed(login)
        raise unauthenticated("login or password is wrong", "check both and try again")
    throttle.succeeded(login)
    with writing(company.engine) as connection:
        token = credentials.issue(connection, user_id, "session", company.clock.now())
    with reading(company.engine) as connection:
        principal = credentials.load_principal(connection, user_id)
    company.gate.record(principal, "LogIn", "executed", {})
    return token, principal


def log_out(company: Company, principal: Principal, token: str) -> None:
    """End a session at once."""
    with writing(company.engine) as connection:
        credentials.revoke(connection, token, company.clock.now())
    company.gate.record(principal, "LogOut", "executed", {})


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
