from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from erp_core.gate.contract import Executed
from erp_core.gate.model import audit_entries, outbox
from erp_core.master.commands import SetItemUnit
from erp_core.orders.commands import (
    CancelOrder,
    PlaceOrder,
    RegisterCustomer,
    ReleaseOrder,
    ShipOrder,
    ShippedLine,
)
from erp_core.orders.model import customers, demand_daily
from erp_core.orders.queries import (
    backordered_units,
    exposed_lines,
    find_order,
    get_order,
    list_orders,
    order_lines_by_id,
)
from erp_core.storage.engine import reading
from tests.shop import Shop


def demand(shop: Shop, item_id: UUID) -> list[tuple[int, int, int, int]]:
    table = demand_daily
    with reading(shop.gate.engine) as connection:
        rows = connection.execute(
            select(table.c.units, table.c.net_sales, table.c.list_sales, table.c.lines)
            .where(table.c.item_id == item_id)
            .order_by(table.c.day)
        )
        return [tuple(row) for row in rows]


@pytest.mark.capability("S29")
def test_a_paid_order_reserves_its_units_and_counts_as_demand(shop: Shop) -> None:
    item_id = shop.item(north=10)
    order = shop.place((item_id, 4))
    assert shop.status(order) == "reserved"
    assert shop.at(item_id).states == {"available": 6, "reserved": 4}
    assert demand(shop, item_id) == [(4, 800_000, 1_000_000, 1)]
    shop.place((item_id, 1))
    assert demand(shop, item_id) == [(5, 1_000_000, 1_250_000, 2)]
    shop.assert_sound()


@pytest.mark.capability("S61")
def test_what_is_not_there_is_backordered_and_what_is_there_is_reserved(shop: Shop) -> None:
    item_id = shop.item(north=3)
    order = shop.place((item_id, 5))
    assert shop.status(order) == "backordered"
    assert shop.lines(order)[0].reserved_quantity == 3
    with reading(shop.gate.engine) as connection:
        assert backordered_units(connection, [item_id]) == {(item_id, shop.north): 2}
        (exposed,) = exposed_lines(connection, item_ids=[item_id])
    assert (exposed.order_number, exposed.open_quantity, exposed.backordered_quantity) == (
        shop.row(order).number,
        5,
        2,
    )
    shop.assert_sound()


def test_two_lines_for_one_item_share_what_is_there(shop: Shop) -> None:
    item_id = shop.item(north=5)
    order = shop.place((item_id, 4), (item_id, 4))
    assert [line.reserved_quantity for line in shop.lines(order)] == [4, 1]
    assert shop.at(item_id).states == {"reserved": 5}
    shop.assert_sound()


def test_two_orders_of_one_batch_for_the_last_unit_get_it_once(shop: Shop) -> None:
    item_id = shop.item(north=1)
    first, second = shop.order((item_id, 1)), shop.order((item_id, 1))
    outcomes = shop.submit(first, second)
    assert [one.result["status"] for one in outcomes] == ["reserved", "backordered"]


@pytest.mark.capability("S55")
def test_the_same_external_order_sent_twice_makes_one_order(shop: Shop) -> None:
    item_id = shop.item(north=10)
    order = shop.place((item_id, 2))
    again = shop.order((item_id, 2), external_ref=order.external_ref)
    result = shop.run(again)
    assert (result["order_id"], result["duplicate"]) == (str(order.order_id), True)
    twins = [shop.order((item_id, 1), external_ref=f"twin-{uuid4().hex}") for _ in range(1)]
    twins.append(twins[0].model_copy(update={"order_id": uuid4()}))
    outcomes = shop.submit(*twins)
    assert {one.result["order_id"] for one in outcomes} == {str(twins[0].order_id)}
    assert shop.at(item_id).reserved == 3


def test_an_id_or_number_that_is_taken_is_refused(shop: Shop) -> None:
    item_id = shop.item(north=10)
    order = shop.place((item_id, 1), number=f"SO-{uuid4().hex[:8]}")
    taken = shop.refused(shop.order((item_id, 1), order_id=order.order_id))
    assert (taken.code, taken.field) == ("already_exists", "order_id")
    assert shop.refused(shop.order((item_id, 1), number=order.number)).field == "number"
    line = order.lines[0]
    assert shop.refused(shop.order(lines=(line,))).code == "repeated_line"
    assert shop.refused(shop.order((item_id, 1), channel_id=uuid4())).field == "channel_id"
    assert shop.refused(shop.order((item_id, 1), customer_id=uuid4())).field == "customer_id"
    assert shop.refused(shop.order((uuid4(), 1))).field == "lines.item_id"
    assert shop.refused(shop.order((item_id, 1), place=uuid4())).field == "lines.location_id"
    assert shop.at(item_id).reserved == 1


