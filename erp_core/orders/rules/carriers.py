"""Which service takes a parcel: the cheapest of those permitted that arrives in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from erp_core.master.rules.fulfilment import Directions, Offer


@dataclass(frozen=True, slots=True)
class Choice:
    """The offer taken, and why; `offer` is None where nothing permitted goes there."""

    offer: Offer | None
    reason: str


def permitted(offers: Sequence[Offer], said: Directions) -> list[Offer]:
    """Those of the offers that the fulfilment rules let an order use."""
    return [
        one
        for one in offers
        if (said.services is None or one.service.id in said.services)
        and (said.speeds is None or one.service.speed in said.speeds)
    ]


def choose_service(offers: Sequence[Offer], said: Directions, promised_on: date | None) -> Choice:
    """The cheapest permitted offer that arrives by the promised day, or else the one that arrives first.

    At the same price the service that the rule prefers wins, then the faster. A price nobody knows is the dearest.
    """
    usable = permitted(offers, said)
    rules = sorted({said.because[one] for one in ("services", "speeds") if one in said.because})
    within = f" within {', '.join(rules)}" if rules else ""
    if not usable:
        return Choice(None, f"no service goes there{within}")
    in_time = [one for one in usable if promised_on is None or one.arrives_on <= promised_on]

    def preference(one: Offer) -> int:
        return said.services.index(one.service.id) if said.services is not None else 0

    def price(one: Offer) -> tuple[bool, int]:
        return (one.price is None, one.price or 0)

    if in_time:
        best = min(in_time, key=lambda one: (price(one), preference(one), one.arrives_on, one.service.code))
        return Choice(best, ("cheapest in time" if promised_on else "cheapest") + within)
    first = min(usable, key=lambda one: (one.arrives_on, price(one), preference(one), one.service.code))
    return Choice(first, f"none arrives in time: the first to arrive{within}")


def margin_of(net_sales: int, cost: int | None) -> int | None:
    """The margin in hundredths of a percent of net sales; None where the cost is unknown or nothing is charged."""
    if cost is None or net_sales <= 0:
        return None
    return (net_sales - cost) * 10_000 // net_sales
