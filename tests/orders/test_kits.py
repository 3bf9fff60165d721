"""Kits that are sold from their parts: reserved, shipped and cancelled in whole sets, never beyond the components."""

from __future__ import annotations

from threading import Barrier, Thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from erp_core.gate.contract import Executed, Proposed, Submission
from erp_core.gate.decisions import ApproveProposal
from erp_core.master.commands.restrictions import SetSaleRestriction
from erp_core.orders.commands import (
    CancelOrder,
    ConfirmPick,
    PickedLine,
    PlaceOrder,
    ReleasePick,
    ShipOrder,
    ShippedLine,
)
from erp_core.orders.kits import kits_of_order
from erp_core.storage.engine import reading
from tests.conftest import size
from tests.inventory.test_kitting import define, kit
from tests.shop import Shop


def set_of(shop: Shop, *parts: tuple[UUID, int]) -> UUID:
    return kit(shop, *parts, stocked_as="parts")


def units(shop: Shop, order: PlaceOrder) -> dict[UUID, tuple[int, int, int, int]]:
    """(ordered, reserved, shipped, cancelled) by item."""
    found: dict[UUID, tuple[int, int, int, int]] = {}
    for line in shop.lines(order):
        ordered, reserved, shipped, cancelled = found.get(line.item_id, (0, 0, 0, 0))
        found[line.item_id] = (
            ordered + line.quantity,
            reserved + line.reserved_quantity,
            shipped + line.shipped_quantity,
            cancelled + line.cancelled_quantity,
        )
    return found


@pytest.mark.capability("S19")
def test_a_kit_is_sold_as_a_set_and_leaves_stock_as_its_parts(shop: Shop) -> None:
    cup, spoon = shop.item(cost=30_000, north=10), shop.item(cost=10_000, north=10)
    tea_set = set_of(shop, (cup, 2), (spoon, 1))
    order = shop.place((tea_set, 3))
    assert shop.status(order) == "reserved"
    assert units(shop, order) == {cup: (6, 6, 0, 0), spoon: (3, 3, 0, 0)}
    lines = shop.lines(order)
    assert sum(line.quantity * line.unit_price for line in lines) == 3 * 200_000
    assert sum(line.quantity * line.list_price for line in lines) == 3 * 250_000
    shop.run(define(tea_set, (cup, 9), stocked_as="parts"))
    shop.ship(order)
    assert shop.status(order) == "shipped"
    assert (shop.at(cup).on_hand, shop.at(spoon).on_hand) == (4, 7)
    with reading(shop.gate.engine) as connection:
        (sold,) = kits_of_order(connection, order.order_id)
    assert (sold.kit_item_id, sold.quantity, sold.unit_price) == (tea_set, 3, 200_000)
    shop.assert_sound()


@pytest.mark.capability("S45")
def test_kit_and_component_lines_of_one_order_share_what_is_there(shop: Shop) -> None:
    cup, spoon = shop.item(north=5), shop.item(north=9)
    tea_set, coffee_set = set_of(shop, (cup, 2), (spoon, 1)), set_of(shop, (spoon, 2), (cup, 1))
    order = shop.place((cup, 2), (tea_set, 2), (coffee_set, 3))
    assert shop.status(order) == "backordered"
    assert shop.at(cup).states == {"reserved": 5}
    assert shop.at(spoon).states == {"available": 6, "reserved": 3}
    shop.assert_sound()


@pytest.mark.capability("S45")
def test_a_kit_of_which_a_component_is_missing_holds_none_of_the_others(shop: Shop) -> None:
    cup, spoon = shop.item(north=5), shop.item()
    tea_set = set_of(shop, (cup, 1), (spoon, 1))
    first = shop.place((tea_set, 2), (cup, 3))
    second = shop.place((cup, 2))
    assert (shop.status(first), shop.status(second)) == ("backordered", "reserved")
    assert shop.at(cup).available == 0
    shop.stock(spoon, 4)
    assert units(shop, first)[spoon] == (2, 0, 0, 0)
    shop.stock(cup, 1)
    assert units(shop, first) == {cup: (5, 4, 0, 0), spoon: (2, 1, 0, 0)}
    shop.stock(cup, 1)
    assert shop.status(first) == "reserved"
    shop.assert_sound()


