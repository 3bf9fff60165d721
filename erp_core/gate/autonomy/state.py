"""What is in force: levels by scope, limits, the switch, and what automation used of a day's caps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection, Table, func, select

from erp_core.gate.autonomy.model import (
    automation_limits,
    automation_switch,
    automation_uses,
    autonomy_levels,
)
from erp_core.gate.autonomy.rules import Level, Limits, Scope, ScopeKind, Used
from erp_core.storage.locks import lock_names

_LOCK = "automation"


@dataclass(frozen=True, slots=True)
class LevelRow:
    """A scope's level, since when and why."""

    scope_kind: ScopeKind
    scope: str
    version: int
    level: Level
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Switch:
    """Whether automation is stopped, since when and why; a company that never stopped it has version 0."""

    stopped: bool = False
    version: int = 0
    reason: str = ""
    since: datetime | None = None


def lock_automation(connection: Connection) -> None:
    """Let one transaction at a time use, stop or limit automation; held until it ends."""
    lock_names(connection, (_LOCK,))


def current_levels(connection: Connection) -> list[LevelRow]:
    """The newest row of each scope."""
    table = autonomy_levels
    newest = (
        select(table.c.scope_kind, table.c.scope, func.max(table.c.version).label("version"))
        .group_by(table.c.scope_kind, table.c.scope)
        .subquery()
    )
    statement = (
        select(*(table.c[part.name] for part in fields(LevelRow)))
        .join(
            newest,
            (newest.c.scope_kind == table.c.scope_kind)
            & (newest.c.scope == table.c.scope)
            & (newest.c.version == table.c.version),
        )
        .order_by(table.c.scope_kind, table.c.scope)
    )
    return [LevelRow(*row) for row in connection.execute(statement)]


def levels_by_scope(rows: Iterable[LevelRow]) -> dict[Scope, Level]:
    """The levels as the rules take them."""
    return {(row.scope_kind, row.scope): row.level for row in rows}


def current_switch(connection: Connection) -> Switch:
    """The switch as it stands."""
    table = automation_switch
    row = connection.execute(
        select(table.c.stopped, table.c.version, table.c.reason, table.c.since)
        .order_by(table.c.version.desc())
        .limit(1)
    ).one_or_none()
    return Switch() if row is None else Switch(*row)


def current_limits(connection: Connection) -> Limits:
    """The limits in force; those of `Limits` where none were ever set."""
    table = automation_limits
    row = connection.execute(
        select(*(table.c[part.name] for part in fields(Limits))).order_by(table.c.version.desc()).limit(1)
    ).one_or_none()
    return Limits() if row is None else Limits(*row)


def next_version(connection: Connection, table: Table) -> int:
    """The version after the newest of limits or switch."""
    return 1 + (connection.scalar(select(func.max(table.c.version))) or 0)


def used_on(connection: Connection, day: date) -> Used:
    """What automation bought by itself on the day."""
    table = automation_uses
    rows = connection.execute(
        select(table.c.document_id, table.c.category, table.c.amount).where(table.c.day == day)
    ).all()
    by_category: dict[str, int] = {}
    documents: set[UUID] = set()
    for document_id, category, amount in rows:
        documents.add(document_id)
        by_category[category] = by_category.get(category, 0) + amount
    return Used(len(documents), sum(by_category.values()), by_category)
