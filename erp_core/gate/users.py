"""Users: the people and services that may act, and the natural person behind each account."""

from __future__ import annotations

import unicodedata
from typing import Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import Connection, select, update

from erp_core.gate.contract import (
    Command,
    DomainError,
    Done,
    NotFound,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
)
from erp_core.gate.errors import UnknownRole
from erp_core.gate.model import user_roles, users
from erp_core.gate.roles import ROLES
from erp_core.storage.bulk import insert_rows


class LoginTaken(DomainError):
    """Another user has this login."""

    code = "login_taken"


class NamesakeExists(DomainError):
    """Somebody of this name has an account, and it is not said whether it is the same person."""

    code = "namesake_exists"


class CreateUser(Command):
    """Add a person or service with roles. The password arrives hashed.

    `person_id` is the person behind the account: several accounts of one person share it, and rules that
    ask for another person compare it. Left out, the account stands for a person of its own; `namesake` then
    says that this is somebody else than the one of the same name who has an account already.
    """

    personal = frozenset({"person_name", "password_hash"})

    user_id: UUID
    login: str = Field(min_length=2, max_length=80)
    person_name: str = Field(min_length=1, max_length=120)
    kind: Literal["person", "service"] = "person"
    roles: tuple[str, ...] = Field(min_length=1)
    password_hash: str | None = None
    person_id: UUID | None = None
    namesake: bool = False

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("user", self.user_id)


class SetUserActive(Command):
    """Let a user in, or keep them out."""

    user_id: UUID
    active: bool

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("user", self.user_id)


def normalised_name(name: str) -> str:
    """A name without case, accents and odd spacing, to tell that two are written alike."""
    plain = unicodedata.normalize("NFKD", name)
    return " ".join("".join(one for one in plain if not unicodedata.combining(one)).casefold().split())


def require_roles(roles: tuple[str, ...]) -> None:
    """Raise `UnknownRole` for the first role that the role table does not have."""
    unknown = sorted(set(roles) - set(ROLES))
    if unknown:
        raise UnknownRole(
            f"there is no role {unknown[0]}",
            field="roles",
            remedy=f"use one of {', '.join(ROLES)}",
            roles=unknown,
        )


def _create_user(task: Task[CreateUser], tx: Transaction) -> Done:
    command = task.command
    require_roles(command.roles)
    if tx.connection.scalar(select(users.c.id).where(users.c.login == command.login)) is not None:
        raise LoginTaken(f"{command.login} is taken", field="login", remedy="choose another login")
    insert_rows(
        tx.connection,
        users,
        [
            {
                "id": command.user_id,
                "person_id": _person_behind(command, tx.connection),
                "login": command.login,
                "name": command.person_name,
                "kind": command.kind,
                "password_hash": command.password_hash,
                "active": True,
            }
        ],
    )
    insert_rows(
        tx.connection, user_roles, [{"user_id": command.user_id, "role": role} for role in command.roles]
    )
    return Done(result={"user_id": str(command.user_id)})


def _person_behind(command: CreateUser, connection: Connection) -> UUID:
    if command.person_id is not None and command.person_id != command.user_id:
        if (
            connection.scalar(select(users.c.id).where(users.c.person_id == command.person_id).limit(1))
            is None
        ):
            raise NotFound(
                "no account belongs to this person",
                field="person_id",
                remedy="quote the person_id that the person's other account shows",
            )
        return command.person_id
    if command.kind == "person" and not command.namesake:
        wanted = normalised_name(command.person_name)
        for row in connection.execute(
            select(users.c.name, users.c.login, users.c.person_id).where(users.c.kind == "person")
        ):
            if normalised_name(row.name) == wanted:
                raise NamesakeExists(
                    f"the account {row.login} belongs to somebody of this name",
                    field="person_id",
                    remedy=f"state person_id {row.person_id} if it is the same person, else namesake=true",
                    person_id=row.person_id,
                )
    return command.user_id


def _set_user_active(task: Task[SetUserActive], tx: Transaction) -> Done:
    changed = tx.connection.execute(
        update(users).where(users.c.id == task.command.user_id).values(active=task.command.active)
    )
    if changed.rowcount == 0:
        raise NotFound("there is no such user", field="user_id", remedy="look the user up first")
    return Done(after={"active": task.command.active})


def register(registry: Registry) -> None:
    """Add the commands about users."""
    registry.register(Registration(CreateUser, each(_create_user)))
    registry.register(Registration(SetUserActive, each(_set_user_active)))
