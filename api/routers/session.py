"""Log-in, log-out, sessions, one's password, and what one may do."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, SecretStr
from sqlalchemy import select

from api.auth import Actor, Credential, OfCompany, address_of, token_of
from api.company import Company
from api.log_in import count_attempt, log_in, log_out
from api.outcomes import OUTCOMES, ExecutedBody, Key, answer
from api.problems import Problem, not_found
from erp_core.gate import lockout
from erp_core.gate.authorisation import why_not
from erp_core.gate.authority import LentRight, lent_to
from erp_core.gate.credentials import CredentialView, Presented, list_credentials, present
from erp_core.gate.model import users
from erp_core.gate.passwords import check_password, hash_password, require_strong
from erp_core.gate.sign_in import ChangePassword, EndSessions
from erp_core.storage.engine import reading, writing

router = APIRouter(tags=["auth"])


class LogIn(BaseModel):
    """A person's login and password."""

    login: Annotated[str, Field(min_length=1, max_length=80)]
    password: Annotated[SecretStr, Field(min_length=1, max_length=500)]


class ScopeBody(BaseModel):
    """What an API key is narrowed to."""

    commands: list[str]
    rights: list[str]


class Who(BaseModel):
    """An authenticated principal: what they are, not what they claim to be.

    `credential` is session, key or agent, valid until `expires_at`; `scope` is there for a key. `lent` are the roles in
    which they may decide today because somebody lent them: until when, and below which amount.
    """

    kind: str
    user_id: UUID
    person_id: UUID
    login: str
    roles: list[str]
    rights: list[str]
    run_id: UUID | None = None
    scope: ScopeBody | None = None
    credential: str
    credential_id: UUID
    credential_name: str | None = None
    expires_at: datetime
    lent: list[LentRight]

    @classmethod
    def of(cls, presented: Presented, lent: list[LentRight]) -> Who:
        """The principal as the API shows it."""
        principal = presented.principal
        scope = principal.scope
        return cls(
            kind=principal.kind,
            user_id=principal.user_id,
            person_id=principal.person,
            login=principal.login,
            roles=sorted(principal.roles),
            rights=sorted(principal.rights),
            run_id=principal.run_id,
            scope=None
            if scope is None
            else ScopeBody(commands=sorted(scope.commands), rights=sorted(scope.rights)),
            credential=presented.kind,
            credential_id=presented.id,
            credential_name=presented.name,
            expires_at=presented.expires_at,
            lent=lent,
        )


class Session(BaseModel):
    """A bearer token, valid for 12 hours, and for as long as it is used now and then."""

    token: str
    who: Who


class Ability(BaseModel):
    """Whether one may run a command, by which of one's roles, and whether it would run or only be proposed.

    `governed`: an approval policy decides whether people must agree. `remedy` says what to do about a no.
    """

    command: str
    allowed: bool
    by_roles: list[str]
    only_propose: bool
    governed: bool
    remedy: str | None = None


class LiveSession(BaseModel):
    """One of one's sessions; `current` is the one that asks."""

    id: UUID
    prefix: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    current: bool


class NewPassword(BaseModel):
    """The password one has, and the one that is to be."""

    password: Annotated[SecretStr, Field(min_length=1, max_length=500)]
    new_password: Annotated[SecretStr, Field(min_length=1, max_length=500)]


@router.post("/auth/login")
def login(body: LogIn, request: Request, company: OfCompany) -> Session:
    """Exchange login and password for a token."""
    token, _ = log_in(company, body.login, body.password.get_secret_value(), address_of(request))
    with reading(company.engine) as connection:
        presented = present(connection, token, company.clock.now())
    assert presented is not None
    return Session(token=token, who=_who(presented, company))


@router.post("/auth/logout", status_code=204, response_class=Response)
def logout(request: Request, actor: Actor, company: OfCompany) -> None:
    """End the session whose token is presented."""
    token = token_of(request)
    assert token is not None
    log_out(company, actor, token)


@router.post("/auth/logout-everywhere", responses=OUTCOMES, response_model=ExecutedBody)
def logout_everywhere(actor: Actor, company: OfCompany, key: Key) -> Any:
    """End all of one's sessions and agents, this one too; keys go on."""
    return answer(company.gate.submit(EndSessions(user_id=actor.user_id), actor, key=key))


@router.get("/auth/whoami")
@router.get("/me")
def whoami(credential: Credential, company: OfCompany) -> Who:
    """The principal behind the token, with the rights lent to them."""
    return _who(credential, company)


def _who(presented: Presented, company: Company) -> Who:
    principal = presented.principal
    if principal.kind != "person":
        return Who.of(presented, [])
    with reading(company.engine) as connection:
        return Who.of(presented, lent_to(connection, principal.user_id, company.clock.today()))


@router.get("/auth/can/{command}")
@router.get("/can/{command}")
def can(command: str, actor: Actor, company: OfCompany) -> Ability:
    """Whether one may run a command, and what to do when not."""
    registration = company.gate.registry.get(command)
    if registration is None:
        raise not_found("command", "GET /api/v1/commands lists them")
    allowed = actor.may_run(command)
    return Ability(
        command=command,
        allowed=allowed,
        by_roles=actor.roles_for(command) if allowed else [],
        only_propose=actor.is_agent,
        governed=registration.governed,
        remedy=why_not(actor, command),
    )


@router.get("/auth/sessions")
def sessions(credential: Credential, company: OfCompany) -> list[LiveSession]:
    """One's own sessions, newest first."""
    with reading(company.engine) as connection:
        found = list_credentials(
            connection,
            company.clock.now(),
            kinds=frozenset({"session"}),
            user_id=credential.principal.user_id,
            idle=company.settings.session_idle,
        )
    return [_live(one, credential) for one in found]


@router.post("/auth/sessions/{session_id}/end", responses=OUTCOMES, response_model=ExecutedBody)
def end_session(session_id: UUID, actor: Actor, company: OfCompany, key: Key) -> Any:
    """End one of one's sessions."""
    command = EndSessions(user_id=actor.user_id, session_id=session_id)
    return answer(company.gate.submit(command, actor, key=key))


@router.post("/auth/password", responses=OUTCOMES, response_model=ExecutedBody)
def change_password(
    body: NewPassword, request: Request, credential: Credential, company: OfCompany, key: Key
) -> Any:
    """Change one's password; all other sessions and agents end."""
    actor = credential.principal
    if not actor.may_run("ChangePassword"):
        raise Problem(403, "denied", "this credential may not change the password", remedy="log in yourself")
    count_attempt(company, actor.login, address_of(request))
    with reading(company.engine) as connection:
        name = connection.scalar(select(users.c.name).where(users.c.id == actor.user_id)) or ""
        known = check_password(connection, actor.login, body.password.get_secret_value())
    if known != actor.user_id:
        raise Problem(
            403,
            "wrong_password",
            "the present password is wrong",
            field="password",
            remedy="send the password that you logged in with",
        )
    with writing(company.engine) as connection:
        lockout.succeeded(connection, actor.login, address_of(request))
    new = body.new_password.get_secret_value()
    require_strong(new, actor.login, name)
    command = ChangePassword(
        user_id=actor.user_id, password_hash=hash_password(new), kept_session=credential.id
    )
    return answer(company.gate.submit(command, actor, key=key))


def _live(view: CredentialView, credential: Presented) -> LiveSession:
    return LiveSession(
        id=view.id,
        prefix=view.prefix,
        created_at=view.created_at,
        last_used_at=view.last_used_at,
        expires_at=view.expires_at,
        current=view.id == credential.id,
    )