@pytest.mark.capability("S45")
def test_a_kit_goes_out_and_is_given_up_in_whole_sets(shop: Shop) -> None:
    cup, spoon = shop.item(north=10), shop.item(north=10)
    order = shop.place((set_of(shop, (cup, 2), (spoon, 1)), 4))
    with reading(shop.gate.engine) as connection:
        (sold,) = kits_of_order(connection, order.order_id)
    some = next(line for line in shop.lines(order) if line.item_id == cup)

    def ship(line_id: UUID, quantity: int) -> ShipOrder:
        lines = (ShippedLine(line_id=line_id, quantity=quantity),)
        return ShipOrder(order_id=order.order_id, shipment_id=uuid4(), lines=lines)

    for broken in (
        ship(some.id, 2),
        CancelOrder(order_id=order.order_id, reason_code="customer_request", line_ids=(some.id,)),
    ):
        error = shop.refused(broken)
        assert error.code == "broken_kit"
        assert str(sold.id) in error.remedy
    assert shop.refused(ship(sold.id, 5)).code == "nothing_reserved"
    shop.run(ship(sold.id, 1))
    assert units(shop, order) == {cup: (8, 6, 2, 0), spoon: (4, 3, 1, 0)}
    shop.run(CancelOrder(order_id=order.order_id, reason_code="customer_request", line_ids=(sold.id,)))
    assert units(shop, order) == {cup: (8, 0, 2, 6), spoon: (4, 0, 1, 3)}
    assert shop.status(order) == "shipped"
    shop.assert_sound()


@pytest.mark.capability("S45")
def test_of_a_kit_whole_sets_are_picked_and_what_completes_none_stays_on_the_shelf(shop: Shop) -> None:
    cup, spoon = shop.item(north=10), shop.item(north=10)
    order = shop.place((set_of(shop, (cup, 2), (spoon, 1)), 4))
    pick_id = uuid4()
    shop.run(ReleasePick(order_id=order.order_id, pick_id=pick_id, location_id=shop.north))
    by_item = {line.item_id: line.id for line in shop.lines(order)}

    def confirm(cups: int, spoons: int) -> ConfirmPick:
        lines = (
            PickedLine(line_id=by_item[cup], quantity=cups),
            PickedLine(line_id=by_item[spoon], quantity=spoons),
        )
        return ConfirmPick(pick_id=pick_id, lines=lines)

    for parted in (confirm(8, 3), confirm(5, 3)):
        assert shop.refused(parted).code == "broken_kit"
    shop.run(confirm(6, 3))
    assert shop.at(cup).states == {"available": 2, "reserved": 2, "picked": 6}
    shop.assert_sound()


@pytest.mark.capability("S45")
def test_a_kit_over_the_counter_is_handed_over_whole_or_not_at_all(shop: Shop) -> None:
    cup, spoon = shop.item(cost=10_000, north=4), shop.item(cost=10_000, north=1)
    tea_set = set_of(shop, (cup, 2), (spoon, 1))
    assert shop.refused(shop.order((tea_set, 2), ship_now=True)).code == "insufficient_stock"
    assert shop.at(cup).available == 4
    shop.place((tea_set, 1), ship_now=True)
    assert (shop.at(cup).on_hand, shop.at(spoon).on_hand) == (2, 0)
    shop.assert_sound()


@pytest.mark.capability("S19")
def test_a_kit_goes_to_the_warehouse_that_has_its_parts_and_its_line_id_counts_once(shop: Shop) -> None:
    cup, spoon = shop.item(north=5, south=2), shop.item(south=2)
    tea_set = set_of(shop, (cup, 1), (spoon, 1))
    order = shop.place((tea_set, 2), place=None)
    assert {line.location_id for line in shop.lines(order)} == {shop.south}
    twice = shop.order((tea_set, 1)).model_copy(update={"lines": order.lines})
    assert shop.refused(twice).code == "repeated_line"


