"""Whatever happens in whatever order: moves make the balances, nothing is below zero, nothing is promised twice."""

from __future__ import annotations

from threading import Barrier, Thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from erp_core.gate.contract import Command, Executed, Submission
from erp_core.inventory.commands import (
    ExpireReservations,
    PostOpeningStock,
    ReceiveTransfer,
    ReverseStock,
    StockLine,
    TransferStock,
)
from erp_core.inventory.model import stock_balances
from erp_core.orders.commands import (
    CancelOrder,
    CancelPick,
    ConfirmPack,
    ConfirmPick,
    HoldOrder,
    PickedLine,
    PlaceOrder,
    ReleaseOrder,
    ReleasePick,
    ShipOrder,
    ShippedLine,
)
from erp_core.orders.model import demand_daily, order_lines, orders, pick_lists
from erp_core.orders.rules import HELD, OPEN_PICKS, LineParts, status_of
from erp_core.storage.engine import reading
from tests.conftest import size
from tests.shop import Shop

STEP = st.tuples(
    st.sampled_from(
        [
            "place",
            "place",
            "hold",
            "counter",
            "ship",
            "ship",
            "part",
            "cancel",
            "release",
            "stock",
            "adjust",
            "send",
        ]
        + ["arrive", "reverse", "expire", "stop"]
        + ["release_pick", "release_pick", "pick", "pick", "pack", "parcel", "cancel_pick"]
    ),
    st.integers(0, 10**6),
    st.integers(1, 6),
)


