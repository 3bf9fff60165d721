"""Whether a person may decide on proposals now, in which role and by whose right: asked for many at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.gate.authority import Approval, authorities_of, escalated_to, standing_approvals
from erp_core.gate.contract import Command, DomainError, Duty
from erp_core.gate.errors import NotAnApprover, OwnProposal
from erp_core.gate.model import proposals, users
from erp_core.gate.policies.rules import (
    Approvers,
    Authority,
    Seat,
    missing_approvals,
    open_roles,
    seat_for,
)
from erp_core.gate.principals import Principal
from erp_core.gate.requirements import duty_from
from erp_core.gate.separation import people_kept_away
from erp_core.storage.lookup import fetch_in

_ASKED = select(proposals.c.chain_id, proposals.c.version, users.c.person_id).join(
    users, users.c.id == proposals.c.requested_by
)


class Waiting(Protocol):
    """What is known of a proposal that waits."""

    @property
    def id(self) -> UUID: ...
    @property
    def chain_id(self) -> UUID: ...
    @property
    def version(self) -> int: ...
    @property
    def facts(self) -> dict[str, Any]: ...
    @property
    def approvers(self) -> list[dict[str, Any]]: ...
    @property
    def in_order(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Seating:
    """What is still missing, and where this person fits in, or why they do not."""

    missing: Mapping[str, int]
    role: str | None
    authority: Authority | None
    why_not: DomainError | None


def seatings(
    waiting: Sequence[tuple[Waiting, Sequence[Command]]],
    principal: Principal,
    duties_of: Callable[[Sequence[Command]], Iterable[Duty]],
    connection: Connection,
    today: date,
) -> list[Seating]:
    """For each proposal, given with its commands: may this person decide? Six statements for any number of them."""
    found = [one for one, _ in waiting]
    if not found:
        return []
    askers: dict[UUID, list[tuple[int, UUID]]] = {}
    for row in fetch_in(connection, _ASKED, proposals.c.chain_id, {one.chain_id for one in found}):
        askers.setdefault(row.chain_id, []).append((row.version, row.person_id))
    approvals = standing_approvals(connection, [one.id for one in found], today)
    escalated = escalated_to(connection, [one.id for one in found])
    held = authorities_of(connection, principal, today)
    wanted = [
        [*duties_of(commands), *(duty_from(duty) for duty in one.facts.get("approver_duties", ()))]
        for one, commands in waiting
    ]
    kept_away = people_kept_away(wanted, connection)
    return [
        _seating(
            one,
            principal.person,
            held,
            {person for version, person in askers[one.chain_id] if version <= one.version},
            away,
            approvals.get(one.id, ()),
            escalated.get(one.id),
        )
        for one, away in zip(found, kept_away, strict=True)
    ]


def _seating(
    one: Waiting,
    person: UUID,
    held: Sequence[Authority],
    askers: set[UUID],
    kept_away: Mapping[UUID, str],
    approvals: Sequence[Approval],
    stand_in: str | None,
) -> Seating:
    missing = missing_approvals(needed(one.approvers), [each.given for each in approvals if each.stands])
    used = {behind for each in approvals for behind in each.given.people}
    if person in askers:
        why = OwnProposal("who asked may not decide", remedy="another person must decide")
        return Seating(missing, None, None, why)
    if person in kept_away:
        why = OwnProposal(kept_away[person], remedy="another person with the role must decide")
        return Seating(missing, None, None, why)
    if person in used:
        known = NotAnApprover("you decided on this already", remedy="another person must decide")
        return Seating(missing, None, None, known)
    seat = Seat(
        open_roles(missing, in_order=one.in_order),
        one.facts.get("amount"),
        askers | kept_away.keys() | used,
        stand_in,
    )
    fitting = seat_for(held, seat)
    if fitting is None:
        wanted = " and ".join(f"{missing[role]} {role}" for role in seat.roles)
        none = NotAnApprover(
            f"the policy asks for {wanted}", remedy=f"a person with the role must decide: {wanted}"
        )
        return Seating(missing, None, None, none)
    return Seating(missing, *fitting, None)


def needed(approvers: Iterable[Mapping[str, Any]]) -> Approvers:
    """The approvers of a proposal as (role, people)."""
    return tuple((entry["role"], entry["people"]) for entry in approvers)
