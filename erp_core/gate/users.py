"""Users: the people and services that may act, and the natural person behind each account."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import Connection, Row, select, update

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
from erp_core.gate.credentials import end_all, roles_of
from erp_core.gate.errors import UnknownRole
from erp_core.gate.model import proposal_decisions, user_roles, users
from erp_core.gate.principals import INSTALLER
from erp_core.gate.roles import POWER_ROLES, ROLES, SYSTEM_ROLES, toxic_with
from erp_core.storage.bulk import insert_rows

APPROVER = "manager"
INDISPENSABLE = frozenset({"admin", APPROVER})


class LoginTaken(DomainError):
    """Another user has this login."""

    code = "login_taken"


class NamesakeExists(DomainError):
    """Somebody of this name has an account, and it is not said whether it is the same person."""

    code = "namesake_exists"


class ServiceWithPassword(DomainError):
    """A service account shows a key; it has no password."""

    code = "service_with_password"


class LastOfRole(DomainError):
    """Nobody else could administer, or decide, any more."""

    code = "last_of_role"


class OwnAccount(DomainError):
    """Nobody gives power to themself, through whichever of their accounts."""

    code = "own_account"


class ToxicRoles(DomainError):
    """One person would hold two roles that must check each other."""

    code = "toxic_roles"


class CreateUser(Command):
    """Add a person or service with roles. The password arrives hashed; a service has none, but keys.

    `person_id` is the person behind the account: several accounts of one person share it, and rules that
    ask for another person compare it. Left out, the account stands for a person of its own; `namesake` then
    says that this is somebody else than the one of the same name who has an account already. A supplier's login
    names its `supplier_id`, and acts for that supplier alone.
    """

    personal = frozenset({"person_name", "password_hash"})

    user_id: UUID
    login: str = Field(min_length=2, max_length=80)
    person_name: str = Field(min_length=1, max_length=120)
    kind: Literal["person", "service"] = "person"
    roles: tuple[str, ...] = ()
    password_hash: str | None = None
    person_id: UUID | None = None
    namesake: bool = False
    supplier_id: UUID | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("user", self.user_id)


class SetUserActive(Command):
    """Let a user in, or keep them out: their sessions, keys and agents end at once."""

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


def require_fitting(roles: Sequence[str], kind: str) -> None:
    """Raise `ToxicRoles` where a person would come to hold a role of the system's own services."""
    served = sorted(SYSTEM_ROLES & set(roles))
    if served and kind == "person":
        raise ToxicRoles(
            f"{served[0]} is a role of the system's own services", field="roles", remedy="use another role"
        )


