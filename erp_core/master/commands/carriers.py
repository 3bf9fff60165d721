"""Carriers: their services, the zones they reach, lanes with rates, and cutoffs at our places."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Self
from uuid import NAMESPACE_URL, UUID, uuid5
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from sqlalchemy import delete, func, select

from erp_core.gate.contract import (
    Command,
    DomainError,
    Done,
    NotFound,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
)
from erp_core.master.commands.records import existing, unknown, write_coded
from erp_core.master.model import locations
from erp_core.master.model_fulfilment import (
    carrier_cutoffs,
    carrier_lanes,
    carrier_services,
    carriers,
    shipping_zones,
    zone_countries,
)
from erp_core.master.values import Amount, Code, Country, Name
from erp_core.storage.bulk import insert_rows, upsert_replace
from erp_core.storage.lookup import fetch_in

Grams = Annotated[int, Field(ge=1, le=10**8)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class CountryInZone(DomainError):
    """A country lies in one shipping zone at most."""

    code = "country_in_zone"


class LaneInThePast(DomainError):
    """A lane is priced from today or a later day on; what was shipped keeps its price."""

    code = "lane_in_the_past"


class SetCarrier(Command):
    """A carrier, or a change of one; `active` False takes all its services out of use."""

    carrier_id: UUID
    code: Code
    carrier_name: Name
    active: bool = True

    @property
    def subject(self) -> tuple[str, UUID]:
        """The carrier."""
        return ("carrier", self.carrier_id)


class SetCarrierService(Command):
    """A service of a carrier, or a change of one. `most_grams` is the heaviest parcel it takes."""

    service_id: UUID
    carrier_id: UUID
    code: Code
    service_name: Name
    speed: Literal["economy", "standard", "express", "overnight"]
    most_grams: Grams | None = None
    active: bool = True

    @property
    def subject(self) -> tuple[str, UUID]:
        """The service."""
        return ("carrier_service", self.service_id)


class SetShippingZone(Command):
    """A zone with all its countries. `all_others` takes in every country that lies in no zone."""

    zone: Code
    zone_name: Name
    countries: tuple[Country, ...] = Field(default=(), max_length=300)
    all_others: bool = False

    @model_validator(mode="after")
    def _has_countries(self) -> Self:
        if not self.countries and not self.all_others:
            raise ValueError("a zone without countries reaches nobody: give countries, or all_others")
        return self

    @property
    def subject(self) -> tuple[str, UUID]:
        """The zone."""
        return ("shipping_zone", uuid5(NAMESPACE_URL, f"quartermaster:zone:{self.zone}"))


class Rate(BaseModel):
    """What a parcel from so many grams on costs, until the next step."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    from_grams: Annotated[int, Field(ge=0, le=10**8)] = 0
    price: Amount


class SetCarrierLane(Command):
    """What a service into a zone costs and how long it takes, from a day on. Governed.

    One step from 0 grams is a price for every weight. `active` False ends the lane on that day.
    """

    service_id: UUID
    zone: Code
    valid_from: date
    transit_days: Annotated[int, Field(ge=0, le=120)]
    rates: tuple[Rate, ...] = Field(min_length=1, max_length=100)
    active: bool = True

    @model_validator(mode="after")
    def _in_steps(self) -> Self:
        steps = [rate.from_grams for rate in self.rates]
        if steps != sorted(set(steps)):
            raise ValueError("rates must go up in from_grams, each step once")
        return self

    @property
    def subject(self) -> tuple[str, UUID]:
        """The service."""
        return ("carrier_service", self.service_id)


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("is no time zone: give a name of the IANA list, such as Europe/Berlin")
    return name


class SetCarrierCutoff(Command):
    """Until when a service takes parcels at a place, as hh:mm on the clock there; no `at`: not on these days."""

    location_id: UUID
    service_id: UUID
    weekdays: tuple[Weekday, ...] = Field(min_length=1, max_length=7)
    at: Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] | None = None
    time_zone: Annotated[str, AfterValidator(_known_zone)] = "UTC"

    @property
    def subject(self) -> tuple[str, UUID]:
        """The place."""
        return ("location", self.location_id)


def set_carrier(task: Task[SetCarrier], tx: Transaction) -> Done:
    """Write the carrier."""
    command = task.command
    row = {
        "id": command.carrier_id,
        "code": command.code,
        "name": command.carrier_name,
        "active": command.active,
    }
    return write_coded(task, tx, carriers, "carrier", row)


def set_carrier_service(task: Task[SetCarrierService], tx: Transaction) -> Done:
    """Write the service of a carrier that is there."""
    command = task.command
    if not existing(tx, carriers, [command.carrier_id]):
        raise unknown("carrier", command.carrier_id)
    row = command.model_dump(exclude={"occurred_at", "service_id", "service_name"})
    row |= {"id": command.service_id, "name": command.service_name}
    return write_coded(task, tx, carrier_services, "service", row)


