"""First in first out on plain lists: what the layers of an item must be after each step, told without the product's rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

MIXED = "mixed"
Tag = tuple[UUID, UUID] | UUID | str | None
"""What a layer came with: the line and receipt of an order, the line of a return, or goods that are not told apart."""


@dataclass
class Pile:
    """Units with their value."""

    units: int
    value: int
    tag: Tag


def half_up(value: int, part: int, whole: int) -> int:
    """The part of a value, rounded half up."""
    return int((2 * value * part + whole) // (2 * whole))


@dataclass
class Item:
    """An item's piles, oldest first; at the average they are one."""

    fifo: bool = False
    piles: list[Pile] = field(default_factory=list)

    @property
    def units(self) -> int:
        return sum(one.units for one in self.piles)

    @property
    def value(self) -> int:
        return sum(one.value for one in self.piles)

    def change(self, fifo: bool) -> None:
        self.fifo = fifo
        self._merge()

    def put(self, units: int, value: int, tag: Tag = None) -> None:
        self.piles.append(Pile(units, value, tag))
        if not self.fifo:
            self._merge()

    def found(self, units: int) -> None:
        self.put(units, half_up(self.value, units, self.units))

    def take(self, units: int, *wanted: Callable[[Tag], bool]) -> int:
        """Take units of piles whose tag is wanted first, else the oldest; gives their value."""
        gone = 0
        for choice in (*wanted, lambda _: True):
            for pile in [one for one in self.piles if choice(one.tag)]:
                part = min(units, pile.units)
                worth = pile.value if part == pile.units else half_up(pile.value, part, pile.units)
                pile.units, pile.value = pile.units - part, pile.value - worth
                units, gone = units - part, gone + worth
        assert units == 0
        self.piles = [one for one in self.piles if one.units]
        return gone

    def take_back(self, units: int, value: int, line: UUID, receipt: UUID) -> None:
        """Take the goods of a receipt out again."""
        if self.fifo:
            self.take(units, lambda tag: tag == (line, receipt), lambda tag: _of(tag, line))
        elif self.units > units and value <= self.value:
            (pile,) = self.piles
            pile.units, pile.value = pile.units - units, pile.value - value
        else:
            self.take(units)

    def charge(self, amount: int, units: int, line: UUID) -> int:
        """Put landed cost on what is left of so many units of an order's line; gives what stays on stock."""
        carriers = [(one, one.units) for one in self.piles if _of(one.tag, line)]
        rest = units - sum(count for _, count in carriers)
        for pile in self.piles:
            if pile.tag == MIXED and rest > 0:
                carriers.append((pile, min(rest, pile.units)))
                rest -= carriers[-1][1]
        there = sum(count for _, count in carriers)
        on_stock = amount * there // units
        given = 0
        for pile, count in carriers[:-1]:
            part = on_stock * count // there
            pile.value, given = pile.value + part, given + part
        if carriers:
            carriers[-1][0].value += on_stock - given
        return on_stock

    def uncharge(self, amount: int, units: int, line: UUID) -> None:
        """Take so much landed cost of the line's units off again, from each pile in proportion to its value."""
        carriers = [one for one in self.piles if _of(one.tag, line)]
        if units > sum(one.units for one in carriers):
            carriers += [one for one in self.piles if one.tag == MIXED]
        whole, so_far, before = sum(one.value for one in carriers), 0, 0
        for pile in carriers:
            so_far += pile.value
            until = amount * so_far // whole if whole else 0
            pile.value, before = pile.value - (until - before), until

    def _merge(self) -> None:
        units, value = self.units, self.value
        self.piles = [Pile(units, value, MIXED)] if units else []


def _of(tag: Tag, line: UUID) -> bool:
    return isinstance(tag, tuple) and tag[0] == line
