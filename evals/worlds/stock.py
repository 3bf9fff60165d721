"""The ledger as the simulation mirrors it: what is available per cell, and who waits for it."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple


class Waiting(NamedTuple):
    """An order line that waits; `units` is what it still needs."""

    order: int
    line: int
    units: int


class Stock:
    """Available units per cell. Stock that arrives goes first to those who wait, oldest order first."""

    def __init__(self, opening: list[int]) -> None:
        self.available = opening
        self._queues: dict[int, deque[Waiting]] = {}

    def take(self, cell: int, units: int) -> int:
        """Reserve up to `units`; gives how many there were."""
        taken = min(self.available[cell], units)
        self.available[cell] -= taken
        return taken

    def wait(self, cell: int, order: int, line: int, units: int) -> None:
        """Let an order line wait for units of the cell. Orders must come in the order of their time."""
        self._queues.setdefault(cell, deque()).append(Waiting(order, line, units))

    def waiting(self, cell: int) -> int:
        """Units that orders wait for."""
        return sum(one.units for one in self._queues.get(cell, ()))

    def leave(self, cell: int, order: int) -> None:
        """An order does not wait for the cell any more."""
        queue = self._queues.get(cell)
        if queue:
            self._queues[cell] = deque(one for one in queue if one.order != order)

    def give(self, cell: int, units: int) -> list[Waiting]:
        """Bring stock; gives the units that each waiting line got."""
        served = []
        self.available[cell] += units
        queue = self._queues.get(cell)
        while queue and self.available[cell]:
            first = queue.popleft()
            got = min(first.units, self.available[cell])
            self.available[cell] -= got
            served.append(Waiting(first.order, first.line, got))
            if got < first.units:
                queue.appendleft(Waiting(first.order, first.line, first.units - got))
        return served
