"""Who must decide on a proposal, who did, and in whose right, as the console tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from erp_core.gate.principals import Principal
from erp_core.gate.queries import ProposalView, list_users, person_name
from erp_core.gate.submission import Gate


@dataclass(frozen=True, slots=True)
class DecisionShown:
    """A decision with the right it was given in, where that was not simply one's own role."""

    person: str
    role: str
    right: str
    decision: str
    comment: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class SeatShown:
    """A role that must agree: how many people, who agreed, and how many are missing."""

    role: str
    people: int
    given: tuple[DecisionShown, ...]
    missing: int

    @property
    def lapsed(self) -> int:
        """Approvals on record that count no more, since who gave them lost the right."""
        return max(len(self.given) + self.missing - self.people, 0)


def decisions_shown(view: ProposalView, connection: Connection) -> list[DecisionShown]:
    """The decisions on a proposal, each with whose right it was."""
    borrowed = any(one["authority_id"] != one["person_id"] for one in view.decisions)
    names = {one.person_id: one.name for one in list_users(connection)} if borrowed else {}
    return [
        DecisionShown(
            one["person"], one["role"], _right(one, names), one["decision"], one["comment"], one["decided_at"]
        )
        for one in view.decisions
    ]


def _right(one: Mapping[str, Any], names: Mapping[UUID, str]) -> str:
    told = []
    if one["authority_id"] != one["person_id"]:
        told.append(f"by the right that {names.get(one['authority_id'], 'somebody')} lent")
    if one["acting_as"] != one["role"]:
        told.append(f"standing in as {one['acting_as']}")
    return ", ".join(told)


def seats_shown(
    view: ProposalView, decisions: list[DecisionShown], missing: Mapping[str, int]
) -> list[SeatShown]:
    """The roles that must agree, in the order the policy names them."""
    return [
        SeatShown(
            one["role"],
            one["people"],
            tuple(each for each in decisions if each.decision == "approve" and each.role == one["role"]),
            missing.get(one["role"], 0) if view.status == "pending" else 0,
        )
        for one in view.approvers
    ]


def lender_of(view: ProposalView, viewer: Principal, gate: Gate, connection: Connection) -> str | None:
    """Whose lent right the viewer would decide with; None where it is their own."""
    (seating,) = gate.advice.deciding([view], viewer, connection)
    lender = seating.authority.lender if seating.authority is not None else None
    return None if lender is None else person_name(connection, lender)
