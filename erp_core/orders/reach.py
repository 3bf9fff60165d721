"""Which places reach a customer by when, and for how much: read once for a batch of new orders."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection

from erp_core.master.queries.fulfilment import (
    active_services,
    closed_days,
    country_zones,
    lanes_in_force,
    list_cutoffs,
    unit_weights,
)
from erp_core.master.rules.fulfilment import Cutoff, Lane, Offer, offers_of, zone_of
from erp_core.orders.commands.place import PlaceOrder


class Reach:
    """The carriers of the days of a batch. A place without pickups reaches nobody."""

    def __init__(self, connection: Connection, item_ids: Collection[UUID]) -> None:
        self._connection = connection
        self._services = active_services(connection)
        self._zones = country_zones(connection)
        self._weights = unit_weights(connection, item_ids)
        self._cutoffs: dict[UUID, dict[UUID, list[Cutoff]]] = {}
        for one in list_cutoffs(connection):
            self._cutoffs.setdefault(one.location_id, {}).setdefault(one.service_id, []).append(one)
        self._lanes: dict[date, Sequence[Lane]] = {}
        self._closed: dict[date, Mapping[UUID, Collection[date]]] = {}

    def offers(self, command: PlaceOrder, place: UUID, ready: datetime) -> list[Offer]:
        """How the order may go at its speed from a place where it is packed at `ready`, the cheapest first."""
        zone, day = zone_of(self._zones, command.customer_country), ready.date()
        if day not in self._lanes:
            self._lanes[day] = lanes_in_force(self._connection, day)
            self._closed[day] = closed_days(self._connection, day)
        lanes = {lane.service_id: lane for lane in self._lanes[day] if lane.zone == zone}
        services = [one for one in self._services if command.speed in (None, one.speed)]
        cutoffs = self._cutoffs.get(place, {})
        return offers_of(services, lanes, cutoffs, ready, self._grams(command), self._closed[day])

    def _grams(self, command: PlaceOrder) -> int | None:
        grams = 0
        for line in command.lines:
            weight = self._weights.get(line.item_id)
            if weight is None:
                return None
            grams += weight * line.quantity
        return grams