@pytest.mark.capability("S56")
def test_an_unpaid_order_waits_on_hold_without_stock_until_it_is_released(shop: Shop) -> None:
    item_id = shop.item(north=10)
    order = shop.place((item_id, 4), payment_status="pending")
    assert (shop.status(order), shop.row(order).hold_reason) == ("on_hold", "payment_pending")
    assert shop.at(item_id).states == {"available": 10}
    assert shop.refused(ShipOrder(order_id=order.order_id, shipment_id=uuid4())).code == "illegal_transition"
    shop.run(ReleaseOrder(order_id=order.order_id, promised_on=date(2026, 6, 9)))
    assert (shop.status(order), shop.row(order).hold_reason) == ("reserved", None)
    assert shop.lines(order)[0].promised_on == date(2026, 6, 9)
    assert shop.refused(ReleaseOrder(order_id=order.order_id)).code == "illegal_transition"
    assert shop.refused(ReleaseOrder(order_id=uuid4())).code == "not_found"
    shop.assert_sound()


@pytest.mark.capability("S66")
def test_a_shipment_changes_stock_cost_and_order_together(shop: Shop) -> None:
    item_id = shop.item(cost=90_000, north=10)
    order = shop.place((item_id, 4), promised_on=date(2026, 6, 3))
    shop.later(2)
    result = shop.ship(order, freight_cost=45_000)
    assert (result["status"], result["units"]) == ("shipped", 4)
    row, (line,) = shop.row(order), shop.lines(order)
    assert (row.freight_cost, row.shipments, row.shipped_on, row.version) == (45_000, 1, date(2026, 6, 3), 2)
    assert (line.shipped_quantity, line.shipped_by_promise, line.reserved_quantity, line.cost) == (
        4,
        4,
        0,
        360_000,
    )
    assert shop.at(item_id).states == {"available": 6}
    again = ShipOrder(order_id=order.order_id, shipment_id=uuid4())
    assert shop.refused(again).code == "illegal_transition"
    with reading(shop.gate.engine) as connection:
        detail = get_order(connection, order.order_id)
        kinds = connection.scalars(
            select(outbox.c.kind).where(outbox.c.aggregate_id == order.order_id).order_by(outbox.c.version)
        ).all()
    assert detail is not None
    assert [parcel.units for parcel in detail.parcels] == [{line.id: 4}]
    assert kinds == ["OrderPlaced", "OrderShipped"]
    shop.assert_sound()


def test_what_leaves_after_the_promised_day_does_not_count_as_kept(shop: Shop) -> None:
    item_id = shop.item(north=10)
    order = shop.place((item_id, 4), promised_on=date(2026, 6, 2))
    first = order.lines[0].line_id
    shop.ship(order, lines=(ShippedLine(line_id=first, quantity=1),))
    assert shop.status(order) == "partly_shipped"
    shop.later(5)
    shop.ship(order)
    (line,) = shop.lines(order)
    assert (line.shipped_quantity, line.shipped_by_promise) == (4, 1)
    unpromised = shop.place((item_id, 1))
    shop.ship(unpromised)
    assert shop.lines(unpromised)[0].shipped_by_promise == 0


def test_more_than_is_reserved_cannot_be_shipped(shop: Shop) -> None:
    item_id = shop.item(north=3)
    order = shop.place((item_id, 5))
    line_id = order.lines[0].line_id
    ship = ShipOrder(
        order_id=order.order_id, shipment_id=uuid4(), lines=(ShippedLine(line_id=line_id, quantity=4),)
    )
    assert shop.refused(ship).code == "nothing_reserved"
    stranger = ship.model_copy(update={"lines": (ShippedLine(line_id=uuid4(), quantity=1),)})
    assert shop.refused(stranger).code == "not_found"
    assert shop.at(item_id).reserved == 3
    shop.ship(order)
    assert shop.status(order) == "partly_shipped"
    assert shop.refused(ShipOrder(order_id=order.order_id, shipment_id=uuid4())).code == "nothing_reserved"
    shop.assert_sound()


def test_a_shipment_id_serves_once(shop: Shop) -> None:
    item_id = shop.item(north=5)
    first, second = shop.place((item_id, 1)), shop.place((item_id, 1))
    shipment_id = uuid4()
    done, refused = shop.submit(
        ShipOrder(order_id=first.order_id, shipment_id=shipment_id),
        ShipOrder(order_id=second.order_id, shipment_id=shipment_id),
    )
    assert isinstance(done, Executed)
    assert refused.error.code == "already_exists"
    assert shop.status(second) == "reserved"


