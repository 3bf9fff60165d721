"""Pure rules of alerts: which lines are late or short, what changed since the last look, and what customers read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from string import Formatter
from types import MappingProxyType
from uuid import UUID

ALERT_KINDS = ("delay", "shortage")
SHIPPED = "shipped"
TEMPLATES = (*ALERT_KINDS, "resolved", SHIPPED)
PLACEHOLDERS = ("order", "items", "expected_on")
"""What a text may speak of. None of it is personal."""


@dataclass(frozen=True, slots=True)
class WaitingLine:
    """A line of a live order with `units` that no stock covers."""

    order_id: UUID
    line_id: UUID
    units: int
    promised_on: date | None
    expected_on: date | None


@dataclass(frozen=True, slots=True)
class Alert:
    """What is wrong with a line: `shortage` when nobody knows when its units come, `delay` when too late."""

    order_id: UUID
    line_id: UUID
    kind: str
    units: int
    promised_on: date | None
    expected_on: date | None

    def says_the_same(self, other: Alert | None) -> bool:
        """Whether the customer was told this already; fewer or more units are no news."""
        return other is not None and (self.kind, self.expected_on) == (other.kind, other.expected_on)


def alert_for(line: WaitingLine, today: date) -> Alert | None:
    """The alert that a waiting line calls for; None while its units come in time or nothing was promised.

    A day that has passed is no expectation any more.
    """
    expected = line.expected_on if line.expected_on is not None and line.expected_on >= today else None
    if expected is not None and (line.promised_on is None or expected <= line.promised_on):
        return None
    kind = "shortage" if expected is None else "delay"
    return Alert(line.order_id, line.line_id, kind, line.units, line.promised_on, expected)


@dataclass(frozen=True, slots=True)
class Changes:
    """What to do so that the open alerts are exactly those that are called for.

    `over` are lines whose trouble ended; a line in `replaced` is told something new, and is in `new` too.
    """

    new: tuple[Alert, ...]
    replaced: tuple[Alert, ...]
    over: tuple[Alert, ...]


def changes(open_alerts: Iterable[Alert], called_for: Iterable[Alert]) -> Changes:
    """Compare by line; the same twice changes nothing."""
    before = {one.line_id: one for one in open_alerts}
    now = {one.line_id: one for one in called_for}
    new = tuple(one for one in now.values() if not one.says_the_same(before.get(one.line_id)))
    replaced = tuple(before[one.line_id] for one in new if one.line_id in before)
    over = tuple(one for one in before.values() if one.line_id not in now)
    return Changes(new, replaced, over)


@dataclass(frozen=True, slots=True)
class Text:
    """A text with placeholders in braces."""

    subject: str
    body: str


TEXTS: Mapping[str, Text] = MappingProxyType(
    {
        "delay": Text(
            "Your order {order} will be late",
            "We are sorry: {items} of your order {order} will leave us on {expected_on} only.",
        ),
        "shortage": Text(
            "A delay in your order {order}",
            "We are sorry: we cannot say yet when {items} of your order {order} will leave us."
            " We write again as soon as we know.",
        ),
        "resolved": Text(
            "Good news about your order {order}",
            "{items} of your order {order} is there now, or no longer late.",
        ),
    }
)
"""What a company starts with. That a parcel left is told only where the company has a text: many shops do it themselves."""


def text_for(known: Mapping[tuple[str, str], Text], template: str, country: str) -> Text | None:
    """The text for customers of a country, else that for every other; None where there is neither."""
    return known.get((template, country.casefold()), known.get((template, "")))


def unknown_placeholders(text: str) -> list[str]:
    """What stands in braces and is no placeholder. Raises `ValueError` where a brace is not closed."""
    return [
        name
        for _, name, form, conversion in Formatter().parse(text)
        if name is not None and (name not in PLACEHOLDERS or form or conversion)
    ]


def render(text: Text, order: str, items: Sequence[str], expected_on: date | None) -> Text:
    """The text with its placeholders filled in."""
    values = {
        "order": order,
        "items": ", ".join(items),
        "expected_on": expected_on.isoformat() if expected_on else "a day not known yet",
    }
    return Text(text.subject.format(**values), text.body.format(**values))
