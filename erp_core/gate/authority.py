"""Who may decide in which role: one's own, or another's, lent for some days.

A right is lent by who holds it, never passed on, and never makes two people of one: who lends and who borrows
count as one person where it is used, and what either of them asked for is not decided in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import Connection, select

from erp_core.gate.contract import Command, Done, NotFound, Registration, Registry, Task, Transaction, each
from erp_core.gate.errors import CannotDelegate
from erp_core.gate.model import (
    delegation_ends,
    delegations,
    proposal_decisions,
    proposal_escalations,
    user_roles,
    users,
)
from erp_core.gate.policies.rules import Authority, Given
from erp_core.gate.principals import Principal
from erp_core.gate.users import require_no_toxic
from erp_core.storage.bulk import insert_rows
from erp_core.storage.lookup import fetch_in

_lender = users.alias("lender")
_LENT = (
    select(
        delegations.c.role,
        delegations.c.amount_below,
        delegations.c.ends_on,
        delegations.c.lender_id,
        _lender.c.login.label("lender"),
        _lender.c.person_id.label("lender_person"),
        users.c.person_id.label("borrower_person"),
    )
    .join(_lender, (_lender.c.id == delegations.c.lender_id) & _lender.c.active)
    .join(users, users.c.id == delegations.c.borrower_id)
    .join(
        user_roles,
        (user_roles.c.user_id == delegations.c.lender_id) & (user_roles.c.role == delegations.c.role),
    )
    .outerjoin(delegation_ends, delegation_ends.c.delegation_id == delegations.c.id)
    .where(delegation_ends.c.delegation_id.is_(None))
)

_APPROVED = (
    select(proposal_decisions, users.c.active)
    .join(users, users.c.id == proposal_decisions.c.user_id)
    .where(proposal_decisions.c.decision == "approve")
)
_ROLES = select(user_roles)
_ESCALATED = select(proposal_escalations)


class DelegateAuthority(Command):
    """Lend one's own right to decide in a role to another person, for some days.

    `starts_on` and `ends_on` are business days, both included; `amount_below` limits it to smaller proposals.
    """

    by_people = True

    delegation_id: UUID
    to_user_id: UUID
    role: str = Field(min_length=1, max_length=20)
    starts_on: date
    ends_on: date
    amount_below: int | None = Field(default=None, gt=0, description="in ten-thousandths")
    reason: str = Field(min_length=1, max_length=500)

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("delegation", self.delegation_id)


class EndDelegation(Command):
    """Take a lent right back, at once; either of the two may."""

    by_people = True

    delegation_id: UUID

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("delegation", self.delegation_id)


def authorities_of(connection: Connection, principal: Principal, today: date) -> list[Authority]:
    """Every role in which this person may decide today: their own, and those lent to them."""
    own = [Authority(role, principal.person) for role in sorted(principal.roles)]
    lent = connection.execute(_lent(today).where(delegations.c.borrower_id == principal.user_id))
    return own + [Authority(row.role, row.lender_person, row.lender_id, row.amount_below) for row in lent]


@dataclass(frozen=True, slots=True)
class LentRight:
    """A role in which somebody may decide today because its holder, by login, lent it until that day, included.

    `amount_below`, in ten-thousandths, limits it to smaller proposals; None: any.
    """

    role: str
    lender: str
    ends_on: date
    amount_below: int | None


def lent_to(connection: Connection, user_id: UUID, today: date) -> list[LentRight]:
    """The rights that this user borrows today, the one that ends first at the top."""
    rows = connection.execute(_lent(today).where(delegations.c.borrower_id == user_id))
    found = [LentRight(row.role, row.lender, row.ends_on, row.amount_below) for row in rows]
    return sorted(found, key=lambda one: (one.ends_on, one.role, one.lender))


@dataclass(frozen=True, slots=True)
class Approval:
    """An approval on record; it `stands` while who gave it is active and has the right they used."""

    given: Given
    stands: bool


def standing_approvals(
    connection: Connection, proposal_ids: Iterable[UUID], today: date
) -> dict[UUID, list[Approval]]:
    """The approvals of each proposal in the order they were given, with whether they still stand."""
    decided = fetch_in(connection, _APPROVED, proposal_decisions.c.proposal_id, proposal_ids)
    if not decided:
        return {}
    people = {row.user_id for row in decided}
    roles: dict[UUID, set[str]] = {}
    for row in fetch_in(connection, _ROLES, user_roles.c.user_id, people):
        roles.setdefault(row.user_id, set()).add(row.role)
    lent = {
        (row.borrower_person, row.lender_person, row.role)
        for row in fetch_in(connection, _lent(today), delegations.c.borrower_id, people)
    }
    found: dict[UUID, list[Approval]] = {}
    for row in sorted(decided, key=lambda row: (row.decided_at, row.id)):
        own = row.person_id == row.authority_id
        right = (
            row.acting_as in roles.get(row.user_id, ())
            if own
            else (row.person_id, row.authority_id, row.acting_as) in lent
        )
        given = Given(row.person_id, row.role, row.authority_id)
        found.setdefault(row.proposal_id, []).append(Approval(given, row.active and right))
    return found


def escalated_to(connection: Connection, proposal_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The role that may stand in for one that is missing, of each proposal that was escalated."""
    rows = fetch_in(connection, _ESCALATED, proposal_escalations.c.proposal_id, proposal_ids)
    return {row.proposal_id: row.role for row in rows}


