"""Separation of duties across documents: rules as data, what each person did where, and who is kept away.

A *duty* is a part in a document (`order_requester` of a purchase order). A rule names two duties that no natural
person may have in the same document, through whichever account. The database holds it too: a trigger refuses the
second duty. Who replays history (the role `simulator`) did none of it and has no duties.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import Field
from sqlalchemy import Connection, bindparam, func, select

from erp_core.gate.contract import Command, DomainError, Done, Duty, Registration, Registry, Task, Transaction
from erp_core.gate.errors import DutiesConflict
from erp_core.gate.model import duties, separation_rules
from erp_core.gate.principals import Principal
from erp_core.storage.bulk import insert_rows
from erp_core.storage.lookup import fetch_in

_NEWEST = (
    select(separation_rules.c.id, func.max(separation_rules.c.version).label("version"))
    .group_by(separation_rules.c.id)
    .subquery()
)
_RULES = (
    select(separation_rules)
    .join(
        _NEWEST, (_NEWEST.c.id == separation_rules.c.id) & (_NEWEST.c.version == separation_rules.c.version)
    )
    .order_by(separation_rules.c.name)
)
_DONE = select(duties.c.subject_id, duties.c.duty, duties.c.person_id)
_DONE_BY = _DONE.where(duties.c.person_id == bindparam("person"))
REPLAYING = "simulator"


class SaveSeparationRule(Command):
    """A new version of a rule that keeps two duties in one document apart; in force at once."""

    rule_id: UUID
    rule_name: str = Field(min_length=1, max_length=120)
    duty: str = Field(pattern="^[a-z_]{1,40}$")
    other: str = Field(pattern="^[a-z_]{1,40}$")
    active: bool = True

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("separation_rule", self.rule_id)


@cache
def default_rules() -> tuple[SaveSeparationRule, ...]:
    """The rules that a company starts with, under ids that are the same everywhere."""
    text = files("erp_core.gate").joinpath("separation.toml").read_text(encoding="utf-8")
    return tuple(
        SaveSeparationRule(
            rule_id=uuid5(NAMESPACE_URL, f"quartermaster:separation:{one['name']}"),
            rule_name=one["name"],
            duty=one["duty"],
            other=one["other"],
        )
        for one in tomllib.loads(text)["rule"]
    )


def separation_rules_in_force(connection: Connection) -> list[Mapping[str, Any]]:
    """The newest version of every active rule: id, version, name, duty, other."""
    return [dict(row._mapping) for row in connection.execute(_RULES.where(separation_rules.c.active))]


def rivals_of(rules: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """By duty: the duties it excludes, each with the name of the rule."""
    found: dict[str, dict[str, str]] = {}
    for rule in rules:
        found.setdefault(rule["duty"], {})[rule["other"]] = rule["name"]
        found.setdefault(rule["other"], {})[rule["duty"]] = rule["name"]
    return found


def conflicts(
    wanted: Sequence[Sequence[Duty]], principal: Principal, connection: Connection
) -> list[DutiesConflict | None]:
    """For each list of duties wanted: why this person may not have them, or None. Two statements at most."""
    subjects = {duty.subject_id for some in wanted for duty in some}
    if not subjects or REPLAYING in principal.roles:
        return [None] * len(wanted)
    done: dict[UUID, set[str]] = {}
    for row in fetch_in(connection, _DONE_BY, duties.c.subject_id, subjects, person=principal.person):
        done.setdefault(row.subject_id, set()).add(row.duty)
    if not done:
        return [None] * len(wanted)
    rivals = rivals_of(separation_rules_in_force(connection))
    return [_conflict(some, done, rivals) for some in wanted]


def require_duties(wanted: Sequence[Duty], principal: Principal, connection: Connection) -> None:
    """Pass when this person may have all of these duties. Raises `DutiesConflict`."""
    (conflict,) = conflicts([wanted], principal, connection)
    if conflict is not None:
        raise conflict


def _conflict(
    wanted: Iterable[Duty], done: Mapping[UUID, set[str]], rivals: Mapping[str, Mapping[str, str]]
) -> DutiesConflict | None:
    for duty in wanted:
        for other in done.get(duty.subject_id, ()):
            rule = rivals.get(duty.name, {}).get(other)
            if rule is not None:
                return DutiesConflict(
                    f"{rule}, and you are its {other.replace('_', ' ')}",
                    remedy="another person must do this",
                    rule=rule,
                    duty=duty.name,
                    other=other,
                )
    return None


def people_kept_away(wanted: Sequence[Sequence[Duty]], connection: Connection) -> list[dict[UUID, str]]:
    """For each list of duties: the natural persons who may not have them, each with the rule. Two statements at most."""
    done: dict[UUID, list[tuple[str, UUID]]] = {}
    subjects = {duty.subject_id for some in wanted for duty in some}
    for row in fetch_in(connection, _DONE, duties.c.subject_id, subjects):
        done.setdefault(row.subject_id, []).append((row.duty, row.person_id))
    if not done:
        return [{} for _ in wanted]
    rivals = rivals_of(separation_rules_in_force(connection))
    return [
        {
            person: rivals[duty.name][other]
            for duty in some
            for other, person in done.get(duty.subject_id, ())
            if other in rivals.get(duty.name, {})
        }
        for some in wanted
    ]


class DutyBook:
    """The duties of one transaction, written at once and each once."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._rows: dict[tuple[UUID, str, UUID], dict[str, Any]] = {}

    def add(self, wanted: Iterable[Duty], principal: Principal, audit_id: UUID) -> None:
        """Somebody had these parts."""
        if REPLAYING in principal.roles:
            return
        for duty in wanted:
            key = (duty.subject_id, duty.name, principal.person)
            self._rows.setdefault(
                key,
                {
                    "subject_id": duty.subject_id,
                    "duty": duty.name,
                    "person_id": principal.person,
                    "subject_kind": duty.subject_kind,
                    "audit_id": audit_id,
                },
            )

    def flush(self) -> None:
        """Write those that are not on record yet."""
        if not self._rows:
            return
        connection = self._tx.connection
        known = {
            (row.subject_id, row.duty, row.person_id)
            for row in fetch_in(connection, _DONE, duties.c.subject_id, {key[0] for key in self._rows})
        }
        insert_rows(connection, duties, [row for key, row in self._rows.items() if key not in known])
        self.discard()

    def discard(self) -> None:
        """Forget what is pending."""
        self._rows = {}


def _save(tasks: Sequence[Task[SaveSeparationRule]], tx: Transaction) -> Sequence[Done | DomainError]:
    ids = {task.command.rule_id for task in tasks}
    versions = {row.id: row.version for row in fetch_in(tx.connection, select(_NEWEST), _NEWEST.c.id, ids)}
    outcomes: list[Done | DomainError] = []
    rows = []
    for task in tasks:
        command = task.command
        if command.duty == command.other:
            outcomes.append(
                DutiesConflict(
                    "a rule keeps two different duties apart", field="other", remedy="name another duty"
                )
            )
            continue
        version = versions[command.rule_id] = 1 + versions.get(command.rule_id, 0)
        rows.append(
            {
                "id": command.rule_id,
                "version": version,
                "name": command.rule_name,
                "duty": command.duty,
                "other": command.other,
                "active": command.active,
                "audit_id": task.audit_id,
            }
        )
        outcomes.append(Done(result={"rule_id": str(command.rule_id), "version": version}))
    insert_rows(tx.connection, separation_rules, rows)
    return outcomes


def register(registry: Registry) -> None:
    """Add the command that saves a rule."""
    registry.register(Registration(SaveSeparationRule, _save, governed=True))
