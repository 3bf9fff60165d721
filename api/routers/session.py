"""Log-in, log-out, and who one is."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, SecretStr

from api.auth import Actor, OfCompany, Throttle, log_in, log_out, rights_of, token_of
from api.problems import not_found
from erp_core.gate.principals import Principal
from erp_core.gate.roles import may_run

router = APIRouter(prefix="/auth", tags=["auth"])
throttle = Throttle()


class LogIn(BaseModel):
    """A person's login and password."""

    login: Annotated[str, Field(min_length=1, max_length=80)]
    password: Annotated[SecretStr, Field(min_length=1, max_length=500)]


class Who(BaseModel):
    """An authenticated principal: what they are, not what they claim to be."""

    kind: str
    user_id: UUID
    login: str
    roles: list[str]
    rights: list[str]
    run_id: UUID | None = None

    @classmethod
    def of(cls, principal: Principal) -> Who:
        """The principal as the API shows it."""
        return cls(
            kind=principal.kind,
            user_id=principal.user_id,
            login=principal.login,
            roles=sorted(principal.roles),
            rights=sorted(rights_of(principal)),
            run_id=principal.run_id,
        )


class Session(BaseModel):
    """A bearer token, valid for 12 hours."""

    token: str
    who: Who


class Ability(BaseModel):
    """Whether one may run a command, and whether it would run or only be proposed."""

    command: str
    allowed: bool
    only_propose: bool


@router.post("/login")
def login(body: LogIn, company: OfCompany) -> Session:
    """Exchange login and password for a token."""
    token, principal = log_in(company, throttle, body.login, body.password.get_secret_value())
    return Session(token=token, who=Who.of(principal))


@router.post("/logout", status_code=204, response_class=Response)
def logout(request: Request, actor: Actor, company: OfCompany) -> None:
    """End the session whose token is presented."""
    token = token_of(request)
    assert token is not None
    log_out(company, actor, token)


@router.get("/whoami")
def whoami(actor: Actor) -> Who:
    """The principal behind the token."""
    return Who.of(actor)


@router.get("/can/{command}")
def can(command: str, actor: Actor, company: OfCompany) -> Ability:
    """Whether one's roles may run a command."""
    if company.gate.registry.get(command) is None:
        raise not_found("command", "GET /api/v1/commands lists them")
    return Ability(command=command, allowed=may_run(actor.roles, command), only_propose=actor.is_agent)
