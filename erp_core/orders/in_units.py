"""Orders of cartons and packs: what is sold, promised and shipped are base units, converted exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from erp_core.gate.contract import DomainError, Task, Transaction
from erp_core.master.queries.units import ItemUnits
from erp_core.orders.commands.place import OrderLine, PlaceOrder


class InUnits:
    """A batch of new orders in base units: `tasks` have them. A batch that names no unit pays nothing."""

    def __init__(self, tx: Transaction, tasks: Sequence[Task[PlaceOrder]]) -> None:
        self.tasks = tasks
        self._refusals: dict[UUID, DomainError] = {}
        named = {line.item_id for task in tasks for line in task.command.lines if line.unit is not None}
        if not named:
            return
        self._units = ItemUnits.read(tx.connection, named)
        self.tasks = [self._converted(task) for task in tasks]

    def _converted(self, task: Task[PlaceOrder]) -> Task[PlaceOrder]:
        try:
            lines = tuple(self._line(line) for line in task.command.lines)
        except DomainError as error:
            self._refusals[task.command.order_id] = error
            return task
        return replace(task, command=task.command.model_copy(update={"lines": lines}))

    def _line(self, line: OrderLine) -> OrderLine:
        if line.unit is None or line.item_id not in self._units.base:
            return line
        units = self._units.in_base(line.item_id, line.quantity, line.unit)
        return line.model_copy(update={"quantity": units, "unit": None})

    def check(self, command: PlaceOrder) -> None:
        """Raise `UnknownUnit` or `QuantityTooLarge` for an order with a line that no base units stand for."""
        if command.order_id in self._refusals:
            raise self._refusals[command.order_id]
