"""What is done when stock is short: the actions of a channel, who gives up stock for whom, what may stand in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

EVERY_CHANNEL = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Donor:
    """A line that holds stock which is not on its way yet. A lower `priority` is served first."""

    line_id: UUID
    order_id: UUID
    units: int
    priority: int
    ordered_at: datetime


def actions_for(rules: Mapping[UUID, Sequence[str]], channel_id: UUID) -> Sequence[str]:
    """The channel's actions in their order, or those of every channel; none: the order waits."""
    return rules.get(channel_id) or rules.get(EVERY_CHANNEL, ())


def take_from(donors: Iterable[Donor], priority: int, wanted: int) -> list[tuple[Donor, int]]:
    """Whose stock goes to a line of a channel with this `priority`: never of a channel as important or more.

    The least important channel gives first, there the youngest order; each no more than it holds.
    """
    given: list[tuple[Donor, int]] = []
    lower = [one for one in donors if one.priority > priority]
    lower.sort(key=lambda one: (one.priority, one.ordered_at, one.line_id), reverse=True)
    for donor in lower:
        if wanted <= 0:
            break
        units = min(donor.units, wanted)
        given.append((donor, units))
        wanted -= units
    return given
