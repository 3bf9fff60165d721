"""People and services of the company. A password is hashed here; only its hash goes through the gate."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field, SecretStr

from api.auth import Actor, OfCompany, Reader
from api.outcomes import OUTCOMES, ExecutedBody, Key, answer
from api.problems import Problem
from erp_core.gate.passwords import hash_password, require_strong
from erp_core.gate.queries import UserView, list_users
from erp_core.gate.roles import who_may
from erp_core.gate.users import CreateUser
from erp_core.storage.engine import reading
from erp_core.storage.ids import new_id

router = APIRouter(prefix="/users", tags=["users"])


class NewUser(BaseModel):
    """A person with a password, or a service, which gets keys instead. `person_id` and `namesake` as `CreateUser` has them."""

    login: Annotated[str, Field(min_length=2, max_length=80)]
    person_name: Annotated[str, Field(min_length=1, max_length=120)]
    roles: list[str] = []
    password: Annotated[SecretStr, Field(min_length=1, max_length=500)] | None = None
    kind: Literal["person", "service"] = "person"
    person_id: UUID | None = None
    namesake: bool = False
    supplier_id: UUID | None = None


@router.get("")
def list_(_reader: Reader, company: OfCompany) -> list[UserView]:
    """Everybody, by login."""
    with reading(company.engine) as connection:
        return list_users(connection)


@router.post("", responses=OUTCOMES, response_model=ExecutedBody)
def create(body: NewUser, actor: Actor, company: OfCompany, key: Key) -> Any:
    """Add a person or service with a password."""
    if not actor.may_run("CreateUser"):
        raise Problem(
            403,
            "denied",
            f"{actor.login} may not add users",
            remedy=f"it is for: {', '.join(who_may('CreateUser'))}",
        )
    password = body.password.get_secret_value() if body.password is not None else None
    if password is not None:
        require_strong(password, body.login, body.person_name)
    command = CreateUser(
        user_id=new_id(),
        login=body.login,
        person_name=body.person_name,
        kind=body.kind,
        roles=tuple(body.roles),
        password_hash=None if password is None else hash_password(password),
        person_id=body.person_id,
        namesake=body.namesake,
        supplier_id=body.supplier_id,
    )
    return answer(company.gate.submit(command, actor, key=key))
