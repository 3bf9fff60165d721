"""Erasing who a user was. The account's id stays: entries, decisions and proposals speak of ids alone."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import update

from erp_core.gate.contract import Command, DomainError, Done, Registration, Registry, Task, Transaction, each
from erp_core.gate.model import users
from erp_core.gate.users import require_user

ERASED = "erased"


class StillActive(DomainError):
    """The user may still log in."""

    code = "still_active"


class EraseUser(Command):
    """Blank name, login, password and link to the provider of somebody who was kept out for good. The audit log stays."""

    user_id: UUID

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("user", self.user_id)


def _erase_user(task: Task[EraseUser], tx: Transaction) -> Done:
    user = require_user(task.command.user_id, tx.connection)
    if user.active:
        raise StillActive(
            "this user may still log in", field="user_id", remedy="keep them out first, then erase them"
        )
    tx.connection.execute(
        update(users)
        .where(users.c.id == user.id)
        .values(login=f"{ERASED}-{user.id.hex}", name=ERASED, password_hash=None, subject=None)
    )
    return Done(before={ERASED: user.name == ERASED}, after={ERASED: True})


def register(registry: Registry) -> None:
    """Add the command."""
    registry.register(Registration(EraseUser, each(_erase_user)))
