"""Credentials: passwords, sessions, service keys and agent tokens. Only hashes are stored."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from sqlalchemy import Connection, select, update

from erp_core.gate.model import credentials, user_roles, users
from erp_core.gate.principals import Principal, PrincipalKind

if TYPE_CHECKING:
    from pwdlib import PasswordHash

CredentialKind = Literal["session", "key", "agent"]
LIFETIMES: dict[CredentialKind, timedelta] = {
    "session": timedelta(hours=12),
    "key": timedelta(days=365),
    "agent": timedelta(minutes=15),
}


@lru_cache(maxsize=1)
def _hasher() -> PasswordHash:
    from pwdlib import PasswordHash

    return PasswordHash.recommended()


def hash_password(password: str) -> str:
    """An Argon2 hash; slow by design, so never inside a transaction."""
    return _hasher().hash(password)


@lru_cache(maxsize=1)
def _nobody() -> str:
    return hash_password(secrets.token_urlsafe(16))


def token_hash(token: str) -> str:
    """What is stored of a token."""
    return sha256(token.encode()).hexdigest()


def check_password(connection: Connection, login: str, password: str) -> UUID | None:
    """The user's id when login and password fit. Takes as long for an unknown login as for a known one."""
    row = connection.execute(
        select(users.c.id, users.c.password_hash, users.c.active).where(users.c.login == login)
    ).one_or_none()
    known = row is not None and row.password_hash is not None
    fits = _hasher().verify(password, row.password_hash if row is not None and known else _nobody())
    return row.id if row is not None and known and fits and row.active else None


def issue(
    connection: Connection, user_id: UUID, kind: CredentialKind, now: datetime, run_id: UUID | None = None
) -> str:
    """A new secret token for the user; only its hash is kept. An agent token is bound to `run_id`."""
    token = f"qm_{kind}_{secrets.token_urlsafe(32)}"
    connection.execute(
        credentials.insert(),
        {
            "token_hash": token_hash(token),
            "user_id": user_id,
            "kind": kind,
            "run_id": run_id,
            "created_at": now,
            "expires_at": now + LIFETIMES[kind],
            "revoked_at": None,
        },
    )
    return token


def revoke(connection: Connection, token: str, now: datetime) -> None:
    """End a token at once."""
    connection.execute(
        update(credentials).where(credentials.c.token_hash == token_hash(token)).values(revoked_at=now)
    )


def authenticate(connection: Connection, token: str, now: datetime) -> Principal | None:
    """Who presents this token, with the roles they have now; None when unknown, ended, expired or inactive."""
    row = connection.execute(
        select(credentials, users.c.login, users.c.kind.label("user_kind"), users.c.person_id)
        .join(users, users.c.id == credentials.c.user_id)
        .where(
            credentials.c.token_hash == token_hash(token),
            credentials.c.revoked_at.is_(None),
            credentials.c.expires_at > now,
            users.c.active,
        )
    ).one_or_none()
    if row is None:
        return None
    kind: PrincipalKind = "agent" if row.kind == "agent" else row.user_kind
    return Principal(
        kind, row.user_id, row.login, roles_of(connection, row.user_id), row.run_id, row.person_id
    )


def roles_of(connection: Connection, user_id: UUID) -> frozenset[str]:
    """The roles a user has."""
    return frozenset(connection.scalars(select(user_roles.c.role).where(user_roles.c.user_id == user_id)))


def load_principal(connection: Connection, user_id: UUID) -> Principal:
    """A stored user as the principal of their own work."""
    row = connection.execute(select(users).where(users.c.id == user_id)).one()
    return Principal(row.kind, row.id, row.login, roles_of(connection, user_id), person_id=row.person_id)