def test_one_parcel_leaves_from_one_place(shop: Shop) -> None:
    here, there = shop.item(north=5), shop.item(south=5)
    order = shop.order((here, 1))
    lines = (*order.lines, *shop.order((there, 1), place=shop.south).lines)
    order = order.model_copy(update={"lines": lines})
    shop.run(order)
    assert shop.refused(ShipOrder(order_id=order.order_id, shipment_id=uuid4())).code == "several_locations"
    shop.ship(order, location_id=shop.south)
    assert shop.status(order) == "partly_shipped"
    shop.ship(order)
    assert (shop.status(order), shop.row(order).shipments) == ("shipped", 2)


@pytest.mark.capability("S59")
def test_an_order_without_a_place_goes_where_most_of_it_is_and_the_reason_is_kept(shop: Shop) -> None:
    item_id = shop.item(north=2, south=8)
    order = shop.place((item_id, 5), place=None)
    (line,) = shop.lines(order)
    assert (line.location_id, line.location_reason, line.reserved_quantity) == (shop.south, "whole_order", 5)
    (named,) = shop.lines(shop.place((item_id, 1)))
    assert (named.location_id, named.location_reason) == (shop.north, None)


def test_a_sale_over_the_counter_leaves_at_once_or_not_at_all(shop: Shop) -> None:
    item_id = shop.item(cost=80_000)
    shop.stock(item_id, 3, shop.store)
    shop.run(shop_cost(item_id))
    sale = shop.place((item_id, 2), place=shop.store, ship_now=True)
    (line,) = shop.lines(sale)
    assert (shop.status(sale), line.shipped_quantity, line.cost) == ("shipped", 2, 160_000)
    assert shop.at(item_id, shop.store).states == {"available": 1}
    too_much = shop.order((item_id, 2), place=shop.store, ship_now=True)
    assert shop.refused(too_much).code == "insufficient_stock"
    unpaid = shop.order((item_id, 1), place=shop.store, ship_now=True, payment_status="review")
    assert shop.refused(unpaid).code == "payment_not_cleared"
    assert demand(shop, item_id) == [(2, 400_000, 500_000, 1)]
    shop.assert_sound()


def shop_cost(item_id: UUID) -> Any:
    from erp_core.finance.commands import OpeningCost, SetOpeningCost

    return SetOpeningCost(document_id=uuid4(), lines=(OpeningCost(item_id=item_id, unit_cost=80_000),))


@pytest.mark.capability("S70")
def test_cancelling_gives_the_stock_back_and_takes_the_demand_away(shop: Shop) -> None:
    item_id = shop.item(north=5)
    order = shop.place((item_id, 4))
    shop.later(3)
    assert shop.cancel(order)["status"] == "cancelled"
    assert shop.at(item_id).states == {"available": 5}
    assert demand(shop, item_id) == [(0, 0, 0, 0)]
    assert shop.row(order).cancel_reason == "customer_request"
    assert (
        shop.refused(CancelOrder(order_id=order.order_id, reason_code="fraud")).code == "illegal_transition"
    )
    shop.assert_sound()


@pytest.mark.capability("S70")
def test_an_order_the_company_could_not_fill_still_counts_as_demand(shop: Shop) -> None:
    item_id = shop.item()
    order = shop.place((item_id, 4))
    shop.cancel(order, "out_of_stock")
    assert shop.status(order) == "cancelled"
    assert demand(shop, item_id) == [(4, 800_000, 1_000_000, 1)]


@pytest.mark.capability("S21")
@pytest.mark.capability("S70")
def test_a_cancellation_needs_a_reason_of_the_catalogue(shop: Shop) -> None:
    with pytest.raises(ValueError, match="reason"):
        CancelOrder.model_validate({"order_id": uuid4(), "reason_code": "no idea"})
    assert shop.refused(CancelOrder(order_id=uuid4(), reason_code="fraud")).code == "not_found"


def test_cancelling_the_rest_of_a_partly_shipped_order_closes_it(shop: Shop) -> None:
    item_id = shop.item(north=3)
    order = shop.place((item_id, 5))
    shop.ship(order)
    shop.cancel(order)
    (line,) = shop.lines(order)
    assert (shop.status(order), line.shipped_quantity, line.cancelled_quantity) == ("shipped", 3, 2)
    assert demand(shop, item_id) == [(3, 600_000, 750_000, 1)]


