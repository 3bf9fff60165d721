"""API keys: named, narrowed to a scope, expiring. Only a hash reaches the gate; the secret is shown once, by who made it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import Connection, Row, select, update

from erp_core.clock import Moment
from erp_core.gate.contract import (
    Command,
    DomainError,
    Done,
    Facts,
    NotFound,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
    facts_each,
)
from erp_core.gate.credentials import PREFIX_LENGTH, roles_of
from erp_core.gate.model import credentials
from erp_core.gate.roles import NEVER_BY_KEYS, RIGHTS, RIGHTS_KEPT_FROM_AGENTS, may_run
from erp_core.gate.sign_in import NotYourAccount, require_own_or_admin
from erp_core.gate.users import power_facts, require_user
from erp_core.settings import settings
from erp_core.storage.bulk import insert_rows


class ScopeTooWide(DomainError):
    """A key can do no more than its owner, and no key decides or changes users, passwords or keys."""

    code = "scope_too_wide"


class LifetimeTooLong(DomainError):
    """Every key ends, within the time that the company allows."""

    code = "lifetime_too_long"


class IssueKey(Command):
    """A key for one's own account, or by an administrator for a service account.

    `commands` and `rights` are all it may use, each of them its owner's; `expires_at` ends it. With `agent` it stands
    for the owner's agent instead of the owner: whoever holds it can read and propose, and nothing else.
    """

    key_id: UUID
    user_id: UUID
    key_name: str = Field(min_length=1, max_length=80)
    token_hash: str = Field(pattern="^[0-9a-f]{64}$")
    prefix: str = Field(min_length=4, max_length=PREFIX_LENGTH)
    commands: tuple[str, ...] = ()
    rights: tuple[str, ...] = ()
    agent: bool = False
    expires_at: Moment

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("user", self.user_id)


class RotateKey(Command):
    """A new secret for a key: same owner, name, scope and lifetime. The old one ends after `overlap_hours`."""

    key_id: UUID
    new_key_id: UUID
    token_hash: str = Field(pattern="^[0-9a-f]{64}$")
    prefix: str = Field(min_length=4, max_length=PREFIX_LENGTH)
    overlap_hours: int = Field(default=0, ge=0, le=72)

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("key", self.key_id)


class RevokeKey(Command):
    """End a key at once. One's own, or by an administrator."""

    key_id: UUID

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("key", self.key_id)


def _issue(task: Task[IssueKey], tx: Transaction) -> Done:
    command = task.command
    user = require_user(command.user_id, tx.connection)
    roles = task.principal.roles
    if task.principal.user_id != command.user_id:
        require_own_or_admin(task.principal, command.user_id)
        if user.kind == "person":
            raise NotYourAccount(
                "nobody holds a key of another person", field="user_id", remedy="let them issue it themselves"
            )
        roles = roles_of(tx.connection, command.user_id)
    _require_scope(command, roles)
    longest = timedelta(days=settings().key_days)
    if not tx.recorded_at < command.expires_at <= tx.recorded_at + longest:
        raise LifetimeTooLong(
            f"a key lives at most {longest.days} days from now",
            field="expires_at",
            remedy=f"choose a moment before {tx.recorded_at + longest:%Y-%m-%d}",
        )
    scope: dict[str, Any] = {
        "commands": sorted(set(command.commands)),
        "rights": sorted(set(command.rights)),
    }
    if command.agent:
        scope["agent"] = True
    _write(command, command.key_id, user.id, command.key_name, scope, command.expires_at, tx)
    return Done(result={"key_id": str(command.key_id), "prefix": command.prefix}, after=scope)


def _require_scope(command: IssueKey, roles: frozenset[str]) -> None:
    carried: frozenset[str] = frozenset().union(*(RIGHTS.get(role, frozenset()) for role in roles))
    if command.agent:
        carried -= RIGHTS_KEPT_FROM_AGENTS
    beyond = sorted(
        {one for one in command.commands if one in NEVER_BY_KEYS or not may_run(roles, one)}
        | (set(command.rights) - carried)
    )
    if beyond:
        raise ScopeTooWide(
            f"{', '.join(beyond)}: not for a key of this account",
            field="commands" if beyond[0] in command.commands else "rights",
            remedy="narrow the scope to what the account's roles may do, without decisions and accounts"
            + (", and to what agents may see" if command.agent else ""),
            beyond=beyond,
        )


