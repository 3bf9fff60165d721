"""Who waits for whom: rows are locked in one order, and a rival who comes in between finds what the first one left."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, event

from api.composition import make_gate
from erp_core.clock import Clock
from erp_core.gate.contract import Command, Executed, Refused, Submission
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.inventory.commands import ReceiveTransfer, StockLine, TransferStock
from erp_core.orders.commands import CancelOrder, ReleaseOrder, ShipOrder
from erp_core.storage.engine import open_engine
from tests.conftest import TODAY
from tests.shop import Shop

ORDER = ("names", "orders", "reservations", "stock_balances", "cost_balances")


@contextmanager
def _locks_of(engine: Engine) -> Iterator[list[str]]:
    """What the statements lock and wait for, in their order; `SKIP LOCKED` waits for nobody."""
    locked: list[str] = []

    def note(_connection: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "pg_advisory_xact_lock" in statement:
            locked.append("names")
        elif "FOR UPDATE" in statement and "SKIP LOCKED" not in statement:
            assert "ORDER BY" in statement, statement
            named = re.search(r"FOR UPDATE OF (\w+)", statement) or re.search(r"\bFROM (\w+)", statement)
            assert named is not None, statement
            locked.append("stock_balances" if named[1] == "b" else named[1])

    event.listen(engine, "before_cursor_execute", note)
    yield locked
    event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def pg_shop(postgres_url: str, simulator: Callable[[Gate], Principal], tmp_path: Any) -> Iterator[Shop]:
    engine = open_engine(postgres_url)
    gate = make_gate(engine, Clock(fixed_business_date=TODAY), home=tmp_path)
    gate.install_policies()
    shop = Shop(gate, simulator(gate))
    shop.open()
    yield shop
    engine.dispose()


def test_every_command_locks_names_then_orders_then_reservations_then_stock_then_costs(pg_shop: Shop) -> None:
    shop = pg_shop
    one, other = (shop.item(cost=10_000, north=20) for _ in range(2))
    reserved, cancelled = shop.place((one, 1), (other, 1)), shop.place((other, 1), (one, 1))
    held = shop.place((one, 1), payment_status="pending")
    transfer_id, lines = uuid4(), (StockLine(item_id=one, quantity=2), StockLine(item_id=other, quantity=1))
    commands: list[Command] = [
        shop.order((other, 1), (one, 2)),
        shop.order((one, 1), (other, 1), ship_now=True),
        ReleaseOrder(order_id=held.order_id),
        ShipOrder(order_id=reserved.order_id, shipment_id=uuid4()),
        CancelOrder(order_id=cancelled.order_id, reason_code="customer_request"),
        TransferStock(
            transfer_id=transfer_id, from_location_id=shop.north, to_location_id=shop.south, lines=lines
        ),
        ReceiveTransfer(transfer_id=transfer_id),
        shop.adjust(one, -1),
    ]
    locked_by_all: set[str] = set()
    for command in commands:
        with _locks_of(shop.gate.engine) as locked:
            shop.run(command)
        ranks = [ORDER.index(table) for table in locked]
        assert ranks == sorted(ranks), (command.command_name, locked)
        locked_by_all |= set(locked)
    assert locked_by_all == set(ORDER)


POINTS = {
    "when the first has locked the stock": "stock_balances AS b",
    "when the first has written its order": "INSERT INTO orders",
    "when the first has written its moves": "INSERT INTO stock_daily",
}


@pytest.mark.capability("S30")
@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS.keys())
def test_a_rival_who_comes_in_between_hears_that_the_last_unit_is_gone(shop: Shop, point: str) -> None:
    item_id = shop.item(cost=10_000, north=1)
    first, second = _overtaken(
        shop, point, shop.order((item_id, 1), ship_now=True), shop.order((item_id, 1), ship_now=True)
    )
    assert isinstance(first, Executed)
    assert isinstance(second, Refused) and second.error.code == "insufficient_stock"
    assert (second.error.details["wanted"], second.error.details["available"]) == (1, 0)
    shop.assert_sound()


@pytest.mark.capability("S55")
@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS.keys())
def test_a_rival_who_sends_the_same_external_order_in_between_is_told_the_first(
    shop: Shop, point: str
) -> None:
    item_id = shop.item(north=5)
    orders = [shop.order((item_id, 1), external_ref="same " + point) for _ in range(2)]
    first, second = _overtaken(shop, point, *orders)
    assert isinstance(first, Executed) and isinstance(second, Executed)
    assert (first.result["order_id"], second.result["duplicate"]) == (second.result["order_id"], True)
    assert shop.at(item_id).states == {"available": 4, "reserved": 1}


def _overtaken(shop: Shop, point: str, first: Command, second: Command) -> tuple[Any, Any]:
    """Submit the first; when its statement at `point` has run, a rival submits the second and has begun to wait for it."""
    rival_engine = open_engine(shop.gate.engine.url.render_as_string(hide_password=False))
    rival = make_gate(rival_engine, shop.gate.clock, home=shop.gate.home)
    waits, outcomes = Event(), {}
    wanted = (
        "BEGIN IMMEDIATE" if shop.gate.engine.dialect.name == "sqlite" else "pg_advisory_xact_lock|FOR UPDATE"
    )

    def submit(gate: Gate, command: Command) -> Any:
        dated = command.model_copy(update={"occurred_at": shop.now})
        (outcome,) = gate.submit_many([Submission(dated, uuid4().hex)], shop.principal)
        return outcome

    def arrive(_connection: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        if re.search(wanted, statement):
            waits.set()

    def run_rival() -> None:
        outcomes["second"] = submit(rival, second)

    thread = Thread(target=run_rival)

    def stop(_connection: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        if point in statement and not thread.ident:
            thread.start()
            assert waits.wait(30)
            assert "second" not in outcomes

    event.listen(rival_engine, "before_cursor_execute", arrive)
    event.listen(shop.gate.engine, "after_cursor_execute", stop)
    try:
        outcomes["first"] = submit(shop.gate, first)
    finally:
        event.remove(shop.gate.engine, "after_cursor_execute", stop)
    thread.join(60)
    rival_engine.dispose()
    return outcomes["first"], outcomes["second"]


@pytest.mark.capability("S30")
def test_stock_that_was_plenty_when_it_was_read_is_not_sold_twice(shop: Shop) -> None:
    """PostgreSQL decides about plenty without a lock: a rival may empty it before the order takes its units."""
    item_id = shop.item(north=100)
    first, rival = shop.order((item_id, 5)), shop.order((item_id, 98))
    _, told = _overtaken(shop, "INSERT INTO orders", first, rival)
    assert isinstance(told, Executed)
    units = {one.order_id: shop.lines(one)[0].reserved_quantity for one in (first, rival)}
    assert sum(units.values()) == 100 and 100 - units[first.order_id] in (95, 98)
    assert shop.at(item_id).states == {"reserved": 100}
    shop.assert_sound()
