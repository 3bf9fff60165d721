"""Passwords: how they are hashed, which are good enough, and whether one fits. Clear text is never stored."""

from __future__ import annotations

import secrets
from functools import lru_cache
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.gate.contract import DomainError
from erp_core.gate.model import users

if TYPE_CHECKING:
    from pwdlib import PasswordHash

MIN_LENGTH = 10
_MAX_JUDGED = 72
_ENOUGH = 2


class WeakPassword(DomainError):
    """A password that is too short, or that guessing finds soon."""

    code = "weak_password"


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


def require_strong(password: str, *about: str) -> None:
    """Raise `WeakPassword` where it is short or easy to guess; `about` are words an attacker would try (the login, the name)."""
    from zxcvbn import zxcvbn

    if len(password) < MIN_LENGTH:
        raise WeakPassword(
            f"the password has fewer than {MIN_LENGTH} characters",
            field="password",
            remedy="use several words that do not belong together",
        )
    judged = zxcvbn(password[:_MAX_JUDGED], user_inputs=[one for one in ("quartermaster", *about) if one])
    if judged["score"] < _ENOUGH:
        raise WeakPassword(
            "the password is easy to guess",
            field="password",
            remedy="use several words that do not belong together, without your name or a common password",
        )


def check_password(connection: Connection, login: str, password: str) -> UUID | None:
    """The user's id when login and password fit. Takes as long for an unknown login as for a known one."""
    row = connection.execute(
        select(users.c.id, users.c.password_hash, users.c.active).where(users.c.login == login)
    ).one_or_none()
    known = row is not None and row.password_hash is not None
    fits = _hasher().verify(password, row.password_hash if row is not None and known else _nobody())
    return row.id if row is not None and known and fits and row.active else None
