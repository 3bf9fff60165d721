"""API keys, the table of roles, and the log of refusals."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.access_table import AccessTable, access_table
from api.auth import Actor, Auditor, OfCompany
from api.outcomes import OUTCOMES, ProposedBody
from api.outcomes import Key as RequestKey
from api.problems import accepted
from erp_core.clock import Moment
from erp_core.gate.api_keys import IssueKey, RotateKey
from erp_core.gate.contract import Command, Executed
from erp_core.gate.credentials import CredentialView, list_credentials, new_token, token_hash, token_prefix
from erp_core.gate.principals import Principal
from erp_core.gate.refusals import RefusalView, list_refusals
from erp_core.storage.engine import reading
from erp_core.storage.ids import new_id

router = APIRouter(tags=["access"])


class NewKey(BaseModel):
    """A key for oneself, or for a service account (`user_id`). It can use what is named here and nothing else.

    With `agent` it is for a language model or another MCP client: it reads and proposes, whatever its owner may do.
    """

    name: Annotated[str, Field(min_length=1, max_length=80)]
    user_id: UUID | None = None
    commands: list[str] = []
    rights: list[str] = []
    agent: bool = False
    days: Annotated[int, Field(ge=1, le=3650)] = 90


class Rotation(BaseModel):
    """How long the old secret goes on beside the new one."""

    overlap_hours: Annotated[int, Field(ge=0, le=72)] = 0


class IssuedKey(BaseModel):
    """A key with its secret, which is shown this once. `waits` is there while people must agree before it works."""

    key_id: UUID
    token: str
    waits: ProposedBody | None = None


@router.get("/roles")
def roles(_actor: Actor, company: OfCompany) -> AccessTable:
    """Roles by commands by fields."""
    return access_table(company.gate.registry)


@router.get("/keys")
def keys(actor: Actor, company: OfCompany) -> list[CredentialView]:
    """One's own live keys; for administrators everybody's. Never the secrets."""
    with reading(company.engine) as connection:
        return list_credentials(
            connection,
            company.clock.now(),
            kinds=frozenset({"key"}),
            user_id=None if "admin" in actor.roles else actor.user_id,
        )


@router.post("/keys", responses=OUTCOMES)
def issue(body: NewKey, actor: Actor, company: OfCompany, key: RequestKey) -> IssuedKey:
    """Make a key. Repeating the request with its key is refused: the secret is shown once."""
    token, key_id = new_token("key"), new_id()
    command = IssueKey(
        key_id=key_id,
        user_id=body.user_id or actor.user_id,
        key_name=body.name,
        token_hash=token_hash(token),
        prefix=token_prefix(token),
        commands=tuple(body.commands),
        rights=tuple(body.rights),
        agent=body.agent,
        expires_at=company.clock.now() + timedelta(days=body.days),
    )
    return _issued(command, key_id, token, actor, company, key)


@router.post("/keys/{key_id}/rotate", responses=OUTCOMES)
def rotate(key_id: UUID, body: Rotation, actor: Actor, company: OfCompany, key: RequestKey) -> IssuedKey:
    """A new secret for a key with the same name, scope and lifetime."""
    token, fresh = new_token("key"), new_id()
    command = RotateKey(
        key_id=key_id,
        new_key_id=fresh,
        token_hash=token_hash(token),
        prefix=token_prefix(token),
        overlap_hours=body.overlap_hours,
    )
    return _issued(command, fresh, token, actor, company, key)


@router.get("/refusals")
def refusals(
    _auditor: Auditor,
    company: OfCompany,
    since: Moment | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[RefusalView]:
    """Who was turned away where, counted by five minutes, newest first."""
    with reading(company.engine) as connection:
        return list_refusals(connection, since=since, limit=limit)


def _issued(
    command: Command, key_id: UUID, token: str, actor: Principal, company: OfCompany, key: str
) -> Any:
    taken = accepted(company.gate.submit(command, actor, key=key))
    if isinstance(taken, Executed):
        return IssuedKey(key_id=key_id, token=token)
    waits = ProposedBody.model_validate(taken, from_attributes=True)
    return IssuedKey(key_id=key_id, token=token, waits=waits)
