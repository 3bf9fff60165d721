"""Stock that is short: what stands in, who gives, who goes ahead, who is asked to buy."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from erp_core.gate.contract import Denied, Executed
from erp_core.master.commands import CreateChannel
from erp_core.master.commands.restrictions import SetSaleRestriction
from erp_core.orders.commands import (
    PlaceOrder,
    ReleasePick,
    ReleaseWave,
    SetShortageRule,
    SetSubstitution,
)
from erp_core.orders.queries.shortages import Shortage, list_shortages
from erp_core.orders.rules.shortages import EVERY_CHANNEL, Donor, actions_for, take_from
from erp_core.storage.engine import reading
from tests.orders.parcels import agreed
from tests.shop import MONDAY, Shop

MINUTE = timedelta(minutes=1)


@pytest.mark.capability("S64")
@given(
    donors=st.lists(st.tuples(st.integers(1, 9), st.integers(1, 20), st.integers(0, 9)), max_size=8),
    priority=st.integers(1, 20),
    wanted=st.integers(0, 30),
)
def test_only_less_important_channels_give_and_no_more_than_is_wanted(
    donors: list[tuple[int, int, int]], priority: int, wanted: int
) -> None:
    holding = [Donor(uuid4(), uuid4(), units, rank, MONDAY + MINUTE * age) for units, rank, age in donors]
    given_up = take_from(holding, priority, wanted)
    able = sum(one.units for one in holding if one.priority > priority)
    assert sum(units for _, units in given_up) == min(wanted, able)
    assert all(0 < units <= donor.units and donor.priority > priority for donor, units in given_up)
    ranks = [(donor.priority, donor.ordered_at) for donor, _ in given_up]
    assert ranks == sorted(ranks, reverse=True)


@pytest.mark.capability("S63")
def test_a_channel_follows_its_own_actions_or_those_of_every_channel_and_else_waits() -> None:
    web = uuid4()
    assert actions_for({}, web) == ()
    rules = {EVERY_CHANNEL: ("procure",), web: ("partial", "wait")}
    assert actions_for(rules, web) == ("partial", "wait")
    assert actions_for(rules, uuid4()) == ("procure",)


def decided(shop: Shop, order: PlaceOrder, **fields: Any) -> list[Shortage]:
    with reading(shop.gate.engine) as connection:
        return list_shortages(connection, order_id=order.order_id, **fields)


def told(shop: Shop, order: PlaceOrder) -> list[tuple[str, int]]:
    return sorted((one.action, one.units) for one in decided(shop, order))


@pytest.mark.capability("S62")
@pytest.mark.capability("S63")
def test_an_approved_substitute_is_sent_for_what_is_missing_and_recorded_on_the_order(
    fresh_shop: Shop,
) -> None:
    shop = fresh_shop
    shop.run(SetShortageRule(actions=("substitute", "procure")))
    tea, green, black, lonely = shop.item(north=2), shop.item(north=3), shop.item(north=9), shop.item()
    agreed(shop, SetSubstitution(item_id=tea, substitute_id=black, rank=2))
    agreed(shop, SetSubstitution(item_id=tea, substitute_id=green))
    order = shop.place((tea, 10), (lonely, 1))
    lines = shop.lines(order)
    assert [
        (line.item_id, line.quantity, line.reserved_quantity, line.cancelled_quantity) for line in lines
    ] == [
        (tea, 10, 2, 8),
        (lonely, 1, 0, 0),
        (green, 3, 3, 0),
        (black, 5, 5, 0),
    ]
    assert [line.substitutes_id for line in lines] == [None, None, lines[0].id, lines[0].id]
    assert [line.unit_price for line in lines] == [200_000] * 4
    assert shop.status(order) == "backordered"
    assert told(shop, order) == [("procure", 1), ("substitute", 3), ("substitute", 5)]
    shop.assert_sound()
    first = shop.place((tea, 1))
    assert (shop.status(first), len(shop.lines(first))) == ("reserved", 2)
    shop.cancel(first)
    shop.assert_sound()


@pytest.mark.capability("S62")
def test_without_an_approved_rule_for_the_channel_nothing_is_sent_instead(fresh_shop: Shop) -> None:
    shop = fresh_shop
    tea, green, forbidden = shop.item(), shop.item(north=9), shop.item(north=9)
    other = uuid4()
    shop.run(CreateChannel(channel_id=other, code="OTHER", channel_name="Other", kind="web"))
    agreed(shop, SetSubstitution(item_id=tea, substitute_id=green, channel_id=other))
    assert len(shop.lines(shop.place((tea, 1), channel_id=other))) == 1
    shop.run(SetShortageRule(actions=("substitute",)))
    assert len(shop.lines(shop.place((tea, 1)))) == 1
    assert len(shop.lines(shop.place((tea, 1), channel_id=other))) == 2
    agreed(shop, SetSubstitution(item_id=tea, substitute_id=green, channel_id=other, active=False))
    agreed(shop, SetSubstitution(item_id=tea, substitute_id=forbidden))
    restriction = SetSaleRestriction(restriction_id=uuid4(), restriction_name="Not there", item_id=forbidden)
    agreed(shop, restriction)
    assert len(shop.lines(shop.place((tea, 1), channel_id=other))) == 1
    with pytest.raises(ValidationError, match="itself"):
        SetSubstitution(item_id=tea, substitute_id=tea)
    clerk = shop.gate.bootstrap_user("clerk", roles=("service",))
    rule = SetSubstitution(item_id=tea, substitute_id=green)
    assert isinstance(shop.gate.submit(rule, clerk, key=uuid4().hex), Denied)
    planner = shop.gate.bootstrap_user("planner", roles=("planner",))
    assert not isinstance(shop.gate.submit(rule, planner, key=uuid4().hex), Executed | Denied)


@pytest.mark.capability("S63")
def test_a_rule_lets_what_is_there_go_ahead_and_another_asks_the_buyers(fresh_shop: Shop) -> None:
    shop = fresh_shop
    patient = uuid4()
    shop.run(CreateChannel(channel_id=patient, code="PATIENT", channel_name="Patient", kind="b2b"))
    shop.run(SetShortageRule(actions=("procure",)))
    shop.run(SetShortageRule(channel_id=shop.web, actions=("partial", "procure")))
    tea = shop.item(north=6)
    eager, whole = shop.place((tea, 4)), shop.place((tea, 3), channel_id=patient)
    shop.now += MINUTE
    short = shop.place((tea, 5))
    assert told(shop, whole) == [("procure", 1)]
    assert told(shop, short) == [("partial", 5), ("procure", 5)]
    shop.stock(tea, 2)
    assert [line.reserved_quantity for line in (*shop.lines(whole), *shop.lines(short))] == [3, 1]
    released = shop.run(ReleaseWave(location_id=shop.north))["released"]
    assert {one["order_id"] for one in released} == {str(one.order_id) for one in (eager, whole, short)}
    assert decided(shop, whole, still_missing=True) == []
    (asked,) = decided(shop, short, action="procure", still_missing=True)
    assert (asked.units, asked.missing) == (5, 4)


@pytest.mark.capability("S64")
def test_in_scarcity_stock_moves_to_the_more_important_channel_with_an_escalation(fresh_shop: Shop) -> None:
    shop = fresh_shop
    strategic = uuid4()
    shop.run(
        CreateChannel(channel_id=strategic, code="KEY", channel_name="Key accounts", kind="b2b", priority=1)
    )
    shop.run(SetShortageRule(channel_id=strategic, actions=("reallocate", "procure")))
    tea = shop.item(north=9)
    old, picked = shop.place((tea, 3)), shop.place((tea, 2))
    shop.run(ReleasePick(order_id=picked.order_id, pick_id=uuid4()))
    shop.now += MINUTE
    young = shop.place((tea, 4))
    order = shop.place((tea, 5), channel_id=strategic)
    assert shop.status(order) == "reserved"
    held = [shop.lines(one)[0].reserved_quantity for one in (old, picked, young)]
    assert held == [2, 2, 0]
    assert [shop.status(one) for one in (old, picked, young)] == [
        "backordered",
        "pick_released",
        "backordered",
    ]
    assert told(shop, order) == [("reallocate", 1), ("reallocate", 4)]
    assert told(shop, young) == [("procure", 4)]
    rival = shop.place((tea, 4), channel_id=strategic)
    assert shop.lines(rival)[0].reserved_quantity == 2
    assert told(shop, rival) == [("procure", 2), ("reallocate", 2)]
    assert shop.lines(order)[0].reserved_quantity == 5
    assert shop.at(tea).states == {"reserved": 9}
    shop.assert_sound()
    shop.cancel(rival)
    assert shop.lines(old)[0].reserved_quantity == 2
    assert shop.at(tea).states == {"reserved": 9}


def test_an_action_stands_once_in_a_rule_for_a_channel_that_is_there(shop: Shop) -> None:
    with pytest.raises(ValidationError, match="once"):
        SetShortageRule(actions=("procure", "procure"))
    assert shop.refused(SetShortageRule(channel_id=uuid4(), actions=())).code == "not_found"
