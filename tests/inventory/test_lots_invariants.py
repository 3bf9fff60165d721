"""Whatever happens to lots in whatever order: units are kept, numbered ones lie in one place, held ones are promised to nobody."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from erp_core.gate.contract import Command, Executed
from erp_core.inventory.commands import (
    HoldStock,
    PostOpeningStock,
    QuarantineExpired,
    ReceiveTransfer,
    StockLine,
    TransferStock,
)
from erp_core.inventory.lots.rules import Lot, first_expired
from erp_core.inventory.model import lots, stock_balances, stock_moves
from erp_core.orders.commands import CancelOrder, PlaceOrder, RecallLot, ShipOrder
from erp_core.storage.engine import reading
from tests.conftest import size
from tests.inventory.lots import assert_lots_sound, tracked_item
from tests.shop import MONDAY, Shop

STEP = st.tuples(
    st.sampled_from(
        ["count", "count", "place", "place", "counter", "ship", "ship", "cancel", "send", "arrive"]
        + ["hold", "recall", "sweep", "adjust"]
    ),
    st.integers(0, 10**6),
    st.integers(1, 5),
)
ALLOWED = {
    "insufficient_stock",
    "lot_held",
    "serial_twice",
    "lot_differs",
    "not_found",
    "more_than_in_transit",
    "nothing_reserved",
    "illegal_transition",
    "nothing_open",
    "lot_required",
}


class Story:
    """Turns drawn numbers into commands over an item with lots that expire and one with numbered units of lots."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.tea = tracked_item(shop)
        self.pump = tracked_item(shop, serials=True, expiry=False)
        self.orders: list[PlaceOrder] = []
        self.transfers: list[UUID] = []

    def command(self, kind: str, choice: int, units: int) -> Command | None:
        shop, item_id = self.shop, (self.tea, self.pump)[choice % 2]
        code = f"L{choice % 3}"
        order = self.orders[choice % len(self.orders)] if self.orders else None
        if kind == "count":
            return PostOpeningStock(
                document_id=uuid4(),
                location_id=(shop.north, shop.south)[choice % 3 % 2],
                lines=(self.line(item_id, code, choice, units),),
            )
        if kind in ("place", "counter"):
            placed = shop.order((item_id, units), (self.tea, 1), ship_now=kind == "counter")
            self.orders.append(placed)
            return placed
        if kind == "send":
            self.transfers.append(uuid4())
            return TransferStock(
                transfer_id=self.transfers[-1],
                from_location_id=shop.north,
                to_location_id=shop.south,
                lines=(StockLine(item_id=item_id, quantity=units),),
            )
        if kind == "arrive":
            waiting = self.transfers[choice % len(self.transfers)] if self.transfers else None
            return ReceiveTransfer(transfer_id=waiting) if waiting else None
        if kind in ("hold", "recall") and choice % 2 == 0:
            named: dict[str, Any] = {"item_id": item_id, "lot_code": code, "reason_code": "safety_notice"}
            return (
                HoldStock(hold_id=uuid4(), **named)
                if kind == "hold"
                else RecallLot(recall_id=uuid4(), **named)
            )
        if kind == "sweep":
            return QuarantineExpired()
        if kind == "adjust":
            return shop.adjust(self.tea, -units, lot_code=code)
        if order is None or kind in ("hold", "recall"):
            return None
        if kind == "ship":
            return ShipOrder(order_id=order.order_id, shipment_id=uuid4())
        return CancelOrder(order_id=order.order_id, reason_code="customer_request")

    def line(self, item_id: UUID, code: str, choice: int, units: int) -> StockLine:
        if item_id == self.tea:
            last = MONDAY.date() + timedelta(days=choice % 3 * 2 + 1)
            return StockLine(item_id=item_id, quantity=units, lot_code=code, expires_on=last)
        serials = tuple(f"{code}-{(choice + step) % 7}" for step in range(units))
        return StockLine(item_id=item_id, quantity=units, lot_code=code, serials=serials)


@pytest.mark.capability("S34")
@pytest.mark.capability("S35")
@pytest.mark.capability("S36")
@settings(
    max_examples=size(8, 150),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(batches=st.lists(st.lists(STEP, min_size=1, max_size=6), min_size=1, max_size=8))
def test_whatever_happens_lots_agree_with_the_ledger(
    shop: Shop, batches: list[list[tuple[str, int, int]]]
) -> None:
    story = Story(shop)
    for steps in batches:
        wishes = [story.command(*step) for step in steps]
        for outcome in shop.submit(*(wish for wish in wishes if wish is not None)):
            assert isinstance(outcome, Executed) or outcome.error.code in ALLOWED, outcome
        shop.later(1)
    assert_lots_sound(shop)
    assert_nothing_bad_went_out(shop, story)
    shop.run(QuarantineExpired())
    assert_lots_sound(shop)
    assert_nothing_over_is_left(shop, story)


def assert_nothing_bad_went_out(shop: Shop, story: Story) -> None:
    """What was shipped was of a lot whose last day was not over, and its units are of one lot from door to door."""
    statement = (
        select(stock_moves.c.occurred_on, lots.c.expires_on, lots.c.item_id, stock_moves.c.item_id)
        .join(lots, lots.c.id == stock_moves.c.lot_id)
        .where(stock_moves.c.event == "shipment", stock_moves.c.item_id.in_((story.tea, story.pump)))
    )
    with reading(shop.gate.engine) as connection:
        shipped = connection.execute(statement).all()
        bare = connection.execute(
            select(stock_moves.c.id).where(
                stock_moves.c.item_id.in_((story.tea, story.pump)), stock_moves.c.lot_id == UUID(int=0)
            )
        ).all()
    assert bare == []
    for day, last, of_lot, of_move in shipped:
        assert last is None or day <= last
        assert of_lot == of_move


def assert_nothing_over_is_left(shop: Shop, story: Story) -> None:
    statement = (
        select(stock_balances.c.state, stock_balances.c.quantity)
        .join(lots, lots.c.id == stock_balances.c.lot_id)
        .where(
            lots.c.item_id == story.tea,
            lots.c.expires_on < shop.now.date(),
            stock_balances.c.state.in_(("available", "reserved", "picked")),
            stock_balances.c.quantity > 0,
        )
    )
    with reading(shop.gate.engine) as connection:
        assert connection.execute(statement).all() == []


def _lot(number: int, expires_on: date | None, received: int) -> Lot:
    day = MONDAY.date() + timedelta(days=received)
    return Lot(
        UUID(int=number + 1),
        UUID(int=9),
        f"L{number}",
        False,
        None,
        expires_on,
        day,
        None,
        "x",
        UUID(int=1),
        "released",
    )


DAYS = st.one_of(st.none(), st.integers(0, 9).map(lambda n: MONDAY.date() + timedelta(days=n)))


@pytest.mark.capability("S36")
@given(st.lists(st.tuples(DAYS, st.integers(0, 3), st.integers(0, 9)), max_size=8), st.integers(0, 40))
def test_no_unit_of_a_later_lot_goes_while_an_earlier_one_has_any(
    drawn: list[tuple[date | None, int, int]], wanted: int
) -> None:
    stock = [(_lot(n, last, received), units) for n, (last, received, units) in enumerate(drawn)]
    chosen = first_expired(stock, wanted)
    taken = {lot.id: units for lot, units in chosen}
    assert sum(taken.values()) == min(wanted, sum(units for _, units in stock))
    for lot, units in stock:
        if taken.get(lot.id, 0) < units:
            later = [other for other, _ in stock if other.turn > lot.turn]
            assert not any(taken.get(other.id) for other in later)
