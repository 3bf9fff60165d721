"""Reads of the gate: proposals as people see them, the audit log, users."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from erp_core.gate.model import (
    audit_checkpoints,
    audit_entries,
    audit_leaves,
    company,
    execution_attempts,
    executions,
    proposal_decisions,
    proposal_states,
    proposals,
    user_roles,
    users,
)
from erp_core.gate.rules import REVISABLE
from erp_core.storage.lookup import fetch_in


@dataclass(frozen=True, slots=True)
class ProposalView:
    """A proposal with its state, decisions, failed attempts and result. Moments are in business time."""

    id: UUID
    chain_id: UUID
    version: int
    title: str
    reason: str
    status: str
    note: str | None
    payload: list[dict[str, Any]]
    payload_hash: str
    read_set: list[dict[str, Any]]
    evidence: list[dict[str, Any]]
    facts: dict[str, Any]
    policies: list[dict[str, Any]]
    policy_name: str
    approvers: list[dict[str, Any]]
    in_order: bool
    escalation: dict[str, Any] | None
    escalates_at: datetime | None
    review: dict[str, Any] | None
    compensation: list[dict[str, Any]]
    amount: int | None
    urgent: bool
    requested_by: UUID
    requester: str
    via: str
    tainted: bool
    created_at: datetime
    expires_at: datetime
    decisions: tuple[dict[str, Any], ...]
    attempts: tuple[dict[str, Any], ...]
    results: list[dict[str, Any]] | None


def list_proposals(
    connection: Connection,
    *,
    status: str | None = "pending",
    closed: bool = False,
    requested_by: UUID | None = None,
    ids: Sequence[UUID] | None = None,
    chain_id: UUID | None = None,
    limit: int = 100,
    offset: int = 0,
) -> tuple[list[ProposalView], int]:
    """Proposals, newest first (their ids tell; a fixed business date has no order of its own), with the total count before the cut. `status=None` gives all.

    `closed` leaves out those that still wait and gives what was decided last first, by when it was made where nobody decided.
    """
    query = (
        select(proposals, proposal_states.c.status, proposal_states.c.note, users.c.name.label("requester"))
        .join(proposal_states, proposal_states.c.proposal_id == proposals.c.id)
        .join(users, users.c.id == proposals.c.requested_by)
    )
    if status is not None:
        query = query.where(proposal_states.c.status == status)
    if closed:
        query = query.where(proposal_states.c.status != "pending")
    if requested_by is not None:
        query = query.where(proposals.c.requested_by == requested_by)
    if ids is not None:
        query = query.where(proposals.c.id.in_(ids))
    if chain_id is not None:
        query = query.where(proposals.c.chain_id == chain_id)
    total = connection.scalar(select(func.count()).select_from(query.subquery())) or 0
    decided = (
        select(func.max(proposal_decisions.c.decided_at))
        .where(proposal_decisions.c.proposal_id == proposals.c.id)
        .scalar_subquery()
    )
    newest = (func.coalesce(decided, proposals.c.created_at).desc(), proposals.c.id.desc())
    ordered = query.order_by(*newest if closed else newest[1:])
    rows = connection.execute(ordered.limit(limit).offset(offset)).all()
    found = [row.id for row in rows]
    decisions = _grouped(
        connection,
        select(proposal_decisions, users.c.name.label("person"))
        .join(users, users.c.id == proposal_decisions.c.user_id)
        .where(proposal_decisions.c.proposal_id.in_(found))
        .order_by(proposal_decisions.c.id),
        (
            "person",
            "user_id",
            "person_id",
            "authority_id",
            "decision",
            "role",
            "acting_as",
            "comment",
            "decided_at",
        ),
    )
    attempts = _grouped(
        connection,
        select(execution_attempts)
        .where(execution_attempts.c.proposal_id.in_(found))
        .order_by(execution_attempts.c.id),
        ("error", "attempted_at"),
    )
    results = {
        row.proposal_id: row.results
        for row in connection.execute(select(executions).where(executions.c.proposal_id.in_(found)))
    }
    fields = [name for name in ProposalView.__slots__ if name not in ("decisions", "attempts", "results")]
    views = [
        ProposalView(
            **{name: getattr(row, name) for name in fields},
            decisions=tuple(decisions.get(row.id, ())),
            attempts=tuple(attempts.get(row.id, ())),
            results=results.get(row.id),
        )
        for row in rows
    ]
    return views, total


def proposed_in(connection: Connection, run_id: UUID, title: str) -> list[tuple[Any, str]]:
    """Payload and status of each proposal of this title that a run of an agent opened."""
    query = (
        select(proposals.c.payload, proposal_states.c.status)
        .join(proposal_states, proposal_states.c.proposal_id == proposals.c.id)
        .where(proposals.c.run_id == run_id, proposals.c.title == title[:200])
    )
    return [(row.payload, row.status) for row in connection.execute(query)]


def get_proposal(connection: Connection, proposal_id: UUID) -> ProposalView | None:
    """One proposal, whatever its status."""
    views, _ = list_proposals(connection, status=None, ids=[proposal_id])
    return views[0] if views else None


def revisable_ids(
    connection: Connection, user_id: UUID, now: datetime, *, days: int = 30, limit: int = 100
) -> list[UUID]:
    """The newest versions that this user asked for and that another may follow, the newest first.

    One that ended without a decision for it is left out some days after.
    """
    newest = proposals.alias("newest")
    query = (
        select(proposals.c.id)
        .join(proposal_states, proposal_states.c.proposal_id == proposals.c.id)
        .where(
            proposals.c.requested_by == user_id,
            proposal_states.c.status.in_(sorted(REVISABLE)),
            (proposal_states.c.status == "pending")
            | (proposal_states.c.changed_at > now - timedelta(days=days)),
            ~select(newest.c.id)
            .where(newest.c.chain_id == proposals.c.chain_id, newest.c.version > proposals.c.version)
            .exists(),
        )
        .order_by(proposals.c.id.desc())
        .limit(limit)
    )
    return list(connection.scalars(query))


def _grouped(connection: Connection, query: Any, names: Sequence[str]) -> dict[UUID, list[dict[str, Any]]]:
    groups: dict[UUID, list[dict[str, Any]]] = {}
    for row in connection.execute(query):
        groups.setdefault(row.proposal_id, []).append({name: getattr(row, name) for name in names})
    return groups


@dataclass(frozen=True, slots=True)
class AuditView:
    """An audit entry with the name of who acted and its place in the sealed log (None: not sealed yet)."""

    id: UUID
    recorded_at: datetime
    occurred_at: datetime
    principal_kind: str
    principal_id: UUID
    person: str | None
    on_behalf_of: UUID | None
    command: str
    outcome: str
    subject_kind: str | None
    subject_id: UUID | None
    rule: str
    proposal_id: UUID | None
    payload: Any
    before: Any
    after: Any
    error: Any
    leaf: int | None


def list_audit(
    connection: Connection,
    *,
    command: str | None = None,
    outcome: str | None = None,
    principal_id: UUID | None = None,
    subject_id: UUID | None = None,
    proposal_id: UUID | None = None,
    ids: Sequence[UUID] | None = None,
    limit: int = 100,
    before: datetime | None = None,
) -> list[AuditView]:
    """Audit entries, newest first. `before` pages on by `recorded_at`."""
    query = (
        select(audit_entries, users.c.name.label("person"), audit_leaves.c.leaf)
        .outerjoin(users, users.c.id == audit_entries.c.principal_id)
        .outerjoin(audit_leaves, audit_leaves.c.audit_id == audit_entries.c.id)
    )
    for column, value in (
        (audit_entries.c.command, command),
        (audit_entries.c.outcome, outcome),
        (audit_entries.c.principal_id, principal_id),
        (audit_entries.c.subject_id, subject_id),
        (audit_entries.c.proposal_id, proposal_id),
    ):
        if value is not None:
            query = query.where(column == value)
    if ids is not None:
        query = query.where(audit_entries.c.id.in_(ids))
    if before is not None:
        query = query.where(audit_entries.c.recorded_at < before)
    rows = connection.execute(
        query.order_by(audit_entries.c.recorded_at.desc(), audit_entries.c.id.desc()).limit(limit)
    )
    return [AuditView(**{name: getattr(row, name) for name in AuditView.__slots__}) for row in rows]


def who_acted(connection: Connection, audit_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Who acted in each of these audit entries, by the name of the login."""
    statement = select(audit_entries.c.id, users.c.name).join(
        users, users.c.id == audit_entries.c.principal_id
    )
    return {row.id: row.name for row in fetch_in(connection, statement, audit_entries.c.id, set(audit_ids))}


