"""Kits in new orders: an order line for each component, at prices that add up to the kit's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from erp_core.gate.contract import Task, Transaction
from erp_core.inventory.checks import Items
from erp_core.master.queries.kits import Component, components_of
from erp_core.master.rules.kits import split_price, whole_sets
from erp_core.orders.commands.place import OrderLine, PlaceOrder, RepeatedLine
from erp_core.orders.model import order_kits, order_lines
from erp_core.storage.ids import IdSource
from erp_core.storage.lookup import there


@dataclass(frozen=True, slots=True)
class KitPart:
    """A new order line that is part of a kit: `per_kit` of its units are in one."""

    kit_line_id: UUID
    per_kit: int


class OpenedKits:
    """A batch of new orders with their kits opened: `tasks` have lines for the components instead.

    A batch without kits is what it was, and nothing is read for it.
    """

    def __init__(self, tx: Transaction, tasks: Sequence[Task[PlaceOrder]], items: Items) -> None:
        self._tx = tx
        self.tasks = tasks
        self.parts: dict[UUID, KitPart] = {}
        self._sold: dict[UUID, list[OrderLine]] = {}
        self._lines: dict[UUID, list[OrderLine]] = {}
        self._repeated: set[UUID] = set()
        kits = items.sold_from_parts()
        if kits:
            components = components_of(tx.connection, kits)
            self.tasks = [self._opened(task, components) for task in tasks]
            self._repeated |= there(tx.connection, order_kits.c.id, self._lines)
            self._repeated |= there(tx.connection, order_lines.c.id, self._lines)

    def __bool__(self) -> bool:
        return bool(self.parts)

    def _opened(
        self, task: Task[PlaceOrder], components: Mapping[UUID, Sequence[Component]]
    ) -> Task[PlaceOrder]:
        command = task.command
        lines: list[OrderLine] = []
        for line in command.lines:
            if line.item_id not in components:
                lines.append(line)
                continue
            if line.line_id in self._lines:
                self._repeated.add(line.line_id)
            opened = _open(line, components[line.item_id], self._tx.new_id)
            self._sold.setdefault(command.order_id, []).append(line)
            self._lines[line.line_id] = [part for part, _ in opened]
            for part, per_kit in opened:
                self.parts[part.line_id] = KitPart(line.line_id, per_kit)
                lines.append(part)
        return replace(task, command=command.model_copy(update={"lines": tuple(lines)}))

    def check(self, command: PlaceOrder) -> None:
        """Pass when the ids of an opened order's kits are new. Raises `RepeatedLine`."""
        own = {line.line_id for line in self._sold.get(command.order_id, ())}
        if not own.isdisjoint(self._repeated | {line.line_id for line in command.lines}):
            raise RepeatedLine(
                "two lines share an id", field="lines.line_id", remedy="make a new id for every line"
            )

    def sets(self, kit_line_id: UUID, free: Callable[[UUID], int]) -> int:
        """How many whole sets of an ordered kit can be had, of what is `free` by item."""
        each: dict[UUID, int] = {}
        for line in self._lines[kit_line_id]:
            each[line.item_id] = each.get(line.item_id, 0) + self.parts[line.line_id].per_kit
        wanted = min(line.quantity // self.parts[line.line_id].per_kit for line in self._lines[kit_line_id])
        return min(wanted, whole_sets((free(item_id), units) for item_id, units in each.items()))

    def as_sold(
        self, command: PlaceOrder, places: Sequence[UUID | None]
    ) -> tuple[PlaceOrder, list[UUID | None]]:
        """An opened order with the kits beside their components, for rules that speak of either."""
        kits = self._sold.get(command.order_id, [])
        there = {line.line_id: place for line, place in zip(command.lines, places, strict=True)}
        kit_places = [there[self._lines[kit.line_id][0].line_id] for kit in kits]
        return command.model_copy(update={"lines": (*command.lines, *kits)}), [*places, *kit_places]

    def rows(self, command: PlaceOrder, audit_id: UUID) -> list[dict[str, Any]]:
        """The rows of `order_kits` for an opened order that is accepted."""
        return [
            {
                "id": line.line_id,
                "order_id": command.order_id,
                "line_no": position,
                "kit_item_id": line.item_id,
                "quantity": line.quantity,
                "unit_price": line.unit_price,
                "list_price": line.list_price,
                "audit_id": audit_id,
            }
            for position, line in enumerate(self._sold.get(command.order_id, ()), 1)
        ]


def _open(line: OrderLine, components: Sequence[Component], new_id: IdSource) -> list[tuple[OrderLine, int]]:
    """A kit's order line as lines of its components, and how many of their units are in one kit.

    The price falls on them by list price, by cost where one has none, or by units where that is unknown too.
    """
    weights: list[int] | None = None
    for name in ("list_price", "standard_cost"):
        known = [value for one in components if (value := getattr(one, name)) is not None]
        if len(known) == len(components):
            weights = known
            break
    parts = [
        (one.quantity, weight)
        for one, weight in zip(components, weights or [1] * len(components), strict=True)
    ]
    return [
        (
            OrderLine(
                line_id=new_id(),
                item_id=components[part.component].item_id,
                quantity=part.quantity * line.quantity,
                unit_price=part.unit_price,
                list_price=part.list_price,
                location_id=line.location_id,
            ),
            part.quantity,
        )
        for part in split_price((line.unit_price, line.list_price), parts)
    ]
