from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from erp_core.finance.queries import valuation
from erp_core.inventory.bundles import kit_availability
from erp_core.inventory.commands import AssembleKits, DisassembleKits, PostOpeningStock, StockLine
from erp_core.inventory.queries import stock_moves_of
from erp_core.master.commands import ActivateItem, CreateItem, DefineKit, KitComponent
from erp_core.master.queries.kits import list_kits
from erp_core.master.rules.kits import split_price, whole_sets
from erp_core.orders.queries.lots import trace_lot
from erp_core.storage.engine import reading
from tests.conftest import size
from tests.inventory.lots import NEXT_YEAR, lies, take_in, tracked_item
from tests.shop import Shop


def kit(shop: Shop, *parts: tuple[UUID, int], stocked_as: str = "assembled") -> UUID:
    """An active kit item of these (item, units)."""
    kit_item_id, sku = uuid4(), f"KIT-{uuid4().hex[:8]}"
    shop.run(
        CreateItem(
            item_id=kit_item_id,
            sku=sku,
            item_name=f"Set {sku}",
            category="Sets",
            brand="Acme",
            base_unit="piece",
        )
    )
    shop.run(define(kit_item_id, *parts, stocked_as=stocked_as))
    shop.run(ActivateItem(item_id=kit_item_id))
    return kit_item_id


def define(kit_item_id: UUID, *parts: tuple[UUID, int], stocked_as: str = "assembled") -> DefineKit:
    components = [KitComponent(item_id=item_id, quantity=units) for item_id, units in parts]
    return DefineKit.model_validate(
        {"kit_item_id": kit_item_id, "stocked_as": stocked_as, "components": components}
    )


def assembly(shop: Shop, kit_item_id: UUID, units: int) -> AssembleKits:
    return AssembleKits(kitting_id=uuid4(), kit_item_id=kit_item_id, location_id=shop.north, quantity=units)


def taking_apart(shop: Shop, kit_item_id: UUID, units: int) -> DisassembleKits:
    return DisassembleKits(
        kitting_id=uuid4(), kit_item_id=kit_item_id, location_id=shop.north, quantity=units
    )


def worth(shop: Shop, *item_ids: UUID) -> int:
    with reading(shop.gate.engine) as connection:
        return sum(one.value for one in valuation(connection) if one.item_id in item_ids)


@pytest.mark.capability("S19")
def test_a_kit_is_defined_by_components_and_ratios_and_may_be_defined_anew(shop: Shop) -> None:
    cup, spoon = shop.item(), shop.item()
    tea_set = kit(shop, (cup, 2), (spoon, 1), stocked_as="parts")
    with reading(shop.gate.engine) as connection:
        (found,) = list_kits(connection, [tea_set])
    assert found.stocked_as == "parts"
    assert {one.item_id: one.quantity for one in found.components} == {cup: 2, spoon: 1}
    shop.run(define(tea_set, (cup, 4), stocked_as="parts"))
    with reading(shop.gate.engine) as connection:
        (found,) = list_kits(connection, [tea_set])
    assert [(one.item_id, one.quantity) for one in found.components] == [(cup, 4)]


@pytest.mark.capability("S19")
def test_a_kit_of_kits_of_itself_or_of_a_plain_item_in_use_is_refused(shop: Shop) -> None:
    cup = shop.item()
    tea_set = kit(shop, (cup, 2))
    assert shop.refused(define(tea_set, (tea_set, 1))).code == "kit_within_kit"
    assert shop.refused(define(tea_set, (uuid4(), 1))).code == "not_found"
    assert shop.refused(define(tea_set, (cup, 1), (cup, 2))).code == "repeated_component"
    assert shop.refused(define(cup, (shop.item(), 1))).code == "kit_is_fixed"
    assert shop.refused(define(tea_set, (cup, 2), stocked_as="parts")).code == "kit_is_fixed"
    draft = uuid4()
    shop.run(CreateItem(item_id=draft, sku=f"D-{draft.hex[:8]}"))
    shop.run(define(tea_set, (draft, 1)))
    assert shop.refused(define(draft, (cup, 1))).code == "kit_within_kit"


@pytest.mark.capability("S19")
def test_a_kit_that_is_sold_from_its_parts_is_never_stocked_itself(shop: Shop) -> None:
    tea_set = kit(shop, (shop.item(north=4), 2), stocked_as="parts")
    opening = PostOpeningStock(
        document_id=uuid4(), location_id=shop.north, lines=(StockLine(item_id=tea_set, quantity=1),)
    )
    for command in (opening, shop.adjust(tea_set, 1), assembly(shop, tea_set, 1)):
        assert shop.refused(command).code == "kit_has_no_stock"


@pytest.mark.capability("S46")
def test_kitting_moves_components_and_their_value_into_kits_and_back(shop: Shop) -> None:
    cup, spoon = shop.item(cost=33_333, north=10), shop.item(cost=10_001, north=5)
    tea_set = kit(shop, (cup, 2), (spoon, 1))
    before = worth(shop, cup, spoon, tea_set)
    shop.run(assembly(shop, tea_set, 3))
    assert (shop.at(cup).available, shop.at(spoon).available, shop.at(tea_set).available) == (4, 2, 3)
    assert worth(shop, tea_set) == 3 * (2 * 33_333 + 10_001)
    assert worth(shop, cup, spoon, tea_set) == before
    shop.run(taking_apart(shop, tea_set, 2))
    assert (shop.at(cup).available, shop.at(spoon).available, shop.at(tea_set).available) == (8, 4, 1)
    assert worth(shop, cup, spoon, tea_set) == before
    with reading(shop.gate.engine) as connection:
        moves = stock_moves_of(connection, item_id=tea_set)
    assert [(move.event, move.quantity) for move in moves] == [("kitting", 2), ("kitting", 3)]
    shop.assert_sound()


