"""Records whose time is over: what falls due by class, and disposing of what can be disposed of.

Most records are only ever added to, and stay: invoices, the journal and moves carry no name. Of customers and documents
the personal or foreign part is blanked; moves leave the ledger by the month (`database retire`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import Connection, Select, case, func, or_, select

from erp_core.finance.model_journal import journal_entries
from erp_core.gate.contract import (
    Command,
    DomainError,
    Done,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
)
from erp_core.inventory.model import stock_moves
from erp_core.master.model_trade import trade_documents
from erp_core.master.queries.retention import read_retention
from erp_core.master.rules.retention import RECORD_CLASSES, Retention, on_hold, under_retention
from erp_core.orders.events import CustomersForgotten
from erp_core.orders.keeping import CustomerKeeping
from erp_core.orders.model import customers, orders
from erp_core.orders.model_documents import sales_documents
from erp_core.procurement.model.invoices import supplier_invoices
from erp_core.storage.bulk import update_rows

_DOCUMENT = trade_documents.c
_LAST_VALID = case(
    (_DOCUMENT.withdrawn_on < _DOCUMENT.valid_to, _DOCUMENT.withdrawn_on),
    else_=func.coalesce(_DOCUMENT.valid_to, _DOCUMENT.withdrawn_on),
)
_DAYS: dict[str, Select[Any]] = {
    "sales_document": select(sales_documents.c.issued_on.label("day"), func.count().label("records")),
    "supplier_invoice": select(supplier_invoices.c.recorded_on.label("day"), func.count().label("records")),
    "stock_move": select(stock_moves.c.occurred_on.label("day"), func.count().label("records")),
    "journal_entry": select(journal_entries.c.occurred_on.label("day"), func.count().label("records")),
    "trade_document": select(_LAST_VALID.label("day"), func.count().label("records")).where(
        _LAST_VALID.is_not(None), _DOCUMENT.disposed_on.is_(None)
    ),
}
_NAMED = or_(customers.c.name.is_not(None), customers.c.email.is_not(None), customers.c.tax_id.is_not(None))
_CUSTOMERS = (
    select(customers.c.id, func.max(orders.c.ordered_on).label("day"))
    .join(orders, orders.c.customer_id == customers.c.id)
    .where(_NAMED)
    .group_by(customers.c.id)
)
_DOCUMENTS = select(_DOCUMENT.id, _DOCUMENT.subject_id, _LAST_VALID.label("day")).where(
    _LAST_VALID.is_not(None), _DOCUMENT.disposed_on.is_(None)
)


class CannotBeDisposed(DomainError):
    """Records of this class are only added to."""

    code = "cannot_be_disposed"


class NoRetentionRule(DomainError):
    """Nobody said how long records of this class and time are kept."""

    code = "no_retention_rule"


class DisposeRecords(Command):
    """Blank every record of a class whose day lies before `before`. Governed, and never undone.

    Refused as a whole while a rule or a legal hold keeps one of them, or no rule is about it.
    """

    by_people = True

    record_class: Literal[
        "sales_document", "customer", "supplier_invoice", "trade_document", "stock_move", "journal_entry"
    ]
    before: date

    @property
    def subject(self) -> tuple[str, UUID]:
        """The class."""
        return ("retention", uuid5(NAMESPACE_URL, f"quartermaster:retention:{self.record_class}"))


@dataclass(frozen=True, slots=True)
class Due:
    """A class of records: how many no rule keeps any more and no hold does, and from which days; `unruled` have no rule."""

    record_class: str
    about: str
    records: int
    oldest: date | None
    newest: date | None
    kept: int
    held: int
    unruled: int


def retention_due(connection: Connection, today: date) -> list[Due]:
    """What may be disposed of today, by class, beside what is kept. Holds of one record count as holding its whole day."""
    retention = read_retention(connection)
    found = []
    for name, about in RECORD_CLASSES.items():
        free: list[tuple[date, int]] = []
        kept = held = unruled = 0
        for day, records in _days(connection, name):
            if any(_holds(retention, name, day)):
                held += records
            elif (free_on := retention.free_on(name, day)) is None:
                unruled += records
            elif today < free_on:
                kept += records
            else:
                free.append((day, records))
        days = [day for day, _ in free]
        count = sum(records for _, records in free)
        found.append(
            Due(name, about, count, min(days, default=None), max(days, default=None), kept, held, unruled)
        )
    return found


def _days(connection: Connection, name: str) -> Iterable[tuple[date, int]]:
    if name == "customer":
        last = _CUSTOMERS.subquery()
        statement: Select[Any] = select(last.c.day, func.count()).group_by(last.c.day)
    else:
        statement = _DAYS[name].group_by("day")
    return [(row[0], row[1]) for row in connection.execute(statement)]


def _holds(retention: Retention, name: str, day: date) -> Iterator[bool]:
    for hold in retention.holds:
        yield hold.covers(name, () if hold.record_id is None else (hold.record_id,), day, day)


def dispose_records(task: Task[DisposeRecords], tx: Transaction) -> Done:
    """Blank them. Raises `UnderRetention`, `OnLegalHold`, `NoRetentionRule`, `CannotBeDisposed`."""
    command = task.command
    if command.record_class == "customer":
        count = _dispose_customers(command.before, tx)
    elif command.record_class == "trade_document":
        count = _dispose_documents(command.before, task, tx)
    else:
        raise CannotBeDisposed(
            f"{RECORD_CLASSES[command.record_class].partition(',')[0]}: these are only added to",
            field="record_class",
            remedy="take moves out of the ledger with `quartermaster database retire`"
            if command.record_class == "stock_move"
            else "they carry no name; keep them, or archive the company as a whole",
        )
    told = {"disposed": count}
    return Done(told, after=told | {"before": command.before.isoformat()})


def _dispose_customers(before: date, tx: Transaction) -> int:
    statement = _CUSTOMERS.having(func.max(orders.c.ordered_on) < before).order_by(customers.c.id)
    rows = tx.connection.execute(statement).all()
    retention, keeping = (
        read_retention(tx.connection),
        CustomerKeeping(tx.connection, [row.id for row in rows]),
    )
    for row in rows:
        _require_free(retention, "customer", (row.id,), row.day, tx.today)
        kept = keeping.of(row.id, tx.today)
        if kept.obstacle is not None:
            raise kept.obstacle
    blank = {"name": None, "email": None, "tax_id": None, "erase_after": None}
    update_rows(tx.connection, customers, [{"id": row.id} | blank for row in rows])
    if rows:
        tx.publish(CustomersForgotten(tuple(row.id for row in rows)))
    return len(rows)


def _dispose_documents(before: date, task: Task[DisposeRecords], tx: Transaction) -> int:
    rows = tx.connection.execute(_DOCUMENTS.where(before > _LAST_VALID).order_by(_DOCUMENT.id)).all()
    retention = read_retention(tx.connection)
    for row in rows:
        _require_free(retention, "trade_document", (row.id, row.subject_id), row.day, tx.today)
    blank = {"number": "", "issuer": "", "file_sha256": "", "disposed_on": task.occurred_on}
    update_rows(tx.connection, trade_documents, [{"id": row.id} | blank for row in rows])
    return len(rows)


def _require_free(retention: Retention, name: str, ids: tuple[UUID, ...], day: date, today: date) -> None:
    hold = retention.hold_on(name, ids, day)
    if hold is not None:
        raise on_hold(hold)
    rule = retention.rule_for(name, day)
    if rule is None:
        raise NoRetentionRule(
            f"no rule says how long a {name.replace('_', ' ')} of {day} is kept",
            field="record_class",
            remedy="set one (SetRecordRetention) that begins no later than that day",
        )
    if today < rule.free_on(day):
        raise under_retention(rule, day)


def register(registry: Registry) -> None:
    """Add the command."""
    registry.register(Registration(DisposeRecords, each(dispose_records), governed=True))
