"""What coded records have in common: ids and codes are unique, codes also in any case; only complete ones go active."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Column, String, Table, func, select

from erp_core.gate.contract import Asked, DomainError, Done, NotFound, Task, Transaction
from erp_core.gate.statuses import StatusGraph, require_step
from erp_core.master.rules import check_complete
from erp_core.storage.bulk import insert_rows, update_rows, upsert_replace
from erp_core.storage.locks import lock_names
from erp_core.storage.lookup import fetch_in

Today = Callable[[], date]
"""Gives the business date."""


class AlreadyExists(DomainError):
    """A record with this id or code is there already."""

    code = "already_exists"


class Creation:
    """Creates records of one table, a whole batch at a time. `key` is the column with the code in normal form,
    where two codes may not even be written alike.
    """

    def __init__(
        self,
        table: Table,
        code: str,
        row: Callable[[Task[Any]], dict[str, Any]],
        *,
        key: Column[Any] | None = None,
    ) -> None:
        self._table, self._code, self._row, self._key = table, table.c[code], row, key

    def __call__(self, tasks: Sequence[Task[Any]], tx: Transaction) -> Sequence[Done | DomainError]:
        """One row for each task whose id and code are free; `AlreadyExists` for the others."""
        rows = [self._row(task) | {"audit_id": task.audit_id} for task in tasks]
        lock_names(tx.connection, (f"{self._table.name} {self._name(row)}" for row in rows))
        ids, codes, alike = self._taken(rows, tx)
        outcomes: list[Done | DomainError] = []
        accepted: list[dict[str, Any]] = []
        for task, row in zip(tasks, rows, strict=True):
            code = row[self._code.name]
            kind, _ = task.command.subject
            if row["id"] in ids:
                outcomes.append(
                    AlreadyExists(
                        f"{kind} {row['id']} is there already", field=f"{kind}_id", remedy="make a new id"
                    )
                )
            elif code.lower() in codes:
                outcomes.append(
                    AlreadyExists(
                        f"{kind} {code} is there already",
                        field=self._code.name,
                        remedy="use another code, or change the record that is there",
                        code=codes[code.lower()],
                    )
                )
            elif self._key is not None and row[self._key.name] in alike:
                there = alike[row[self._key.name]]
                outcomes.append(
                    AlreadyExists(
                        f"{kind} {code} is written like {there}, which is there already",
                        field=self._code.name,
                        remedy="use another code, or change the record that is there",
                        code=there,
                    )
                )
            else:
                ids.add(row["id"])
                codes[code.lower()] = code
                if self._key is not None:
                    alike[row[self._key.name]] = code
                accepted.append(row)
                outcomes.append(Done({f"{kind}_id": str(row["id"]), str(self._code.name): code}))
        insert_rows(tx.connection, self._table, accepted)
        return outcomes

    def _name(self, row: Mapping[str, Any]) -> str:
        return str(row[self._code.name].lower() if self._key is None else row[self._key.name])

    def _taken(
        self, rows: list[dict[str, Any]], tx: Transaction
    ) -> tuple[set[UUID], dict[str, str], dict[str, str]]:
        by_id = fetch_in(
            tx.connection, select(self._table.c.id), self._table.c.id, (row["id"] for row in rows)
        )
        by_code = fetch_in(
            tx.connection,
            select(self._code),
            func.lower(self._code, type_=String()),
            (row[self._code.name].lower() for row in rows),
        )
        by_key: Sequence[Any] = ()
        if self._key is not None:
            keys = (row[self._key.name] for row in rows)
            by_key = fetch_in(tx.connection, select(self._key, self._code), self._key, keys)
        return (
            {row[0] for row in by_id},
            {row[0].lower(): row[0] for row in by_code},
            {row[0]: row[1] for row in by_key},
        )


Rows = Mapping[UUID, dict[str, Any]]
Obstacles = Callable[[Sequence[Task[Any]], Rows, Transaction], Mapping[UUID, DomainError]]


def no_obstacles(tasks: Sequence[Task[Any]], rows: Rows, tx: Transaction) -> Mapping[UUID, DomainError]:
    """Nothing more stands in the way."""
    return {}


class Step:
    """Takes records of one table to a status, a whole batch at a time: along the status graph, where nothing
    stands in the way, and only complete ones where `mandatory` names fields.
    """

    def __init__(
        self,
        table: Table,
        code: str,
        steps: StatusGraph,
        to: str,
        *,
        mandatory: tuple[str, ...] = (),
        obstacles: Obstacles = no_obstacles,
    ) -> None:
        self._table, self._code, self._steps, self._to = table, code, steps, to
        self._mandatory, self._obstacles = mandatory, obstacles

    def __call__(self, tasks: Sequence[Task[Any]], tx: Transaction) -> Sequence[Done | DomainError]:
        """Refuses with `IllegalTransition`, `MandatoryFieldMissing` that names every empty field, or an obstacle."""
        rows = existing(tx, self._table, (task.command.subject[1] for task in tasks))
        obstacles = self._obstacles([task for task in tasks if task.command.subject[1] in rows], rows, tx)
        outcomes: list[Done | DomainError] = []
        taken: list[dict[str, Any]] = []
        for task in tasks:
            kind, id_ = task.command.subject
            row = rows.get(id_)
            if row is None:
                outcomes.append(unknown(kind, id_))
                continue
            try:
                require_step(self._steps, row["status"], self._to, f"{kind} {row[self._code]}")
                check_complete(row[self._code], row, self._mandatory)
                if id_ in obstacles:
                    raise obstacles[id_]
            except DomainError as error:
                outcomes.append(error)
                continue
            before, row["status"] = {"status": row["status"]}, self._to
            taken.append({"id": id_, "status": self._to})
            outcomes.append(Done({f"{kind}_id": str(id_)}, before=before, after={"status": self._to}))
        update_rows(tx.connection, self._table, taken)
        return outcomes


def day_of(asked: Asked[Any], today: Today) -> date:
    """The business day on which a command that is judged happens; `today` where it does not say."""
    moment = asked.occurred_at or asked.command.occurred_at
    return today() if moment is None else moment.date()


def existing(tx: Transaction, table: Table, ids: Iterable[UUID]) -> dict[UUID, dict[str, Any]]:
    """The rows with these ids, as dictionaries by id."""
    rows = fetch_in(tx.connection, select(table), table.c.id, ids)
    return {row.id: dict(row._mapping) for row in rows}


def unknown(kind: str, id_: UUID, field: str | None = None) -> NotFound:
    """The refusal for an id that names no record."""
    return NotFound(
        f"there is no {kind} {id_}",
        field=field or f"{kind}_id",
        remedy=f"create the {kind} first, or correct the id",
    )


def renamed(values: dict[str, Any], **columns: str) -> dict[str, Any]:
    """The values with some keys replaced by their column names."""
    return {columns.get(name, name): value for name, value in values.items()}


def write_coded(task: Task[Any], tx: Transaction, table: Table, kind: str, row: dict[str, Any]) -> Done:
    """Write a record of this id, new or changed, under a code that no other record has in any case.

    Raises `AlreadyExists`.
    """
    lock_names(tx.connection, [f"{table.name} {row['code'].lower()}"])
    code = table.c.code
    statement = select(table.c.id).where(func.lower(code) == row["code"].lower(), table.c.id != row["id"])
    if tx.connection.scalar(statement) is not None:
        raise AlreadyExists(
            f"{kind} {row['code']} is there already",
            field="code",
            remedy="use another code, or change the record that is there",
            code=row["code"],
        )
    before = existing(tx, table, [row["id"]]).get(row["id"])
    names = [name for name in row if name != "id"]
    upsert_replace(tx.connection, table, [row | {"audit_id": task.audit_id}], [*names, "audit_id"])
    return Done(
        {f"{kind}_id": str(row["id"])},
        before=before and {name: plain(before[name]) for name in names},
        after={name: plain(row[name]) for name in names},
    )


def plain(value: Any) -> Any:
    """A value of a record as the audit log keeps it: JSON, ids and days as text."""
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return str(value) if isinstance(value, UUID | date) else value
