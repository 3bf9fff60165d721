"""Where orders may be filled, and what they may ask for: places of channels, set nodes by rule, speeds on offer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select

from erp_core.finance.queries import unit_costs
from erp_core.gate.contract import DomainError, Transaction
from erp_core.master.model import items
from erp_core.master.queries.channels import channel_terms
from erp_core.master.queries.fulfilment import (
    active_fulfilment_rules,
    active_services,
    country_zones,
    lanes_in_force,
)
from erp_core.master.rules.fulfilment import directions, zone_of
from erp_core.orders.commands.place import PlaceOrder
from erp_core.orders.directing import wish_of
from erp_core.orders.reach import Reach
from erp_core.orders.rules.places import LocationChoice, Standing, choose_location
from erp_core.storage.lookup import fetch_in

_CATEGORIES = select(items.c.id, items.c.category)


class PlaceNotPermitted(DomainError):
    """The channel is not served from this place."""

    code = "place_not_permitted"


class Nodes:
    """The places of a batch of orders. `bound`: a channel has places of its own; `ruled`: rules set nodes; `served`:
    carriers pick up somewhere.

    Without any of them nothing is read, nor about carriers where every order names its places.
    """

    def __init__(
        self, tx: Transaction, commands: Sequence[PlaceOrder], *, bound: bool, ruled: bool, served: bool
    ) -> None:
        connection = tx.connection
        channel_ids = {one.channel_id for one in commands}
        self._terms = channel_terms(connection, channel_ids) if bound or ruled else {}
        self._rules = active_fulfilment_rules(connection) if ruled else []
        self._zones: Mapping[str, str] = {}
        roaming = [one for one in commands if any(line.location_id is None for line in one.lines)]
        self._reach: Reach | None = None
        if served and roaming:
            self._reach = Reach(connection, {line.item_id for one in roaming for line in one.lines})
        if ruled:
            item_ids = {line.item_id for one in commands for line in one.lines}
            self._zones = country_zones(connection)
            self._categories = {
                id_: category for id_, category in fetch_in(connection, _CATEGORIES, items.c.id, item_ids)
            }
            self._costs = unit_costs(connection, item_ids)

    def check(self, command: PlaceOrder, places: Sequence[UUID]) -> None:
        """Raise `PlaceNotPermitted` for a place that the order names and its channel is not served from."""
        terms = self._terms.get(command.channel_id)
        for place in places:
            if terms is not None and not terms.permits(place):
                raise PlaceNotPermitted(
                    f"channel {terms.code} is not served from this place",
                    field="lines.location_id",
                    remedy="name a place that serves the channel, or none",
                    location=place,
                )

    def choose(
        self,
        command: PlaceOrder,
        demand: Mapping[UUID, int],
        available: Sequence[tuple[UUID, Mapping[UUID, int]]],
        ready: datetime,
    ) -> LocationChoice | None:
        """Where the order is filled, among these places; None where none of them may serve it.

        Of the nodes a rule sets, the first that has all of it; else the one that fills most, and of equals the one
        from which it arrives in time, that the channel prefers, from which it is sent for less.
        """
        terms = self._terms.get(command.channel_id)
        if terms is not None:
            available = [entry for entry in available if terms.permits(entry[0])]
        nodes = self._set_nodes(command)
        if nodes is not None:
            there = dict(available)
            available = [(place, there[place]) for place in nodes if place in there]
            for place, units in available:
                if all(units[item_id] >= wanted for item_id, wanted in demand.items()):
                    return LocationChoice(place, "set_node")
        if not available:
            return None
        places = [place for place, _ in available]
        return choose_location(demand, available, self._standings(command, places, ready))

    def _standings(
        self, command: PlaceOrder, places: Sequence[UUID], ready: datetime
    ) -> Mapping[UUID, Standing]:
        terms = self._terms.get(command.channel_id)
        preferred = terms.locations if terms is not None and terms.locations is not None else ()
        ranks = {place: rank for rank, place in enumerate(preferred)}
        if self._reach is None:
            return {place: Standing(rank=ranks.get(place, 0)) for place in places} if ranks else {}
        found = {}
        for place in places:
            offers = self._reach.offers(command, place, ready)
            by = command.promised_on
            in_time = [one for one in offers if by is None or one.arrives_on <= by]
            prices = [one.price for one in in_time or offers if one.price is not None]
            found[place] = Standing(bool(in_time), ranks.get(place, 0), min(prices, default=None))
        return found

    def _set_nodes(self, command: PlaceOrder) -> tuple[UUID, ...] | None:
        if not self._rules:
            return None
        lines = [(line.item_id, line.quantity, line.unit_price) for line in command.lines]
        zone = zone_of(self._zones, command.customer_country)
        terms = self._terms.get(command.channel_id)
        priority = terms.priority if terms is not None else 99
        wish = wish_of(command.channel_id, priority, zone, lines, self._categories, self._costs)
        return directions(self._rules, wish).locations


class Speeds:
    """The speeds on offer into each zone on a day; read only where an order asks for one."""

    def __init__(self, tx: Transaction, commands: Sequence[PlaceOrder], today: date) -> None:
        self._offered: set[tuple[str | None, str]] = set()
        self._zones: Mapping[str, str] = {}
        if any(one.speed is not None for one in commands):
            self._zones = country_zones(tx.connection)
            speeds = {one.id: one.speed for one in active_services(tx.connection)}
            self._offered = {
                (lane.zone, speeds[lane.service_id])
                for lane in lanes_in_force(tx.connection, today)
                if lane.service_id in speeds
            }

    def offered(self, command: PlaceOrder) -> bool:
        """Whether a service of the order's speed reaches its customer; an order without one asks for none."""
        return command.speed is None or (
            (zone_of(self._zones, command.customer_country), command.speed) in self._offered
        )
