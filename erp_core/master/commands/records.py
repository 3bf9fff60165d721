"""What coded records have in common: ids and codes are unique, codes also in any case; only complete ones go active."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import String, Table, func, select

from erp_core.gate.contract import DomainError, Done, NotFound, Task, Transaction
from erp_core.gate.statuses import StatusGraph, require_step
from erp_core.master.rules import check_complete
from erp_core.storage.bulk import insert_rows, update_rows
from erp_core.storage.locks import lock_names
from erp_core.storage.lookup import fetch_in


class AlreadyExists(DomainError):
    """A record with this id or code is there already."""

    code = "already_exists"


class Creation:
    """Creates records of one table, a whole batch at a time."""

    def __init__(self, table: Table, code: str, row: Callable[[Task[Any]], dict[str, Any]]) -> None:
        self._table, self._code, self._row = table, table.c[code], row

    def __call__(self, tasks: Sequence[Task[Any]], tx: Transaction) -> Sequence[Done | DomainError]:
        """One row for each task whose id and code are free; `AlreadyExists` for the others."""
        rows = [self._row(task) | {"audit_id": task.audit_id} for task in tasks]
        lock_names(tx.connection, (f"{self._table.name} {row[self._code.name].lower()}" for row in rows))
        ids, codes = self._taken(rows, tx)
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
            else:
                ids.add(row["id"])
                codes[code.lower()] = code
                accepted.append(row)
                outcomes.append(Done({f"{kind}_id": str(row["id"]), str(self._code.name): code}))
        insert_rows(tx.connection, self._table, accepted)
        return outcomes

    def _taken(self, rows: list[dict[str, Any]], tx: Transaction) -> tuple[set[UUID], dict[str, str]]:
        by_id = fetch_in(
            tx.connection, select(self._table.c.id), self._table.c.id, (row["id"] for row in rows)
        )
        by_code = fetch_in(
            tx.connection,
            select(self._code),
            func.lower(self._code, type_=String()),
            (row[self._code.name].lower() for row in rows),
        )
        return {row[0] for row in by_id}, {row[0].lower(): row[0] for row in by_code}


class Activation:
    """Makes records of one table active, a whole batch at a time: along the status graph, and only complete ones."""

    def __init__(self, table: Table, code: str, steps: StatusGraph, mandatory: tuple[str, ...]) -> None:
        self._table, self._code, self._steps, self._mandatory = table, code, steps, mandatory

    def __call__(self, tasks: Sequence[Task[Any]], tx: Transaction) -> Sequence[Done | DomainError]:
        """Refuses with `IllegalTransition`, or `MandatoryFieldMissing` that names every empty field."""
        rows = existing(tx, self._table, (task.command.subject[1] for task in tasks))
        outcomes: list[Done | DomainError] = []
        activated: list[dict[str, Any]] = []
        for task in tasks:
            kind, id_ = task.command.subject
            row = rows.get(id_)
            if row is None:
                outcomes.append(unknown(kind, id_))
                continue
            try:
                require_step(self._steps, row["status"], "active", f"{kind} {row[self._code]}")
                check_complete(row[self._code], row, self._mandatory)
            except DomainError as error:
                outcomes.append(error)
                continue
            before, row["status"] = {"status": row["status"]}, "active"
            activated.append({"id": id_, "status": "active"})
            outcomes.append(Done({f"{kind}_id": str(id_)}, before=before, after={"status": "active"}))
        update_rows(tx.connection, self._table, activated)
        return outcomes


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