class Story:
    """Turns drawn numbers into commands over two items, and remembers the documents it made."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.items = [shop.item(cost=33_333, north=4), shop.item(north=3, south=2)]
        self.orders: list[PlaceOrder] = []
        self.transfers: list[UUID] = []
        self.picks: list[tuple[PlaceOrder, UUID]] = []
        self.documents: list[tuple[str, UUID]] = []

    def command(self, kind: str, choice: int, units: int) -> Command | None:
        shop, item_id = self.shop, self.items[choice % 2]
        order = self.orders[choice % len(self.orders)] if self.orders else None
        if kind in ("place", "hold", "counter"):
            fields: dict[str, Any] = {"place": (shop.north, shop.south, None)[choice % 3]}
            if kind == "hold":
                fields["payment_status"] = "review"
            if kind == "counter":
                fields |= {"ship_now": True, "place": shop.north}
            if choice % 5 == 0 and kind == "place":
                fields["reserve_until"] = shop.now
            wanted = (
                [(item_id, units)] if choice % 4 else [(item_id, units), (item_id, 1), (self.items[0], 2)]
            )
            placed = shop.order(*wanted, **fields)
            self.orders.append(placed)
            return placed
        if kind in ("stock", "adjust"):
            return self._document(kind, item_id, choice, units)
        if kind in ("send", "arrive"):
            return self._transfer(kind, item_id, choice, units)
        if kind == "expire":
            return ExpireReservations()
        if kind == "reverse" and self.documents:
            document_kind, document_id = self.documents[choice % len(self.documents)]
            return ReverseStock.model_validate(
                {"document_kind": document_kind, "document_id": document_id, "reason_code": "data_error"}
            )
        if kind in ("pick", "pack", "parcel", "cancel_pick"):
            return self._step(kind, choice, units)
        if order is None:
            return None
        if kind == "release_pick":
            self.picks.append((order, uuid4()))
            return ReleasePick(order_id=order.order_id, pick_id=self.picks[-1][1])
        if kind == "stop":
            return HoldOrder(order_id=order.order_id, reason_code="credit_limit")
        if kind == "ship":
            return ShipOrder(order_id=order.order_id, shipment_id=uuid4(), freight_cost=units)
        if kind == "part":
            line = ShippedLine(line_id=order.lines[0].line_id, quantity=units)
            return ShipOrder(order_id=order.order_id, shipment_id=uuid4(), lines=(line,))
        if kind == "cancel":
            reason = "out_of_stock" if choice % 3 == 0 else "customer_request"
            return CancelOrder(order_id=order.order_id, reason_code=reason)
        return ReleaseOrder(order_id=order.order_id)

    def _step(self, kind: str, choice: int, units: int) -> Command | None:
        if not self.picks:
            return None
        order, pick_id = self.picks[-1 - choice % min(len(self.picks), 3)]
        if kind == "pick":
            found = PickedLine(line_id=order.lines[0].line_id, quantity=units)
            return ConfirmPick(pick_id=pick_id, lines=(found,) if choice % 3 == 0 else None)
        if kind == "pack":
            return ConfirmPack(pick_id=pick_id)
        if kind == "parcel":
            return ShipOrder(order_id=order.order_id, shipment_id=uuid4(), pick_id=pick_id)
        return CancelPick(pick_id=pick_id, reason_code="carrier_missed")

    def _document(self, kind: str, item_id: UUID, choice: int, units: int) -> Command:
        if kind == "adjust":
            adjustment = self.shop.adjust(item_id, units if choice % 2 else -units, reason="counted")
            self.documents.append(("adjustment", adjustment.adjustment_id))
            return adjustment
        document_id = uuid4()
        self.documents.append(("opening", document_id))
        line = StockLine(item_id=item_id, quantity=units)
        return PostOpeningStock(document_id=document_id, location_id=self.shop.north, lines=(line,))

    def _transfer(self, kind: str, item_id: UUID, choice: int, units: int) -> Command | None:
        if kind == "arrive":
            waiting = self.transfers[choice % len(self.transfers)] if self.transfers else None
            return ReceiveTransfer(transfer_id=waiting) if waiting else None
        transfer_id = uuid4()
        self.transfers.append(transfer_id)
        self.documents.append(("transfer", transfer_id))
        return TransferStock(
            transfer_id=transfer_id,
            from_location_id=self.shop.north,
            to_location_id=self.shop.south,
            lines=(StockLine(item_id=item_id, quantity=units),),
        )


@settings(
    max_examples=size(8, 150),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(batches=st.lists(st.lists(STEP, min_size=1, max_size=6), min_size=1, max_size=6))
def test_whatever_happens_the_books_agree(shop: Shop, batches: list[list[tuple[str, int, int]]]) -> None:
    story = Story(shop)
    for steps in batches:
        wishes = [story.command(*step) for step in steps]
        outcomes = shop.submit(*(wish for wish in wishes if wish is not None))
        for outcome in outcomes:
            assert isinstance(outcome, Executed) or outcome.error.code not in (
                "valuation_mismatch",
                "malformed_move",
            )
        shop.later(1)
    shop.assert_sound()
    with reading(shop.gate.engine) as connection:
        assert connection.scalar(select(func.min(stock_balances.c.quantity))) >= 0
        assert_orders_agree(connection, story)


def assert_orders_agree(connection: Any, story: Story) -> None:
    ids = [order.order_id for order in story.orders]
    lines = connection.execute(select(order_lines).where(order_lines.c.order_id.in_(ids))).all()
    wanted = 0
    picks: dict[UUID, list[str]] = {}
    statement = select(pick_lists).where(pick_lists.c.order_id.in_(ids), pick_lists.c.status.in_(OPEN_PICKS))
    for pick in connection.execute(statement):
        picks.setdefault(pick.order_id, []).append(pick.status)
    by_order: dict[UUID, list[Any]] = {}
    for line in lines:
        by_order.setdefault(line.order_id, []).append(line)
    for order in connection.execute(select(orders).where(orders.c.id.in_(ids))):
        parts = [
            LineParts(line.quantity, line.reserved_quantity, line.shipped_quantity, line.cancelled_quantity)
            for line in by_order[order.id]
        ]
        if order.status in HELD:
            assert not any(part.reserved or part.shipped for part in parts)
            assert order.hold_reason
        else:
            assert order.status == status_of(parts, picks.get(order.id, ()))
        stays = order.cancel_reason in ("out_of_stock", "discontinued")
        wanted += sum(part.quantity - (0 if stays else part.cancelled) for part in parts)
    counted = connection.scalar(
        select(func.sum(demand_daily.c.units)).where(demand_daily.c.item_id.in_(story.items))
    )
    assert int(counted or 0) == wanted
    picked = sum(line.picked_quantity for line in lines)
    reserved = sum(line.reserved_quantity for line in lines)
    states = stock_balances.c.state
    for state, units in (("reserved", reserved - picked), ("picked", picked)):
        held = connection.scalar(
            select(func.sum(stock_balances.c.quantity)).where(
                stock_balances.c.item_id.in_(story.items), states == state
            )
        )
        assert int(held or 0) == units


@pytest.mark.capability("S30")
def test_two_orders_at_the_same_moment_for_the_last_unit_one_gets_it(shop: Shop) -> None:
    for _ in range(size(4, 30)):
        item_id = shop.item(north=1)
        statuses = [
            one.result["status"] for one in _at_once(shop, [shop.order((item_id, 1)) for _ in range(4)])
        ]
        assert sorted(statuses) == ["backordered", "backordered", "backordered", "reserved"]
    shop.assert_sound()


@pytest.mark.capability("S30")
@pytest.mark.capability("S55")
def test_one_external_order_sent_by_several_at_the_same_moment_is_one_order(shop: Shop) -> None:
    item_id = shop.item(north=50)
    for number in range(size(4, 30)):
        reference = f"same-{uuid4().hex}"
        twins = [shop.order((item_id, 1), external_ref=reference) for _ in range(4)]
        assert len({one.result["order_id"] for one in _at_once(shop, twins)}) == 1
        assert shop.at(item_id).reserved == number + 1
    shop.assert_sound()


@pytest.mark.capability("S30")
def test_shipping_cancelling_and_expiring_one_reservation_at_once_ends_it_once(shop: Shop) -> None:
    for _ in range(size(4, 30)):
        item_id = shop.item(cost=10_000, north=3)
        order = shop.place((item_id, 3), reserve_until=shop.now)
        rivals = [
            ShipOrder(order_id=order.order_id, shipment_id=uuid4()),
            ShipOrder(order_id=order.order_id, shipment_id=uuid4()),
            CancelOrder(order_id=order.order_id, reason_code="customer_request"),
            ExpireReservations(),
        ]
        _at_once(shop, rivals)
        assert shop.at(item_id).available in (0, 3)
        assert shop.at(item_id).reserved == 0
    shop.assert_sound()


def _at_once(shop: Shop, commands: list[Any]) -> list[Any]:
    """Submit from as many threads, each with a connection of its own, started together."""
    outcomes: list[Any] = [None] * len(commands)
    gate, barrier = shop.gate, Barrier(len(commands))

    def send(position: int) -> None:
        command = commands[position].model_copy(update={"occurred_at": shop.now})
        barrier.wait()
        key = f"rival-{uuid4().hex}"
        outcomes[position] = gate.submit_many([Submission(command, key)], shop.principal)[0]

    threads = [Thread(target=send, args=(position,)) for position in range(len(commands))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(outcome is not None for outcome in outcomes)
    return outcomes
