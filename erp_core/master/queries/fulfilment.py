"""Reads of fulfilment: carriers and what they offer, packagings, and the rules in force."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, Table, and_, func, select

from erp_core.master.model import item_units, items
from erp_core.master.model_fulfilment import (
    carrier_cutoffs,
    carrier_holidays,
    carrier_lanes,
    carrier_services,
    carriers,
    fulfilment_rules,
    packaging_rules,
    packagings,
    shipping_zones,
    zone_countries,
)
from erp_core.master.rules.fulfilment import (
    Cutoff,
    FulfilmentRule,
    Lane,
    Offer,
    Packaging,
    PackagingRule,
    Service,
    offers_of,
    zone_of,
)
from erp_core.storage.lookup import fetch_in


@dataclass(frozen=True, slots=True)
class Carrier:
    """A carrier; no parcel goes with one that is not active."""

    id: UUID
    code: str
    name: str
    active: bool


@dataclass(frozen=True, slots=True)
class Zone:
    """A shipping zone with its countries; `all_others` where it takes every country that lies in none."""

    code: str
    name: str
    countries: tuple[str, ...]
    all_others: bool


def list_carriers(connection: Connection) -> list[Carrier]:
    """Carriers by code."""
    columns = [carriers.c[part.name] for part in fields(Carrier)]
    return [Carrier(*row) for row in connection.execute(select(*columns).order_by(carriers.c.code))]


def active_services(connection: Connection) -> list[Service]:
    """Services that may be used, of carriers that may be used, by code."""
    service = carrier_services.c
    statement = (
        select(
            service.id,
            service.carrier_id,
            carriers.c.code,
            service.code,
            service.name,
            service.speed,
            service.most_grams,
        )
        .join(carriers, carriers.c.id == service.carrier_id)
        .where(service.active, carriers.c.active)
        .order_by(service.code)
    )
    return [Service(*row) for row in connection.execute(statement)]


def country_zones(connection: Connection) -> dict[str, str]:
    """The zone by casefolded country; the empty name stands for all others. `zone_of` reads it."""
    rows = connection.execute(select(zone_countries.c.country_key, zone_countries.c.zone))
    return {country: zone for country, zone in rows}


def list_zones(connection: Connection) -> list[Zone]:
    """Zones by code."""
    countries: dict[str, list[tuple[str, str]]] = {}
    for row in connection.execute(select(zone_countries).order_by(zone_countries.c.country)):
        countries.setdefault(row.zone, []).append((row.country_key, row.country))
    rows = connection.execute(
        select(shipping_zones.c.code, shipping_zones.c.name).order_by(shipping_zones.c.code)
    )
    return [
        Zone(
            code,
            name,
            tuple(country for key, country in countries.get(code, []) if key),
            any(not key for key, _ in countries.get(code, [])),
        )
        for code, name in rows
    ]


def lanes_in_force(connection: Connection, on: date, *, zone: str | None = None) -> list[Lane]:
    """The lanes that are served on a day: the last word on each service and zone until then."""
    lane = carrier_lanes.c
    newest = (
        select(lane.service_id, lane.zone, func.max(lane.valid_from).label("valid_from"))
        .where(lane.valid_from <= on)
        .group_by(lane.service_id, lane.zone)
    )
    if zone is not None:
        newest = newest.where(lane.zone == zone)
    last = newest.subquery()
    statement = (
        select(lane.service_id, lane.zone, lane.transit_days, lane.rates)
        .join(
            last,
            and_(
                last.c.service_id == lane.service_id,
                last.c.zone == lane.zone,
                last.c.valid_from == lane.valid_from,
            ),
        )
        .where(lane.active)
        .order_by(lane.zone, lane.service_id)
    )
    return [
        Lane(service_id, code, days, tuple((least, price) for least, price in rates))
        for service_id, code, days, rates in connection.execute(statement)
    ]


def list_cutoffs(connection: Connection, location_id: UUID | None = None) -> list[Cutoff]:
    """Cutoffs, of one place or of all."""
    columns = [carrier_cutoffs.c[part.name] for part in fields(Cutoff)]
    statement = select(*columns).order_by(*columns[:3])
    if location_id is not None:
        statement = statement.where(carrier_cutoffs.c.location_id == location_id)
    return [Cutoff(*row) for row in connection.execute(statement)]


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day on which a carrier neither picks up nor delivers."""

    carrier_id: UUID
    day: date
    name: str


