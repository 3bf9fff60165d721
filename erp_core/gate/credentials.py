"""Credentials: sessions, API keys and agent tokens. Only hashes are stored."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Connection, and_, or_, select, update

from erp_core.gate.model import credentials, user_roles, users
from erp_core.gate.principals import Principal, PrincipalKind, Scope
from erp_core.storage.ids import new_id

CredentialKind = Literal["session", "key", "agent"]
LIFETIMES: dict[CredentialKind, timedelta] = {
    "session": timedelta(hours=12),
    "key": timedelta(days=365),
    "agent": timedelta(minutes=15),
}
IDLE = timedelta(hours=2)
TOUCH_AFTER: dict[CredentialKind, timedelta] = {
    "session": timedelta(minutes=5),
    "key": timedelta(hours=1),
    "agent": LIFETIMES["agent"],
}
PREFIX_LENGTH = 14


@dataclass(frozen=True, slots=True)
class Presented:
    """A valid credential as it was presented, and who it stands for."""

    id: UUID
    kind: CredentialKind
    name: str | None
    expires_at: datetime
    last_used_at: datetime
    principal: Principal

    def is_stale(self, now: datetime) -> bool:
        """Whether its last use should be written down again."""
        return now - self.last_used_at >= TOUCH_AFTER[self.kind]


def new_token(kind: CredentialKind) -> str:
    """A fresh secret of 256 bits; whoever makes it shows it once and stores its hash."""
    return f"qm_{kind}_{secrets.token_urlsafe(32)}"


def token_hash(token: str) -> str:
    """What is stored of a token."""
    return sha256(token.encode()).hexdigest()


def token_prefix(token: str) -> str:
    """The beginning of a token, by which its owner recognises it."""
    return token[:PREFIX_LENGTH]


def issue(
    connection: Connection,
    user_id: UUID,
    kind: Literal["session", "agent"],
    now: datetime,
    run_id: UUID | None = None,
    *,
    roles: frozenset[str] | None = None,
) -> str:
    """A new secret token for the user; only its hash is kept. An agent token is bound to `run_id`.

    `roles` narrows a session to some of the user's roles. Keys are issued by command (`api_keys`).
    """
    token = new_token(kind)
    connection.execute(
        credentials.insert(),
        {
            "token_hash": token_hash(token),
            "id": new_id(),
            "user_id": user_id,
            "kind": kind,
            "name": None,
            "prefix": token_prefix(token),
            "scope": None if roles is None else {"roles": sorted(roles)},
            "run_id": run_id,
            "created_at": now,
            "expires_at": now + LIFETIMES[kind],
            "last_used_at": now,
            "revoked_at": None,
        },
    )
    return token


def revoke(connection: Connection, token: str, now: datetime) -> None:
    """End a token at once."""
    connection.execute(
        update(credentials).where(credentials.c.token_hash == token_hash(token)).values(revoked_at=now)
    )


def end_all(
    connection: Connection,
    user_id: UUID,
    now: datetime,
    *,
    kinds: frozenset[str] = frozenset({"session", "key", "agent"}),
    only: UUID | None = None,
    but: UUID | None = None,
) -> int:
    """End a user's credentials of these kinds at once (`only` one of them, or all `but` one); how many ended."""
    ended = update(credentials).where(
        credentials.c.user_id == user_id,
        credentials.c.kind.in_(kinds),
        credentials.c.revoked_at.is_(None),
        credentials.c.expires_at > now,
    )
    if only is not None:
        ended = ended.where(credentials.c.id == only)
    if but is not None:
        ended = ended.where(credentials.c.id != but)
    return int(connection.execute(ended.values(revoked_at=now)).rowcount)


def touch(connection: Connection, credential_id: UUID, now: datetime) -> None:
    """Write down that a credential was used."""
    connection.execute(update(credentials).where(credentials.c.id == credential_id).values(last_used_at=now))


