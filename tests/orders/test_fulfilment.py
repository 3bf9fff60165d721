"""An order's way through the warehouse and back: each step along one declared graph, each in the audit log."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from erp_core.gate.contract import Denied, Executed
from erp_core.gate.model import audit_entries, outbox
from erp_core.inventory.commands import ExpireReservations
from erp_core.orders.commands import (
    CancelOrder,
    CancelPick,
    ConfirmPack,
    ConfirmPick,
    HoldOrder,
    PickedLine,
    PlaceOrder,
    ReleasePick,
    ShipOrder,
    ShippedLine,
)
from erp_core.returns.commands import (
    ArrivedLine,
    AuthorisedLine,
    AuthoriseReturn,
    DisposedLine,
    DisposeReturn,
    InspectedLine,
    InspectReturn,
    ReceiveReturn,
)
from erp_core.storage.engine import reading
from tests.shop import Shop


def released(shop: Shop, order: PlaceOrder, **fields: Any) -> UUID:
    pick_id = uuid4()
    shop.run(ReleasePick(order_id=order.order_id, pick_id=pick_id, **fields))
    return pick_id


def packed(shop: Shop, order: PlaceOrder, **fields: Any) -> UUID:
    pick_id = released(shop, order, **fields)
    shop.run(ConfirmPick(pick_id=pick_id))
    shop.run(ConfirmPack(pick_id=pick_id))
    return pick_id


@pytest.mark.capability("S57")
def test_an_order_is_released_picked_packed_and_shipped_and_each_step_is_audited(shop: Shop) -> None:
    tea, cup = shop.item(cost=10_000, north=5), shop.item(cost=20_000, north=5)
    order = shop.place((tea, 2), (cup, 1))
    pick_id = released(shop, order)
    assert (shop.status(order), shop.at(tea).states) == ("pick_released", {"available": 3, "reserved": 2})
    shop.run(ConfirmPick(pick_id=pick_id))
    assert (shop.status(order), shop.at(tea).states) == ("picked", {"available": 3, "picked": 2})
    shop.assert_sound()
    shop.later(1)
    shop.run(ConfirmPack(pick_id=pick_id))
    assert (shop.status(order), shop.row(order).status_since) == ("packed", shop.now)
    shop.ship(order, pick_id=pick_id)
    assert (shop.status(order), shop.at(tea).states) == ("shipped", {"available": 3})
    assert [(line.reserved_quantity, line.picked_quantity) for line in shop.lines(order)] == [(0, 0), (0, 0)]
    assert [line.cost for line in shop.lines(order)] == [20_000, 20_000]
    with reading(shop.gate.engine) as connection:
        kinds = connection.scalars(
            select(outbox.c.kind).where(outbox.c.aggregate_id == order.order_id).order_by(outbox.c.version)
        ).all()
        steps = connection.execute(
            select(audit_entries.c.before, audit_entries.c.after)
            .where(audit_entries.c.subject_id.in_([order.order_id, pick_id]))
            .order_by(audit_entries.c.recorded_at, audit_entries.c.id)
        ).all()
    assert kinds == ["OrderPlaced", "OrderPickReleased", "OrderPicked", "OrderPacked", "OrderShipped"]
    assert [after["status"] for _, after in steps if after] == [
        "reserved",
        "pick_released",
        "picked",
        "packed",
        "shipped",
    ]
    shop.assert_sound()


@pytest.mark.capability("S57")
def test_a_step_that_is_not_the_next_is_refused_and_changes_nothing(shop: Shop) -> None:
    tea = shop.item(cost=10_000, north=5)
    order = shop.place((tea, 2))
    pick_id = released(shop, order)
    for command in (
        ConfirmPack(pick_id=pick_id),
        ShipOrder(order_id=order.order_id, shipment_id=uuid4(), pick_id=pick_id),
    ):
        assert shop.refused(command).code == "illegal_transition"
    again = ReleasePick(order_id=order.order_id, pick_id=uuid4())
    assert (shop.refused(again).code, shop.refused(again).field) == ("pick_in_progress", "pick_id")
    straight = ShipOrder(order_id=order.order_id, shipment_id=uuid4())
    assert shop.refused(straight).code == "pick_in_progress"
    line = ShippedLine(line_id=order.lines[0].line_id, quantity=1)
    assert shop.refused(straight.model_copy(update={"lines": (line,)})).code == "pick_in_progress"
    assert shop.refused(ConfirmPick(pick_id=uuid4())).code == "not_found"
    assert (shop.status(order), shop.at(tea).reserved) == ("pick_released", 2)
    shop.run(ConfirmPick(pick_id=pick_id))
    assert shop.refused(ConfirmPick(pick_id=pick_id)).code == "illegal_transition"
    shop.run(ConfirmPack(pick_id=pick_id))
    shop.ship(order, pick_id=pick_id)
    assert shop.refused(ShipOrder(order_id=order.order_id, shipment_id=uuid4())).code == "illegal_transition"
    assert shop.refused(ReleasePick(order_id=order.order_id, pick_id=uuid4())).code == "illegal_transition"
    assert shop.refused(HoldOrder(order_id=order.order_id, reason_code="credit_limit")).code == (
        "illegal_transition"
    )
    shop.assert_sound()


@pytest.mark.capability("S57")
def test_an_order_on_hold_or_without_stock_is_not_released_to_pick(shop: Shop) -> None:
    tea = shop.item()
    held = shop.place((tea, 1), payment_status="review")
    assert (shop.status(held), shop.row(held).hold_reason) == ("payment_review", "payment_review")
    waiting = shop.place((tea, 1))
    for order, code in ((held, "illegal_transition"), (waiting, "nothing_reserved")):
        assert shop.refused(ReleasePick(order_id=order.order_id, pick_id=uuid4())).code == code
    shop.release(held)
    assert shop.status(held) == "backordered"


@pytest.mark.capability("S57")
def test_what_was_not_found_stays_reserved_and_goes_out_later(shop: Shop) -> None:
    tea, cup = shop.item(cost=10_000, north=5), shop.item(cost=10_000, north=5)
    order = shop.place((tea, 3), (cup, 1))
    first = order.lines[0].line_id
    pick_id = released(shop, order)
    too_many = (PickedLine(line_id=first, quantity=4),)
    assert shop.refused(ConfirmPick(pick_id=pick_id, lines=too_many)).code == "more_than_on_pick"
    nothing = (PickedLine(line_id=first, quantity=0),)
    assert shop.refused(ConfirmPick(pick_id=pick_id, lines=nothing)).code == "nothing_reserved"
    shop.run(ConfirmPick(pick_id=pick_id, lines=(PickedLine(line_id=first, quantity=2),)))
    assert shop.at(tea).states == {"available": 2, "reserved": 1, "picked": 2}
    shop.assert_sound()
    shop.run(ConfirmPack(pick_id=pick_id))
    shop.ship(order, pick_id=pick_id)
    assert shop.status(order) == "partly_shipped"
    shop.ship(order, pick_id=packed(shop, order))
    assert shop.status(order) == "shipped"
    assert [line.shipped_quantity for line in shop.lines(order)] == [3, 1]
    assert shop.row(order).shipments == 2
    shop.assert_sound()


@pytest.mark.capability("S57")
def test_a_pick_list_that_is_cancelled_puts_everything_back_for_the_same_order(shop: Shop) -> None:
    tea = shop.item(north=2)
    order = shop.place((tea, 2))
    rival = shop.place((tea, 1))
    pick_id = packed(shop, order)
    assert shop.refused(CancelPick(pick_id=pick_id, reason_code="no_such_reason")).code == "unknown_reason"
    shop.run(CancelPick(pick_id=pick_id, reason_code="carrier_missed"))
    assert (shop.status(order), shop.status(rival)) == ("reserved", "backordered")
    assert shop.at(tea).states == {"reserved": 2}
    assert shop.refused(ConfirmPick(pick_id=pick_id)).code == "not_found"
    again = released(shop, order)
    shop.run(ConfirmPick(pick_id=again))
    shop.assert_sound()
    next_id = uuid4()
    outcomes = shop.submit(
        CancelPick(pick_id=again, reason_code="carrier_missed"),
        ReleasePick(order_id=order.order_id, pick_id=next_id),
    )
    assert all(isinstance(one, Executed) for one in outcomes), outcomes
    shop.run(ConfirmPick(pick_id=next_id))
    shop.assert_sound()


@pytest.mark.capability("S57")
@pytest.mark.capability("S70")
def test_a_picked_order_is_cancelled_and_its_goods_go_to_the_next_but_a_packed_one_is_not(shop: Shop) -> None:
    tea = shop.item(cost=10_000, north=2)
    order, rival = shop.place((tea, 2)), shop.place((tea, 2))
    pick_id = released(shop, order)
    shop.run(ConfirmPick(pick_id=pick_id))
    shop.cancel(order)
    assert (shop.status(order), shop.status(rival)) == ("cancelled", "reserved")
    assert shop.at(tea).states == {"reserved": 2}
    parcel = packed(shop, rival)
    error = shop.refused(CancelOrder(order_id=rival.order_id, reason_code="customer_request"))
    assert (error.code, str(error.details["pick"])) == ("already_packed", str(parcel))
    shop.ship(rival, pick_id=parcel)
    shop.assert_sound()


@pytest.mark.capability("S57")
def test_two_places_have_a_pick_list_each_and_the_order_is_as_far_as_the_slower(shop: Shop) -> None:
    tea, cup = shop.item(cost=10_000, north=2), shop.item(cost=10_000, south=2)
    here, there = shop.order((tea, 1)).lines[0], shop.order((cup, 1), place=shop.south).lines[0]
    order = shop.order(lines=(here, there))
    shop.run(order)
    assert shop.refused(ReleasePick(order_id=order.order_id, pick_id=uuid4())).code == "several_locations"
    north = packed(shop, order, location_id=shop.north)
    assert shop.status(order) == "packed"
    south = released(shop, order)
    assert shop.status(order) == "pick_released"
    shop.ship(order, pick_id=north)
    assert shop.status(order) == "partly_shipped"
    shop.run(ConfirmPick(pick_id=south))
    shop.run(ConfirmPack(pick_id=south))
    shop.ship(order, pick_id=south)
    assert shop.status(order) == "shipped"
    shop.assert_sound()


@pytest.mark.capability("S57")
def test_goods_that_arrive_while_an_order_is_picked_are_reserved_for_it(shop: Shop) -> None:
    tea = shop.item(north=1)
    order = shop.place((tea, 3))
    pick_id = released(shop, order)
    shop.stock(tea, 5)
    assert (shop.status(order), shop.at(tea).reserved) == ("pick_released", 3)
    shop.run(ConfirmPick(pick_id=pick_id))
    assert shop.at(tea).states == {"available": 3, "reserved": 2, "picked": 1}
    shop.assert_sound()


@pytest.mark.capability("S29")
def test_what_is_released_to_pick_does_not_run_out(shop: Shop) -> None:
    tea = shop.item(north=2)
    order = shop.place((tea, 2), reserve_until=shop.now)
    released(shop, order)
    shop.later(1)
    shop.run(ExpireReservations())
    assert (shop.status(order), shop.at(tea).reserved) == ("pick_released", 2)


@pytest.mark.capability("S57")
def test_the_warehouse_picks_and_service_does_not(shop: Shop) -> None:
    tea = shop.item(north=2)
    order = shop.place((tea, 2))
    picker = shop.gate.bootstrap_user(f"picker-{uuid4().hex[:6]}", roles=("warehouse",))
    clerk = shop.gate.bootstrap_user(f"clerk-{uuid4().hex[:6]}", roles=("service",))
    command = ReleasePick(order_id=order.order_id, pick_id=uuid4())
    assert isinstance(shop.gate.submit(command, clerk, key=uuid4().hex), Denied)
    assert isinstance(shop.gate.submit(command, picker, key=uuid4().hex), Executed)
    hold = HoldOrder(order_id=order.order_id, reason_code="address_problem")
    assert isinstance(shop.gate.submit(hold, picker, key=uuid4().hex), Denied)
    assert isinstance(shop.gate.submit(hold, clerk, key=uuid4().hex), Executed)
    assert (shop.status(order), shop.at(tea).states) == ("on_hold", {"available": 2})


class Back:
    """One return of an order's first line."""

    def __init__(self, shop: Shop, order: PlaceOrder, units: int, refund: int | None = None) -> None:
        self.shop, self.id, self.line = shop, uuid4(), uuid4()
        authorised = AuthorisedLine(
            return_line_id=self.line,
            order_line_id=order.lines[0].line_id,
            quantity=units,
            reason_code="changed_mind",
            **({} if refund is None else {"refund": refund}),
        )
        shop.run(AuthoriseReturn(return_id=self.id, order_id=order.order_id, lines=(authorised,)))

    def arrives(self, units: int) -> None:
        line = ArrivedLine(return_line_id=self.line, quantity=units)
        self.shop.run(ReceiveReturn(return_id=self.id, lines=(line,)))

    def is_inspected(self, condition: str = "as_new") -> None:
        line = InspectedLine(return_line_id=self.line, condition=condition)
        self.shop.run(InspectReturn(return_id=self.id, lines=(line,)))

    def is_disposed(self) -> None:
        self.shop.run(DisposeReturn(return_id=self.id, lines=(DisposedLine(return_line_id=self.line),)))


