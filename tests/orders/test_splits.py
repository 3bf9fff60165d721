"""An order leaves in as few parcels as it can, and in more than the rules allow only when somebody agreed."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from erp_core.gate.contract import Executed, Outcome, Proposed, Refused
from erp_core.orders.commands import (
    AllowSplit,
    ConfirmPack,
    ConfirmPick,
    PickedLine,
    PlaceOrder,
    ReleasePick,
    ReleaseWave,
    ShipOrder,
    ShippedLine,
)
from erp_core.orders.queries import get_order
from erp_core.orders.rules.splits import most_allowed, parcels_with
from erp_core.storage.engine import reading
from tests.master.market import approve, ask
from tests.orders.parcels import rule
from tests.shop import Shop

HERE, THERE = UUID(int=1), UUID(int=2)


@pytest.mark.capability("S60")
def test_an_order_takes_a_parcel_for_each_place_that_is_left_over() -> None:
    lines = [(UUID(int=11), HERE, 3), (UUID(int=12), HERE, 1), (UUID(int=13), THERE, 2)]
    everything_here = {UUID(int=11): 3, UUID(int=12): 1}
    assert parcels_with(0, 0, everything_here | {UUID(int=13): 2}, lines) == 1
    assert parcels_with(0, 0, everything_here, lines) == 2
    assert parcels_with(0, 0, {UUID(int=11): 2, UUID(int=12): 1}, lines) == 3
    assert parcels_with(1, 1, everything_here, lines) == 4


@pytest.mark.capability("S60")
@given(rules=st.none() | st.integers(1, 9), agreed=st.none() | st.integers(2, 9))
def test_an_agreement_adds_to_the_rules_and_never_limits(rules: int | None, agreed: int | None) -> None:
    most = most_allowed(rules, agreed)
    assert (most is None) == (rules is None)
    assert most is None or (most >= (rules or 0) and most >= (agreed or 0))


def part(order: PlaceOrder, *units: int) -> tuple[ShippedLine, ...]:
    pairs = zip(order.lines, units, strict=False)
    return tuple(ShippedLine(line_id=line.line_id, quantity=count) for line, count in pairs if count)


def decided(shop: Shop, asked: Outcome) -> dict[str, Any]:
    outcome = approve(shop, asked)
    assert isinstance(outcome, Executed)
    return dict(outcome.result)


def whole_orders_only(shop: Shop) -> None:
    rule(shop, "Parcels", channel_id=shop.web, most_parcels=1)


@pytest.mark.capability("S60")
def test_a_part_is_sent_ahead_only_where_rules_or_a_manager_allow_it(fresh_shop: Shop) -> None:
    shop = fresh_shop
    tea, cups = shop.item(cost=10_000, north=9), shop.item(cost=20_000, north=9)
    free = shop.place((tea, 2), (cups, 1))
    shop.ship(free, lines=part(free, 1))
    whole_orders_only(shop)

    order = shop.place((tea, 2), (cups, 1))
    ahead = ShipOrder(order_id=order.order_id, shipment_id=uuid4(), lines=part(order, 2))
    error = shop.refused(ahead)
    assert (error.code, error.details["parcels"], error.details["most"]) == ("split_not_allowed", 2, 1)
    assert "AllowSplit" in error.remedy and error.details["rule"] == "Parcels"
    asked = ask(shop, AllowSplit(order_id=order.order_id, parcels=2, reason_code="promise_at_risk"))
    assert isinstance(asked, Proposed)
    assert shop.refused(ahead).code == "split_not_allowed", "what is only asked for allows nothing"
    assert decided(shop, asked)["status"] == "executed"
    shop.run(ahead)
    with reading(shop.gate.engine) as connection:
        found = get_order(connection, order.order_id)
    assert found is not None and (found.order.parcels_allowed, found.order.shipments) == (2, 1)
    shop.ship(order)
    assert shop.status(order) == "shipped"

    again = ShipOrder(order_id=free.order_id, shipment_id=uuid4(), lines=part(free, 1))
    assert shop.refused(again).details["parcels"] == 3, "the parcel that left before the rule counts"
    late = ask(shop, AllowSplit(order_id=order.order_id, parcels=3, reason_code="goods_late"))
    assert decided(shop, late)["failed"]["code"] == "illegal_transition", "nothing is left to split"
    nobody = ask(shop, AllowSplit(order_id=uuid4(), parcels=2, reason_code="goods_late"))
    assert isinstance(nobody, Refused) and nobody.error.code == "not_found"
    with pytest.raises(ValidationError, match="greater than or equal to 2"):
        AllowSplit(order_id=order.order_id, parcels=1, reason_code="goods_late")
    unknown = AllowSplit(order_id=free.order_id, parcels=3, reason_code="because")
    assert decided(shop, ask(shop, unknown))["failed"]["code"] == "unknown_reason"
    shop.assert_sound()


@pytest.mark.capability("S60")
def test_pick_lists_and_waves_leave_out_what_would_be_split_beyond_the_rules(fresh_shop: Shop) -> None:
    shop = fresh_shop
    whole_orders_only(shop)
    tea = shop.item(cost=10_000, north=9, south=9)
    two = shop.order((tea, 1), (tea, 1))
    elsewhere = two.lines[1].model_copy(update={"location_id": shop.south})
    two = two.model_copy(update={"lines": (two.lines[0], elsewhere)})
    shop.run(two)
    whole = shop.place((tea, 2))
    error = shop.refused(ReleasePick(order_id=two.order_id, pick_id=uuid4(), location_id=shop.north))
    assert error.code == "split_not_allowed"
    wave = shop.run(ReleaseWave(location_id=shop.north))
    assert [one["order_id"] for one in wave["released"]] == [str(whole.order_id)]
    assert wave["split_not_allowed"] == [str(two.order_id)]
    asked = ask(shop, AllowSplit(order_id=two.order_id, parcels=2, reason_code="goods_unsuitable"))
    assert decided(shop, asked)["status"] == "executed"
    for place in (shop.north, shop.south):
        released = shop.run(ReleaseWave(location_id=place))
        assert [one["order_id"] for one in released["released"]] == [str(two.order_id)]
        assert released["split_not_allowed"] == []
    shop.assert_sound()


@pytest.mark.capability("S60")
def test_a_parcel_that_was_picked_short_waits_until_the_split_is_allowed(fresh_shop: Shop) -> None:
    shop = fresh_shop
    whole_orders_only(shop)
    tea = shop.item(cost=10_000, north=5)
    order, pick_id = shop.place((tea, 5)), uuid4()
    shop.run(ReleasePick(order_id=order.order_id, pick_id=pick_id))
    found = PickedLine(line_id=order.lines[0].line_id, quantity=4)
    shop.run(ConfirmPick(pick_id=pick_id, lines=(found,)))
    shop.run(ConfirmPack(pick_id=pick_id))
    parcel = ShipOrder(order_id=order.order_id, shipment_id=uuid4(), pick_id=pick_id)
    assert shop.refused(parcel).code == "split_not_allowed"
    asked = ask(shop, AllowSplit(order_id=order.order_id, parcels=2, reason_code="promise_at_risk"))
    assert decided(shop, asked)["status"] == "executed"
    shop.run(parcel)
    assert shop.status(order) == "partly_shipped"
    shop.ship(order)
    assert (shop.status(order), shop.row(order).shipments) == ("shipped", 2)
    shop.assert_sound()
