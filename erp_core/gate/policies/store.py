"""Approval policies as stored rows, and the set a new company starts with."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from erp_core.gate.model import approval_policies
from erp_core.gate.policies.facts import FACTS
from erp_core.gate.policies.rules import Condition, Escalation, Policy, Review
from erp_core.storage.types import money

_NEWEST = (
    select(approval_policies.c.id, func.max(approval_policies.c.version).label("version"))
    .group_by(approval_policies.c.id)
    .subquery()
)
_ACTIVE = (
    select(approval_policies)
    .join(
        _NEWEST,
        (_NEWEST.c.id == approval_policies.c.id) & (_NEWEST.c.version == approval_policies.c.version),
    )
    .where(approval_policies.c.active)
    .order_by(approval_policies.c.name)
)


def active_policies(connection: Connection) -> list[Policy]:
    """The newest version of each policy, where that version is active."""
    return [
        Policy(
            id=row.id,
            version=row.version,
            name=row.name,
            command=row.command,
            conditions=tuple(condition_from(entry) for entry in row.conditions),
            approvers=tuple((entry["role"], entry["people"]) for entry in row.approvers),
            deadline_hours=row.deadline_hours,
            in_order=row.in_order,
            escalation=Escalation(**row.escalation) if row.escalation else None,
            review=Review(**row.review) if row.review else None,
        )
        for row in connection.execute(_ACTIVE)
    ]


def policy_versions(connection: Connection, policy_id: UUID) -> list[dict[str, Any]]:
    """Every version of a policy as it was saved, the newest first."""
    rows = connection.execute(
        select(approval_policies)
        .where(approval_policies.c.id == policy_id)
        .order_by(approval_policies.c.version.desc())
    )
    return [dict(row._mapping) for row in rows]


def condition_from(entry: Mapping[str, Any]) -> Condition:
    """A condition from its stored form."""
    among = entry.get("among")
    return Condition(
        entry["fact"], entry.get("low"), entry.get("high"), None if among is None else tuple(among)
    )


@cache
def default_policies() -> tuple[Mapping[str, Any], ...]:
    """The set a new company starts with, from `defaults.toml`; amounts in ten-thousandths."""
    text = files("erp_core.gate.policies").joinpath("defaults.toml").read_text(encoding="utf-8")
    return tuple(
        {**one, "when": [_in_ten_thousandths(condition) for condition in one.get("when", ())]}
        for one in tomllib.loads(text)["policy"]
    )


def _in_ten_thousandths(condition: Mapping[str, Any]) -> dict[str, Any]:
    if FACTS[condition["fact"]].kind != "money":
        return dict(condition)
    return {name: money(value) if name in ("low", "high") else value for name, value in condition.items()}