def test_one_line_can_be_cancelled_and_the_order_goes_on(shop: Shop) -> None:
    there, missing = shop.item(north=5), shop.item()
    order = shop.place((there, 2), (missing, 1))
    assert shop.status(order) == "backordered"
    gone = CancelOrder(
        order_id=order.order_id, reason_code="customer_request", line_ids=(order.lines[1].line_id,)
    )
    shop.run(gone)
    assert shop.status(order) == "reserved"
    assert shop.refused(gone).code == "nothing_open"
    assert shop.refused(gone.model_copy(update={"line_ids": (uuid4(),)})).code == "not_found"


@pytest.mark.capability("S61")
@pytest.mark.capability("S123")
def test_goods_that_become_available_go_to_the_oldest_waiting_order(shop: Shop) -> None:
    item_id = shop.item()
    oldest = shop.place((item_id, 3))
    shop.later(1)
    held = shop.place((item_id, 1), payment_status="pending")
    younger = shop.place((item_id, 3))
    shop.later(1)
    shop.stock(item_id, 4)
    assert [shop.status(one) for one in (oldest, held, younger)] == ["reserved", "on_hold", "backordered"]
    assert shop.lines(younger)[0].reserved_quantity == 1
    shop.stock(item_id, 1, shop.south)
    assert shop.lines(younger)[0].reserved_quantity == 1, "stock elsewhere is not theirs"
    shop.cancel(oldest)
    assert shop.status(younger) == "reserved"
    assert shop.at(item_id).states == {"available": 1, "reserved": 3}
    shop.assert_sound()


@pytest.mark.capability("S210")
def test_a_customers_name_and_address_reach_no_log(shop: Shop) -> None:
    customer = RegisterCustomer(
        customer_id=uuid4(),
        code=f"C-{uuid4().hex}",
        country="DE",
        customer_name="Ada Lovelace",
        email="ada@example.com",
    )
    shop.run(customer)
    with reading(shop.gate.engine) as connection:
        row = connection.execute(select(customers).where(customers.c.id == customer.customer_id)).one()
        entries = connection.execute(
            select(audit_entries).where(audit_entries.c.subject_id == customer.customer_id)
        ).all()
    assert (row.name, row.email) == ("Ada Lovelace", "ada@example.com")
    assert entries
    assert "Ada" not in str(entries)
    assert "ada@" not in str(entries)


def test_orders_are_found_by_number_in_any_case_and_by_a_channels_reference(shop: Shop) -> None:
    item_id = shop.item(north=5)
    order = shop.place((item_id, 1), number=f"SO-{uuid4().hex}")
    assert order.number is not None
    with reading(shop.gate.engine) as connection:
        by_number = find_order(connection, order.number.lower())
        by_reference = find_order(connection, order.external_ref)
        assert find_order(connection, "nothing like it") is None
        assert get_order(connection, uuid4()) is None
        line_id = order.lines[0].line_id
        assert order_lines_by_id(connection, [line_id, uuid4()])[line_id].open_quantity == 1
        assert order.order_id in {one.id for one in list_orders(connection, status=["reserved"])}
    assert by_number is not None
    assert by_number == by_reference


@pytest.mark.capability("S2")
def test_an_order_in_cartons_is_one_of_pieces_and_a_unit_nobody_knows_is_refused(shop: Shop) -> None:
    tea, cup = shop.item(north=50), shop.item(north=50)
    shop.run(SetItemUnit(item_id=tea, unit="carton", factor=12))

    def of(item_id: UUID, quantity: int, unit: str | None) -> PlaceOrder:
        order = shop.order((item_id, quantity), (cup, 1))
        lines = (order.lines[0].model_copy(update={"unit": unit}), order.lines[1])
        return order.model_copy(update={"lines": lines})

    order = of(tea, 3, "carton")
    shop.run(order)
    assert [(line.quantity, line.reserved_quantity) for line in shop.lines(order)] == [(36, 36), (1, 1)]
    assert shop.at(tea).states == {"available": 14, "reserved": 36}
    shop.run(of(tea, 2, "piece"))
    waiting = of(tea, 2, "carton")
    shop.run(waiting)
    assert [line.reserved_quantity for line in shop.lines(waiting)] == [12, 1]
    for item_id, unit in ((cup, "carton"), (tea, "pallet")):
        assert shop.refused(of(item_id, 1, unit)).code == "unknown_unit"
    assert shop.refused(of(tea, 10**14 * 9, "carton")).code == "quantity_too_large"
    assert shop.at(cup).available == 47
    shop.assert_sound()
