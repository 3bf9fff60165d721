"""What is fetched next, and who carries it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_core.master.commands import (
    CreateChannel,
    SetCarrierCutoff,
    SetCarrierHolidays,
    SetCarrierLane,
    SetChannelTerms,
    SetItemUnit,
    SetPackaging,
    SetPackagingRule,
)
from erp_core.master.commands.carriers import Rate
from erp_core.master.queries.fulfilment import active_services, list_holidays
from erp_core.master.rules.fulfilment import Packaging, PackagingRule, tare_of
from erp_core.orders.commands import (
    ChooseCarrier,
    ConfirmPack,
    ConfirmPick,
    ReleasePick,
    ReleaseWave,
    SetPickCapacity,
)
from erp_core.orders.queries.waves import PickList, list_pick_lists
from erp_core.orders.rules.waves import Candidate, plan_wave
from erp_core.storage.engine import reading
from tests.orders.parcels import DAILY, agreed, home_zone, rule, service
from tests.shop import MONDAY, Shop

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def candidate(units: int, cutoff: int | None = None, priority: int = 10, age: int = 0) -> Candidate:
    return Candidate(
        uuid4(),
        units,
        None if cutoff is None else NOON + timedelta(hours=cutoff),
        priority,
        None,
        NOON - timedelta(days=age),
    )


@pytest.mark.capability("S65")
def test_the_earliest_cutoff_goes_first_then_the_channel_then_the_oldest() -> None:
    late, soon = candidate(1, 9), candidate(1, 2)
    important, old, unknown = candidate(1, 9, priority=1), candidate(1, 9, age=3), candidate(1, age=30)
    wave = plan_wave([late, unknown, old, important, soon], None, 0)
    assert wave.released == (soon, important, old, late, unknown)


@pytest.mark.capability("S65")
def test_an_order_larger_than_all_hands_goes_alone_and_is_never_passed_over_for_ever() -> None:
    large, small = candidate(30, 1), candidate(2, 2)
    assert plan_wave([small, large], 10, 0).released == (large,)
    assert plan_wave([small, large], 10, 4).released == ()


@pytest.mark.capability("S65")
@given(
    sizes=st.lists(st.tuples(st.integers(1, 9), st.integers(0, 5)), max_size=12),
    capacity=st.integers(1, 20),
    busy=st.integers(0, 25),
)
def test_a_wave_never_holds_more_than_people_can_take(
    sizes: list[tuple[int, int]], capacity: int, busy: int
) -> None:
    wave = plan_wave([candidate(units, hours) for units, hours in sizes], capacity, busy)
    used = busy + sum(one.units for one in wave.released)
    assert len(wave.released) + len(wave.waiting) == len(sizes)
    assert used <= max(capacity, busy) or (busy == 0 and len(wave.released) == 1)
    cutoffs = [one.cutoff for one in (*wave.released, *wave.waiting)]
    assert cutoffs == sorted(cutoffs, key=lambda one: one.timestamp() if one else 0)


def picks(shop: Shop, **fields: Any) -> list[PickList]:
    with reading(shop.gate.engine) as connection:
        return list_pick_lists(connection, **fields)


def pick_of(shop: Shop, order_id: UUID) -> PickList:
    (pick,) = picks(shop, order_id=order_id)
    return pick


@pytest.mark.capability("S65")
def test_waves_take_what_hands_are_free_and_the_next_takes_the_rest(fresh_shop: Shop) -> None:
    shop = fresh_shop
    tea = shop.item(cost=10_000, north=20)
    first = shop.place((tea, 3))
    shop.now += timedelta(minutes=1)
    second = shop.place((tea, 3))
    shop.now += timedelta(minutes=1)
    third = shop.place((tea, 3))
    short = shop.place((tea, 30))
    held = shop.place((tea, 1), payment_status="review")
    assert shop.refused(SetPickCapacity(location_id=uuid4(), open_units=1)).code == "not_found"
    shop.run(SetPickCapacity(location_id=shop.north, open_units=7, lead_minutes=30))
    wave = uuid4()
    answer = shop.run(ReleaseWave(location_id=shop.north, wave_id=wave))
    assert (len(answer["released"]), answer["units"], answer["waiting"]) == (2, 6, 1)
    assert [shop.status(one) for one in (first, second, third)] == ["pick_released"] * 2 + ["reserved"]
    assert (shop.status(short), shop.status(held)) == ("backordered", "payment_review")
    assert {one.wave_id for one in picks(shop, location_id=shop.north)} == {wave}
    assert shop.run(ReleaseWave(location_id=shop.north))["released"] == []
    pick_id = pick_of(shop, first.order_id).id
    shop.run(ConfirmPick(pick_id=pick_id))
    shop.run(ConfirmPack(pick_id=pick_id))
    (waveless,) = shop.run(ReleaseWave(location_id=shop.north))["released"]
    assert waveless["order_id"] == str(third.order_id)
    assert pick_of(shop, third.order_id).wave_id is None
    shop.ship(first, pick_id=pick_id)
    shop.assert_sound()


@pytest.mark.capability("S65")
@pytest.mark.capability("S67")
def test_the_cheapest_carrier_that_arrives_in_time_is_chosen_and_its_cutoff_decides_who_is_fetched_first(
    fresh_shop: Shop,
) -> None:
    shop = fresh_shop
    home_zone(shop)
    slow = service(shop, "SLOW", 40_000, 4, at="18:00")
    fast = service(shop, "FAST", 90_000, 1, at="11:00", speed="express")
    tea = shop.item(cost=10_000, north=20)
    patient = shop.place((tea, 1), promised_on=date(2026, 6, 9))
    urgent = shop.place((tea, 1), promised_on=date(2026, 6, 2))
    hopeless = shop.place((tea, 1), promised_on=date(2026, 6, 1))
    abroad = shop.place((tea, 1), customer_country="BR")
    released = shop.run(ReleaseWave(location_id=shop.north))["released"]
    assert [one["order_id"] for one in released] == [
        str(one.order_id) for one in (hopeless, urgent, patient, abroad)
    ]
    one = pick_of(shop, patient.order_id)
    assert (one.service_id, one.freight_price, one.arrives_on) == (slow, 40_000, date(2026, 6, 5))
    assert (one.service_reason, one.service_override) == ("cheapest in time", False)
    assert one.cutoff_at == MONDAY.replace(hour=18)
    assert pick_of(shop, urgent.order_id).service_id == fast
    late = pick_of(shop, hopeless.order_id)
    assert (late.service_id, late.service_reason) == (fast, "none arrives in time: the first to arrive")
    lost = pick_of(shop, abroad.order_id)
    assert (lost.service_id, lost.service_reason) == (None, "no service goes there")
    shop.run(ConfirmPick(pick_id=one.id))
    shop.run(ConfirmPack(pick_id=one.id))
    shop.ship(patient, pick_id=one.id)
    assert shop.row(patient).freight_cost == 40_000


@pytest.mark.capability("S67")
def test_another_carrier_is_an_override_with_a_reason_of_the_catalogue(fresh_shop: Shop) -> None:
    shop = fresh_shop
    home_zone(shop)
    slow = service(shop, "SLOW", 40_000, 4)
    fast = service(shop, "FAST", 90_000, 1, speed="express")
    tea = shop.item(north=5)
    order = shop.place((tea, 1))
    shop.run(ReleasePick(order_id=order.order_id, pick_id=uuid4()))
    pick = pick_of(shop, order.order_id)
    assert (pick.service_id, pick.service_reason) == (slow, "cheapest")
    for command, code in (
        (ChooseCarrier(pick_id=pick.id, service_id=fast, reason_code="because"), "unknown_reason"),
        (
            ChooseCarrier(pick_id=pick.id, service_id=uuid4(), reason_code="late_already"),
            "service_not_offered",
        ),
        (ChooseCarrier(pick_id=uuid4(), service_id=fast, reason_code="late_already"), "not_found"),
    ):
        assert shop.refused(command).code == code
    shop.run(ChooseCarrier(pick_id=pick.id, service_id=fast, reason_code="late_already"))
    pick = pick_of(shop, order.order_id)
    assert (pick.service_id, pick.service_reason, pick.service_override) == (fast, "late_already", True)
    assert pick.freight_price == 90_000


@pytest.mark.capability("S68")
def test_orders_of_little_margin_may_use_the_services_their_rule_permits(fresh_shop: Shop) -> None:
    shop = fresh_shop
    home_zone(shop)
    cheap = service(shop, "CHEAP", 40_000, 5, speed="economy")
    fast = service(shop, "FAST", 90_000, 1, speed="express")
    rule(shop, "Little margin goes by economy", margin_below=3_000, speeds=("economy",))
    rich, poor, unknown = (
        shop.item(cost=50_000, north=9),
        shop.item(cost=190_000, north=9),
        shop.item(north=9),
    )
    tomorrow = date(2026, 6, 2)
    chosen = {}
    for item in (rich, poor, unknown):
        order = shop.place((item, 1), promised_on=tomorrow)
        shop.run(ReleasePick(order_id=order.order_id, pick_id=uuid4()))
        chosen[item] = pick_of(shop, order.order_id)
    assert [chosen[item].service_id for item in (rich, poor, unknown)] == [fast, cheap, fast]
    assert chosen[poor].service_reason == (
        "none arrives in time: the first to arrive within Little margin goes by economy"
    )


@pytest.mark.capability("S56")
@pytest.mark.capability("S67")
def test_an_order_goes_at_the_speed_it_asked_for_and_is_held_where_nobody_offers_it(fresh_shop: Shop) -> None:
    shop = fresh_shop
    home_zone(shop)
    slow = service(shop, "SLOW", 40_000, 4)
    fast = service(shop, "FAST", 90_000, 1, speed="express")
    tea = shop.item(north=9)
    order = shop.place((tea, 1), speed="express")
    shop.run(ReleasePick(order_id=order.order_id, pick_id=uuid4()))
    pick = pick_of(shop, order.order_id)
    assert pick.service_id == fast
    shop.run(ChooseCarrier(pick_id=pick.id, service_id=slow, reason_code="carrier_problem"))
    assert pick_of(shop, order.order_id).service_id == slow
    for fields in ({"speed": "overnight"}, {"speed": "express", "customer_country": "BR"}):
        held = shop.place((tea, 1), **fields)
        assert (shop.status(held), shop.row(held).hold_reason) == ("on_hold", "service_not_offered")
    assert shop.at(tea).states == {"available": 8, "reserved": 1}


@pytest.mark.capability("S59")
@pytest.mark.capability("S68")
def test_important_orders_go_to_set_nodes_in_their_order_and_others_where_most_is(fresh_shop: Shop) -> None:
    shop = fresh_shop
    key = uuid4()
    shop.run(CreateChannel(channel_id=key, code="KEY", channel_name="Key accounts", kind="b2b", priority=1))
    rule(shop, "Key accounts from the south", most_priority=1, locations=(shop.south, shop.north))
    tea = shop.item(north=50, south=4)

    def filled(units: int, **fields: Any) -> tuple[UUID, str]:
        (line,) = shop.lines(shop.place((tea, units), place=None, **fields))
        return line.location_id, line.location_reason

    assert filled(2) == (shop.north, "whole_order")
    assert filled(2, channel_id=key) == (shop.south, "set_node")
    assert filled(3, channel_id=key) == (shop.north, "set_node")
    assert filled(90, channel_id=key) == (shop.north, "largest_part")


@pytest.mark.capability("S59")
def test_an_order_leaves_from_where_it_arrives_in_time_then_the_channels_first_place_then_for_less(
    fresh_shop: Shop,
) -> None:
    shop = fresh_shop
    home_zone(shop)
    cheap = service(shop, "CHEAP", 30_000, 5)
    service(shop, "FAST", 90_000, 1)
    shop.run(SetCarrierCutoff(location_id=shop.south, service_id=cheap, weekdays=DAILY, at="16:00"))
    shop.run(SetCarrierCutoff(location_id=shop.north, service_id=cheap, weekdays=DAILY))
    tea = shop.item(north=10, south=90)
    today = shop.now.date()

    def filled(**fields: Any) -> tuple[UUID, str]:
        (line,) = shop.lines(shop.place((tea, 1), place=None, **fields))
        return line.location_id, line.location_reason

    assert filled() == (shop.south, "cheapest_way")
    assert filled(promised_on=today + timedelta(days=2)) == (shop.north, "arrives_in_time")
    assert filled(promised_on=today) == (shop.south, "cheapest_way"), "nobody is in time"
    agreed(shop, SetChannelTerms(channel_id=shop.web, priority=5, locations=(shop.north, shop.south)))
    assert filled() == (shop.north, "preferred_node")
    late = shop.place((tea, 50), place=None, promised_on=today + timedelta(days=2))
    assert shop.lines(late)[0].location_reason == "whole_order", "a parcel less goes before a day"
    assert filled(customer_country="JP") == (shop.north, "preferred_node"), "no carrier goes there"


@pytest.mark.capability("S56")
def test_a_channel_is_served_from_its_own_places_only(fresh_shop: Shop) -> None:
    shop = fresh_shop
    tea = shop.item(north=50, south=4)
    agreed(shop, SetChannelTerms(channel_id=shop.web, priority=5, locations=(shop.south,)))
    (line,) = shop.lines(shop.place((tea, 2), place=None))
    assert line.location_id == shop.south
    error = shop.refused(shop.order((tea, 2)))
    assert (error.code, error.field) == ("place_not_permitted", "lines.location_id")
    shop.place((tea, 2), place=shop.south)
    agreed(shop, SetChannelTerms(channel_id=shop.web, priority=5, locations=(shop.store,)))
    assert shop.refused(shop.order((tea, 1), place=None)).code == "no_warehouse"


@pytest.mark.capability("S56")
def test_an_order_that_may_be_fraud_reserves_nothing_until_somebody_releases_it(shop: Shop) -> None:
    tea = shop.item(north=5)
    order = shop.place((tea, 2), fraud_status="suspected")
    assert (shop.status(order), shop.row(order).hold_reason) == ("on_hold", "fraud_check")
    assert shop.at(tea).states == {"available": 5}
    unpaid = shop.order((tea, 1), ship_now=True, fraud_status="suspected")
    assert shop.refused(unpaid).code == "payment_not_cleared"
    shop.release(order)
    assert shop.status(order) == "reserved"


@pytest.mark.capability("S15")
@pytest.mark.capability("S67")
def test_a_parcel_weighs_what_is_in_it_and_its_packaging(fresh_shop: Shop) -> None:
    shop = fresh_shop
    home_zone(shop)
    way, box = service(shop, "POST", 40_000, 3), uuid4()
    steps = (Rate(from_grams=0, price=40_000), Rate(from_grams=1_000, price=60_000))
    agreed(
        shop,
        SetCarrierLane(service_id=way, zone="HOME", rates=steps, valid_from=date(2026, 6, 1), transit_days=3),
    )
    tea, bare = shop.item(north=9), shop.item(north=9)
    for item_id in (tea, bare):
        shop.run(SetItemUnit(item_id=item_id, unit="piece", factor=1, weight_grams=450))
    shop.run(SetPackaging(packaging_id=box, code="BOX", packaging_name="Box", tare_grams=100))
    shop.run(SetPackagingRule(rule_id=uuid4(), rule_name="Tea", packaging_id=box, item_id=tea))

    def price(item_id: UUID) -> int | None:
        order = shop.place((item_id, 2))
        shop.run(ReleasePick(order_id=order.order_id, pick_id=uuid4()))
        return pick_of(shop, order.order_id).freight_price

    assert (price(tea), price(bare)) == (60_000, 40_000), "900 g of goods, and a box of 100 g for the tea"


@pytest.mark.capability("S15")
def test_boxes_are_as_many_as_their_rules_need() -> None:
    box = Packaging(uuid4(), "BOX", "Box", None, None, None, 100, None)

    def wrapped(most: int | None, *, alone: bool = False) -> PackagingRule:
        return PackagingRule(uuid4(), "Rule", 1, None, None, box.id, alone, most)

    known = {box.id: box}
    assert tare_of([(wrapped(None), 50)], known) == 100
    assert tare_of([(wrapped(4), 3), (wrapped(2), 1)], known) == 200, "three and two quarters of a box"
    assert tare_of([(wrapped(4), 2), (wrapped(2), 1)], known) == 100
    assert tare_of([(wrapped(2, alone=True), 3), (wrapped(None), 1)], known) == 300
    assert tare_of([(None, 5), (wrapped(None), 0)], known) == tare_of([(wrapped(1), 9)], {}) == 0


@pytest.mark.capability("S15")
@pytest.mark.capability("S67")
def test_on_its_holidays_a_carrier_neither_picks_up_nor_delivers(fresh_shop: Shop) -> None:
    shop = fresh_shop
    home_zone(shop)
    quick, other = service(shop, "QUICK", 40_000, 1), service(shop, "OTHER", 90_000, 1)
    with reading(shop.gate.engine) as connection:
        carrier_id = next(one.carrier_id for one in active_services(connection) if one.id == quick)
    tea, monday = shop.item(north=9), MONDAY.date()
    closed = (monday, monday + timedelta(days=2))
    shop.run(SetCarrierHolidays(carrier_id=carrier_id, days=closed, holiday_name="Whitsun"))
    assert shop.refused(SetCarrierHolidays(carrier_id=uuid4(), days=closed)).code == "not_found"

    def chosen(**fields: Any) -> tuple[UUID | None, date | None]:
        order = shop.place((tea, 1), **fields)
        shop.run(ReleasePick(order_id=order.order_id, pick_id=uuid4()))
        pick = pick_of(shop, order.order_id)
        return pick.service_id, pick.arrives_on

    thursday = monday + timedelta(days=3)
    assert chosen(promised_on=thursday) == (quick, thursday), "leaves on Tuesday, not delivered on Wednesday"
    assert chosen(promised_on=monday + timedelta(days=1)) == (other, monday + timedelta(days=1))
    with reading(shop.gate.engine) as connection:
        assert [one.day for one in list_holidays(connection, monday)] == list(closed)
    shop.run(SetCarrierHolidays(carrier_id=carrier_id, days=closed))
    assert chosen() == (quick, monday + timedelta(days=1))
