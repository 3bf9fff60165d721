"""Carriers, zones, lanes, cutoffs, packagings and fulfilment rules are master data that orders read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import Connection

from erp_core.gate.contract import Denied, Executed, Proposed, Submission
from erp_core.master.commands import (
    SetCarrier,
    SetCarrierCutoff,
    SetCarrierLane,
    SetCarrierService,
    SetFulfilmentRule,
    SetItemUnit,
    SetPackaging,
    SetPackagingRule,
    SetShippingZone,
)
from erp_core.master.commands.carriers import Rate
from erp_core.master.queries.fulfilment import (
    active_fulfilment_rules,
    active_packaging_rules,
    list_zones,
    shipping_offers,
    unit_weights,
)
from erp_core.master.rules.fulfilment import (
    Cutoff,
    Lane,
    Wish,
    directions,
    next_pickup,
    packaging_for,
    price_of,
)
from erp_core.storage.engine import reading
from tests.master.market import agree, approve, ask
from tests.shop import Shop

FRIDAY_NOON = datetime(2026, 6, 5, 12, 0, tzinfo=UTC)
T = TypeVar("T")


def read(shop: Shop, query: Callable[[Connection], T]) -> T:
    with reading(shop.gate.engine) as connection:
        return query(connection)


def service(shop: Shop, code: str, **fields: Any) -> UUID:
    """A service of a carrier of its own, picked up at NORTH on working days until 16:00 UTC."""
    carrier_id, service_id = uuid4(), uuid4()
    shop.run(SetCarrier(carrier_id=carrier_id, code=f"C-{code}", carrier_name=code))
    values = {"service_name": code, "speed": "standard"} | fields
    shop.run(SetCarrierService(service_id=service_id, carrier_id=carrier_id, code=code, **values))
    shop.run(
        SetCarrierCutoff(
            location_id=shop.north,
            service_id=service_id,
            weekdays=("mon", "tue", "wed", "thu", "fri"),
            at="16:00",
        )
    )
    return service_id


def lane(shop: Shop, service_id: UUID, zone: str, *rates: tuple[int, int], **fields: Any) -> None:
    values = {"valid_from": date(2026, 6, 1), "transit_days": 2} | fields
    steps = tuple(Rate(from_grams=least, price=price) for least, price in rates)
    outcome = agree(shop, SetCarrierLane(service_id=service_id, zone=zone, rates=steps, **values))
    assert isinstance(outcome, Executed), outcome


@pytest.mark.capability("S15")
def test_carriers_offer_what_zones_lanes_and_cutoffs_allow_the_cheapest_first(fresh_shop: Shop) -> None:
    shop = fresh_shop
    shop.run(SetShippingZone(zone="HOME", zone_name="Home", countries=("DE", "AT")))
    shop.run(SetShippingZone(zone="WORLD", zone_name="World", all_others=True))
    light = service(shop, "LIGHT", most_grams=2_000)
    post = service(shop, "POST")
    express = service(shop, "FAST", speed="express")
    lane(shop, light, "HOME", (0, 30_000))
    lane(shop, post, "HOME", (0, 40_000), (5_000, 70_000))
    lane(shop, express, "HOME", (0, 120_000), transit_days=1)
    lane(shop, express, "WORLD", (0, 300_000), transit_days=3)

    def offers(country: str, grams: int | None, at: datetime = FRIDAY_NOON) -> list[Any]:
        return read(shop, lambda connection: shipping_offers(connection, shop.north, country, at, grams))

    assert [(one.service.code, one.price) for one in offers("de", 1_000)] == [
        ("LIGHT", 30_000),
        ("POST", 40_000),
        ("FAST", 120_000),
    ]
    assert [one.service.code for one in offers("DE", 2_001)] == ["POST", "FAST"]
    assert [one.price for one in offers("DE", 5_000)] == [70_000, 120_000]
    assert [(one.service.code, one.price) for one in offers("DE", None)] == [
        ("LIGHT", 30_000),
        ("FAST", 120_000),
        ("POST", None),
    ]
    assert [one.service.code for one in offers("Peru", 100)] == ["FAST"]
    in_time = offers("DE", 1_000)[0]
    assert (in_time.pickup.day, in_time.arrives_on) == (date(2026, 6, 5), date(2026, 6, 7))
    at_the_cutoff = offers("DE", 1_000, datetime(2026, 6, 5, 16, 0, tzinfo=UTC))[0]
    assert at_the_cutoff.pickup.day == date(2026, 6, 8)
    assert read(shop, lambda c: shipping_offers(c, shop.south, "DE", FRIDAY_NOON, 100)) == []

    lane(shop, post, "HOME", (0, 90_000), valid_from=date(2026, 6, 10))
    lane(shop, light, "HOME", (0, 0), valid_from=date(2026, 6, 10), active=False)
    later = datetime(2026, 6, 10, 8, 0, tzinfo=UTC)
    assert [(one.service.code, one.price) for one in offers("DE", 1_000)][1] == ("POST", 40_000)
    assert [(one.service.code, one.price) for one in offers("DE", 1_000, later)] == [
        ("POST", 90_000),
        ("FAST", 120_000),
    ]


@pytest.mark.capability("S15")
def test_carrier_data_that_contradicts_itself_is_refused(shop: Shop) -> None:
    shop.run(SetShippingZone(zone="ALPS", zone_name="Alps", countries=("CH",)))
    error = shop.refused(SetShippingZone(zone="LAKES", zone_name="Lakes", countries=("IT", "ch")))
    assert (error.code, error.details["zone"]) == ("country_in_zone", "ALPS")
    assert "LAKES" not in {one.code for one in read(shop, list_zones)}
    post = service(shop, "ALPINE")
    assert shop.refused(SetCarrier(carrier_id=uuid4(), code="c-alpine", carrier_name="x")).code == (
        "already_exists"
    )
    assert (
        shop.refused(
            SetCarrierService(
                service_id=uuid4(), carrier_id=uuid4(), code="Z", service_name="Z", speed="express"
            )
        ).field
        == "carrier_id"
    )
    late = SetCarrierLane(
        service_id=post, zone="ALPS", valid_from=date(2026, 5, 31), transit_days=1, rates=(Rate(price=1),)
    )
    refused = approve(shop, ask(shop, late))
    assert isinstance(refused, Executed)
    assert refused.result["failed"]["code"] == "lane_in_the_past"
    with pytest.raises(ValidationError, match="go up in from_grams"):
        SetCarrierLane.model_validate(
            late.model_dump() | {"rates": [{"from_grams": 10, "price": 1}, {"price": 2}]}
        )
    with pytest.raises(ValidationError, match="is no time zone"):
        SetCarrierCutoff(
            location_id=shop.north, service_id=post, weekdays=("mon",), at="12:00", time_zone="Berlin"
        )
    with pytest.raises(ValidationError, match="reaches nobody"):
        SetShippingZone(zone="EMPTY", zone_name="Empty")


@pytest.mark.capability("S15")
def test_rates_and_fulfilment_rules_wait_for_a_manager_and_are_not_the_warehouses(
    shop: Shop, person: Callable[..., Any]
) -> None:
    rule = SetFulfilmentRule(rule_id=uuid4(), rule_name="Economy only", speeds=("economy",))
    assert isinstance(ask(shop, rule), Proposed)
    assert rule.rule_id not in {one.id for one in read(shop, active_fulfilment_rules)}
    (outcome,) = shop.gate.submit_many(
        [Submission(rule, uuid4().hex)], person(shop.gate, "warehouse", login=f"w-{uuid4().hex[:6]}")
    )
    assert isinstance(outcome, Denied)


@pytest.mark.capability("S15")
def test_the_first_rule_that_says_something_about_an_aspect_decides_it(shop: Shop) -> None:
    slow = SetFulfilmentRule(
        rule_id=uuid4(), rule_name="Little margin", rank=10, margin_below=1_000, speeds=("economy",)
    )
    rich = SetFulfilmentRule(
        rule_id=uuid4(),
        rule_name="All others",
        rank=20,
        channel_id=shop.web,
        speeds=("standard", "express"),
        locations=(shop.south,),
        most_parcels=2,
    )
    for rule in (rich, slow):
        assert isinstance(agree(shop, rule), Executed)
    rules = [one for one in read(shop, active_fulfilment_rules) if one.id in (slow.rule_id, rich.rule_id)]

    def said(**fields: Any) -> Any:
        values = {"channel_id": shop.web, "priority": 10, "categories": frozenset({"Things"})}
        return directions(rules, Wish(**values | {"zone": "HOME", "value": 500_000} | fields))

    low, at_bound, unknown, elsewhere = (
        said(margin=999),
        said(margin=1_000),
        said(),
        said(channel_id=uuid4(), margin=999),
    )
    assert (low.speeds, low.locations, low.most_parcels) == (("economy",), (shop.south,), 2)
    assert low.because == {
        "speeds": "Little margin",
        "locations": "All others",
        "most_parcels": "All others",
    }
    assert at_bound.speeds == unknown.speeds == ("standard", "express")
    assert (elsewhere.speeds, elsewhere.locations, elsewhere.most_parcels) == (("economy",), None, None)
    agree(shop, slow.model_copy(update={"active": False}))
    assert slow.rule_id not in {one.id for one in read(shop, active_fulfilment_rules)}
    with pytest.raises(ValidationError, match="says nothing"):
        SetFulfilmentRule(rule_id=uuid4(), rule_name="Empty")
    ghost = SetFulfilmentRule(rule_id=uuid4(), rule_name="Ghost", locations=(uuid4(),))
    refused = approve(shop, ask(shop, ghost))
    assert isinstance(refused, Executed)
    assert refused.result["failed"]["field"] == "locations"


@pytest.mark.capability("S1")
@pytest.mark.capability("S15")
def test_an_item_leaves_in_the_packaging_of_its_first_rule_and_its_weight_is_that_of_its_unit(
    shop: Shop,
) -> None:
    lamp, other = shop.item(), shop.item()
    box, tube = uuid4(), uuid4()
    for packaging_id, code in ((box, "BOX"), (tube, "TUBE")):
        shop.run(SetPackaging(packaging_id=packaging_id, code=code, packaging_name=code, most_grams=10_000))
    shop.run(
        SetPackagingRule(rule_id=uuid4(), rule_name="Things", packaging_id=box, rank=2, category="Things")
    )
    shop.run(
        SetPackagingRule(
            rule_id=uuid4(), rule_name="Lamps", packaging_id=tube, rank=1, item_id=lamp, alone=True
        )
    )
    rules = read(shop, active_packaging_rules)
    chosen = [packaging_for(rules, item, "Things") for item in (lamp, other)]
    assert [(one.packaging_id, one.alone) for one in chosen if one] == [(tube, True), (box, False)]
    assert packaging_for(rules, other, "Else") is None
    shop.run(SetItemUnit(item_id=lamp, unit="piece", factor=1, weight_grams=850, length_mm=300))
    shop.run(SetItemUnit(item_id=other, unit="carton", factor=12, weight_grams=9_000))
    assert read(shop, lambda connection: unit_weights(connection, [lamp, other])) == {lamp: 850}
    error = shop.refused(SetPackagingRule(rule_id=uuid4(), rule_name="Ghost", packaging_id=uuid4()))
    assert (error.code, error.field) == ("not_found", "packaging_id")


def test_a_cutoff_keeps_the_clock_of_its_place_when_summer_time_begins() -> None:
    """On the last Sunday of March 16:00 in Berlin moves from 15:00 to 14:00 in UTC."""
    cutoffs = [Cutoff(uuid4(), uuid4(), day, 16 * 60, "Europe/Berlin") for day in (4, 0)]
    friday = next_pickup(cutoffs, datetime(2026, 3, 27, 14, 59, tzinfo=UTC))
    monday = next_pickup(cutoffs, datetime(2026, 3, 27, 15, 0, tzinfo=UTC))
    assert friday is not None
    assert monday is not None
    assert (friday.day, friday.cutoff) == (date(2026, 3, 27), datetime(2026, 3, 27, 15, 0, tzinfo=UTC))
    assert (monday.day, monday.cutoff) == (date(2026, 3, 30), datetime(2026, 3, 30, 14, 0, tzinfo=UTC))


@given(
    st.lists(st.integers(0, 6), min_size=1, unique=True),
    st.integers(0, 1439),
    st.sampled_from(["UTC", "Pacific/Auckland", "America/Los_Angeles", "Pacific/Kiritimati"]),
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
)
def test_the_next_pickup_lies_ahead_on_a_day_of_pickup_and_none_lies_before_it(
    weekdays: list[int], minute: int, zone: str, ready: datetime
) -> None:
    cutoffs = [Cutoff(uuid4(), uuid4(), day, minute, zone) for day in weekdays]
    found = next_pickup(cutoffs, ready)
    assert found is not None
    assert found.cutoff > ready
    assert found.day.weekday() in weekdays
    between = (found.cutoff - ready).total_seconds() / 86_400
    assert between <= 7 + 1 / 24, "pickups of a weekday are a week apart, and an hour when clocks change"


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9)), min_size=1), st.integers(0, 60))
def test_a_parcel_pays_the_last_step_it_reaches(steps: list[tuple[int, int]], grams: int) -> None:
    rates = tuple(sorted(dict(steps).items()))
    reached = [price for least, price in rates if least <= grams]
    assert price_of(Lane(uuid4(), "HOME", 1, rates), grams) == (reached[-1] if reached else None)
