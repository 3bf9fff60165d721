"""How many kits can be promised: from their own stock, and from what lies there of their components."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from erp_core.inventory.queries import available_units
from erp_core.master.queries.kits import list_kits
from erp_core.master.rules.kits import whole_sets


@dataclass(frozen=True, slots=True)
class KitAvailability:
    """Kits at a location: `assembled` ones that are available, and whole sets that `from_parts` can still be made.

    `short_of` is the component that allows no more. A kit that is sold from its parts has none assembled.
    """

    kit_item_id: UUID
    location_id: UUID
    assembled: int
    from_parts: int
    short_of: UUID

    @property
    def promisable(self) -> int:
        """What may be promised now, if what is not assembled is put together."""
        return self.assembled + self.from_parts


def kit_availability(
    connection: Connection, kit_item_ids: Iterable[UUID] | None = None
) -> list[KitAvailability]:
    """The least over the components, by kit and location where the kit or any component is available.

    Kits that share a component each count all of it: what one takes, the other loses.
    """
    kits = list_kits(connection, kit_item_ids)
    wanted = {one.item_id for kit in kits for one in kit.components} | {kit.item_id for kit in kits}
    free = available_units(connection, wanted)
    found = []
    for kit in kits:
        items = {kit.item_id, *(one.item_id for one in kit.components)}
        for place in sorted({location_id for item_id, location_id in free if item_id in items}):
            there = {one.item_id: free.get((one.item_id, place), 0) for one in kit.components}
            scarcest = min(kit.components, key=lambda one: there[one.item_id] // one.quantity)
            sets = whole_sets((there[one.item_id], one.quantity) for one in kit.components)
            own = free.get((kit.item_id, place), 0)
            found.append(KitAvailability(kit.item_id, place, own, sets, scarcest.item_id))
    return found