def _create_user(task: Task[CreateUser], tx: Transaction) -> Done:
    command = task.command
    require_roles(command.roles)
    if command.kind == "service" and command.password_hash is not None:
        raise ServiceWithPassword(
            "a service account has no password", field="password_hash", remedy="issue a key for it instead"
        )
    if tx.connection.scalar(select(users.c.id).where(users.c.login == command.login)) is not None:
        raise LoginTaken(f"{command.login} is taken", field="login", remedy="choose another login")
    person_id = _person_behind(command, tx.connection)
    if task.principal != INSTALLER:
        require_fitting(command.roles, command.kind)
        require_no_toxic(command.roles, person_id, tx.connection)
    if command.roles:
        require_another(task, person_id, tx.connection)
    insert_rows(
        tx.connection,
        users,
        [
            {
                "id": command.user_id,
                "person_id": person_id,
                "login": command.login,
                "name": command.person_name,
                "kind": command.kind,
                "password_hash": command.password_hash,
                "supplier_id": command.supplier_id,
                "active": True,
            }
        ],
    )
    insert_rows(
        tx.connection,
        user_roles,
        [{"user_id": command.user_id, "role": role} for role in dict.fromkeys(command.roles)],
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
    command = task.command
    user = require_user(command.user_id, tx.connection)
    roles = roles_of(tx.connection, command.user_id)
    if command.active:
        require_another(task, user.person_id, tx.connection)
        require_no_toxic(sorted(roles), user.person_id, tx.connection)
    else:
        for role in sorted(INDISPENSABLE & roles):
            require_not_last(role, command.user_id, tx.connection)
        end_all(tx.connection, command.user_id, tx.recorded_at)
    tx.connection.execute(update(users).where(users.c.id == command.user_id).values(active=command.active))
    return Done(before={"active": user.active}, after={"active": command.active})


def require_user(user_id: UUID, connection: Connection) -> Row[Any]:
    """The user's row. Raises `NotFound`."""
    row = connection.execute(select(users).where(users.c.id == user_id)).one_or_none()
    if row is None:
        raise NotFound("there is no such user", field="user_id", remedy="look the user up first")
    return row


def require_another(task: Task[Any], person_id: UUID, connection: Connection) -> None:
    """Raise `OwnAccount` where the person behind an account asked for it, or approved it, with whichever account."""
    decided = (
        select(proposal_decisions.c.id)
        .join(users, users.c.id == proposal_decisions.c.user_id)
        .where(proposal_decisions.c.proposal_id == task.proposal_id, users.c.person_id == person_id)
    )
    asked = person_id == task.principal.person
    if asked or (task.proposal_id is not None and connection.scalar(decided) is not None):
        raise OwnAccount(
            "nobody gives power to themself",
            field="user_id",
            remedy="let somebody else ask for it and agree to it",
        )


def require_not_last(role: str, user_id: UUID, connection: Connection) -> None:
    """Raise `LastOfRole` where the user is the only active person with the role; rivals wait for each other."""
    holders = connection.scalars(
        select(user_roles.c.user_id)
        .where(user_roles.c.role == role)
        .order_by(user_roles.c.user_id)
        .with_for_update()
    ).all()
    others = connection.scalar(
        select(users.c.id)
        .where(users.c.id.in_(holders), users.c.id != user_id, users.c.active, users.c.kind == "person")
        .limit(1)
    )
    if user_id in holders and others is None:
        raise LastOfRole(
            f"nobody else who is active has the role {role}",
            field="user_id",
            remedy=f"give another person the role {role} first",
        )


def require_no_toxic(roles: Sequence[str], person_id: UUID, connection: Connection) -> None:
    """Raise `ToxicRoles` where a person would come to hold two roles that check each other, by all their accounts."""
    held = connection.scalars(
        select(user_roles.c.role)
        .join(users, users.c.id == user_roles.c.user_id)
        .where(users.c.person_id == person_id, users.c.active)
    ).all()
    for role in roles:
        toxic = sorted(toxic_with(role) & {*held, *roles})
        if toxic:
            raise ToxicRoles(
                f"the same person would be {toxic[0]} and {role}, which check each other",
                field="roles",
                remedy=f"take {toxic[0]} away first, or give {role} to somebody else",
                roles=[role, *toxic],
            )


def power_facts(roles: Iterable[str], connection: Connection) -> Facts:
    """What policy asks about giving roles: whether one of them gives power, and whether there is nobody to ask yet."""
    approver = (
        select(user_roles.c.user_id)
        .join(users, users.c.id == user_roles.c.user_id)
        .where(user_roles.c.role == APPROVER, users.c.active, users.c.kind == "person")
        .limit(1)
    )
    return {
        "grants_power": not POWER_ROLES.isdisjoint(roles),
        "founding": connection.scalar(approver) is None,
    }


def _facts_of_new(command: CreateUser, _preceding: Sequence[Command], connection: Connection) -> Facts:
    return power_facts(command.roles, connection)


def _facts_of_activity(
    command: SetUserActive, _preceding: Sequence[Command], connection: Connection
) -> Facts:
    roles = roles_of(connection, command.user_id) if command.active else ()
    return power_facts(roles, connection)


def register(registry: Registry) -> None:
    """Add the commands about users."""
    registry.register(
        Registration(CreateUser, each(_create_user), governed=True, facts=facts_each(_facts_of_new))
    )
    registry.register(
        Registration(
            SetUserActive, each(_set_user_active), governed=True, facts=facts_each(_facts_of_activity)
        )
    )