def set_shipping_zone(task: Task[SetShippingZone], tx: Transaction) -> Done:
    """Write the zone; the countries given are all it has from now on."""
    command = task.command
    lies_in = zone_countries.c
    wanted = {one.casefold(): one for one in command.countries} | ({"": ""} if command.all_others else {})
    rows = fetch_in(tx.connection, select(lies_in.country_key, lies_in.zone), lies_in.country_key, wanted)
    elsewhere = {key: zone for key, zone in rows if zone != command.zone}
    if elsewhere:
        key, zone = min(elsewhere.items())
        raise CountryInZone(
            f"{wanted[key] or 'every other country'} lies in zone {zone}",
            field="countries" if key else "all_others",
            remedy=f"take it out of {zone} first",
            zone=zone,
        )
    upsert_replace(
        tx.connection,
        shipping_zones,
        [{"code": command.zone, "name": command.zone_name, "audit_id": task.audit_id}],
        ["name", "audit_id"],
    )
    tx.connection.execute(delete(zone_countries).where(lies_in.zone == command.zone))
    insert_rows(
        tx.connection,
        zone_countries,
        [{"country_key": key, "country": name, "zone": command.zone} for key, name in wanted.items()],
    )
    shown = {"countries": sorted(command.countries), "all_others": command.all_others}
    return Done({"zone": command.zone}, after=shown)


def require_zone(tx: Transaction, zone: str) -> None:
    """Pass when the shipping zone is there. Raises `NotFound`."""
    if tx.connection.scalar(select(shipping_zones.c.code).where(shipping_zones.c.code == zone)) is None:
        raise NotFound(
            f"there is no shipping zone {zone}", field="zone", remedy="set it with SetShippingZone first"
        )


def set_carrier_lane(task: Task[SetCarrierLane], tx: Transaction) -> Done:
    """Write the lane from its day on; a day that has come is never priced again."""
    command = task.command
    if command.valid_from < task.occurred_on:
        raise LaneInThePast(
            f"{command.valid_from} lies before {task.occurred_on}",
            field="valid_from",
            remedy="give today or a later day",
        )
    if not existing(tx, carrier_services, [command.service_id]):
        raise unknown("service", command.service_id)
    require_zone(tx, command.zone)
    rates = [[rate.from_grams, rate.price] for rate in command.rates]
    row: dict[str, Any] = command.model_dump(exclude={"occurred_at", "rates"})
    row |= {"rates": rates, "audit_id": task.audit_id}
    before = _lane_before(tx, command)
    replace = ["transit_days", "rates", "active", "audit_id"]
    upsert_replace(tx.connection, carrier_lanes, [row], replace)
    after = {"transit_days": command.transit_days, "rates": rates, "active": command.active}
    return Done({"service_id": str(command.service_id), "zone": command.zone}, before=before, after=after)


def _lane_before(tx: Transaction, command: SetCarrierLane) -> dict[str, Any] | None:
    lane = carrier_lanes.c
    same = (
        lane.service_id == command.service_id,
        lane.zone == command.zone,
        lane.valid_from <= command.valid_from,
    )
    newest = select(func.max(lane.valid_from)).where(*same).scalar_subquery()
    row = tx.connection.execute(
        select(lane.transit_days, lane.rates, lane.active).where(*same, lane.valid_from == newest)
    ).one_or_none()
    return None if row is None else {str(name): value for name, value in row._mapping.items()}


def set_carrier_cutoff(task: Task[SetCarrierCutoff], tx: Transaction) -> Done:
    """Write the cutoff for each weekday, or take it away."""
    command = task.command
    if not existing(tx, locations, [command.location_id]).get(command.location_id, {}).get("physical"):
        raise unknown("location", command.location_id)
    if not existing(tx, carrier_services, [command.service_id]):
        raise unknown("service", command.service_id)
    days = sorted({_WEEKDAYS.index(day) for day in command.weekdays})
    if command.at is None:
        cutoff = carrier_cutoffs.c
        tx.connection.execute(
            delete(carrier_cutoffs).where(
                cutoff.location_id == command.location_id,
                cutoff.service_id == command.service_id,
                cutoff.weekday.in_(days),
            )
        )
    else:
        hours, minutes = map(int, command.at.split(":"))
        rows = [
            {
                "location_id": command.location_id,
                "service_id": command.service_id,
                "weekday": day,
                "minute": hours * 60 + minutes,
                "time_zone": command.time_zone,
                "audit_id": task.audit_id,
            }
            for day in days
        ]
        upsert_replace(tx.connection, carrier_cutoffs, rows, ["minute", "time_zone", "audit_id"])
    shown = {"weekdays": list(command.weekdays), "at": command.at, "time_zone": command.time_zone}
    return Done({"location_id": str(command.location_id)}, after=shown)


def register(registry: Registry) -> None:
    """Add the commands."""
    registry.register(Registration(SetCarrier, each(set_carrier)))
    registry.register(Registration(SetCarrierService, each(set_carrier_service)))
    registry.register(Registration(SetShippingZone, each(set_shipping_zone)))
    registry.register(Registration(SetCarrierLane, each(set_carrier_lane), governed=True))
    registry.register(Registration(SetCarrierCutoff, each(set_carrier_cutoff)))
