"""Orders of cartons and packs: what is sold, promised and shipped are base units, converted exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import select

from erp_core.gate.contract import DomainError, Task, Transaction
from erp_core.master.model import items
from erp_core.master.queries.records import item_factors
from erp_core.master.rules import to_base_units
from erp_core.master.values import LARGEST_AMOUNT
from erp_core.orders.commands.place import OrderLine, PlaceOrder
from erp_core.storage.lookup import fetch_in

_BASE = select(items.c.id, items.c.base_unit)


class QuantityTooLarge(DomainError):
    """More base units than a line can have."""

    code = "quantity_too_large"


class InUnits:
    """A batch of new orders in base units: `tasks` have them. A batch that names no unit pays nothing."""

    def __init__(self, tx: Transaction, tasks: Sequence[Task[PlaceOrder]]) -> None:
        self.tasks = tasks
        self._refusals: dict[UUID, DomainError] = {}
        named = {line.item_id for task in tasks for line in task.command.lines if line.unit is not None}
        if not named:
            return
        self._base = {id_: unit for id_, unit in fetch_in(tx.connection, _BASE, items.c.id, named)}
        self._factors = item_factors(tx.connection, named)
        self.tasks = [self._converted(task) for task in tasks]

    def _converted(self, task: Task[PlaceOrder]) -> Task[PlaceOrder]:
        try:
            lines = tuple(self._line(line) for line in task.command.lines)
        except DomainError as error:
            self._refusals[task.command.order_id] = error
            return task
        return replace(task, command=task.command.model_copy(update={"lines": lines}))

    def _line(self, line: OrderLine) -> OrderLine:
        base = self._base.get(line.item_id)
        if line.unit is None or base is None:
            return line
        units = to_base_units(line.quantity, line.unit, base, self._factors.get(line.item_id, {}))
        if units > LARGEST_AMOUNT:
            raise QuantityTooLarge(
                f"{line.quantity} {line.unit} are {units} {base}",
                field="lines.quantity",
                remedy="correct the quantity or the unit",
            )
        return line.model_copy(update={"quantity": units, "unit": None})

    def check(self, command: PlaceOrder) -> None:
        """Raise `UnknownUnit` or `QuantityTooLarge` for an order with a line that no base units stand for."""
        if command.order_id in self._refusals:
            raise self._refusals[command.order_id]
