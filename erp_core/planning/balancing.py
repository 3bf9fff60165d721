"""Which stock to move between nodes: from where there is more than is wanted to where there is less than is needed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import Connection

from erp_core.inventory.putaway.queries import read_rooms
from erp_core.master.queries import list_locations
from erp_core.planning.queries import list_reorder_points
from erp_core.procurement.queries import positions
from erp_core.procurement.queries.supply import on_order_at


@dataclass(frozen=True, slots=True)
class Node:
    """An item at one place. `position` counts what is available and coming, from suppliers and other places, less what is owed; `free` is available.

    `room` is how many more units fit there; None where no capacity is known.
    """

    location_id: UUID
    position: int
    free: int
    reorder_point: int
    order_up_to: int
    room: int | None = None

    @property
    def need(self) -> int:
        """Units up to the order-up-to level, where the position is at the reorder point or below."""
        return self.order_up_to - self.position if self.position <= self.reorder_point else 0

    @property
    def takes(self) -> int:
        """Units of the need that fit."""
        return self.need if self.room is None else min(self.need, self.room)

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
    """A transfer that balances demand and capacity: `needed` is what the target lacks, `surplus` what the source can spare.

    `room` is how many more units fit at the target, None where no capacity is known; `reason` says what decided.

    The command is `TransferStock`; policy decides who may send it.
    """

    item_id: UUID
    from_location_id: UUID
    to_location_id: UUID
    units: int
    needed: int
    surplus: int
    room: int | None
    reason: str


def balance(nodes: Iterable[Node]) -> list[Shift]:
    """What to move between the places of one item: the largest need first, from the largest surplus.

    No place gives more than its surplus or gets more than its need or than fits, and nothing goes both ways. What does not
    fit goes to the next place in need.
    """
    places = list(nodes)
    spare = {one.location_id: one.surplus for one in places}
    found: list[Shift] = []
    for target in sorted(places, key=lambda one: (-one.need, one.location_id)):
        missing = target.takes
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
    Suppliers' and virtual places take no part. Items share the room of a place: the item that lacks most goes first.
    """
    places = {place.id for place in list_locations(connection) if place.physical}
    points = [point for point in list_reorder_points(connection) if point.location_id in places]
    stands = positions(connection, [(point.item_id, point.location_id) for point in points])
    wanted: dict[UUID, list[Node]] = defaultdict(list)
    for point in points:
        there = stands[point.item_id, point.location_id]
        wanted[point.item_id].append(
            Node(point.location_id, there.units, there.available, point.reorder_point, point.order_up_to)
        )
    needing = {one.location_id for held in wanted.values() for one in held if one.need}
    rooms = read_rooms(connection, needing, wanted, on_order_at(connection, needing))
    advice: list[TransferAdvice] = []
    for item_id, held in sorted(wanted.items(), key=lambda one: (-sum(node.need for node in one[1]), one[0])):
        nodes = [replace(one, room=rooms.left(item_id, one.location_id)) for one in held]
        for shift in balance(nodes):
            rooms.take(item_id, shift.target.location_id, shift.units)
            if location_id in (None, shift.target.location_id):
                advice.append(_advice(item_id, shift))
    return sorted(advice, key=lambda one: (-one.units, one.item_id, one.to_location_id))


def _advice(item_id: UUID, shift: Shift) -> TransferAdvice:
    source, target = shift.source, shift.target
    short = f"it lacks {target.need}"
    reason = (
        f"{short}, of which {target.takes} fit there beside what lies there and is on its way"
        if target.takes < target.need
        else f"{short}, and {source.surplus} can be spared"
    )
    return TransferAdvice(
        item_id,
        source.location_id,
        target.location_id,
        shift.units,
        target.need,
        source.surplus,
        target.room,
        reason,
    )
