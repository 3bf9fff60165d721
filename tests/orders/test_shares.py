"""What each channel may take of the stock, and what it is told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import select

from erp_core.gate.contract import Executed
from erp_core.gate.model import outbox
from erp_core.master.commands import CreateChannel, SetChannelTerms
from erp_core.master.rules.channels import ChannelTerms
from erp_core.orders.commands import AdaptChannelQuotas, SetChannelQuota
from erp_core.orders.queries.published import Published, published_quantities
from erp_core.orders.rules.shares import Quota, adapted, allowed
from erp_core.orders.shares import active_quotas
from erp_core.storage.engine import reading
from tests.orders.parcels import agreed
from tests.shop import Shop

ITEM, WEB, SHOP, WHOLESALE = uuid4(), uuid4(), uuid4(), uuid4()
CHANNELS = (WEB, SHOP, WHOLESALE)


def quota(channel_id: UUID, **fields: Any) -> Quota:
    values = {"kept_units": 0, "most_percent": 100, "low_percent": 0, "high_percent": 100}
    return Quota(channel_id=channel_id, item_id=ITEM, **values | {"oversell_units": None} | fields)


def by_key(*quotas: Quota) -> dict[tuple[UUID, UUID], Quota]:
    return {(one.channel_id, one.item_id): one for one in quotas}


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
    units = allowed(quotas, WEB, ITEM, free, held)
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
    shop.run(CreateChannel(channel_id=id_, code=code, channel_name=code, kind="marketplace", **fields))
    return id_


def published(shop: Shop, channel_id: UUID, item_id: UUID) -> Published:
    with reading(shop.gate.engine) as connection:
        (one,) = published_quantities(connection, channel_id, [item_id]) or ()
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
            return {key[0]: one.most_percent for key, one in active_quotas(connection).items()}

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
        assert published_quantities(connection, uuid4()) is None


def test_a_quota_with_bounds_that_do_not_hold_it_is_malformed(shop: Shop) -> None:
    for fields in ({"low_percent": 10}, {"low_percent": 60, "high_percent": 80, "most_percent": 50}):
        with pytest.raises(ValidationError, match="percent"):
            SetChannelQuota(channel_id=shop.web, **fields)
    assert shop.refused(SetChannelQuota(channel_id=uuid4())).code == "not_found"
    assert shop.refused(SetChannelQuota(channel_id=shop.web, item_id=uuid4())).code == "not_found"
