"""Roles given and taken. Who gives never gets; a role with power needs a second person, by policy."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, delete

from erp_core.gate.contract import (
    Command,
    Done,
    Facts,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
    facts_each,
)
from erp_core.gate.credentials import roles_of
from erp_core.gate.model import user_roles
from erp_core.gate.users import (
    INDISPENSABLE,
    power_facts,
    require_another,
    require_fitting,
    require_no_toxic,
    require_not_last,
    require_roles,
    require_user,
)
from erp_core.storage.bulk import insert_missing


class GrantRole(Command):
    """Give a user a role. Nobody gives one to themself, nor two roles that check each other to one person."""

    user_id: UUID
    role: str

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("user", self.user_id)


class RevokeRole(Command):
    """Take a role from a user; it holds for their next request."""

    user_id: UUID
    role: str

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("user", self.user_id)


def _grant(task: Task[GrantRole], tx: Transaction) -> Done:
    command = task.command
    require_roles((command.role,))
    user = require_user(command.user_id, tx.connection)
    require_fitting((command.role,), user.kind)
    require_another(task, user.person_id, tx.connection)
    before = roles_of(tx.connection, command.user_id)
    require_no_toxic((command.role,), user.person_id, tx.connection)
    insert_missing(tx.connection, user_roles, [{"user_id": command.user_id, "role": command.role}])
    return Done(before={"roles": sorted(before)}, after={"roles": sorted(before | {command.role})})


def _revoke(task: Task[RevokeRole], tx: Transaction) -> Done:
    command = task.command
    require_roles((command.role,))
    require_user(command.user_id, tx.connection)
    before = roles_of(tx.connection, command.user_id)
    if command.role in INDISPENSABLE:
        require_not_last(command.role, command.user_id, tx.connection)
    tx.connection.execute(
        delete(user_roles).where(user_roles.c.user_id == command.user_id, user_roles.c.role == command.role)
    )
    return Done(before={"roles": sorted(before)}, after={"roles": sorted(before - {command.role})})


def _facts(command: GrantRole, _preceding: Sequence[Command], connection: Connection) -> Facts:
    return power_facts([command.role], connection)


def register(registry: Registry) -> None:
    """Add the commands about roles."""
    registry.register(Registration(GrantRole, each(_grant), governed=True, facts=facts_each(_facts)))
    registry.register(Registration(RevokeRole, each(_revoke)))