@pytest.mark.capability("S46")
def test_kitting_beyond_the_components_or_without_a_kit_is_refused_and_changes_nothing(shop: Shop) -> None:
    cup, spoon = shop.item(cost=20_000, north=10), shop.item(cost=10_000, north=1)
    tea_set = kit(shop, (cup, 2), (spoon, 1))
    error = shop.refused(assembly(shop, tea_set, 2))
    assert (error.code, error.details["wanted"], error.details["available"]) == ("insufficient_stock", 2, 1)
    assert shop.refused(taking_apart(shop, tea_set, 1)).code == "insufficient_stock"
    assert shop.refused(assembly(shop, cup, 1)).code == "not_assembled"
    assert shop.at(cup).available == 10
    once = assembly(shop, tea_set, 1)
    shop.run(once)
    assert shop.refused(once).code == "already_exists"
    shop.assert_sound()


@pytest.mark.capability("S46")
def test_kitting_of_goods_of_which_only_some_have_a_cost_is_refused(shop: Shop) -> None:
    cup, spoon = shop.item(cost=20_000, north=10), shop.item(north=10)
    error = shop.refused(assembly(shop, kit(shop, (cup, 1), (spoon, 1)), 1))
    assert error.code == "cost_unknown"
    plain = kit(shop, (spoon, 2))
    shop.run(assembly(shop, plain, 5))
    assert worth(shop, plain, spoon) == 0
    shop.assert_sound()


@pytest.mark.capability("S45")
def test_as_many_kits_are_available_as_the_scarcest_component_allows(shop: Shop) -> None:
    cup, spoon = shop.item(north=7, south=2), shop.item(north=5)
    tea_set = kit(shop, (cup, 2), (spoon, 1))
    shop.run(assembly(shop, tea_set, 1))
    with reading(shop.gate.engine) as connection:
        found = {one.location_id: one for one in kit_availability(connection, [tea_set])}
    assert (found[shop.north].assembled, found[shop.north].from_parts, found[shop.north].promisable) == (
        1,
        2,
        3,
    )
    assert found[shop.north].short_of == cup
    assert (found[shop.south].promisable, found[shop.south].short_of) == (0, spoon)


@pytest.mark.capability("S46")
@settings(
    max_examples=size(6, 60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    costs=st.tuples(st.integers(1, 99_999), st.integers(0, 99_999)),
    ratios=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    steps=st.lists(st.tuples(st.booleans(), st.integers(1, 5)), max_size=8),
)
def test_whatever_is_put_together_and_taken_apart_units_and_value_stay(
    shop: Shop, costs: tuple[int, int], ratios: tuple[int, int], steps: list[tuple[bool, int]]
) -> None:
    cup, spoon = shop.item(cost=costs[0], north=17), shop.item(cost=costs[1], north=13)
    tea_set = kit(shop, (cup, ratios[0]), (spoon, ratios[1]))
    value = worth(shop, cup, spoon)
    shop.submit(
        *(assembly(shop, tea_set, units) if up else taking_apart(shop, tea_set, units) for up, units in steps)
    )
    made = shop.at(tea_set).available
    assert shop.at(cup).available + made * ratios[0] == 17
    assert shop.at(spoon).available + made * ratios[1] == 13
    assert worth(shop, cup, spoon, tea_set) == value
    shop.assert_sound()


@pytest.mark.capability("S19")
@given(
    prices=st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)),
    parts=st.lists(st.tuples(st.integers(1, 9), st.integers(0, 10**7)), min_size=1, max_size=6),
)
def test_the_price_of_a_kit_falls_on_its_parts_exactly(
    prices: tuple[int, int], parts: list[tuple[int, int]]
) -> None:
    split = split_price(prices, parts)
    assert sum(one.quantity * one.unit_price for one in split) == prices[0]
    assert sum(one.quantity * one.list_price for one in split) == prices[1]
    for position, (quantity, _) in enumerate(parts):
        assert sum(one.quantity for one in split if one.component == position) == quantity
    assert all(one.quantity > 0 and one.unit_price >= 0 and one.list_price >= 0 for one in split)


@pytest.mark.capability("S45")
def test_sets_are_the_least_over_the_parts_and_none_without_parts() -> None:
    assert whole_sets([(7, 2), (5, 1)]) == 3
    assert whole_sets([(1, 2), (5, 1)]) == 0
    assert whole_sets([]) == 0


@pytest.mark.capability("S46")
@pytest.mark.capability("S37")
def test_a_tracked_component_is_not_lost_in_an_assembled_kit_but_picked_by_lot_in_one_of_parts(
    shop: Shop,
) -> None:
    milk, jug = tracked_item(shop), shop.item(cost=10_000, north=5)
    lot = take_in(shop, milk, "A", 6, NEXT_YEAR)
    ahead = kit(shop, (milk, 2), (jug, 1))
    error = shop.refused(assembly(shop, ahead, 1))
    assert error.code == "lot_required" and "kit of parts" in error.remedy
    assert shop.at(jug).available == 5
    parts = kit(shop, (milk, 2), (jug, 1), stocked_as="parts")
    order = shop.place((parts, 2))
    assert lies(shop, lot) == {("north", "available"): 2, ("north", "reserved"): 4}
    shop.ship(order)
    with reading(shop.gate.engine) as connection:
        assert [one.units for one in trace_lot(connection, lot).shipments] == [4]
    shop.assert_sound()