@pytest.mark.capability("S19")
def test_a_restriction_on_the_kit_or_on_a_component_holds_for_the_kit(shop: Shop) -> None:
    cup, spoon = shop.item(north=50), shop.item(north=50)
    tea_set = set_of(shop, (cup, 2), (spoon, 1))
    admin = shop.gate.bootstrap_user(f"admin-{uuid4().hex[:6]}", roles=("admin",))
    manager = shop.gate.bootstrap_user(f"manager-{uuid4().hex[:6]}", roles=("manager",))

    def restrict(item_id: UUID, **most: Any) -> None:
        values = {"restriction_id": uuid4(), "restriction_name": "Only so many", "item_id": item_id} | most
        asked = shop.gate.submit(SetSaleRestriction.model_validate(values), admin, key=uuid4().hex)
        assert isinstance(asked, Proposed)
        approval = ApproveProposal(proposal_id=asked.proposal_id, payload_hash=asked.payload_hash)
        assert isinstance(shop.gate.submit(approval, manager, key=uuid4().hex), Executed)

    restrict(tea_set, most_per_day=3)
    shop.place((tea_set, 2))
    assert shop.refused(shop.order((tea_set, 2))).code == "quantity_restricted"
    shop.place((tea_set, 1))
    restrict(cup, most_per_order=3)
    assert shop.refused(shop.order((cup, 4))).code == "quantity_restricted"
    other = set_of(shop, (cup, 2))
    assert shop.refused(shop.order((other, 2))).code == "quantity_restricted"
    shop.place((other, 1))


@pytest.mark.capability("S45")
@settings(
    max_examples=size(6, 100),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    ratios=st.tuples(*[st.integers(1, 3)] * 4),
    orders=st.lists(
        st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4)), min_size=1, max_size=4),
        min_size=1,
        max_size=5,
    ),
    arrivals=st.lists(st.tuples(st.integers(0, 1), st.integers(1, 6)), max_size=4),
)
def test_kits_and_components_together_never_take_more_than_there_is(
    shop: Shop,
    ratios: tuple[int, int, int, int],
    orders: list[list[tuple[int, int]]],
    arrivals: list[tuple[int, int]],
) -> None:
    cup, spoon = shop.item(north=7), shop.item(north=5)
    sold = (
        cup,
        spoon,
        set_of(shop, (cup, ratios[0]), (spoon, ratios[1])),
        set_of(shop, (spoon, ratios[2]), (cup, ratios[3])),
    )
    placed = [shop.order(*((sold[kind], wanted) for kind, wanted in lines)) for lines in orders]
    shop.submit(*placed)
    for kind, there in arrivals:
        shop.stock(sold[kind], there)
    for item_id, at_first in ((cup, 7), (spoon, 5)):
        position = shop.at(item_id)
        came = sum(there for kind, there in arrivals if sold[kind] == item_id)
        assert position.available + position.reserved == at_first + came
        assert position.reserved == sum(units(shop, one).get(item_id, (0, 0))[1] for one in placed)
    for one in placed:
        kits: dict[UUID, set[float]] = {}
        for line in shop.lines(one):
            if line.kit_line_id is not None:
                kits.setdefault(line.kit_line_id, set()).add(line.reserved_quantity / line.per_kit)
        assert all(len(sets) == 1 and next(iter(sets)).is_integer() for sets in kits.values())
    shop.assert_sound()


@pytest.mark.capability("S45")
def test_kits_that_share_a_component_fight_for_the_last_of_it_and_none_is_oversold(shop: Shop) -> None:
    for _ in range(size(3, 20)):
        cup, spoon, plate = shop.item(north=3), shop.item(north=9), shop.item(north=9)
        sets = (set_of(shop, (cup, 1), (spoon, 1)), set_of(shop, (plate, 1), (cup, 1)), cup)
        rivals = [shop.order((sets[number % 3], 1)) for number in range(6)]
        outcomes: list[Any] = [None] * len(rivals)
        barrier = Barrier(len(rivals))

        def send(
            position: int, outcomes: list[Any] = outcomes, rivals: Any = rivals, barrier: Barrier = barrier
        ) -> None:
            command = rivals[position].model_copy(update={"occurred_at": shop.now})
            barrier.wait()
            submission = Submission(command, f"rival-{uuid4().hex}")
            outcomes[position] = shop.gate.submit_many([submission], shop.principal)[0]

        threads = [Thread(target=send, args=(position,)) for position in range(len(rivals))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(isinstance(one, Executed) for one in outcomes)
        assert sorted(one.result["status"] for one in outcomes).count("reserved") == 3
        assert shop.at(cup).states == {"reserved": 3}
    shop.assert_sound()