def list_delegations(connection: Connection, user_id: UUID | None = None) -> list[Mapping[str, Any]]:
    """Rights lent and borrowed, the latest first, with both logins and when they were taken back."""
    query = (
        select(
            delegations,
            _lender.c.login.label("lender"),
            users.c.login.label("borrower"),
            delegation_ends.c.ended_at,
        )
        .join(_lender, _lender.c.id == delegations.c.lender_id)
        .join(users, users.c.id == delegations.c.borrower_id)
        .outerjoin(delegation_ends, delegation_ends.c.delegation_id == delegations.c.id)
        .order_by(delegations.c.id.desc())
    )
    if user_id is not None:
        query = query.where((delegations.c.lender_id == user_id) | (delegations.c.borrower_id == user_id))
    return [dict(row._mapping) for row in connection.execute(query)]


def _lent(today: date) -> Any:
    return _LENT.where(delegations.c.starts_on <= today, delegations.c.ends_on >= today)


def _delegate(task: Task[DelegateAuthority], tx: Transaction) -> Done:
    command, lender = task.command, task.principal
    if command.role not in lender.roles:
        raise CannotDelegate(
            f"you are no {command.role} of your own right",
            field="role",
            remedy="lend a role that you hold; a borrowed one cannot be lent on",
        )
    if not tx.today <= command.ends_on or command.starts_on > command.ends_on:
        raise CannotDelegate("the days are over or upside down", field="ends_on", remedy="name days to come")
    borrower = tx.connection.execute(select(users).where(users.c.id == command.to_user_id)).one_or_none()
    if borrower is None:
        raise NotFound("there is no such user", field="to_user_id", remedy="look the user up first")
    if borrower.kind != "person" or not borrower.active:
        raise CannotDelegate("a right is lent to an active person", field="to_user_id", remedy="name another")
    if borrower.person_id == lender.person:
        raise CannotDelegate("that is you", field="to_user_id", remedy="name another person")
    require_no_toxic((command.role,), borrower.person_id, tx.connection)
    row = {
        "id": command.delegation_id,
        "lender_id": lender.user_id,
        "borrower_id": command.to_user_id,
        **{
            name: getattr(command, name)
            for name in ("role", "starts_on", "ends_on", "amount_below", "reason")
        },
        "audit_id": task.audit_id,
    }
    insert_rows(tx.connection, delegations, [row])
    return Done(result={"delegation_id": str(command.delegation_id)}, after=command.recorded())


def _end(task: Task[EndDelegation], tx: Transaction) -> Done:
    found = tx.connection.execute(
        select(delegations, delegation_ends.c.ended_at)
        .outerjoin(delegation_ends, delegation_ends.c.delegation_id == delegations.c.id)
        .where(delegations.c.id == task.command.delegation_id)
    ).one_or_none()
    if found is None or task.principal.user_id not in (found.lender_id, found.borrower_id):
        raise NotFound("you neither lent nor borrowed it", field="delegation_id", remedy="list yours")
    if found.ended_at is None:
        ended = {"delegation_id": found.id, "ended_at": tx.business_now, "audit_id": task.audit_id}
        insert_rows(tx.connection, delegation_ends, [ended])
    return Done(after={"ended": True})


def register(registry: Registry) -> None:
    """Add the commands that lend rights and take them back."""
    registry.register(Registration(DelegateAuthority, each(_delegate)))
    registry.register(Registration(EndDelegation, each(_end)))
