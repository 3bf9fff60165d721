"""Orders on hold: why, without stock, and since when."""

from __future__ import annotations

import pytest

from erp_core.inventory.commands import ExpireReservations
from erp_core.orders.commands import ShippedLine
from tests.shop import Shop


@pytest.mark.capability("S29")
def test_when_part_of_an_orders_reservation_runs_out_the_rest_is_given_back_too(shop: Shop) -> None:
    tea, cup = shop.item(north=2), shop.item()
    order = shop.place((tea, 2), (cup, 3), reserve_until=shop.now)
    shop.stock(cup, 3)
    assert shop.status(order) == "reserved"
    shop.run(ExpireReservations())
    assert (shop.status(order), shop.row(order).hold_reason) == ("on_hold", "reservation_expired")
    assert shop.at(tea).states == {"available": 2}
    assert shop.at(cup).states == {"available": 3}
    shop.release(order)
    assert shop.status(order) == "reserved"
    shop.assert_sound()


@pytest.mark.capability("S29")
def test_a_line_that_was_reserved_in_two_goes_gives_back_both_when_the_first_runs_out(shop: Shop) -> None:
    tea = shop.item(north=2)
    order = shop.place((tea, 3), reserve_until=shop.now)
    shop.stock(tea, 1)
    shop.run(ExpireReservations())
    assert (shop.status(order), shop.at(tea).states) == ("on_hold", {"available": 3})
    shop.assert_sound()


@pytest.mark.capability("S29")
def test_what_an_order_on_hold_gives_back_goes_to_the_next_that_waits(shop: Shop) -> None:
    tea, cup = shop.item(north=2), shop.item()
    order = shop.place((tea, 2), (cup, 3), reserve_until=shop.now)
    shop.stock(cup, 3)
    waiting = shop.place((cup, 3))
    assert shop.status(waiting) == "backordered"
    shop.run(ExpireReservations())
    assert shop.status(waiting) == "reserved"
    assert shop.status(order) == "on_hold"
    shop.assert_sound()


def test_a_partly_shipped_order_is_never_put_on_hold_and_takes_what_came_free_again(shop: Shop) -> None:
    tea, cup, pot = shop.item(cost=10_000, north=1), shop.item(north=2), shop.item()
    order = shop.place((tea, 1), (cup, 2), (pot, 1), reserve_until=shop.now)
    shop.stock(pot, 1)
    first = order.lines[0]
    shop.ship(order, lines=(ShippedLine(line_id=first.line_id, quantity=1),))
    shop.run(ExpireReservations())
    assert shop.status(order) == "partly_shipped"
    assert [line.reserved_quantity for line in shop.lines(order)] == [0, 2, 1]
    shop.assert_sound()