@pytest.mark.capability("S57")
def test_a_shipped_order_is_returned_inspected_restocked_and_credited(shop: Shop) -> None:
    tea = shop.item(cost=10_000, north=3)
    order = shop.place((tea, 2))
    shop.ship(order)
    back = Back(shop, order, 1)
    assert shop.status(order) == "shipped"
    back.arrives(1)
    assert shop.status(order) == "returned"
    back.is_inspected()
    assert shop.status(order) == "inspected"
    back.is_disposed()
    assert shop.status(order) == "credited"
    with reading(shop.gate.engine) as connection:
        kinds = connection.scalars(
            select(outbox.c.kind).where(outbox.c.aggregate_id == order.order_id).order_by(outbox.c.version)
        ).all()
    assert kinds[2:] == ["OrderReturned", "OrderInspected", "OrderRestocked", "OrderCredited"]
    second = Back(shop, order, 1)
    second.arrives(1)
    assert shop.status(order) == "returned"
    shop.assert_sound()


@pytest.mark.capability("S57")
def test_an_order_with_several_returns_is_as_far_as_the_one_that_is_least_far(shop: Shop) -> None:
    tea = shop.item(cost=10_000, north=5)
    order = shop.place((tea, 4))
    shop.ship(order)
    one, two = Back(shop, order, 1), Back(shop, order, 2)
    one.arrives(1)
    two.arrives(2)
    two.is_inspected()
    assert shop.status(order) == "returned"
    one.is_inspected()
    one.is_disposed()
    assert shop.status(order) == "inspected"
    two.is_disposed()
    assert shop.status(order) == "credited"


def test_an_order_of_which_something_is_still_owed_stays_partly_shipped_when_goods_come_back(
    shop: Shop,
) -> None:
    tea, cup = shop.item(cost=10_000, north=2), shop.item()
    order = shop.place((tea, 2), (cup, 1))
    shop.ship(order)
    Back(shop, order, 1).arrives(1)
    assert shop.status(order) == "partly_shipped"
