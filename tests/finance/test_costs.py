from __future__ import annotations

from datetime import date
from uuid import UUID, uuid4

import pytest

from erp_core.finance.commands import OpeningCost, SetOpeningCost
from erp_core.finance.costs import Costs, CostSource, ValuationMismatch
from erp_core.finance.queries import ItemValue, cost_history, unit_costs, valuation
from erp_core.gate.contract import Transaction
from erp_core.inventory.ledger import Bucket, Ledger, Move
from erp_core.inventory.rules import VIRTUAL
from erp_core.master.virtual import SUPPLIER
from erp_core.storage.engine import gate_writing, reading
from tests.shop import MONDAY, Shop


def value_of(shop: Shop, item_id: UUID, as_of: date | None = None) -> tuple[int, int] | None:
    with reading(shop.gate.engine) as connection:
        found = {one.item_id: one for one in valuation(connection, as_of)}
    worth: ItemValue | None = found.get(item_id)
    return None if worth is None else (worth.quantity, worth.value)


def set_cost(*costs: tuple[UUID, int]) -> SetOpeningCost:
    lines = tuple(OpeningCost(item_id=item_id, unit_cost=cost) for item_id, cost in costs)
    return SetOpeningCost(document_id=uuid4(), lines=lines)


def receive(shop: Shop, item_id: UUID, units: int, value: int) -> None:
    """A receipt as a higher context posts it: cost first, then stock."""
    source = CostSource("receipt", "receipt", uuid4(), shop.now.date(), uuid4())
    with gate_writing(shop.gate.engine) as connection:
        tx = transaction(shop, connection)
        costs = Costs.of(tx)
        costs.load([item_id])
        costs.receive(item_id, units, value, source)
        Ledger.of(tx).post(
            [
                Move(
                    "receipt",
                    Bucket(item_id, SUPPLIER, VIRTUAL),
                    Bucket(item_id, shop.north),
                    units,
                    "receipt",
                    source.document_id,
                    shop.now,
                    source.audit_id,
                )
            ]
        )
        tx.flush()


def transaction(shop: Shop, connection: object) -> Transaction:
    return shop.gate._transaction(connection)


@pytest.mark.capability("S47")
def test_opening_stock_has_a_value_once_its_cost_is_set_and_only_once(shop: Shop) -> None:
    item_id, empty = shop.item(north=10, south=5), shop.item()
    assert value_of(shop, item_id) is None
    result = shop.run(set_cost((item_id, 12_345), (empty, 500)))
    assert (result["value"], result["without_stock"]) == (15 * 12_345, [str(empty)])
    assert value_of(shop, item_id) == (15, 185_175)
    assert shop.refused(set_cost((item_id, 1))).code == "already_valued"
    assert shop.refused(set_cost((uuid4(), 1))).code == "not_found"
    shop.assert_sound()


@pytest.mark.capability("S47")
def test_receipts_at_another_price_move_the_average_and_shipments_take_it(shop: Shop) -> None:
    item_id = shop.item(cost=100_000, north=10)
    receive(shop, item_id, 20, 3_200_000)
    assert value_of(shop, item_id) == (30, 4_200_000)
    order = shop.place((item_id, 3))
    shop.ship(order)
    assert shop.lines(order)[0].cost == 420_000
    assert value_of(shop, item_id) == (27, 3_780_000)
    with reading(shop.gate.engine) as connection:
        assert unit_costs(connection, [item_id, uuid4()]) == {item_id: 140_000}
        assert next((one.event, one.quantity, one.value) for one in cost_history(connection, item_id)) == (
            "shipment",
            -3,
            -420_000,
        )
    shop.assert_sound()


def test_the_last_unit_takes_what_is_left_of_the_value(shop: Shop) -> None:
    item_id = shop.item(cost=0)
    receive(shop, item_id, 3, 10)
    costs = []
    for _ in range(3):
        order = shop.place((item_id, 1))
        shop.ship(order)
        costs.append(shop.lines(order)[0].cost)
    assert sum(costs) == 10
    assert value_of(shop, item_id) == (0, 0)


def test_an_item_of_unknown_cost_ships_with_no_cost_and_not_with_zero(shop: Shop) -> None:
    item_id = shop.item(north=5)
    order = shop.place((item_id, 2))
    shop.ship(order)
    assert shop.lines(order)[0].cost is None
    assert value_of(shop, item_id) is None
    receive(shop, item_id, 4, 400_000)
    assert value_of(shop, item_id) is None, "three units of unknown cost still lie there"


def test_the_first_receipt_of_an_item_without_stock_begins_its_value(shop: Shop) -> None:
    item_id = shop.item()
    receive(shop, item_id, 4, 400_000)
    assert value_of(shop, item_id) == (4, 400_000)
    shop.assert_sound()


@pytest.mark.capability("S43")
@pytest.mark.capability("S27")
def test_an_adjustment_posts_to_finance_at_the_average(shop: Shop) -> None:
    item_id = shop.item(cost=70_000, north=10)
    shop.write_off(item_id, 3, reason="theft")
    shop.run(shop.adjust(item_id, 1, reason="found"))
    assert value_of(shop, item_id) == (8, 560_000)
    with reading(shop.gate.engine) as connection:
        assert {one.event for one in cost_history(connection, item_id)} == {
            "opening",
            "write_off",
            "adjustment",
        }
    shop.assert_sound()


def test_goods_found_after_the_last_was_sold_have_the_last_known_cost(shop: Shop) -> None:
    item_id = shop.item(cost=70_000, north=2)
    shop.ship(shop.place((item_id, 2)))
    assert value_of(shop, item_id) == (0, 0)
    shop.run(shop.adjust(item_id, 1, reason="found"))
    assert value_of(shop, item_id) == (1, 70_000)
    shop.assert_sound()


@pytest.mark.capability("S47")
@pytest.mark.capability("S53")
def test_the_valuation_of_a_past_day_is_what_was_entered_until_then(shop: Shop) -> None:
    item_id = shop.item(cost=50_000, north=10)
    shop.later(5)
    shop.ship(shop.place((item_id, 4)))
    assert value_of(shop, item_id, date(2026, 5, 31)) is None
    assert value_of(shop, item_id, date(2026, 6, 5)) == (10, 500_000)
    assert value_of(shop, item_id, date(2026, 6, 6)) == (6, 300_000)


def test_more_than_is_valued_cannot_be_taken_out(shop: Shop) -> None:
    item_id = shop.item(cost=50_000, north=2)
    source = CostSource("shipment", "test", uuid4(), MONDAY.date(), uuid4())
    with gate_writing(shop.gate.engine) as connection:
        costs = Costs.of(transaction(shop, connection))
        with pytest.raises(ValuationMismatch):
            costs.issue(item_id, 3, source)
        assert costs.unit_cost(item_id) == 50_000
