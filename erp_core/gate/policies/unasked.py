"""Parts count as the whole: what ran lately without anybody having been asked counts with what is asked for now."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

UNASKED = timedelta(days=7)
"""So long what nobody was asked about counts with the next of its kind."""
AT_ONCE = timedelta(hours=1)
"""A rival that began later may be through first: so much later is still the same moment."""


def unasked_since(moments: Iterable[datetime]) -> datetime:
    """From when on earlier ones count for any of these moments."""
    return min(moments) - UNASKED


class Unasked:
    """Amounts or units by what they are counted by (a supplier, an item), each with its moment."""

    def __init__(self) -> None:
        self._earlier: dict[UUID, list[tuple[datetime, int]]] = {}

    def add(self, counted_by: UUID, moment: datetime, value: int) -> None:
        """One that ran without anybody having been asked."""
        self._earlier.setdefault(counted_by, []).append((moment, value))

    def with_earlier(self, counted_by: UUID, moment: datetime, value: int) -> int:
        """The value with those before it, among which it counts from now on."""
        since, until = moment - UNASKED, moment + AT_ONCE
        before = sum(one for when, one in self._earlier.get(counted_by, ()) if since < when <= until)
        self.add(counted_by, moment, value)
        return before + value
