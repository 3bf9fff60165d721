"""Logging in and out: lock-out, the session's token, and what of it the audit log keeps."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy import select

from api.company import Company
from api.problems import Problem, unauthenticated
from erp_core.gate import credentials, lockout, refusals
from erp_core.gate.model import users
from erp_core.gate.passwords import check_password
from erp_core.gate.principals import Principal
from erp_core.storage.engine import reading, writing

NOBODY = Principal("service", refusals.NOBODY, "nobody", frozenset())
AUDITED_FAILURES = 100
"""So many failed log-ins within five minutes stand in the audit log one by one; more are only counted."""


def log_in(company: Company, login: str, password: str, address: str) -> tuple[str, Principal]:
    """A new session token for login and password. 401 says nothing about which of them was wrong, 429 when to try again."""
    count_attempt(company, login, address)
    with reading(company.engine) as connection:
        user_id = check_password(connection, login, password)
    if user_id is None:
        record_failure(company, login)
        raise unauthenticated("login or password is wrong", "check both and try again")
    with writing(company.engine) as connection:
        lockout.succeeded(connection, login, address)
    return open_session(company, user_id, "password")


def open_session(
    company: Company, user_id: UUID, by: str, *, roles: frozenset[str] | None = None
) -> tuple[str, Principal]:
    """A session for an authenticated user, `by` password or provider; `roles` narrows it to some of theirs."""
    now = company.clock.now()
    with writing(company.engine) as connection:
        token = credentials.issue(connection, user_id, "session", now, roles=roles)
    with reading(company.engine) as connection:
        principal = credentials.authenticate(connection, token, now)
    if principal is None:
        raise unauthenticated("the account is not active", "ask an administrator")
    company.gate.record(principal, "LogIn", "executed", {"by": by}, subject=("user", user_id))
    return token, principal


def log_out(company: Company, principal: Principal, token: str) -> None:
    """End a session at once."""
    with writing(company.engine) as connection:
        credentials.revoke(connection, token, company.clock.now())
    company.gate.record(principal, "LogOut", "executed", {}, subject=("user", principal.user_id))


def record_failure(company: Company, login: str, why: str = "wrong") -> None:
    """Count a failed log-in, and audit it: of whom, where the login is known; else the hash of what was tried."""
    now = company.clock.now()
    with writing(company.engine) as connection:
        seen = refusals.count(connection, "login", "log-in", now)
        user_id = connection.scalar(select(users.c.id).where(users.c.login == login))
    if seen > AUDITED_FAILURES:
        return
    tried = {} if user_id is not None else {"login_sha256": sha256(login.encode()).hexdigest()}
    subject = ("user", user_id) if user_id is not None else None
    company.gate.record(NOBODY, "LogIn", "denied", {"why": why, **tried}, subject=subject)


def count_attempt(company: Company, login: str, address: str) -> None:
    """Count that a password is tried, before it is looked at; 429 while the login or the address is locked."""
    now = company.clock.now()
    with writing(company.engine) as connection:
        closed = lockout.attempt(connection, "address", address, now)
        closed = closed or lockout.attempt(connection, "login", login, now)
        if closed is not None:
            refusals.count(connection, "locked", "log-in", now)
    if closed is not None:
        raise _locked(closed, now)


def _locked(until: datetime, now: datetime) -> Problem:
    seconds = max(int((until - now).total_seconds()) + 1, 1)
    return Problem(
        429,
        "too_many_attempts",
        "too many failed log-ins",
        remedy=f"wait until {until:%Y-%m-%d %H:%M:%S} UTC, or ask an administrator to unlock the login",
        headers={"Retry-After": str(seconds)},
        details={"until": until.isoformat()},
    )
