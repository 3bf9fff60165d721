"""Cost layers: what the stock of an item consists of, by first in first out beside the average that the books keep.

A *layer* is units that came in together with what they are worth. The books post at the weighted average, which is one
layer; FIFO is told from the same entries, so that both can be compared on any day. Units are the same under both.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.finance.model import cost_entries
from erp_core.finance.queries import valuation
from erp_core.finance.rules import issue_value, shares
from erp_core.storage.lookup import fetch_in

Method = Literal["average", "fifo"]


@dataclass(frozen=True, slots=True)
class Layer:
    """Units that came in on a day (None: the average of all), and what those that are left are worth."""

    item_id: UUID
    came_on: date | None
    units: int
    value: int


def fifo_layers(item_id: UUID, entries: Iterable[tuple[date, int, int]]) -> list[Layer]:
    """What is left of the units that came in, oldest first. Entries are (day, units, value), signed, in order of posting.

    What goes out takes the oldest units with their value, whatever the books took for it. An entry of no units (landed
    cost that came late) is shared over what is there. Units that went out before any came take from the next.
    """
    layers: deque[Layer] = deque()
    owed = 0
    for day, units, value in entries:
        if units > 0:
            gone = min(owed, units)
            owed -= gone
            if units > gone:
                layers.append(Layer(item_id, day, units - gone, value - issue_value(gone, units, value)))
        elif units < 0:
            owed += _take(layers, -units)
        elif layers:
            parts = shares(abs(value), [one.units for one in layers])
            sign = 1 if value > 0 else -1
            layers = deque(
                Layer(item_id, one.came_on, one.units, one.value + sign * part)
                for one, part in zip(layers, parts, strict=True)
            )
    return list(layers)


def _take(layers: deque[Layer], units: int) -> int:
    """Take the oldest units out; gives how many there were too few."""
    while units and layers:
        first = layers.popleft()
        taken = min(units, first.units)
        units -= taken
        if first.units > taken:
            left = first.value - issue_value(taken, first.units, first.value)
            layers.appendleft(Layer(first.item_id, first.came_on, first.units - taken, left))
    return units


def cost_layers(
    connection: Connection, item_ids: Sequence[UUID], method: Method, as_of: date | None = None
) -> list[Layer]:
    """The layers of these items at the end of a day (None: now). By average they add up to the valuation."""
    if method == "average":
        wanted = set(item_ids)
        return [
            Layer(one.item_id, None, one.quantity, one.value)
            for one in valuation(connection, as_of)
            if one.item_id in wanted and one.quantity
        ]
    table = cost_entries.c
    statement = select(table.item_id, table.occurred_on, table.quantity, table.value)
    if as_of is not None:
        statement = statement.where(table.occurred_on <= as_of)
    by_item: dict[UUID, list[tuple[date, int, int]]] = {}
    for row in fetch_in(connection, statement.order_by(table.occurred_on, table.id), table.item_id, item_ids):
        by_item.setdefault(row.item_id, []).append((row.occurred_on, row.quantity, row.value))
    return [layer for item_id in item_ids for layer in fifo_layers(item_id, by_item.get(item_id, ()))]
