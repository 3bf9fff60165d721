"""What each channel may take of the stock, and what it is told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import select

from erp_core.exceptions.commands import RecordScan
from erp_core.exceptions.queries import Case, CaseFilter, ranked_cases
from erp_core.gate.contract import Executed
from erp_core.gate.model import outbox
from erp_core.inventory.lots.terms import SetShelfLife
from erp_core.master.commands import CreateChannel, SetChannelTerms
from erp_core.master.rules.channels import ChannelTerms
from erp_core.master.rules.periods import Period
from erp_core.orders.commands import AdaptChannelQuotas, SetChannelQuota
from erp_core.orders.oversold import oversold_drafts
from erp_core.orders.queries.kept import KeptUnits, kept_units
from erp_core.orders.queries.published import Published, published_quantities
from erp_core.orders.queries.quotas import list_quotas
from erp_core.orders.rules.shares import (
    EVERY_ITEM,
    EVERY_PLACE,
    Quota,
    adapted,
    allowed,
    quota_for,
    ties_with,
)
from erp_core.orders.shares import quotas_in_force
from erp_core.storage.engine import reading
from tests.conftest import TODAY
from tests.inventory.lots import take_in, tracked_item
from tests.orders.parcels import agreed
from tests.shop import Shop

ITEM, PLACE, WEB, SHOP, WHOLESALE = uuid4(), uuid4(), uuid4(), uuid4(), uuid4()
CHANNELS = (WEB, SHOP, WHOLESALE)


def quota(channel_id: UUID, **fields: Any) -> Quota:
    values = {"kept_units": 0, "most_percent": 100, "low_percent": 0, "high_percent": 100}
    scope = {"item_id": ITEM, "location_id": EVERY_PLACE, "valid_from": date(2026, 1, 1)}
    return Quota(channel_id=channel_id, **scope | values | {"oversell_units": None} | fields)


def by_key(*quotas: Quota) -> dict[tuple[UUID, UUID, UUID], Quota]:
    return {(one.channel_id, one.item_id, one.location_id): one for one in quotas}


@pytest.mark.capability("S31")
@given(
    free=st.integers(0, 60),
    held=st.fixed_dictionaries({one: st.integers(0, 30) for one in CHANNELS}),
    kept=st.fixed_dictionaries({one: st.integers(0, 30) for one in CHANNELS}),
    most=st.fixed_dictionaries({one: st.integers(0, 100) for one in CHANNELS}),
)
def test_no_channel_takes_what_others_keep_or_more_than_its_share(
    free: int, held: dict[UUID, int], kept: dict[UUID, int], most: dict[UUID, int]
) -> None:
    quotas = by_key(*(quota(one, kept_units=kept[one], most_percent=most[one]) for one in CHANNELS))
    units = allowed(quotas, WEB, ITEM, PLACE, free, held)
    assert 0 <= units <= free
    owed = sum(max(kept[one] - held[one], 0) for one in (SHOP, WHOLESALE))
    assert not units or free - units >= owed
    assert not units or (held[WEB] + units) * 100 <= (free + sum(held.values())) * most[WEB]


@pytest.mark.capability("S31")
def test_a_share_follows_demand_within_its_bounds_and_stays_without_any() -> None:
    own = quota(WEB, most_percent=50, low_percent=30, high_percent=70)
    assert [adapted(own, demand) for demand in ({}, {WEB: 1, SHOP: 2}, {WEB: 9}, {SHOP: 9})] == [
        50,
        34,
        70,
        30,
    ]


@pytest.mark.capability("S32")
@given(available=st.integers(-5, 500), units=st.integers(0, 50), percent=st.integers(0, 100))
def test_what_is_published_is_never_above_available_less_buffer(
    available: int, units: int, percent: int
) -> None:
    terms = ChannelTerms(WEB, "WEB", "web", 1, None, None, units, percent, None)
    told = terms.published(available)
    assert told == 0 or told + max(units, available * percent / 100) <= available


def channel(shop: Shop, code: str, **fields: Any) -> UUID:
    id_ = uuid4()
    shop.run(
        CreateChannel(
            **{"channel_id": id_, "code": code, "channel_name": code, "kind": "marketplace"} | fields
        )
    )
    return id_


def published(shop: Shop, channel_id: UUID, item_id: UUID) -> Published:
    with reading(shop.gate.engine) as connection:
        (one,) = published_quantities(connection, channel_id, [item_id], today=TODAY) or ()
        return one


@pytest.mark.capability("S28")
@pytest.mark.capability("S31")
def test_stock_kept_for_a_channel_is_promised_to_no_other_and_a_quota_stops_one_that_takes_all(
    fresh_shop: Shop,
) -> None:
    shop = fresh_shop
    market = channel(shop, "MARKET")
    tea = shop.item(cost=10_000, north=10)
    shop.run(SetChannelQuota(channel_id=market, item_id=tea, kept_units=4))
    order = shop.place((tea, 8))
    assert (shop.status(order), shop.lines(order)[0].reserved_quantity) == ("backordered", 6)
    counter = shop.order((tea, 1), ship_now=True)
    assert shop.refused(counter).code == "insufficient_stock"
    shop.place((tea, 3), channel_id=market)
    assert shop.at(tea).available == 1
    shop.stock(tea, 5)
    assert (shop.status(order), shop.at(tea).available) == ("reserved", 4)
    shop.run(SetChannelQuota(channel_id=market, item_id=tea, active=False))

    cup = shop.item(north=10)
    shop.run(SetChannelQuota(channel_id=shop.web, most_percent=50))
    first, second = shop.place((cup, 4)), shop.place((cup, 4))
    assert [shop.lines(one)[0].reserved_quantity for one in (first, second)] == [4, 1]
    shop.place((cup, 5), channel_id=market)
    shop.cancel(first)
    assert shop.lines(second)[0].reserved_quantity == 4
    shop.assert_sound()


@pytest.mark.capability("S24")
@pytest.mark.capability("S28")
def test_what_is_committed_to_a_subscription_is_seen_apart_and_promised_to_its_orders_alone(
    fresh_shop: Shop,
) -> None:
    shop = fresh_shop
    boxes = channel(shop, "BOXES", kind="subscription")
    tea = shop.item(north=10)
    scope: dict[str, Any] = {"channel_id": boxes, "item_id": tea, "location_id": shop.north}
    scope |= {"valid_from": TODAY, "valid_to": TODAY + timedelta(days=30)}
    shop.run(SetChannelQuota(**scope, kept_units=7))

    def committed() -> tuple[int, int, int]:
        with reading(shop.gate.engine) as connection:
            kept = kept_units(connection, tea, shop.north, TODAY)
        units = shop.at(tea).available
        return kept.committed(units), kept.from_others(shop.web, units), kept.from_others(boxes, units)

    assert committed() == (7, 7, 0)
    assert published(shop, shop.web, tea).published == 3
    refused = shop.refused(shop.order((tea, 4), ship_now=True))
    assert (refused.code, refused.details["available"]) == ("insufficient_stock", 3)
    waiting = shop.place((tea, 4))
    assert (shop.status(waiting), shop.lines(waiting)[0].reserved_quantity) == ("backordered", 3)
    monthly = shop.place((tea, 5), channel_id=boxes)
    assert shop.status(monthly) == "reserved"
    assert committed() == (2, 2, 0)
    shop.run(SetChannelQuota(**scope, active=False))
    with reading(shop.gate.engine) as connection:
        assert kept_units(connection, tea, shop.north, TODAY) == KeptUnits({}, frozenset())
    shop.assert_sound()


@pytest.mark.capability("S31")
def test_orders_at_the_same_moment_do_not_pass_a_quota_together(fresh_shop: Shop) -> None:
    shop = fresh_shop
    tea = shop.item(north=20)
    shop.run(SetChannelQuota(channel_id=shop.web, item_id=tea, most_percent=50))
    guests = [shop.visit() for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(lambda guest: guest.submit(guest.order((tea, 3)))[0], guests))
    assert all(isinstance(one, Executed) for one in outcomes)
    assert sum(one.result["reserved"] for one in outcomes) == 10
    shop.assert_sound()


@pytest.mark.capability("S31")
def test_quotas_adapt_when_demand_shifts(fresh_shop: Shop) -> None:
    shop = fresh_shop
    market = channel(shop, "MARKET")
    tea = shop.item(north=100)
    bounds = {"low_percent": 20, "high_percent": 80}
    shop.run(SetChannelQuota(channel_id=shop.web, item_id=tea, most_percent=50, **bounds))
    shop.run(SetChannelQuota(channel_id=market, item_id=tea, most_percent=50, **bounds))
    assert shop.run(AdaptChannelQuotas()) == {"changed": 0}
    shop.place((tea, 3))
    shop.place((tea, 9), channel_id=market)

    def shares() -> dict[UUID, int]:
        with reading(shop.gate.engine) as connection:
            return {key[0]: one.most_percent for key, one in quotas_in_force(connection, TODAY).items()}

    assert shop.run(AdaptChannelQuotas()) == {"changed": 2}
    assert shares() == {shop.web: 25, market: 75}
    assert shop.run(AdaptChannelQuotas()) == {"changed": 0}
    shop.later(29)
    shop.place((tea, 1))
    shop.run(AdaptChannelQuotas())
    assert shares() == {shop.web: 80, market: 20}


@pytest.mark.capability("S30")
def test_a_channel_may_owe_up_to_its_threshold_is_told_of_and_not_a_unit_more(fresh_shop: Shop) -> None:
    shop = fresh_shop
    tea = shop.item(north=2)
    shop.run(SetChannelQuota(channel_id=shop.web, item_id=tea, oversell_units=3))
    covered, over = shop.place((tea, 1)), shop.place((tea, 3))
    error = shop.refused(shop.order((tea, 2)))
    assert (error.code, error.details["left"]) == ("oversell_limit", 1)
    last = shop.place((tea, 1))
    assert shop.refused(shop.order((tea, 1))).code == "oversell_limit"
    assert shop.at(tea).states == {"reserved": 2}
    with reading(shop.gate.engine) as connection:
        told = connection.scalars(
            select(outbox.c.aggregate_id).where(outbox.c.kind == "ChannelOversold")
        ).all()
    assert set(told) == {over.order_id, last.order_id}
    assert shop.status(covered) == "reserved"
    shop.stock(tea, 4)
    shop.place((tea, 1))
    shop.assert_sound()


@pytest.mark.capability("S32")
def test_a_channel_is_told_what_is_available_at_its_places_less_buffer_and_what_others_keep(
    fresh_shop: Shop,
) -> None:
    shop = fresh_shop
    market = channel(shop, "MARKET")
    tea = shop.item(north=10, south=40)
    none = shop.item()
    assert published(shop, shop.web, tea) == Published(tea, 50, 50, 0, 50)
    terms = {"priority": 5, "buffer_units": 3, "buffer_percent": 10}
    agreed(shop, SetChannelTerms(channel_id=shop.web, **terms))
    assert published(shop, shop.web, tea) == Published(tea, 50, 50, 7, 43)
    agreed(shop, SetChannelTerms(channel_id=shop.web, **terms, locations=(shop.north,)))
    assert published(shop, shop.web, tea) == Published(tea, 10, 10, 3, 7)
    shop.run(SetChannelQuota(channel_id=market, kept_units=6))
    assert published(shop, shop.web, tea) == Published(tea, 10, 4, 3, 4)
    assert published(shop, shop.web, none) == Published(none, 0, 0, 0, 0)
    with reading(shop.gate.engine) as connection:
        assert published_quantities(connection, uuid4(), today=TODAY) is None


def test_a_quota_with_bounds_that_do_not_hold_it_is_malformed(shop: Shop) -> None:
    for fields in ({"low_percent": 10}, {"low_percent": 60, "high_percent": 80, "most_percent": 50}):
        with pytest.raises(ValidationError, match="percent"):
            SetChannelQuota(channel_id=shop.web, **fields)
    assert shop.refused(SetChannelQuota(channel_id=uuid4())).code == "not_found"
    assert shop.refused(SetChannelQuota(channel_id=shop.web, item_id=uuid4())).code == "not_found"


@pytest.mark.capability("S16")
def test_of_quotas_the_most_specific_counts() -> None:
    other = uuid4()
    common, of_item = quota(WEB, item_id=EVERY_ITEM), quota(WEB)
    exact = quota(WEB, location_id=PLACE)
    assert quota_for(by_key(common, of_item, exact), WEB, ITEM, PLACE) == exact
    assert quota_for(by_key(common, of_item, exact), WEB, ITEM, other) == of_item
    assert quota_for(by_key(common, of_item, exact), WEB, other, PLACE) == common
    assert quota_for(by_key(of_item), SHOP, ITEM, PLACE) is None


@pytest.mark.capability("S16")
def test_two_policies_tie_only_on_days_on_which_both_count() -> None:
    june, july = date(2026, 6, 1), date(2026, 7, 1)
    of_item, of_place = (ITEM, EVERY_PLACE), (EVERY_ITEM, PLACE)
    always, until_july, from_july = Period(june), Period(june, july), Period(july)
    both = {of_item: [(always, True)], of_place: [(from_july, True)]}
    assert (ties_with(of_item, both), ties_with(of_place, both)) == (of_place, of_item)
    assert ties_with(of_item, {of_item: [(until_july, True)], of_place: [(from_july, True)]}) is None
    ended = {of_item: [(always, True), (from_july, False)], of_place: [(from_july, True)]}
    assert ties_with(of_item, ended) is None
    general = {(EVERY_ITEM, EVERY_PLACE): [(always, True)], (ITEM, PLACE): [(always, True)]}
    assert ties_with(of_item, both | general) == of_place
    assert ties_with((ITEM, PLACE), both | general) is None


@pytest.mark.capability("S16")
def test_an_allocation_policy_counts_at_its_place_on_its_days_and_a_tie_is_refused(fresh_shop: Shop) -> None:
    shop = fresh_shop
    tea, today = shop.item(north=20, south=20), TODAY

    def set_quota(**fields: Any) -> SetChannelQuota:
        return SetChannelQuota.model_validate({"channel_id": shop.web, "item_id": tea} | fields)

    shop.run(set_quota(most_percent=50, valid_from=today - timedelta(days=9)))
    shop.run(set_quota(most_percent=10, location_id=shop.south, valid_from=today))
    shop.run(set_quota(most_percent=0, valid_from=today + timedelta(days=1)))
    orders = [shop.place((tea, 20), place=place) for place in (shop.north, shop.south)]
    assert [shop.lines(one)[0].reserved_quantity for one in orders] == [10, 2]
    with reading(shop.gate.engine) as connection:
        found = {
            day: [
                (one.location_id, one.most_percent)
                for one in list_quotas(connection, today + timedelta(days=day))
            ]
            for day in (-10, 0, 1)
        }
    assert found == {-10: [], 0: [(None, 50), (shop.south, 10)], 1: [(None, 0), (shop.south, 10)]}

    tie = shop.refused(set_quota(item_id=None, location_id=shop.north))
    assert (tie.code, tie.field) == ("quota_tie", "item_id")
    overlap = set_quota(valid_from=today - timedelta(days=20), valid_to=today)
    assert shop.refused(overlap).code == "policy_overlap"
    assert shop.refused(set_quota(location_id=uuid4())).code == "not_found"
    with pytest.raises(ValidationError, match="over all places"):
        set_quota(location_id=shop.north, oversell_units=1)
    shop.assert_sound()


@pytest.mark.capability("S32")
@pytest.mark.capability("S36")
def test_what_is_published_leaves_out_lots_that_are_over_or_too_short_for_the_channel(shop: Shop) -> None:
    milk = tracked_item(shop)
    for code, units, days in (("LATE", 5, 60), ("LAST DAY", 3, 0), ("OVER", 4, -1)):
        take_in(shop, milk, code, units, TODAY + timedelta(days=days))
    assert (shop.at(milk).available, published(shop, shop.web, milk).published) == (12, 8)
    shop.run(SetShelfLife(channel_id=shop.web, item_id=milk, minimum_days=30))
    told = published(shop, shop.web, milk)
    assert (told.available, told.published) == (5, 5)


@pytest.mark.capability("S30")
def test_what_a_channel_sold_beyond_what_is_there_is_a_priced_exception_with_options(
    fresh_shop: Shop,
) -> None:
    shop = fresh_shop
    tea, cups = shop.item(cost=50_000, north=2, south=3), shop.item(north=0)
    for item_id in (tea, cups):
        shop.run(SetChannelQuota(channel_id=shop.web, item_id=item_id, oversell_units=9))
    first = shop.place((tea, 6), promised_on=TODAY + timedelta(days=3))
    shop.place((tea, 1))
    (case,) = open_cases(shop)
    assert (case.kind, case.subject_key) == ("channel_oversell", f"{shop.web}:{tea}")
    assert (case.expected_loss, case.residual_loss) == (5 * 150_000, 2 * 150_000), "3 of 5 lie in the south"
    assert case.deadline.date() == TODAY + timedelta(days=3)
    assert case.action is not None
    (move,) = case.action["commands"]
    assert (move["command"], move["payload"]["lines"][0]["quantity"]) == ("TransferStock", 3)
    assert {one["value"] for one in case.evidence if one["label"] == "option"} >= {
        "cancel the orders that cannot be served, as out of stock"
    }
    shop.place((cups, 2))
    (unpriced,) = [one for one in open_cases(shop) if str(cups) in one.subject_key]
    assert (unpriced.expected_loss, unpriced.action and unpriced.action["kind"]) == (0, "decide")

    shop.stock(tea, 3)
    with reading(shop.gate.engine) as connection:
        drafts = tuple(oversold_drafts(connection, TODAY))
    assert {one.subject_key: one.expected_loss for one in drafts}[f"{shop.web}:{tea}"] == 2 * 150_000
    shop.cancel(first, "out_of_stock")
    with reading(shop.gate.engine) as connection:
        drafts = tuple(oversold_drafts(connection, TODAY))
    shop.run(RecordScan(scan_id=uuid4(), as_of=TODAY, kinds=("channel_oversell",), drafts=drafts))
    assert [one.subject_key for one in open_cases(shop)] == [f"{shop.web}:{cups}"]


def open_cases(shop: Shop) -> list[Case]:
    with reading(shop.gate.engine) as connection:
        return list(ranked_cases(connection, CaseFilter(kinds=("channel_oversell",))).cases)
