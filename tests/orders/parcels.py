"""Carriers for tests: services with a cutoff at NORTH and one rate into one zone."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID, uuid4

from erp_core.gate.contract import Executed
from erp_core.master.commands import (
    SetCarrier,
    SetCarrierCutoff,
    SetCarrierLane,
    SetCarrierService,
    SetFulfilmentRule,
    SetShippingZone,
)
from erp_core.master.commands.carriers import Rate
from tests.master.market import agree
from tests.shop import Shop

DAILY = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def home_zone(shop: Shop) -> None:
    shop.run(SetShippingZone(zone="HOME", zone_name="Home", countries=("DE",)))


def service(
    shop: Shop, code: str, price: int, days: int, *, at: str = "16:00", speed: str = "standard"
) -> UUID:
    """A service into the home zone at `price` a parcel, in `days`, picked up at NORTH every day at `at` (UTC)."""
    carrier_id, service_id = uuid4(), uuid4()
    shop.run(SetCarrier(carrier_id=carrier_id, code=f"C-{code}", carrier_name=code))
    shop.run(
        SetCarrierService(
            service_id=service_id, carrier_id=carrier_id, code=code, service_name=code, speed=speed
        )
    )
    shop.run(SetCarrierCutoff(location_id=shop.north, service_id=service_id, weekdays=DAILY, at=at))
    lane = SetCarrierLane(
        service_id=service_id,
        zone="HOME",
        rates=(Rate(from_grams=0, price=price),),
        valid_from=date(2026, 6, 1),
        transit_days=days,
    )
    agreed(shop, lane)
    return service_id


def rule(shop: Shop, name: str, **fields: Any) -> None:
    agreed(shop, SetFulfilmentRule(rule_id=uuid4(), rule_name=name, **fields))


def agreed(shop: Shop, command: Any) -> None:
    outcome = agree(shop, command)
    assert isinstance(outcome, Executed), outcome
