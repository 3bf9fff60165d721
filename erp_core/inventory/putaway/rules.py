"""Where goods go after they were received. Pure: no database, no clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

Reason = Literal["pick_face", "item", "expiry", "category", "class", "any"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A place and what it is for; None is everything. `capacity` counts units of all items together."""

    id: UUID
    location_id: UUID
    priority: int
    item_id: UUID | None = None
    category: str | None = None
    abc_class: str | None = None
    expires_within_days: int | None = None
    capacity: int | None = None

    def fits(self, goods: Goods) -> bool:
        """Whether the goods may go there."""
        near = self.expires_within_days
        return (
            self.item_id in (None, goods.item_id)
            and self.category in (None, goods.category)
            and self.abc_class in (None, goods.abc_class)
            and (near is None or (goods.days_left is not None and goods.days_left <= near))
        )

    @property
    def reason(self) -> Reason:
        """What it goes by, the most precise first."""
        if self.item_id is not None:
            return "item"
        if self.expires_within_days is not None:
            return "expiry"
        if self.category is not None:
            return "category"
        return "class" if self.abc_class is not None else "any"


@dataclass(frozen=True, slots=True)
class Goods:
    """Units of an item, and of a lot where it has any, that lie where they were received."""

    item_id: UUID
    lot_id: UUID
    units: int
    category: str
    abc_class: str | None
    days_left: int | None


@dataclass(frozen=True, slots=True)
class Face:
    """A pick face that is below its minimum, and how many units it takes."""

    location_id: UUID
    room: int


@dataclass(frozen=True, slots=True)
class Advice:
    """Put `units` away at a place, and why there. `location_id` None: no rule fits, or all that fit are full."""

    item_id: UUID
    lot_id: UUID
    units: int
    location_id: UUID | None
    reason: Reason | None
    rule_id: UUID | None


def advise(
    goods: Sequence[Goods], rules: Sequence[Rule], faces: Mapping[UUID, Face], held: Mapping[UUID, int]
) -> Iterator[Advice]:
    """Where each goes: first to a pick face of the item below its minimum, then by rules in order of priority.

    What one takes is gone for the next: faces and capacities are shared. `held` are the units that lie at places.
    """
    lying, room = dict(held), {item: face.room for item, face in faces.items()}
    ordered = sorted(rules, key=lambda rule: (rule.priority, str(rule.id)))
    for one in sorted(goods, key=lambda each: (each.days_left is None, each.days_left or 0)):
        left = one.units
        if part := min(room.get(one.item_id, 0), left):
            room[one.item_id] -= part
            left -= part
            yield Advice(one.item_id, one.lot_id, part, faces[one.item_id].location_id, "pick_face", None)
        for rule in ordered:
            if not left or not rule.fits(one):
                continue
            free = left if rule.capacity is None else max(rule.capacity - lying.get(rule.location_id, 0), 0)
            if part := min(free, left):
                lying[rule.location_id] = lying.get(rule.location_id, 0) + part
                left -= part
                yield Advice(one.item_id, one.lot_id, part, rule.location_id, rule.reason, rule.id)
        if left:
            yield Advice(one.item_id, one.lot_id, left, None, None, None)
