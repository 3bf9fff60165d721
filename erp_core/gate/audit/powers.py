"""Who may do what and which rules hold, held against what the log says: powers and rules that no command gave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.gate.audit.findings import Finding
from erp_core.gate.model import (
    approval_policies,
    audit_entries,
    delegations,
    separation_rules,
    user_roles,
    users,
)

_ACCOUNTS = ("CreateUser", "GrantRole", "RevokeRole", "SetUserActive")
_RULES = ("SaveApprovalPolicy", "SaveSeparationRule", "DelegateAuthority")


def unfounded(connection: Connection) -> Iterator[Finding]:
    """Accounts, roles, policies, rules of separation and lent rights that are not what commands made them."""
    told = list(_told(connection, (*_ACCOUNTS, *_RULES)))
    yield from _accounts(connection, [row for row in told if row.command in _ACCOUNTS])
    yield from _policies(connection, [row for row in told if row.command == "SaveApprovalPolicy"])
    by_id = {row.id: row for row in told}
    for table, command, fields in (
        (separation_rules, "SaveSeparationRule", {"duty": "duty", "other": "other", "active": "active"}),
        (delegations, "DelegateAuthority", {"role": "role", "borrower_id": "to_user_id"}),
    ):
        for row in connection.execute(select(table)):
            entry = by_id.get(row.audit_id)
            if entry is None or entry.command != command or entry.subject_id != row.id:
                yield _finding(table.name, row.id, "no command of the log made this")
            elif any(
                str(getattr(row, name)) != str(entry.payload.get(said)) for name, said in fields.items()
            ):
                yield _finding(table.name, row.id, "it is not what its command said")


def _told(connection: Connection, commands: tuple[str, ...]) -> Iterator[Any]:
    """The executed commands of these names, in the order in which they were recorded."""
    query = (
        select(
            audit_entries.c.id,
            audit_entries.c.command,
            audit_entries.c.subject_id,
            audit_entries.c.principal_id,
            audit_entries.c.payload,
            audit_entries.c.after,
        )
        .where(audit_entries.c.outcome == "executed", audit_entries.c.command.in_(commands))
        .order_by(audit_entries.c.recorded_at, audit_entries.c.id)
    )
    yield from connection.execute(query.execution_options(yield_per=1_000))


def _accounts(connection: Connection, told: list[Any]) -> Iterator[Finding]:
    roles: dict[UUID, set[str]] = {}
    active: dict[UUID, bool] = {}
    person: dict[UUID, UUID] = {}
    for row in told:
        user_id, payload = row.subject_id, row.payload
        if row.command == "CreateUser":
            roles[user_id], active[user_id] = set(payload.get("roles", ())), True
            person[user_id] = UUID(payload["person_id"]) if payload.get("person_id") else user_id
        elif row.command == "GrantRole":
            roles.setdefault(user_id, set()).add(payload["role"])
        elif row.command == "RevokeRole":
            roles.setdefault(user_id, set()).discard(payload["role"])
        else:
            active[user_id] = payload["active"]
    held: dict[UUID, set[str]] = {}
    for row in connection.execute(select(user_roles)):
        held.setdefault(row.user_id, set()).add(row.role)
    for row in connection.execute(select(users)):
        if row.id not in person:
            yield _finding("users", row.id, "no command of the log made this account")
            continue
        if row.active != active[row.id]:
            yield _finding("users", row.id, "no command let this account in, or shut it out")
        if row.person_id != person[row.id]:
            yield _finding("users", row.id, "the account belongs to another person than its command said")
        for role in sorted(held.get(row.id, set()) ^ roles[row.id]):
            given = "gave" if role in held.get(row.id, ()) else "took away"
            yield _finding("user_roles", row.id, f"no command {given} the role {role}")


def _policies(connection: Connection, told: list[Any]) -> Iterator[Finding]:
    said: dict[tuple[UUID, int], Mapping[str, Any]] = {
        (row.subject_id, row.after["version"]): row.after for row in told if row.after is not None
    }
    for row in connection.execute(select(approval_policies)):
        after = said.get((row.id, row.version))
        if after is None:
            yield _finding("approval_policies", row.id, f"no command of the log saved version {row.version}")
        elif any(
            getattr(row, name) != after[name]
            for name in ("name", "command", "approvers", "in_order", "deadline_hours", "active")
        ) or [_given(one) for one in row.conditions] != [_given(one) for one in after["conditions"]]:
            yield _finding("approval_policies", row.id, f"version {row.version} is not what its command said")


def _given(condition: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in condition.items() if value is not None}


def _finding(table: str, id_: UUID, problem: str) -> Finding:
    return Finding(problem, about=f"{table} {id_}")
