"""People and services of the company. A password is hashed here; only its hash goes through the gate."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field, SecretStr

from api.auth import Actor, OfCompany, Reader
from api.outcomes import OUTCOMES, ExecutedBody, Key, answer
from api.problems import Problem
from erp_core.gate.credentials import hash_password
from erp_core.gate.queries import UserView, list_users
from erp_core.gate.roles import may_run, who_may
from erp_core.gate.users import CreateUser
from erp_core.storage.engine import reading
from erp_core.storage.ids import new_id

router = APIRouter(prefix="/users", tags=["users"])


class NewUser(BaseModel):
    """A person or service to let in."""

    login: Annotated[str, Field(min_length=2, max_length=80)]
    person_name: Annotated[str, Field(min_length=1, max_length=120)]
    roles: Annotated[list[str], Field(min_length=1)]
    password: Annotated[SecretStr, Field(min_length=8, max_length=500)]
    kind: Literal["person", "service"] = "person"


@router.get("")
def list_(_reader: Reader, company: OfCompany) -> list[UserView]:
    """Everybody, by login."""
    with reading(company.engine) as connection:
        return list_users(connection)


@router.post("", responses=OUTCOMES, response_model=ExecutedBody)
def create(body: NewUser, actor: Actor, company: OfCompany, key: Key) -> Any:
    """Add a person or service with a password."""
    if not may_run(actor.roles, "CreateUser"):
        raise Problem(
            403,
            "denied",
            f"{actor.login} may not add users",
            remedy=f"it is for: {', '.join(who_may('CreateUser'))}",
        )
    command = CreateUser(
        user_id=new_id(),
        login=body.login,
        person_name=body.person_name,
        kind=body.kind,
        roles=tuple(body.roles),
        password_hash=hash_password(body.password.get_secret_value()),
    )
    return answer(company.gate.submit(command, actor, key=key))
