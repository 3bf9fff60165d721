"""Eight processes fight for the last units: none is sold twice, none is left over, and who comes too late hears why."""

from __future__ import annotations

import multiprocessing
import random
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest

from erp_core.gate.contract import Command, Executed, Refused, Submission
from erp_core.inventory.queries import position
from erp_core.orders.commands import SetChannelQuota
from erp_core.storage.engine import reading
from tests.conftest import size
from tests.inventory.test_kitting import kit
from tests.shop import Shop

PROCESSES = 8
ORDERS = size(12, 120)
UNITS = ORDERS * 2

Orders = Callable[[Shop, random.Random], Iterator[Command]]


def _fight(shop: Shop, orders: Orders) -> list[dict[str, Any]]:
    """Let each process submit its orders one by one; gives what each was told, in no order."""
    forking = multiprocessing.get_context("fork")
    shop.gate.engine.dispose()
    barrier, told = forking.Barrier(PROCESSES), forking.SimpleQueue()
    processes = [
        forking.Process(target=_rival, args=(shop, orders, number, barrier, told.put))
        for number in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    answers = [one for _ in processes for one in told.get()]
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * PROCESSES
    return answers


def _rival(
    shop: Shop, orders: Orders, number: int, barrier: Barrier, tell: Callable[[list[dict[str, Any]]], None]
) -> None:
    shop.gate.engine.dispose(close=False)
    answers = []
    barrier.wait(60)
    for command in orders(shop, random.Random(number)):
        dated = command.model_copy(update={"occurred_at": shop.now})
        (outcome,) = shop.gate.submit_many([Submission(dated, uuid4().hex)], shop.principal)
        match outcome:
            case Executed():
                answers.append(dict(outcome.result))
            case Refused():
                answers.append({"refused": outcome.error.code, **outcome.error.details})
            case _:
                answers.append({"refused": repr(outcome)})
    tell(answers)


def _counter_sales(*choices: tuple[tuple[UUID, int], ...]) -> Orders:
    """Sales over the counter: what is not there is refused. The last ones ask for single units."""

    def orders(shop: Shop, chance: random.Random) -> Iterator[Command]:
        for _ in range(ORDERS):
            wanted = chance.choice(choices)
            yield shop.order(*wanted, ship_now=True, external_ref=uuid4().hex)

    return orders


def _refusals(answers: list[dict[str, Any]], codes: set[str]) -> list[dict[str, Any]]:
    refused = [one for one in answers if "refused" in one]
    assert {one["refused"] for one in refused} == codes
    for one in refused:
        assert one["item"] and 0 <= one["available"] < one["wanted"]
    return refused


def _left(shop: Shop, item_id: UUID) -> int:
    with reading(shop.gate.engine) as connection:
        return position(connection, item_id, shop.north).on_hand


@pytest.mark.capability("S30")
def test_single_orders_for_a_few_hot_items_sell_each_unit_once(shop: Shop) -> None:
    items = [shop.item(cost=10_000, north=UNITS) for _ in range(2)]
    choices = [((item, units),) for item in items for units in (1, 3)]
    answers = _fight(shop, _counter_sales(*choices))
    _refusals(answers, {"insufficient_stock"})
    assert all(0 <= _left(shop, item) < 3 for item in items)
    shop.assert_sound()


@pytest.mark.capability("S30")
def test_orders_that_take_the_same_items_in_opposite_order_neither_lock_up_nor_oversell(shop: Shop) -> None:
    one, other = shop.item(cost=10_000, north=UNITS), shop.item(cost=10_000, north=UNITS)
    answers = _fight(shop, _counter_sales(((one, 1), (other, 2)), ((other, 1), (one, 2))))
    refused = _refusals(answers, {"insufficient_stock"})
    sold = len(answers) - len(refused)
    left = _left(shop, one), _left(shop, other)
    assert min(left) < 3 and all(units >= 0 for units in left)
    assert 2 * UNITS - sum(left) == 3 * sold
    shop.assert_sound()


@pytest.mark.capability("S45", "S30")
def test_kits_and_lines_that_share_components_never_take_more_than_there_is(shop: Shop) -> None:
    cup, spoon = shop.item(cost=10_000, north=UNITS), shop.item(cost=10_000, north=UNITS)
    breakfast = kit(shop, (cup, 1), (spoon, 1), stocked_as="parts")
    coffee = kit(shop, (spoon, 2), (cup, 1), stocked_as="parts")

    def orders(shop: Shop, chance: random.Random) -> Iterator[Command]:
        for _ in range(ORDERS):
            yield shop.order((chance.choice((breakfast, coffee, spoon)), 1), external_ref=uuid4().hex)

    answers = _fight(shop, orders)
    told = Counter(one["status"] for one in answers)
    assert set(told) == {"reserved", "backordered"}
    with reading(shop.gate.engine) as connection:
        spoons, cups = position(connection, spoon, shop.north), position(connection, cup, shop.north)
    assert spoons.available + spoons.reserved == cups.available + cups.reserved == UNITS
    assert spoons.available < 2
    shop.assert_sound()


@pytest.mark.capability("S31", "S30")
def test_a_channel_that_fights_for_stock_never_gets_more_than_its_share(shop: Shop) -> None:
    item_id = shop.item(north=UNITS)
    shop.run(SetChannelQuota(channel_id=shop.web, item_id=item_id, most_percent=50))

    def orders(shop: Shop, _chance: random.Random) -> Iterator[Command]:
        for _ in range(ORDERS):
            yield shop.order((item_id, 1), external_ref=uuid4().hex)

    answers = _fight(shop, orders)
    told = Counter(one["status"] for one in answers)
    assert told == {"reserved": UNITS // 2, "backordered": PROCESSES * ORDERS - UNITS // 2}
    assert shop.at(item_id).reserved == UNITS // 2
    shop.assert_sound()
