"""Which stock to move between nodes: from where there is more than is wanted to where there is less than is needed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from erp_core.master.queries import list_locations
from erp_core.planning.queries import list_reorder_points
from erp_core.procurement.queries import positions


@dataclass(frozen=True, slots=True)
class Node:
    """An item at one place. `position` counts what is available and coming less what is owed; `free` is available."""

    location_id: UUID
    position: int
    free: int
    reorder_point: int
    order_up_to: int

    @property
    def need(self) -> int:
        """Units up to the order-up-to level, where the position is at the reorder point or below."""
        return self.order_up_to - self.position if self.position <= self.reorder_point else 0

    @property
    def surplus(self) -> int:
        """Available units that this place does not want for itself."""
        return max(min(self.free, self.position - self.order_up_to), 0)


@dataclass(frozen=True, slots=True)
class Shift:
    """Move `units` between two nodes. What they had before says why."""

    units: int
    source: Node
    target: Node


@dataclass(frozen=True, slots=True)
class TransferAdvice:
    """A transfer that balances demand: `needed` is what the target lacks, `surplus` what the source can spare.

    The command is `TransferStock`; policy decides who may send it.
    """

    item_id: UUID
    from_location_id: UUID
    to_location_id: UUID
    units: int
    needed: int
    surplus: int


def balance(nodes: Iterable[Node]) -> list[Shift]:
    """What to move between the places of one item: the largest need first, from the largest surplus.

    No place gives more than its surplus or gets more than its need, and nothing goes both ways.
    """
    places = list(nodes)
    spare = {one.location_id: one.surplus for one in places}
    found: list[Shift] = []
    for target in sorted(places, key=lambda one: (-one.need, one.location_id)):
        missing = target.need
        for source in sorted(places, key=lambda one: (-spare[one.location_id], one.location_id)):
            units = min(missing, spare[source.location_id])
            if units > 0:
                found.append(Shift(units, source, target))
                spare[source.location_id] -= units
                missing -= units
    return found


def transfer_advice(connection: Connection, *, location_id: UUID | None = None) -> list[TransferAdvice]:
    """Transfers that would cover needs from surplus elsewhere, the most units first; with `location_id` those to it.

    Only items with published reorder points at both places are judged: without one nobody knows what a place wants.
    Suppliers' and virtual places take no part.
    """
    places = {place.id for place in list_locations(connection) if place.physical}
    points = [point for point in list_reorder_points(connection) if point.location_id in places]
    stands = positions(connection, [(point.item_id, point.location_id) for point in points])
    nodes: dict[UUID, list[Node]] = defaultdict(list)
    for point in points:
        there = stands[point.item_id, point.location_id]
        nodes[point.item_id].append(
            Node(point.location_id, there.units, there.available, point.reorder_point, point.order_up_to)
        )
    advice = [
        TransferAdvice(
            item_id,
            shift.source.location_id,
            shift.target.location_id,
            shift.units,
            shift.target.need,
            shift.source.surplus,
        )
        for item_id, held in nodes.items()
        for shift in balance(held)
        if location_id in (None, shift.target.location_id)
    ]
    return sorted(advice, key=lambda one: (-one.units, one.item_id, one.to_location_id))
