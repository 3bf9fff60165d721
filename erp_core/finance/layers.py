"""Cost layers: what the stock of an item consists of, by the method of the books and, for comparison, by the other one.

A *layer* is units that came in together with what they are worth. At the weighted average all of an item is one layer. Where
the books value by FIFO its layers are kept as they are posted; by the other method they are told from the same entries.
Units are the same under both.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Connection, Select, func, select

from erp_core.finance.model import cost_entries
from erp_core.finance.model_layers import cost_layer_entries, cost_methods
from erp_core.finance.model_layers import cost_layers as kept_layers
from erp_core.finance.queries import ItemValue, valuation
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


def average_layer(item_id: UUID, entries: Iterable[tuple[date, int, int]]) -> list[Layer]:
    """What is left at the weighted average, as one layer, of entries as `fifo_layers` takes them; none of nothing."""
    held = worth = 0
    for _, units, value in entries:
        if units >= 0:
            worth += value
        else:
            worth -= issue_value(min(-units, held), held, worth) if held else 0
        held = max(held + units, 0)
    return [Layer(item_id, None, held, worth)] if held else []


def method_on(connection: Connection, day: date) -> Method:
    """The method of the books at the end of a day: the average, unless another was chosen until then."""
    table = cost_methods.c
    found: Method | None = connection.scalar(
        select(table.method).where(table.valid_from <= day).order_by(table.valid_from.desc()).limit(1)
    )
    return found or "average"


def cost_layers(
    connection: Connection, item_ids: Sequence[UUID], method: Method | None = None, as_of: date | None = None
) -> list[Layer]:
    """The layers of these items at the end of a day (None: now), oldest first; by the method of the books where none is named.

    By that method they add up to the valuation; by the other they are told for comparison.
    """
    books = method_on(connection, as_of or date.max)
    method = method or books
    if method != books:
        tell = fifo_layers if method == "fifo" else average_layer
        entries = _entries(connection, item_ids, as_of)
        return [layer for item_id in item_ids for layer in tell(item_id, entries.get(item_id, ()))]
    if method == "fifo":
        return _kept(connection, item_ids, as_of)
    wanted = set(item_ids)
    return [
        Layer(one.item_id, None, one.quantity, one.value)
        for one in valuation(connection, as_of)
        if one.item_id in wanted and one.quantity
    ]


def _entries(
    connection: Connection, item_ids: Sequence[UUID], as_of: date | None
) -> dict[UUID, list[tuple[date, int, int]]]:
    table = cost_entries.c
    statement = select(table.item_id, table.occurred_on, table.quantity, table.value)
    if as_of is not None:
        statement = statement.where(table.occurred_on <= as_of)
    by_item: dict[UUID, list[tuple[date, int, int]]] = {}
    for row in fetch_in(connection, statement.order_by(table.occurred_on, table.id), table.item_id, item_ids):
        by_item.setdefault(row.item_id, []).append((row.occurred_on, row.quantity, row.value))
    return by_item


def _kept(connection: Connection, item_ids: Sequence[UUID], as_of: date | None) -> list[Layer]:
    moved, layer = cost_layer_entries.c, kept_layers.c
    statement = (
        select(
            moved.item_id,
            layer.came_on,
            func.sum(moved.quantity).label("units"),
            func.sum(moved.value).label("value"),
        )
        .join(kept_layers, layer.id == moved.layer_id)
        .where(moved.occurred_on <= (as_of or date.max))
        .group_by(moved.item_id, moved.layer_id, layer.came_on, layer.number)
        .having((func.sum(moved.quantity) != 0) | (func.sum(moved.value) != 0))
        .order_by(layer.came_on, layer.number)
    )
    by_item: dict[UUID, list[Layer]] = {}
    for row in fetch_in(connection, statement, moved.item_id, item_ids):
        by_item.setdefault(row.item_id, []).append(
            Layer(row.item_id, row.came_on, int(row.units), int(row.value))
        )
    return [one for item_id in item_ids for one in by_item.get(item_id, ())]


@dataclass(frozen=True, slots=True)
class LayerDifference:
    """An item whose layers are not what it is valued at, in units or value."""

    item_id: UUID
    valued: ItemValue
    layers: ItemValue


def layer_differences(connection: Connection, day: date) -> list[LayerDifference]:
    """Where the layers of an item at the end of a day do not add up to its valuation, or where what is left of them is not what
    their entries add up to: none, if all is well, and none while the books value at the average.

    Days before the books began to value by FIFO have no layers and are not compared.
    """
    table = cost_methods.c
    last = connection.execute(
        select(table.valid_from, table.method).order_by(table.valid_from.desc())
    ).first()
    if last is None or last.method != "fifo" or day < last.valid_from:
        return []
    moved, layer = cost_layer_entries.c, kept_layers.c
    entered = _values(
        connection,
        select(moved.item_id, func.sum(moved.quantity), func.sum(moved.value))
        .where(moved.occurred_on <= day)
        .group_by(moved.item_id),
    )
    valued = {one.item_id: one for one in valuation(connection, day)}
    apart = _apart(valued, entered)
    left = _values(
        connection,
        select(layer.item_id, func.sum(layer.quantity), func.sum(layer.value)).group_by(layer.item_id),
    )
    now = {one.item_id: one for one in valuation(connection)}
    known = {one.item_id for one in apart}
    return apart + [one for one in _apart(now, left) if one.item_id not in known]


def _values(connection: Connection, statement: Select[Any]) -> dict[UUID, ItemValue]:
    return {
        item_id: ItemValue(item_id, int(units), int(value))
        for item_id, units, value in connection.execute(statement)
    }


def _apart(valued: Mapping[UUID, ItemValue], layers: Mapping[UUID, ItemValue]) -> list[LayerDifference]:
    found = []
    for item_id in sorted(valued.keys() | layers.keys()):
        nothing = ItemValue(item_id, 0, 0)
        worth, held = valued.get(item_id, nothing), layers.get(item_id, nothing)
        if worth != held:
            found.append(LayerDifference(item_id, worth, held))
    return found