def list_holidays(connection: Connection, first_on: date, *, carrier_id: UUID | None = None) -> list[Holiday]:
    """Holidays of carriers from a day on, in their order."""
    columns = [carrier_holidays.c[part.name] for part in fields(Holiday)]
    statement = select(*columns).where(carrier_holidays.c.day >= first_on)
    if carrier_id is not None:
        statement = statement.where(carrier_holidays.c.carrier_id == carrier_id)
    ordered = statement.order_by(carrier_holidays.c.day, carrier_holidays.c.carrier_id)
    return [Holiday(*row) for row in connection.execute(ordered)]


def closed_days(connection: Connection, first_on: date) -> dict[UUID, set[date]]:
    """The holidays from the day before this one on, by carrier; `offers_of` reads it."""
    closed: dict[UUID, set[date]] = {}
    for one in list_holidays(connection, first_on - timedelta(days=1)):
        closed.setdefault(one.carrier_id, set()).add(one.day)
    return closed


def shipping_offers(
    connection: Connection, location_id: UUID, country: str, ready: datetime, grams: int | None
) -> list[Offer]:
    """How a parcel that is packed at `ready` may go from a place to a country, the cheapest first.

    Prices are of the day of `ready`, in ten-thousandths of the company's currency; those that need a weight
    nobody knows come last, without a price. Empty where no zone has the country.
    """
    zone = zone_of(country_zones(connection), country)
    if zone is None:
        return []
    lanes = {lane.service_id: lane for lane in lanes_in_force(connection, ready.date(), zone=zone)}
    cutoffs: dict[UUID, list[Cutoff]] = {}
    for one in list_cutoffs(connection, location_id):
        cutoffs.setdefault(one.service_id, []).append(one)
    closed = closed_days(connection, ready.date())
    return offers_of(active_services(connection), lanes, cutoffs, ready, grams, closed)


def _active(record: type[Any], table: Table, *order: str) -> Select[Any]:
    columns = [table.c[part.name] for part in fields(record)]
    return select(*columns).where(table.c.active).order_by(*(table.c[name] for name in order))


def active_packagings(connection: Connection) -> list[Packaging]:
    """Packagings that may be used, by code."""
    return [Packaging(*row) for row in connection.execute(_active(Packaging, packagings, "code"))]


def active_packaging_rules(connection: Connection) -> list[PackagingRule]:
    """Packaging rules in force, by rank and name."""
    statement = _active(PackagingRule, packaging_rules, "rank", "name")
    return [PackagingRule(*row) for row in connection.execute(statement)]


def active_fulfilment_rules(connection: Connection) -> list[FulfilmentRule]:
    """Fulfilment rules in force, by rank and name."""
    statement = _active(FulfilmentRule, fulfilment_rules, "rank", "name")
    return [_rule(row) for row in connection.execute(statement)]


def _rule(row: Row[Any]) -> FulfilmentRule:
    values = {str(name): value for name, value in row._mapping.items()}
    for name, read in (("locations", UUID), ("speeds", str), ("services", UUID)):
        given = values[name]
        values[name] = None if given is None else tuple(read(one) for one in given)
    return FulfilmentRule(**values)


def unit_weights(connection: Connection, item_ids: Iterable[UUID]) -> dict[UUID, int]:
    """Grams of one base unit by item; an item whose weight nobody gave is left out."""
    statement = (
        select(items.c.id, item_units.c.weight_grams)
        .join(item_units, and_(item_units.c.item_id == items.c.id, item_units.c.unit == items.c.base_unit))
        .where(item_units.c.weight_grams.is_not(None))
    )
    return {item_id: grams for item_id, grams in fetch_in(connection, statement, items.c.id, item_ids)}
