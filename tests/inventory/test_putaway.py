"""Directed putaway: where goods go after they were received, and why."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_core.inventory.commands import PutAway, SetPickFace, SetPutawayRule
from erp_core.inventory.putaway.queries import putaway_advice
from erp_core.inventory.putaway.rules import Face, Goods, Rule, advise
from erp_core.inventory.queries import rebuild_differences
from erp_core.inventory.rules import NO_LOT
from erp_core.master.commands import CreateLocation
from erp_core.storage.engine import reading
from tests.shop import Shop

IDS = [UUID(int=number) for number in range(1, 9)]
KITCHEN, BATH = "Kitchen", "Bath"


def goods(item: int, units: int, category: str = KITCHEN, days_left: int | None = None) -> Goods:
    return Goods(IDS[item], NO_LOT, units, category, "A", days_left)


def told(found: Any) -> list[tuple[UUID | None, int, str | None]]:
    return [(one.location_id, one.units, one.reason) for one in found]


def place_in(shop: Shop, within: UUID, code: str, kind: str = "reserve") -> UUID:
    place = uuid4()
    given: dict[str, Any] = {"location_id": place, "code": code, "location_name": code, "kind": kind}
    shop.run(CreateLocation.model_validate(given | {"within_id": within}))
    return place


def carry(shop: Shop, item: UUID, place: UUID, units: int, code: str, **fields: Any) -> PutAway:
    return PutAway(
        putaway_id=uuid4(),
        item_id=item,
        site_id=shop.north,
        location_id=place,
        quantity=units,
        scanned_location=code,
        **fields,
    )


@pytest.mark.capability("S104")
def test_goods_go_to_the_place_that_rules_say_and_another_needs_a_reason(shop: Shop) -> None:
    item = shop.item(north=30)
    cold, shelf = place_in(shop, shop.north, "N-COLD"), place_in(shop, shop.north, "N-SHELF")
    face = place_in(shop, shop.north, "N-FACE", "forward_pick")
    shop.run(SetPutawayRule(rule_id=uuid4(), site_id=shop.north, location_id=shelf, capacity=15))
    shop.run(SetPutawayRule(rule_id=uuid4(), site_id=shop.north, location_id=cold, priority=200))
    shop.run(SetPickFace(item_id=item, location_id=face, reserve_id=shelf, minimum=2, maximum=8))
    with reading(shop.gate.engine) as connection:
        advice = putaway_advice(connection, shop.north, shop.now.date())
    assert told(advice) == [(face, 8, "pick_face"), (shelf, 15, "any"), (cold, 7, "any")]
    assert shop.refused(carry(shop, item, cold, 8, "N-COLD")).code == "put_away_elsewhere"
    assert shop.refused(carry(shop, item, shelf, 8, "N-COLD")).code == "wrong_location"
    assert shop.refused(carry(shop, item, shop.south, 8, "SOUTH")).code == "not_within_site"
    assert shop.run(carry(shop, item, face, 8, "N-FACE"))["because"] == "pick_face"
    odd = carry(shop, item, cold, 10, "N-COLD", override_reason="no_room")
    assert shop.run(odd)["because"] == "no_room"
    assert shop.refused(odd).code == "already_exists"
    assert shop.refused(carry(shop, item, shelf, 13, "N-SHELF")).code == "put_away_elsewhere"
    assert (shop.at(item).available, shop.at(item, cold).available) == (12, 10)
    with reading(shop.gate.engine) as connection:
        assert rebuild_differences(connection) == []


@pytest.mark.capability("S104")
def test_a_rule_names_a_place_of_the_site_only(shop: Shop) -> None:
    elsewhere = SetPutawayRule(rule_id=uuid4(), site_id=shop.north, location_id=shop.south)
    assert shop.refused(elsewhere).code == "not_within_site"


def test_an_item_a_lot_that_expires_soon_and_a_category_each_have_their_place() -> None:
    rules = [
        Rule(IDS[0], IDS[4], 1, item_id=IDS[0]),
        Rule(IDS[1], IDS[5], 2, expires_within_days=30),
        Rule(IDS[2], IDS[6], 3, category=BATH),
    ]
    some = [goods(0, 5), goods(1, 5, days_left=30), goods(2, 5, BATH, 31), goods(3, 5)]
    found = {one.item_id: (one.location_id, one.reason) for one in advise(some, rules, {}, {})}
    assert found == {
        IDS[0]: (IDS[4], "item"),
        IDS[1]: (IDS[5], "expiry"),
        IDS[2]: (IDS[6], "category"),
        IDS[3]: (None, None),
    }


def test_what_expires_first_gets_the_room_that_is_left() -> None:
    rules = [Rule(IDS[0], IDS[4], 1, capacity=10), Rule(IDS[1], IDS[5], 2)]
    found = list(advise([goods(0, 8), goods(1, 8, days_left=3)], rules, {}, {IDS[4]: 2}))
    assert [(one.item_id, one.location_id, one.units) for one in found] == [
        (IDS[1], IDS[4], 8),
        (IDS[0], IDS[5], 8),
    ]


@pytest.mark.capability("S104")
@given(
    units=st.lists(st.integers(1, 40), min_size=1, max_size=5),
    capacities=st.lists(st.integers(1, 30) | st.none(), max_size=4),
    room=st.integers(0, 20),
    lying=st.integers(0, 20),
)
def test_every_unit_is_advised_once_and_no_place_is_filled_beyond_its_capacity(
    units: list[int], capacities: list[int | None], room: int, lying: int
) -> None:
    rules = [Rule(IDS[n], IDS[n], n + 1, capacity=capacity) for n, capacity in enumerate(capacities)]
    some, faces = [goods(n, count) for n, count in enumerate(units)], {IDS[0]: Face(IDS[7], room)}
    found = list(advise(some, rules, faces, {IDS[0]: lying}))
    assert sum(one.units for one in found) == sum(units) and all(one.units > 0 for one in found)
    for rule in rules:
        put = sum(one.units for one in found if one.rule_id == rule.id)
        before = lying if rule.location_id == IDS[0] else 0
        assert rule.capacity is None or put <= max(rule.capacity - before, 0)
    assert sum(one.units for one in found if one.reason == "pick_face") == min(room, units[0])
