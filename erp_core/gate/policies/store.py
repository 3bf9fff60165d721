"""Approval policies as stored rows, and the set a new company starts with."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection, Text, func, select, type_coerce

from erp_core.gate.model import approval_policies
from erp_core.gate.policies.facts import FACTS
from erp_core.gate.policies.rules import Condition, Escalation, Policy, Review
from erp_core.storage.lookup import fetch_in
from erp_core.storage.types import Json, money

_NEWEST = (
    select(approval_policies.c.id, func.max(approval_policies.c.version).label("version"))
    .group_by(approval_policies.c.id)
    .subquery()
)
_COLUMNS = (
    *("id", "version", "name", "command", "conditions"),
    *("approvers", "deadline_hours", "in_order", "escalation", "review"),
)
_ACTIVE = (
    select(
        *(
            type_coerce(column, Text).label(column.name) if isinstance(column.type, Json) else column
            for column in (approval_policies.c[name] for name in _COLUMNS)
        )
    )
    .join(
        _NEWEST,
        (_NEWEST.c.id == approval_policies.c.id) & (_NEWEST.c.version == approval_policies.c.version),
    )
    .where(approval_policies.c.active)
    .order_by(approval_policies.c.name)
)


def active_policies(connection: Connection) -> list[Policy]:
    """The newest version of each policy, where that version is active."""
    return [_policy(*row) for row in connection.execute(_ACTIVE)]


def newest_versions(connection: Connection, policy_ids: Iterable[UUID]) -> dict[UUID, int]:
    """The number of the newest version of each of these policies that is there, active or not."""
    return {row.id: row.version for row in fetch_in(connection, select(_NEWEST), _NEWEST.c.id, policy_ids)}


@lru_cache(maxsize=1_024)
def _policy(
    id_: UUID,
    version: int,
    name: str,
    command: str,
    conditions: str,
    approvers: str,
    deadline_hours: int,
    in_order: bool,
    escalation: str | None,
    review: str | None,
) -> Policy:
    """A policy from its row, whose JSON is read once: every governed command asks for all of them."""
    return Policy(
        id=id_,
        version=version,
        name=name,
        command=command,
        conditions=tuple(condition_from(entry) for entry in orjson.loads(conditions)),
        approvers=tuple((entry["role"], entry["people"]) for entry in orjson.loads(approvers)),
        deadline_hours=deadline_hours,
        in_order=in_order,
        escalation=Escalation(**orjson.loads(escalation)) if escalation else None,
        review=Review(**orjson.loads(review)) if review else None,
    )


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
