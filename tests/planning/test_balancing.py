"""Transfers between nodes: needs are covered from surplus, and nobody gives what they want themselves."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_core.inventory.commands import ReceiveTransfer, SetPutawayRule, StockLine, TransferStock
from erp_core.master.commands import CreateLocation
from erp_core.planning.balancing import Node, balance, transfer_advice
from erp_core.planning.commands import PublishReorderPoints, ReorderPoint
from erp_core.procurement.queries import positions
from erp_core.procurement.rules import ReorderTarget, Terms, recommend_quantity
from erp_core.storage.engine import reading
from tests.conftest import TODAY
from tests.shop import Shop
from tests.shop_fixtures import fresh_shop

__all__ = ["fresh_shop"]


@pytest.mark.capability("S40")
def test_what_one_place_lacks_is_advised_from_where_there_is_more_than_wanted(fresh_shop: Shop) -> None:
    shop = fresh_shop
    item_id, enough = shop.item(north=100, south=3), shop.item(north=100, south=60)
    points = tuple(
        ReorderPoint(item, place, 5, 20, 50, 1.5, 0.5, 14.0, 2.0, 0.95)
        for item in (item_id, enough)
        for place in (shop.north, shop.south)
    )
    shop.run(PublishReorderPoints(batch_id=uuid4(), as_of=TODAY, points=points))
    shop.place((item_id, 5), place=shop.south)
    with reading(shop.gate.engine) as connection:
        (advice,) = transfer_advice(connection)
        assert transfer_advice(connection, location_id=shop.north) == []
    assert (advice.item_id, advice.from_location_id, advice.to_location_id) == (
        item_id,
        shop.north,
        shop.south,
    )
    assert (advice.units, advice.needed, advice.surplus) == (50, 52, 50)
    assert (advice.room, advice.reason) == (None, "it lacks 52, and 50 can be spared")


@pytest.mark.capability("S40")
def test_what_another_place_sent_already_is_neither_advised_nor_ordered_again(fresh_shop: Shop) -> None:
    shop = fresh_shop
    item_id = shop.item(north=100, south=3)
    points = tuple(
        ReorderPoint(item_id, place, 5, 20, 50, 1.5, 0.5, 14.0, 2.0, 0.95)
        for place in (shop.north, shop.south)
    )
    shop.run(PublishReorderPoints(batch_id=uuid4(), as_of=TODAY, points=points))
    sent = TransferStock(
        transfer_id=uuid4(),
        from_location_id=shop.north,
        to_location_id=shop.south,
        lines=(StockLine(item_id=item_id, quantity=40),),
    )
    shop.run(sent)

    def lacks() -> tuple[list[Any], str]:
        with reading(shop.gate.engine) as connection:
            stands = positions(connection, [(item_id, shop.south)])[item_id, shop.south]
            return transfer_advice(connection), recommend_quantity(
                ReorderTarget(20, 50), stands, Terms()
            ).explanation

    advice, why = lacks()
    assert advice == []
    assert why.startswith("3 available + 40 in transit + 0 on order - 0 backordered = 43, above")
    shop.run(ReceiveTransfer(transfer_id=sent.transfer_id))
    advice, why = lacks()
    assert advice == []
    assert why.startswith("43 available + 0 on order")


@pytest.mark.capability("S40")
@given(
    places=st.lists(
        st.tuples(
            st.integers(-30, 80),
            st.integers(0, 80),
            st.integers(0, 30),
            st.integers(0, 40),
            st.none() | st.integers(0, 60),
        ),
        max_size=6,
    )
)
def test_nobody_gives_more_than_they_spare_or_gets_more_than_they_lack_or_hold(
    places: list[tuple[int, int, int, int, int | None]],
) -> None:
    nodes = [
        Node(UUID(int=number), position, free, point, point + more, room)
        for number, (position, free, point, more, room) in enumerate(places, 1)
    ]
    shifts = balance(nodes)
    for node in nodes:
        given = sum(one.units for one in shifts if one.source == node)
        got = sum(one.units for one in shifts if one.target == node)
        assert given <= node.surplus
        assert got <= node.need
        assert node.room is None or got <= node.room
        assert not (given and got)
    lacking = sum(node.takes for node in nodes) - sum(one.units for one in shifts)
    spare = sum(node.surplus for node in nodes) - sum(one.units for one in shifts)
    assert lacking == 0 or spare == 0


def place(shop: Shop, code: str, **fields: Any) -> UUID:
    location_id = uuid4()
    shop.run(
        CreateLocation(
            location_id=location_id, code=f"{code}-{uuid4().hex[:6]}", location_name=code, **fields
        )
    )
    return location_id


@pytest.mark.capability("S40")
def test_a_full_place_gets_what_fits_and_the_next_in_need_the_rest(fresh_shop: Shop) -> None:
    shop = fresh_shop
    west, shelf = place(shop, "WEST"), place(shop, "S-SHELF", within_id=shop.south, kind="reserve")
    item, other = shop.item(north=200), shop.item(north=200, south=5)
    points = tuple(
        ReorderPoint(one, where, 5, 20, up_to, 1.5, 0.5, 14.0, 2.0, 0.95)
        for one, where, up_to in (
            (item, shop.north, 50),
            (item, shop.south, 100),
            (item, west, 90),
            (other, shop.north, 50),
            (other, shop.south, 30),
        )
    )
    shop.run(PublishReorderPoints(batch_id=uuid4(), as_of=TODAY, points=points))

    def advised() -> list[tuple[UUID, UUID, int, int | None]]:
        with reading(shop.gate.engine) as connection:
            found = transfer_advice(connection)
        return [(one.item_id, one.to_location_id, one.units, one.room) for one in found]

    without = [(item, shop.south, 100, None), (item, west, 50, None), (other, shop.south, 25, None)]
    assert advised() == without, "where no rule has a capacity all is as needed"
    endless = SetPutawayRule(rule_id=uuid4(), site_id=shop.south, location_id=shelf)
    shop.run(endless)
    assert advised() == without
    shop.run(endless.model_copy(update={"capacity": 60}))
    shop.stock(item, 8, shelf)
    assert advised() == [(item, west, 90, None), (item, shop.south, 47, 47)], (
        "8 of another place lie on the shelf, 5 are to be put away; the larger need takes the room"
    )
    with reading(shop.gate.engine) as connection:
        reasons = [one.reason for one in transfer_advice(connection)]
    assert reasons == [
        "it lacks 90, and 150 can be spared",
        "it lacks 100, of which 47 fit there beside what lies there and is on its way",
    ]
    sent = TransferStock(
        transfer_id=uuid4(),
        from_location_id=shop.north,
        to_location_id=shop.south,
        lines=(StockLine(item_id=other, quantity=40),),
    )
    shop.run(sent)
    assert advised()[1] == (item, shop.south, 7, 7), "40 are on their way"
    shop.run(endless.model_copy(update={"capacity": 50}))
    assert advised() == [(item, west, 90, None)], "nothing fits any more"
    own = SetPutawayRule(rule_id=uuid4(), site_id=shop.south, location_id=shelf, item_id=item, capacity=80)
    shop.run(own)
    assert advised()[1:] == [(item, shop.south, 27, 27)], "of this item more may lie there"
