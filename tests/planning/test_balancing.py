"""Transfers between nodes: needs are covered from surplus, and nobody gives what they want themselves."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_core.planning.balancing import Node, balance, transfer_advice
from erp_core.planning.commands import PublishReorderPoints, ReorderPoint
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


@pytest.mark.capability("S40")
@given(
    places=st.lists(
        st.tuples(st.integers(-30, 80), st.integers(0, 80), st.integers(0, 30), st.integers(0, 40)),
        max_size=6,
    )
)
def test_nobody_gives_more_than_they_spare_or_gets_more_than_they_lack(
    places: list[tuple[int, int, int, int]],
) -> None:
    nodes = [
        Node(UUID(int=number), position, free, point, point + more)
        for number, (position, free, point, more) in enumerate(places, 1)
    ]
    shifts = balance(nodes)
    for node in nodes:
        given = sum(one.units for one in shifts if one.source == node)
        got = sum(one.units for one in shifts if one.target == node)
        assert given <= node.surplus
        assert got <= node.need
        assert not (given and got)
    lacking = sum(node.need for node in nodes) - sum(one.units for one in shifts)
    spare = sum(node.surplus for node in nodes) - sum(one.units for one in shifts)
    assert lacking == 0 or spare == 0
