"""How a user gets in: password, sessions, lock-out, and the identity provider's subject."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from pydantic import Field
from sqlalchemy import Connection, select, update

from erp_core.gate import lockout
from erp_core.gate.contract import (
    Command,
    DomainError,
    Done,
    Facts,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
    facts_each,
)
from erp_core.gate.credentials import end_all, roles_of
from erp_core.gate.model import users
from erp_core.gate.principals import Principal
from erp_core.gate.users import power_facts, require_another, require_user

ADMINISTRATOR = "admin"


class NotYourAccount(DomainError):
    """Only its user, or for some things an administrator, may do this with an account."""

    code = "not_your_account"


class SubjectTaken(DomainError):
    """Another account belongs to this subject of the identity provider."""

    code = "subject_taken"


class ChangePassword(Command):
    """Set one's own password; it arrives hashed. All other sessions end."""

    personal = frozenset({"password_hash"})

    user_id: UUID
    password_hash: str = Field(min_length=20)
    kept_session: UUID | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("user", self.user_id)


class EndSessions(Command):
    """Log a user out: of one session, of all but one, or everywhere. One's own, or by an administrator."""

    user_id: UUID
    session_id: UUID | None = None
    kept_session: UUID | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("user", self.user_id)


class UnlockLogin(Command):
    """Let a user try to log in again before their lock-out ends."""

    user_id: UUID

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("user", self.user_id)


class LinkIdentity(Command):
    """Let a subject of the identity provider log in as this user; no subject takes that away."""

    user_id: UUID
    issuer: str = Field(default="", max_length=160)
    subject_id: str | None = Field(default=None, min_length=1, max_length=90)

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("user", self.user_id)


def subject_key(issuer: str, subject: str) -> str:
    """Issuer and subject as an account keeps them: subjects are unique to their issuer alone."""
    return f"{issuer}|{subject}"


def require_own_or_admin(principal: Principal, user_id: UUID) -> None:
    """Raise `NotYourAccount` unless the account is the principal's own or the principal administers."""
    if principal.user_id != user_id and ADMINISTRATOR not in principal.roles:
        raise NotYourAccount(
            "this is somebody else's account", field="user_id", remedy="ask an administrator"
        )


def _change_password(task: Task[ChangePassword], tx: Transaction) -> Done:
    command = task.command
    if task.principal.user_id != command.user_id:
        raise NotYourAccount(
            "nobody sets another's password", field="user_id", remedy="let them change it themselves"
        )
    tx.connection.execute(
        update(users).where(users.c.id == command.user_id).values(password_hash=command.password_hash)
    )
    ended = end_all(
        tx.connection,
        command.user_id,
        tx.recorded_at,
        kinds=frozenset({"session", "agent"}),
        but=command.kept_session,
    )
    return Done(result={"ended": ended})


def _end_sessions(task: Task[EndSessions], tx: Transaction) -> Done:
    command = task.command
    require_own_or_admin(task.principal, command.user_id)
    require_user(command.user_id, tx.connection)
    ended = end_all(
        tx.connection,
        command.user_id,
        tx.recorded_at,
        kinds=frozenset({"session", "agent"}),
        only=command.session_id,
        but=command.kept_session,
    )
    return Done(result={"ended": ended})


def _unlock(task: Task[UnlockLogin], tx: Transaction) -> Done:
    user = require_user(task.command.user_id, tx.connection)
    return Done(result={"was_counted": lockout.forget(tx.connection, user.login)})


def _link(task: Task[LinkIdentity], tx: Transaction) -> Done:
    command = task.command
    user = require_user(command.user_id, tx.connection)
    key = None if command.subject_id is None else subject_key(command.issuer, command.subject_id)
    if key is not None:
        require_another(task, user.person_id, tx.connection)
        taken = select(users.c.id).where(users.c.subject == key, users.c.id != command.user_id)
        if tx.connection.scalar(taken) is not None:
            raise SubjectTaken(
                "another account belongs to this subject", field="subject_id", remedy="unlink that one first"
            )
    tx.connection.execute(update(users).where(users.c.id == command.user_id).values(subject=key))
    return Done(before={"linked": user.subject is not None}, after={"linked": key is not None})


def _facts_of_link(command: LinkIdentity, _preceding: Sequence[Command], connection: Connection) -> Facts:
    roles = roles_of(connection, command.user_id) if command.subject_id is not None else ()
    return power_facts(roles, connection)


def register(registry: Registry) -> None:
    """Add the commands about getting in."""
    registry.register(Registration(ChangePassword, each(_change_password)))
    registry.register(Registration(EndSessions, each(_end_sessions)))
    registry.register(Registration(UnlockLogin, each(_unlock)))
    registry.register(
        Registration(LinkIdentity, each(_link), governed=True, facts=facts_each(_facts_of_link))
    )