@dataclass(frozen=True, slots=True)
class SealState:
    """How far the log is sealed."""

    entries: int
    sealed: int
    root: str | None
    sealed_at: datetime | None


def seal_state(connection: Connection) -> SealState:
    """Counts and the newest checkpoint."""
    entries = connection.scalar(select(func.count()).select_from(audit_entries)) or 0
    last = connection.execute(
        select(audit_checkpoints).order_by(audit_checkpoints.c.size.desc()).limit(1)
    ).one_or_none()
    return SealState(
        entries, last.size if last else 0, last.root if last else None, last.sealed_at if last else None
    )


def company_facts(connection: Connection) -> dict[str, str]:
    """Name, currency, fixed business date and the like."""
    return {row.key: row.value for row in connection.execute(select(company))}


@dataclass(frozen=True, slots=True)
class UserView:
    """A user as lists show them."""

    id: UUID
    login: str
    name: str
    kind: str
    active: bool
    person_id: UUID
    roles: tuple[str, ...]


def person_name(connection: Connection, user_id: UUID) -> str | None:
    """What the user is called, None where there is no such user."""
    name: str | None = connection.scalar(select(users.c.name).where(users.c.id == user_id))
    return name


def list_users(connection: Connection) -> list[UserView]:
    """All users, by login."""
    roles: dict[UUID, list[str]] = {}
    for row in connection.execute(select(user_roles).order_by(user_roles.c.role)):
        roles.setdefault(row.user_id, []).append(row.role)
    own = [name for name in UserView.__slots__ if name != "roles"]
    rows = connection.execute(select(users).order_by(users.c.login))
    return [
        UserView(**{name: getattr(row, name) for name in own}, roles=tuple(roles.get(row.id, ())))
        for row in rows
    ]
