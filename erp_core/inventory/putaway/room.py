"""What still fits at places, by the capacities of their putaway rules. Pure: no database, no clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

from erp_core.inventory.putaway.rules import Goods, Rule

Pair = tuple[UUID, UUID]


class Rooms:
    """The room of places for items: what the zones and bins hold that putaway rules have for an item.

    `rules` are those of each place, `lying` the units of all items in the zones and bins, `coming` those by
    (item, place) that lie at the place itself or are on their way to it: they take room wherever they may be kept. `kinds`
    tells of each item what rules go by. Rules for what expires soon hold no room for other goods.
    """

    def __init__(
        self,
        rules: Mapping[UUID, Sequence[Rule]],
        lying: Mapping[UUID, int],
        coming: Mapping[Pair, int],
        kinds: Mapping[UUID, Goods],
    ) -> None:
        self._rules, self._lying, self._kinds = rules, lying, kinds
        self._coming: dict[UUID, Counter[UUID]] = {}
        for (item_id, place), units in coming.items():
            self.take(item_id, place, units)

    def take(self, item_id: UUID, place: UUID, units: int) -> None:
        """Count units that are going there too."""
        self._coming.setdefault(place, Counter())[item_id] += units

    def left(self, item_id: UUID, place: UUID) -> int | None:
        """How many more units of the item fit, never below 0; None where nothing says so."""
        held = self._held(item_id, place)
        if held is None:
            return None
        shared = sum(
            units
            for other, units in self._coming.get(place, Counter()).items()
            if held.keys() & self._kept_at(other, place)
        )
        return max(sum(held.values()) - sum(self._lying.get(one, 0) for one in held) - shared, 0)

    def _held(self, item_id: UUID, place: UUID) -> dict[UUID, int] | None:
        found: dict[UUID, int] = {}
        for rule in self._fitting(item_id, place):
            if rule.capacity is None:
                return None
            found[rule.location_id] = max(rule.capacity, found.get(rule.location_id, 0))
        return found or None

    def _kept_at(self, item_id: UUID, place: UUID) -> set[UUID]:
        return {rule.location_id for rule in self._fitting(item_id, place)}

    def _fitting(self, item_id: UUID, place: UUID) -> list[Rule]:
        goods = self._kinds.get(item_id)
        return [] if goods is None else [rule for rule in self._rules.get(place, ()) if rule.fits(goods)]
