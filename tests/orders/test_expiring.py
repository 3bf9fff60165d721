"""What will not sell by its last day is an exception in time: priced at cost, with what can be done."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_core.exceptions.draft import CaseDraft
from erp_core.finance.commands import OpeningCost, SetOpeningCost
from erp_core.inventory.commands import TransferStock
from erp_core.orders.expiring import expiring_drafts
from erp_core.orders.rules.expiring import Perishable, best_place, room, unsold
from erp_core.storage.engine import reading
from tests.conftest import TODAY
from tests.inventory.lots import lies, take_in, tracked_item
from tests.shop import Shop

SOON, LATER = UUID(int=1), UUID(int=2)


@pytest.mark.capability("S36")
def test_lots_sell_first_expired_first_out_and_what_is_left_after_its_days_is_lost() -> None:
    assert unsold([Perishable(SOON, 5, 10), Perishable(LATER, 10, 10)], 1.0) == {SOON: 5, LATER: 5}
    assert unsold([Perishable(LATER, 10, 5), Perishable(SOON, 5, 5)], 1.0) == {}
    assert unsold([Perishable(SOON, 0, 3)], 9.0) == {SOON: 3}
    assert unsold([Perishable(SOON, 5, 3)], 0.0) == {SOON: 3}
    assert (room(10, 2.0, 5), room(10, 0.0, 5)) == (15, 0)
    assert best_place([(SOON, 0), (LATER, 0)]) is None and best_place([(SOON, 1), (LATER, 4)]) == (LATER, 4)


@pytest.mark.capability("S36")
@given(
    lots=st.lists(st.tuples(st.integers(0, 40), st.integers(1, 50)), max_size=6),
    rate=st.floats(0, 20, allow_nan=False),
)
def test_what_is_left_is_never_more_than_there_is_nor_less_than_cannot_be_sold(
    lots: list[tuple[int, int]], rate: float
) -> None:
    perishable = [Perishable(UUID(int=n + 1), days, units) for n, (days, units) in enumerate(lots)]
    left = unsold(perishable, rate)
    there = {one.lot_id: one.units for one in perishable}
    assert all(0 < units <= there[id_] for id_, units in left.items())
    last = max((one.days for one in perishable), default=0)
    assert sum(there.values()) - sum(left.values()) <= rate * last + 1e-6
    faster = unsold(perishable, rate + 1)
    assert sum(faster.values()) <= sum(left.values())


def drafts_of(shop: Shop, item_id: UUID) -> list[CaseDraft]:
    with reading(shop.gate.engine) as connection:
        found, why, _ = expiring_drafts(connection, TODAY)
    assert why is None
    return [one for one in found if ("item", item_id) in one.subjects]


@pytest.mark.capability("S36")
def test_a_lot_that_will_not_sell_in_time_is_a_case_that_moves_it_to_where_it_sells(fresh_shop: Shop) -> None:
    shop = fresh_shop
    shop.later(8)
    milk = tracked_item(shop, cost=None)
    take_in(shop, milk, "OLD", 1, TODAY - timedelta(days=1), shop.south)
    lot = take_in(shop, milk, "A", 30, TODAY + timedelta(days=9))
    take_in(shop, milk, "B", 5, TODAY + timedelta(days=200))
    with reading(shop.gate.engine) as connection:
        found, why, count = expiring_drafts(connection, TODAY)
    assert (found, count) == ([], 1) and why is not None and "no sales" in why

    take_in(shop, milk, "S", 21, TODAY + timedelta(days=200), shop.south)
    shop.place((milk, 21), place=shop.south)
    (unknown,) = drafts_of(shop, milk)
    assert unknown.expected_loss == 0 and "cost is not known" in unknown.notes[0]
    shop.run(SetOpeningCost(document_id=uuid4(), lines=(OpeningCost(item_id=milk, unit_cost=20_000),)))
    (case,) = drafts_of(shop, milk)
    assert (case.kind, case.deadline.date()) == ("expiring_lot", TODAY + timedelta(days=9))
    assert (case.expected_loss, case.residual_loss) == (30 * 20_000, 21 * 20_000), (
        "21 in 21 days: 9 sell in the south"
    )
    options = [one["value"] for one in case.evidence if one["label"] == "option"]
    assert [word in " ".join(options) for word in ("move", "down", "supplier", "write it off")] == [True] * 4
    assert case.action is not None
    (command,) = case.action["commands"]
    shop.run(TransferStock.model_validate(command["payload"] | {"transfer_id": uuid4()}))
    assert lies(shop, lot)["south", "in_transit"] == 9

    shop.place((milk, 21))
    assert drafts_of(shop, milk) == [], "what is promised is sold"
    shop.assert_sound()
