"""What the fulfilment rules say about orders that were taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.finance.queries import unit_costs
from erp_core.master.model import channels, items
from erp_core.master.queries.fulfilment import active_fulfilment_rules, country_zones
from erp_core.master.rules.fulfilment import Directions, Wish, directions, zone_of
from erp_core.orders.book import BookOrder
from erp_core.orders.rules.carriers import margin_of
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


class Directing:
    """The rules of one moment for a batch of orders: all, or those that say something about `aspect`.

    Where there are none it costs one read.
    """

    def __init__(
        self,
        connection: Connection,
        some: Iterable[BookOrder],
        *,
        aspect: Literal["most_parcels"] | None = None,
    ) -> None:
        rules = active_fulfilment_rules(connection)
        self._rules = [one for one in rules if aspect is None or getattr(one, aspect) is not None]
        if not self._rules:
            return
        found = list(some)
        item_ids = {line.item_id for order in found for line in order.lines.values()}
        channel_ids = {order.channel_id for order in found}
        self._zones = country_zones(connection)
        self._costs = unit_costs(connection, item_ids)
        self._categories = {id_: kind for id_, kind in fetch_in(connection, _ITEMS, items.c.id, item_ids)}
        self._priorities = {
            id_: priority for id_, priority in fetch_in(connection, _PRIORITIES, channels.c.id, channel_ids)
        }

    def of(self, order: BookOrder) -> Directions:
        """What the rules let the order use."""
        if not self._rules:
            return Directions(None, None, None, None, {})
        lines = [(line.item_id, line.parts.quantity, line.unit_price) for line in order.lines.values()]
        zone = zone_of(self._zones, order.customer_country)
        priority = self._priorities[order.channel_id]
        wish = wish_of(order.channel_id, priority, zone, lines, self._categories, self._costs)
        return directions(self._rules, wish)