def _rotate(task: Task[RotateKey], tx: Transaction) -> Done:
    command = task.command
    old = _require_key(task, tx)
    ends = min(old.expires_at, tx.recorded_at + timedelta(hours=command.overlap_hours))
    _end(old.id, ends, tx)
    lifetime = min(old.expires_at - old.created_at, timedelta(days=settings().key_days))
    _write(command, command.new_key_id, old.user_id, old.name, old.scope, tx.recorded_at + lifetime, tx)
    return Done(result={"key_id": str(command.new_key_id), "prefix": command.prefix})


def _revoke(task: Task[RevokeKey], tx: Transaction) -> Done:
    _end(_require_key(task, tx).id, tx.recorded_at, tx)
    return Done()


def _require_key(task: Task[Any], tx: Transaction) -> Row[Any]:
    row = tx.connection.execute(
        select(credentials).where(
            credentials.c.id == task.command.key_id,
            credentials.c.kind == "key",
            credentials.c.revoked_at.is_(None),
            credentials.c.expires_at > tx.recorded_at,
        )
    ).one_or_none()
    if row is None:
        raise _no_such_key()
    require_own_or_admin(task.principal, row.user_id)
    if not isinstance(task.command, RevokeKey) and row.user_id != task.principal.user_id:
        if require_user(row.user_id, tx.connection).kind == "person":
            raise NotYourAccount(
                "nobody holds a key of another person", field="key_id", remedy="let them rotate it themselves"
            )
    return row


def _no_such_key() -> NotFound:
    return NotFound("there is no such live key", field="key_id", remedy="list the keys first")


def _end(key_id: UUID, moment: datetime, tx: Transaction) -> None:
    ended = {"expires_at": moment} if moment > tx.recorded_at else {"revoked_at": tx.recorded_at}
    tx.connection.execute(update(credentials).where(credentials.c.id == key_id).values(ended))


def _write(
    command: IssueKey | RotateKey,
    key_id: UUID,
    user_id: UUID,
    name: str,
    scope: Any,
    expires_at: datetime,
    tx: Transaction,
) -> None:
    insert_rows(
        tx.connection,
        credentials,
        [
            {
                "token_hash": command.token_hash,
                "id": key_id,
                "user_id": user_id,
                "kind": "key",
                "name": name,
                "prefix": command.prefix,
                "scope": scope,
                "run_id": None,
                "created_at": tx.recorded_at,
                "expires_at": expires_at,
                "last_used_at": tx.recorded_at,
                "revoked_at": None,
            }
        ],
    )


def _facts(command: IssueKey, _preceding: Sequence[Command], connection: Connection) -> Facts:
    return _power_of(command.user_id, command.commands, connection)


def _facts_of_rotation(command: RotateKey, _preceding: Sequence[Command], connection: Connection) -> Facts:
    key = connection.execute(
        select(credentials.c.user_id, credentials.c.scope).where(
            credentials.c.id == command.key_id, credentials.c.kind == "key"
        )
    ).one_or_none()
    if key is None:
        raise _no_such_key()
    return _power_of(key.user_id, key.scope["commands"], connection)


def _power_of(user_id: UUID, commands: Sequence[str], connection: Connection) -> Facts:
    """A service's secret that may change anything gives power as its roles do; a key of one's own gives nothing new."""
    user = require_user(user_id, connection)
    roles = roles_of(connection, user_id) if user.kind == "service" and commands else ()
    return power_facts(roles, connection)


def register(registry: Registry) -> None:
    """Add the commands about keys."""
    registry.register(Registration(IssueKey, each(_issue), governed=True, facts=facts_each(_facts)))
    registry.register(
        Registration(RotateKey, each(_rotate), governed=True, facts=facts_each(_facts_of_rotation))
    )
    registry.register(Registration(RevokeKey, each(_revoke)))
