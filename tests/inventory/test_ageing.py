"""How old stock is, how long it lasts, and what is trapped."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_core.inventory.ageing import AgedStock, aged_stock, bucket_of, layers
from erp_core.inventory.commands import ReverseStock
from erp_core.storage.engine import reading
from tests.conftest import TODAY
from tests.shop import Shop


def aged(shop: Shop, item_id: object, today: date, **only: bool) -> dict[str, AgedStock]:
    with reading(shop.gate.engine) as connection:
        found = aged_stock(connection, today, location_id=shop.north, **only)
    return {one.state: one for one in found if one.item_id == item_id}


@pytest.mark.capability("S52")
def test_stock_ages_from_its_arrival_and_a_reservation_makes_nothing_younger(shop: Shop) -> None:
    item_id = shop.item(north=10)
    first = shop.now.date()
    shop.later(40)
    shop.stock(item_id, 6)
    order = shop.place((item_id, 4))
    shop.later(10)
    shop.cancel(order)
    shop.ship(shop.place((item_id, 7)))
    found = aged(shop, item_id, first + timedelta(days=60))["sellable"]
    assert (found.units, found.by_age, found.oldest_days) == (9, {"0-30": 6, "31-90": 3}, 60)
    assert found.days_of_supply == round(9 * 90 / 7, 1)
    assert found.trapped == 0


def taken_back(shop: Shop, kind: str, document_id: object) -> None:
    shop.run(
        ReverseStock(
            document_kind=kind, document_id=document_id, reason_code="data_error", occurred_at=shop.now
        )
    )


@pytest.mark.capability("S52")
def test_what_was_taken_back_is_no_arrival_and_brings_no_arrival_of_its_day_into_doubt(shop: Shop) -> None:
    item_id = shop.item(north=10)
    first = shop.now.date()
    shop.later(40)
    wrong = shop.stock(item_id, 6)
    shop.later(10)
    taken_back(shop, "opening", wrong)
    shop.stock(item_id, 4)
    found = aged(shop, item_id, first + timedelta(days=100))["sellable"]
    assert (found.units, found.by_age) == (14, {"31-90": 4, "91-180": 10})
    lost = shop.write_off(item_id, units=12, reason="lost")
    shop.later(20)
    taken_back(shop, "adjustment", lost.adjustment_id)
    again = aged(shop, item_id, first + timedelta(days=100))["sellable"]
    assert (again.units, again.by_age) == (14, found.by_age), "bringing back what left makes nothing younger"


@pytest.mark.capability("S52")
def test_what_nobody_can_sell_is_trapped_after_a_fortnight_and_lasts_no_time_that_is_known(
    shop: Shop,
) -> None:
    item_id = shop.item()
    shop.run(shop.adjust(item_id, 5, reason="found", state="quarantined"))
    day = shop.now.date()
    assert aged(shop, item_id, day + timedelta(days=14))["quarantined"].trapped == 0
    found = aged(shop, item_id, day + timedelta(days=15), trapped_only=True)["quarantined"]
    assert (found.trapped, found.oldest_days, found.days_of_supply) == (5, 15, None)
    fresh = shop.item(north=3)
    assert aged(shop, fresh, day)["sellable"].days_of_supply is None
    assert aged(shop, fresh, day + timedelta(days=400), trapped_only=True) == {}


@pytest.mark.capability("S52")
@given(
    units=st.integers(1, 60),
    arrivals=st.lists(st.tuples(st.integers(0, 500), st.integers(1, 20)), max_size=8),
)
def test_the_ages_of_all_units_are_told_whatever_is_known_of_their_arrival(
    units: int, arrivals: list[tuple[int, int]]
) -> None:
    came = [(TODAY - timedelta(days=days), some) for days, some in arrivals]
    found = layers(units, came, TODAY)
    assert sum(part for _, part in found) == units
    assert [age for age, _ in found] == sorted(age for age, _ in found)
    assert all(part > 0 for _, part in found)


def test_the_bounds_of_the_age_classes_are_theirs() -> None:
    names = [bucket_of(days) for days in (0, 30, 31, 90, 91, 180, 181, 365, 366)]
    assert names == ["0-30", "0-30", "31-90", "31-90", "91-180", "91-180", "181-365", "181-365", "over 365"]
