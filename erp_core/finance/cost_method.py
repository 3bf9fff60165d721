"""The method by which the books value stock: weighted average or first in first out."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from erp_core.finance.costs import Costs
from erp_core.finance.layers import Method, method_on
from erp_core.finance.model import cost_balances, cost_entries
from erp_core.finance.model_layers import cost_layer_entries, cost_layers, cost_methods
from erp_core.gate.contract import Command, DomainError, Done, Event, Task, Transaction
from erp_core.master.commands.records import AlreadyExists
from erp_core.storage.bulk import insert_rows, update_rows
from erp_core.storage.locks import lock_table
from erp_core.storage.lookup import there


class SetCostMethod(Command):
    """Value what comes and goes by another method, from the day of the command on. Governed.

    No value jumps and nothing that was posted changes: under FIFO what is there of an item, at the value it has, becomes its
    first layer; back at the average what is left of its layers is what is averaged.
    """

    change_id: UUID
    method: Method

    @property
    def subject(self) -> tuple[str, UUID]:
        """The change."""
        return ("cost_method", self.change_id)


class MethodUnchanged(DomainError):
    """The books value by that method already."""

    code = "method_unchanged"


class MethodTooEarly(DomainError):
    """The day of the change lies before something that was valued by the method until now."""

    code = "method_too_early"


def set_cost_method(task: Task[SetCostMethod], tx: Transaction) -> Done:
    """Wait for all who value stock, then open a layer for what is there of each item, or close those that are left."""
    command, day = task.command, task.occurred_on
    tx.flush()
    lock_table(tx.connection, cost_balances)
    Costs.of(tx).discard()
    before = method_on(tx.connection, date.max)
    if command.method == before:
        raise MethodUnchanged(
            f"the books value at {before} already", field="method", remedy="choose the other method"
        )
    _require_new(tx, command.change_id)
    _require_latest(tx.connection, day)
    row = {
        "valid_from": day,
        "method": command.method,
        "change_id": command.change_id,
        "audit_id": task.audit_id,
    }
    insert_rows(tx.connection, cost_methods, [row])
    moved = _open(task, tx) if command.method == "fifo" else _close(task, tx)
    told = {"method": command.method, "valid_from": day.isoformat()} | moved
    data = {name: told[name] for name in ("method", "valid_from", "items", "units")}
    event = Event("CostMethodSet", "cost_method", command.change_id, 1, data)
    return Done(told, (event,), before={"method": before}, after=told)


def _require_new(tx: Transaction, change_id: UUID) -> None:
    if there(tx.connection, cost_methods.c.change_id, [change_id]):
        raise AlreadyExists(
            f"change {change_id} is there already",
            field="change_id",
            remedy="make a new id for another change",
        )


def _require_latest(connection: Connection, day: date) -> None:
    """Nothing was valued after the day, and the method not changed on it: what stands was valued by the method before."""
    changed = connection.scalar(select(func.max(cost_methods.c.valid_from)))
    if changed is not None and changed >= day:
        raise MethodTooEarly(
            f"the method was changed on {changed}",
            field="occurred_at",
            remedy=f"change it again from {changed + timedelta(days=1)} on",
        )
    entered = connection.scalar(select(func.max(cost_entries.c.occurred_on)))
    if entered is not None and entered > day:
        raise MethodTooEarly(
            f"stock was valued on {entered} by the method until now",
            field="occurred_at",
            remedy=f"change the method from {entered} on",
        )


def _open(task: Task[SetCostMethod], tx: Transaction) -> dict[str, int]:
    table = cost_balances.c
    rows = tx.connection.execute(
        select(table.item_id, table.quantity, table.value).where(table.quantity > 0).order_by(table.item_id)
    ).all()
    layers = [
        {
            "id": tx.new_id(),
            "item_id": row.item_id,
            "came_on": task.occurred_on,
            "number": 1,
            "quantity": row.quantity,
            "value": row.value,
            "document_kind": "cost_method",
            "document_id": task.command.change_id,
            "line_id": None,
            "audit_id": task.audit_id,
        }
        for row in rows
    ]
    insert_rows(tx.connection, cost_layers, layers)
    return _entered(task, tx, [(one["id"], one["item_id"], one["quantity"], one["value"]) for one in layers])


def _close(task: Task[SetCostMethod], tx: Transaction) -> dict[str, int]:
    table = cost_layers.c
    rows = tx.connection.execute(
        select(table.id, table.item_id, table.quantity, table.value).where(table.quantity > 0)
    ).all()
    update_rows(tx.connection, cost_layers, [{"id": row.id, "quantity": 0, "value": 0} for row in rows])
    return _entered(task, tx, [(row.id, row.item_id, -row.quantity, -row.value) for row in rows])


def _entered(
    task: Task[SetCostMethod], tx: Transaction, moved: list[tuple[UUID, UUID, int, int]]
) -> dict[str, int]:
    entries: list[dict[str, Any]] = [
        {
            "id": tx.new_id(),
            "layer_id": layer_id,
            "item_id": item_id,
            "occurred_on": task.occurred_on,
            "quantity": quantity,
            "value": value,
            "entry_id": None,
            "audit_id": task.audit_id,
        }
        for layer_id, item_id, quantity, value in moved
    ]
    insert_rows(tx.connection, cost_layer_entries, entries)
    return {
        "items": len({item_id for _, item_id, _, _ in moved}),
        "units": sum(abs(quantity) for _, _, quantity, _ in moved),
        "value": sum(abs(value) for _, _, _, value in moved),
    }
