"""Rate shopping for parcels: what is on offer, which rules hold, and the way a parcel goes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.finance.queries import unit_costs
from erp_core.master.model import channels, items
from erp_core.master.queries.fulfilment import (
    active_fulfilment_rules,
    active_services,
    country_zones,
    lanes_in_force,
    list_cutoffs,
    unit_weights,
)
from erp_core.master.rules.fulfilment import Directions, Offer, Wish, directions, offers_of, zone_of
from erp_core.orders.book import BookOrder, Way
from erp_core.orders.rules.carriers import Choice, choose_service, margin_of
from erp_core.storage.lookup import fetch_in

_ITEMS = select(items.c.id, items.c.category)
_PRIORITIES = select(channels.c.id, channels.c.priority)


def wish_of(
    channel_id: UUID,
    priority: int,
    zone: str | None,
    lines: Iterable[tuple[UUID, int, int]],
    categories: Mapping[UUID, str],
    costs: Mapping[UUID, int],
) -> Wish:
    """What fulfilment rules look at; `lines` are (item, units, unit price). One unknown cost makes the margin unknown."""
    parts = list(lines)
    value = sum(units * price for _, units, price in parts)
    known = all(item_id in costs for item_id, _, _ in parts)
    cost = sum(units * costs[item_id] for item_id, units, _ in parts) if known else None
    kinds = frozenset(categories.get(item_id, "") for item_id, _, _ in parts)
    return Wish(channel_id, priority, kinds, zone, value, margin_of(value, cost))


class RateShop:
    """The carriers, rates and rules of one moment, read once for a batch of orders. Without carriers it costs one read."""

    def __init__(self, connection: Connection, some: Collection[BookOrder], ready: datetime) -> None:
        self._ready = ready
        self._services = active_services(connection)
        if not self._services:
            return
        self._rules = active_fulfilment_rules(connection)
        self._zones = country_zones(connection)
        self._lanes = lanes_in_force(connection, ready.date())
        self._cutoffs = list_cutoffs(connection)
        item_ids = {line.item_id for order in some for line in order.lines.values()}
        self._weights = unit_weights(connection, item_ids)
        self._categories = {
            id_: category for id_, category in fetch_in(connection, _ITEMS, items.c.id, item_ids)
        }
        self._costs = unit_costs(connection, item_ids)
        channel_ids = {order.channel_id for order in some}
        self._priorities = {
            id_: priority for id_, priority in fetch_in(connection, _PRIORITIES, channels.c.id, channel_ids)
        }

    def priority(self, order: BookOrder) -> int:
        """Of the order's channel; the lower is served first."""
        return self._priorities[order.channel_id] if self._services else 0

    def directions(self, order: BookOrder) -> Directions:
        """What the rules let the order use."""
        lines = [(line.item_id, line.parts.quantity, line.unit_price) for line in order.lines.values()]
        zone = zone_of(self._zones, order.customer_country)
        priority = self._priorities[order.channel_id]
        wish = wish_of(order.channel_id, priority, zone, lines, self._categories, self._costs)
        return directions(self._rules, wish)

    def offers(
        self, order: BookOrder, place: UUID, units: Mapping[UUID, int], *, any_speed: bool = False
    ) -> list[Offer]:
        """How these units, by line, may go to the customer at the speed that was asked for, the cheapest first."""
        zone = zone_of(self._zones, order.customer_country) if self._services else None
        if zone is None:
            return []
        lanes = {lane.service_id: lane for lane in self._lanes if lane.zone == zone}
        cutoffs = {
            service.id: [
                one for one in self._cutoffs if one.location_id == place and one.service_id == service.id
            ]
            for service in self._services
        }
        services = [one for one in self._services if any_speed or order.speed in (None, one.speed)]
        return offers_of(services, lanes, cutoffs, self._ready, self._grams(order, units))

    def choose(self, order: BookOrder, place: UUID, units: Mapping[UUID, int]) -> Way:
        """The way that the rules choose."""
        if not self._services:
            return Way()
        choice: Choice = choose_service(
            self.offers(order, place, units), self.directions(order), order.promised_on
        )
        return Way.by(choice.offer, choice.reason)

    def _grams(self, order: BookOrder, units: Mapping[UUID, int]) -> int | None:
        grams = 0
        for line_id, count in units.items():
            weight = self._weights.get(order.lines[line_id].item_id)
            if weight is None:
                return None
            grams += weight * count
        return grams
