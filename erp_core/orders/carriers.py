"""Rate shopping for parcels: what is on offer, which rules hold, and the way a parcel goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.master.model import items
from erp_core.master.queries.fulfilment import (
    active_packaging_rules,
    active_packagings,
    active_services,
    closed_days,
    country_zones,
    lanes_in_force,
    list_cutoffs,
    unit_weights,
)
from erp_core.master.rules.fulfilment import Offer, offers_of, packaging_for, tare_of, zone_of
from erp_core.orders.book import BookOrder, Way
from erp_core.orders.directing import Directing
from erp_core.orders.rules.carriers import Choice, choose_service
from erp_core.storage.lookup import fetch_in

_CATEGORIES = select(items.c.id, items.c.category)


class RateShop:
    """The carriers, rates and rules of one moment, read once for a batch of orders. Without carriers it costs one read."""

    def __init__(self, connection: Connection, some: Collection[BookOrder], ready: datetime) -> None:
        self._ready = ready
        self._services = active_services(connection)
        if not self._services:
            return
        self._directing = Directing(connection, some)
        self._zones = country_zones(connection)
        self._lanes = lanes_in_force(connection, ready.date())
        self._cutoffs = list_cutoffs(connection)
        self._closed = closed_days(connection, ready.date())
        item_ids = {line.item_id for order in some for line in order.lines.values()}
        self._weights = unit_weights(connection, item_ids)
        self._packing = active_packaging_rules(connection)
        if self._packing:
            self._packagings = {one.id: one for one in active_packagings(connection)}
            self._categories = {
                id_: kind for id_, kind in fetch_in(connection, _CATEGORIES, items.c.id, item_ids)
            }

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
        return offers_of(services, lanes, cutoffs, self._ready, self._grams(order, units), self._closed)

    def choose(self, order: BookOrder, place: UUID, units: Mapping[UUID, int]) -> Way:
        """The way that the rules choose."""
        if not self._services:
            return Way()
        said = self._directing.of(order)
        choice: Choice = choose_service(self.offers(order, place, units), said, order.promised_on)
        return Way.by(choice.offer, choice.reason)

    def _grams(self, order: BookOrder, units: Mapping[UUID, int]) -> int | None:
        """The goods and their packaging; None where the weight of an item is not known."""
        grams = self._tare(order, units)
        for line_id, count in units.items():
            weight = self._weights.get(order.lines[line_id].item_id)
            if weight is None:
                return None
            grams += weight * count
        return grams

    def _tare(self, order: BookOrder, units: Mapping[UUID, int]) -> int:
        if not self._packing:
            return 0
        by_item: Counter[UUID] = Counter()
        for line_id, count in units.items():
            by_item[order.lines[line_id].item_id] += count
        parcel = [
            (packaging_for(self._packing, item_id, self._categories.get(item_id, "")), count)
            for item_id, count in sorted(by_item.items())
        ]
        return tare_of(parcel, self._packagings)