def present(connection: Connection, token: str, now: datetime, *, idle: timedelta = IDLE) -> Presented | None:
    """The credential behind a token with its principal and the roles they have now, in one statement.

    An agent's key gives an agent whose run is the key itself. None when it is unknown, ended, expired or idle for too long, or its user inactive.
    """
    rows = connection.execute(
        select(
            credentials,
            users.c.login,
            users.c.kind.label("user_kind"),
            users.c.person_id,
            users.c.supplier_id,
            user_roles.c.role,
        )
        .join(users, users.c.id == credentials.c.user_id)
        .outerjoin(user_roles, user_roles.c.user_id == users.c.id)
        .where(
            credentials.c.token_hash == token_hash(token),
            _lives(now, idle),
            users.c.active,
        )
    ).all()
    if not rows:
        return None
    first = rows[0]
    scope: Mapping[str, Any] = first.scope or {}
    roles = frozenset(row.role for row in rows if row.role is not None)
    if "roles" in scope:
        roles &= frozenset(scope["roles"])
    kinds: dict[str, PrincipalKind] = {"agent": "agent", "key": "service", "session": first.user_kind}
    principal = Principal(
        kinds[first.kind],
        first.user_id,
        first.login,
        roles,
        first.run_id,
        first.person_id,
        supplier_id=first.supplier_id,
    )
    if first.kind == "key":
        for_agent = bool(scope.get("agent"))
        principal = replace(
            principal,
            kind="agent" if for_agent else "service",
            run_id=first.id if for_agent else None,
            owner_kind=first.user_kind,
            scope=Scope(frozenset(scope.get("commands", ())), frozenset(scope.get("rights", ()))),
        )
    return Presented(first.id, first.kind, first.name, first.expires_at, first.last_used_at, principal)


def authenticate(connection: Connection, token: str, now: datetime) -> Principal | None:
    """Who presents this token; None when it is not valid (see `present`)."""
    presented = present(connection, token, now)
    return presented.principal if presented is not None else None


def _lives(now: datetime, idle: timedelta) -> Any:
    return and_(
        credentials.c.revoked_at.is_(None),
        credentials.c.expires_at > now,
        or_(credentials.c.kind != "session", credentials.c.last_used_at > now - idle),
    )


@dataclass(frozen=True, slots=True)
class CredentialView:
    """A live credential as its owner sees it: never the token, only its beginning."""

    id: UUID
    user_id: UUID
    login: str
    kind: str
    name: str | None
    prefix: str
    scope: dict[str, Any] | None
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime


def list_credentials(
    connection: Connection,
    now: datetime,
    *,
    kinds: frozenset[str],
    user_id: UUID | None = None,
    idle: timedelta = IDLE,
) -> list[CredentialView]:
    """Live credentials of these kinds, of one user or of all, newest first."""
    query = (
        select(credentials, users.c.login)
        .join(users, users.c.id == credentials.c.user_id)
        .where(credentials.c.kind.in_(kinds), _lives(now, idle))
        .order_by(credentials.c.created_at.desc(), credentials.c.id.desc())
    )
    if user_id is not None:
        query = query.where(credentials.c.user_id == user_id)
    rows = connection.execute(query)
    return [CredentialView(**{name: getattr(row, name) for name in CredentialView.__slots__}) for row in rows]


def roles_of(connection: Connection, user_id: UUID) -> frozenset[str]:
    """The roles a user has."""
    return frozenset(connection.scalars(select(user_roles.c.role).where(user_roles.c.user_id == user_id)))


def load_principal(connection: Connection, user_id: UUID) -> Principal:
    """A stored user as the principal of their own work."""
    row = connection.execute(select(users).where(users.c.id == user_id)).one()
    return Principal(
        row.kind,
        row.id,
        row.login,
        roles_of(connection, user_id),
        person_id=row.person_id,
        supplier_id=row.supplier_id,
    )
