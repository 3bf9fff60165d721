"""Pure rules of channels: where they may be served from, and what they are told is there."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ChannelTerms:
    """How a channel is served. A lower `priority` is served first when stock is short.

    `service_level` is the share of units to ship by the promised day, `dispatch_hours` the time from accepted to
    shipped; None without a target. `locations` may serve it, the preferred first; None: all.
    """

    id: UUID
    code: str
    kind: str
    priority: int
    service_level: float | None
    dispatch_hours: int | None
    buffer_units: int
    buffer_percent: int
    locations: tuple[UUID, ...] | None

    def permits(self, location_id: UUID) -> bool:
        """Whether orders of the channel may leave from this place."""
        return self.locations is None or location_id in self.locations

    def buffer(self, available: int) -> int:
        """The units kept back of so many available of an item at a place: the larger of both buffers.

        A share is rounded up, so that less is published rather than more.
        """
        return max(self.buffer_units, -(-max(available, 0) * self.buffer_percent // 100))

    def published(self, available: int) -> int:
        """What the channel may be told is there: never above available less buffer, never below 0."""
        return max(available - self.buffer(available), 0)
