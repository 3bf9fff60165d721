"""The open layers of a transaction's items, under FIFO. `Costs` owns them and holds the lock of each item's cost balance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select

from erp_core.finance.model_layers import cost_layer_entries, cost_layers
from erp_core.finance.rules import oldest_first, shares, taken_from
from erp_core.gate.contract import Transaction
from erp_core.storage.bulk import insert_records, insert_rows, update_records
from erp_core.storage.lookup import fetch_in

NOT_TOLD_APART = frozenset({"cost_method", "opening_cost"})
"""Documents whose layers hold goods of many receipts: all that was there when the method changed, or was valued by hand."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Goods as they came: for a line of a document, with one audit entry (a receipt, say) or with any.

    Without a line, all that a document brought.
    """

    line_id: UUID | None
    audit_id: UUID | None = None
    document_id: UUID | None = None


@dataclass(slots=True, eq=False)
class OpenLayer:
    """A layer with what is left of it."""

    id: UUID
    item_id: UUID
    came_on: date
    number: int
    quantity: int
    value: int
    document_kind: str
    document_id: UUID
    line_id: UUID | None
    audit_id: UUID
    stored: bool = field(default=True, kw_only=True)

    def came_with(self, arrival: Arrival) -> bool:
        """Whether its goods are those of an arrival."""
        if arrival.line_id is None:
            return arrival.document_id is not None and self.document_id == arrival.document_id
        return self.line_id == arrival.line_id and arrival.audit_id in (None, self.audit_id)


class Part(NamedTuple):
    """What a layer gets or gives, signed."""

    layer: OpenLayer
    quantity: int
    value: int


_COLUMNS = tuple(column.name for column in cost_layers.c)
_OPEN = (
    select(*cost_layers.c)
    .where(cost_layers.c.quantity > 0)
    .order_by(cost_layers.c.item_id, cost_layers.c.came_on, cost_layers.c.number)
)


class LayerBook:
    """Open layers by item, oldest first, and the entries that are to be written."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._open: dict[UUID, list[OpenLayer]] = {}
        self._changed: dict[UUID, OpenLayer] = {}
        self._entries: list[dict[str, Any]] = []

    def load(self, item_ids: Iterable[UUID]) -> None:
        """Read the open layers of these items, in one statement."""
        wanted = [id_ for id_ in item_ids if id_ not in self._open]
        self._open |= {id_: [] for id_ in wanted}
        for row in fetch_in(self._tx.connection, _OPEN, cost_layers.c.item_id, wanted):
            self._open[row.item_id].append(OpenLayer(*row))

    def leaving(self, item_id: UUID, units: int, arrival: Arrival | None) -> list[Part]:
        """What so many units take along: first of their own arrival, then of its line, then the oldest."""
        layers = self._open[item_id]
        if arrival is not None:
            line = Arrival(arrival.line_id, document_id=arrival.document_id)
            layers = sorted(layers, key=lambda one: (not one.came_with(arrival), not one.came_with(line)))
        taken = oldest_first(((one.quantity, one.value) for one in layers), units)
        return [Part(one, -part, -value) for one, (part, value) in zip(layers, taken, strict=False)]

    def own(self, item_id: UUID, arrival: Arrival) -> list[OpenLayer]:
        """The layers that an arrival made and of which something is left."""
        return [one for one in self._open[item_id] if one.came_with(arrival)]

    def mixed(self, item_id: UUID) -> list[OpenLayer]:
        """The layers whose goods are not told apart by receipt."""
        return [one for one in self._open[item_id] if one.document_kind in NOT_TOLD_APART]

    def worth_of(self, item_id: UUID, arrival: Arrival, units: int) -> int:
        """What the layers are worth that carry so many units of an arrival: the most that can be taken off them."""
        return sum(one.value for one in self._carriers(item_id, arrival, units)[0])

    def raising(self, item_id: UUID, value: int, arrival: Arrival | None, units: int | None) -> list[Part]:
        """What each layer gets of a value that is added, or gives of one that is taken (below zero).

        `units` of an arrival carry it: its own layers by their units, goods not told apart for the rest. All layers of the
        item carry it where neither is there.
        """
        layers, weights = self._carriers(item_id, arrival, units)
        if value < 0:
            parts = [-part for part in taken_from(-value, [one.value for one in layers])]
        else:
            parts = shares(value, weights)
        return [Part(one, 0, part) for one, part in zip(layers, parts, strict=True) if part]

    def _carriers(
        self, item_id: UUID, arrival: Arrival | None, units: int | None
    ) -> tuple[Sequence[OpenLayer], Sequence[int]]:
        own = [] if arrival is None else self.own(item_id, arrival)
        held = sum(one.quantity for one in own)
        rest = max((units or 0) - held, 0)
        mixed = self.mixed(item_id) if rest else []
        weights = [one.quantity for one in own]
        for one in mixed:
            weights.append(min(rest, one.quantity))
            rest -= weights[-1]
        carriers = [*own, *mixed]
        if not carriers:
            carriers = self._open[item_id]
            weights = [one.quantity for one in carriers]
        return carriers, weights

    def made(
        self,
        item_id: UUID,
        came_on: date,
        document: tuple[str, UUID, UUID | None],
        audit_id: UUID,
    ) -> OpenLayer:
        """A new layer of nothing yet, behind those of its day."""
        layers = self._open[item_id]
        number = 1 + max((one.number for one in layers), default=0)
        layer = OpenLayer(
            self._tx.new_id(), item_id, came_on, number, 0, 0, *document, audit_id, stored=False
        )
        layers.append(layer)
        layers.sort(key=lambda one: (one.came_on, one.number))
        return layer

    def enter(self, parts: Iterable[Part], occurred_on: date, entry_id: UUID | None, audit_id: UUID) -> None:
        """Move the layers by these parts of a cost entry."""
        for layer, quantity, value in parts:
            layer.quantity += quantity
            layer.value += value
            self._changed[layer.id] = layer
            self._entries.append(
                {
                    "id": self._tx.new_id(),
                    "layer_id": layer.id,
                    "item_id": layer.item_id,
                    "occurred_on": occurred_on,
                    "quantity": quantity,
                    "value": value,
                    "entry_id": entry_id,
                    "audit_id": audit_id,
                }
            )
            if not layer.quantity:
                self._open[layer.item_id].remove(layer)

    def flush(self) -> None:
        """Write the layers and their entries."""
        if not self._entries:
            return
        connection = self._tx.connection
        insert_records(
            connection, cost_layers, [one for one in self._changed.values() if not one.stored], _COLUMNS
        )
        update_records(
            connection,
            cost_layers,
            [one for one in self._changed.values() if one.stored],
            ["quantity", "value"],
        )
        insert_rows(connection, cost_layer_entries, self._entries)
        for one in self._changed.values():
            one.stored = True
        self._changed, self._entries = {}, []

    def discard(self) -> None:
        """Forget what is pending and what was read."""
        self._open, self._changed, self._entries = {}, {}, []
