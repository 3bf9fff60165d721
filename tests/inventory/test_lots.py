"""Lots at the door and on the way: what must be said of them, which goes first, where each lies."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, update
from sqlalchemy.exc import IntegrityError

from erp_core.gate.contract import Command
from erp_core.inventory.commands import (
    AssembleKits,
    ReceiveTransfer,
    ReverseStock,
    SetShelfLife,
    StockLine,
    TransferStock,
)
from erp_core.inventory.lots.rules import LotFields, Tracking, named_lots
from erp_core.inventory.model import lots as lot_table
from erp_core.inventory.model import stock_balances
from erp_core.master.commands import ChangeItem, CreateChannel
from erp_core.orders.commands import PlaceOrder, RecallLot, ShipOrder
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
from erp_core.storage.engine import gate_writing
from tests.inventory.lots import (
    AUGUST,
    JULY,
    NEXT_YEAR,
    assert_lots_sound,
    count,
    lies,
    lot_named,
    take_in,
    tracked_item,
)
from tests.shop import Shop


@pytest.mark.capability("S1")
def test_what_is_asked_of_units_is_fixed_when_the_item_becomes_active(shop: Shop) -> None:
    item_id = tracked_item(shop)
    error = shop.refused(ChangeItem(item_id=item_id, expiry_tracked=False))
    assert (error.code, error.field) == ("tracking_fixed", "expiry_tracked")
    shop.run(ChangeItem(item_id=item_id, lot_tracked=True, brand="Other"))


@pytest.mark.capability("S34")
@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({}, "lines.lot_code"),
        ({"lot_code": "A"}, "lines.expires_on"),
        ({"lot_code": "A", "expires_on": AUGUST, "serials": ("1",)}, "lines.serials"),
    ],
)
def test_units_that_do_not_say_their_lot_and_last_day_stay_outside(
    shop: Shop, said: dict[str, object], field: str
) -> None:
    item_id = tracked_item(shop)
    error = shop.refused(count(item_id, shop.north, 5, **said))
    assert error.field == field
    assert shop.at(item_id).states == {}


def test_a_plain_item_takes_no_lot_and_a_tracked_one_is_moved_by_nothing_that_names_none(shop: Shop) -> None:
    plain = shop.item()
    assert shop.refused(count(plain, shop.north, 5, lot_code="A")).code == "not_tracked"
    kit = tracked_item(shop)
    error = shop.refused(
        AssembleKits(kitting_id=uuid4(), kit_item_id=kit, location_id=shop.north, quantity=1)
    )
    assert error.code == "lot_required"


@pytest.mark.capability("S36")
def test_what_expires_first_is_promised_first_and_an_order_may_take_several_lots(shop: Shop) -> None:
    item_id = tracked_item(shop)
    late = take_in(shop, item_id, "LATE", 10, NEXT_YEAR)
    soon = take_in(shop, item_id, "SOON", 4, JULY)
    order = shop.place((item_id, 3), (item_id, 3))
    assert lies(shop, soon) == {("north", "reserved"): 4}
    assert lies(shop, late) == {("north", "available"): 8, ("north", "reserved"): 2}
    shop.ship(order)
    assert lies(shop, soon) == {}
    assert lies(shop, late) == {("north", "available"): 8}
    assert_lots_sound(shop)


@pytest.mark.capability("S36")
def test_a_channel_that_asks_for_days_left_gets_only_lots_that_last_so_long(shop: Shop) -> None:
    item_id, choosy = tracked_item(shop), uuid4()
    shop.run(
        CreateChannel(channel_id=choosy, code=f"B2B-{choosy.hex[:6]}", channel_name="B2B", kind="wholesale")
    )
    shop.run(SetShelfLife(channel_id=choosy, minimum_days=90))
    soon, late = take_in(shop, item_id, "SOON", 5, JULY), take_in(shop, item_id, "LATE", 2, NEXT_YEAR)
    waiting = shop.place((item_id, 4), channel_id=choosy)
    assert shop.status(waiting) == "backordered"
    assert lies(shop, late) == {("north", "reserved"): 2}
    assert lies(shop, soon) == {("north", "available"): 5}
    shop.run(SetShelfLife(channel_id=choosy, item_id=item_id, minimum_days=30))
    more = take_in(shop, item_id, "LATER", 1, NEXT_YEAR)
    assert shop.status(waiting) == "reserved"
    assert (lies(shop, more), lies(shop, soon)[("north", "reserved")]) == ({("north", "available"): 1}, 2)
    assert_lots_sound(shop)


@pytest.mark.capability("S36")
@pytest.mark.capability("S28")
def test_a_lot_whose_last_day_is_over_is_not_promised_not_handed_over_and_not_shipped(shop: Shop) -> None:
    item_id = tracked_item(shop)
    lot = take_in(shop, item_id, "A", 5, date(2026, 6, 2))
    order = shop.place((item_id, 2))
    assert shop.status(order) == "reserved"
    shop.later(1)
    counter = shop.order((item_id, 1), ship_now=True)
    shop.run(counter)
    shop.later(1)
    assert shop.status(shop.place((item_id, 1))) == "backordered"
    error = shop.refused(shop.order((item_id, 1), ship_now=True))
    assert (error.code, error.details["available"]) == ("insufficient_stock", 0)
    error = shop.refused(ShipOrder(order_id=order.order_id, shipment_id=uuid4()))
    assert (error.code, error.details["lot"]) == ("lot_held", "A")
    assert lies(shop, lot) == {("north", "available"): 2, ("north", "reserved"): 2}
    assert_lots_sound(shop)


def test_a_lot_that_comes_in_too_late_is_quarantined_and_one_with_two_last_days_is_refused(
    shop: Shop,
) -> None:
    item_id = tracked_item(shop)
    over = take_in(shop, item_id, "OVER", 3, date(2026, 5, 31))
    assert lies(shop, over) == {("north", "quarantined"): 3}
    take_in(shop, item_id, "A", 3, AUGUST)
    error = shop.refused(count(item_id, shop.south, 1, lot_code="A", expires_on=JULY))
    assert (error.code, error.field) == ("lot_differs", "expires_on")


@pytest.mark.capability("S34")
@pytest.mark.capability("S39")
def test_a_transfer_takes_what_expires_first_or_the_lot_that_is_named_and_keeps_them_apart(
    shop: Shop,
) -> None:
    item_id = tracked_item(shop)
    soon, late = take_in(shop, item_id, "SOON", 3, JULY), take_in(shop, item_id, "LATE", 5, NEXT_YEAR)
    transfer = TransferStock(
        transfer_id=uuid4(),
        from_location_id=shop.north,
        to_location_id=shop.south,
        lines=(
            StockLine(item_id=item_id, quantity=2),
            StockLine(item_id=item_id, quantity=4, lot_code="LATE"),
        ),
    )
    shop.run(transfer)
    assert lies(shop, soon) == {("north", "available"): 1, ("south", "in_transit"): 2}
    assert lies(shop, late) == {("north", "available"): 1, ("south", "in_transit"): 4}
    too_many = StockLine(item_id=item_id, quantity=3, lot_code="SOON")
    error = shop.refused(ReceiveTransfer(transfer_id=transfer.transfer_id, lines=(too_many,)))
    assert (error.code, error.details["in_transit"]) == ("more_than_in_transit", 2)
    shop.run(
        ReceiveTransfer(transfer_id=transfer.transfer_id, lines=(StockLine(item_id=item_id, quantity=3),))
    )
    assert lies(shop, soon)[("south", "available")] == 2
    assert lies(shop, late) == {
        ("north", "available"): 1,
        ("south", "available"): 1,
        ("south", "in_transit"): 3,
    }
    shop.run(ReceiveTransfer(transfer_id=transfer.transfer_id))
    assert_lots_sound(shop)


def test_an_adjustment_names_the_lot_that_was_miscounted(shop: Shop) -> None:
    item_id = tracked_item(shop)
    lot = take_in(shop, item_id, "A", 5)
    assert shop.refused(shop.adjust(item_id, -1)).field == "lot_code"
    assert shop.refused(shop.adjust(item_id, -1, lot_code="B")).code == "not_found"
    wrong = shop.write_off(item_id, 2, lot_code="A", reason="damaged")
    shop.run(shop.adjust(item_id, 1, lot_code="NEW", expires_on=AUGUST, reason="found"))
    assert lies(shop, lot) == {("north", "available"): 3}
    assert lot_named(shop, item_id, "NEW").source_kind == "adjustment"
    shop.run(
        ReverseStock(document_kind="adjustment", document_id=wrong.adjustment_id, reason_code="data_error")
    )
    assert lies(shop, lot) == {("north", "available"): 5}
    assert_lots_sound(shop)


@pytest.mark.capability("S35")
def test_a_serial_number_lies_in_one_place_and_comes_in_once(shop: Shop) -> None:
    item_id = tracked_item(shop, lots=False, serials=True, expiry=False)
    shop.run(count(item_id, shop.north, 3, serials=("1", "2", "3")))
    assert shop.refused(count(item_id, shop.south, 1, serials=("2",))).code == "serial_twice"
    assert shop.refused(count(item_id, shop.south, 2, serials=("4", "4"))).code == "serial_twice"
    assert shop.refused(count(item_id, shop.south, 2, serials=("4",))).field == "lines.serials"
    first, second = shop.submit(
        count(item_id, shop.south, 1, serials=("9",)), count(item_id, shop.north, 1, serials=("9",))
    )
    assert (first.result["units"], second.error.code) == (1, "serial_twice")
    transfer = TransferStock(
        transfer_id=uuid4(),
        from_location_id=shop.north,
        to_location_id=shop.south,
        lines=(StockLine(item_id=item_id, quantity=1, serials=("2",)),),
    )
    shop.run(transfer)
    shop.run(ReceiveTransfer(transfer_id=transfer.transfer_id))
    assert lies(shop, lot_named(shop, item_id, "2").id) == {("south", "available"): 1}
    order = shop.place((item_id, 2))
    shop.ship(order)
    assert shop.at(item_id).states == {}
    assert_lots_sound(shop)


@pytest.mark.capability("S35")
@pytest.mark.capability("S38")
def test_the_database_itself_refuses_a_serial_in_two_places_and_held_stock_that_is_available(
    shop: Shop,
) -> None:
    item_id = tracked_item(shop, lots=False, serials=True, expiry=False)
    shop.run(count(item_id, shop.north, 1, serials=("1",)))
    lot = lot_named(shop, item_id, "1")
    elsewhere = {
        "item_id": item_id,
        "location_id": shop.south,
        "state": "available",
        "lot_id": lot.id,
        "owner": "own",
        "quantity": 1,
    }
    with pytest.raises(IntegrityError, match="one place only"), gate_writing(shop.gate.engine) as connection:
        connection.execute(stock_balances.insert().values(elsewhere))
    with pytest.raises(IntegrityError, match="one place only"), gate_writing(shop.gate.engine) as connection:
        connection.execute(update(stock_balances).where(stock_balances.c.lot_id == lot.id).values(quantity=2))
    with gate_writing(shop.gate.engine) as connection:
        connection.execute(update(lot_table).where(lot_table.c.id == lot.id).values(status="held"))
    again = update(stock_balances).where(stock_balances.c.lot_id == lot.id).values(quantity=1)
    with (
        pytest.raises(IntegrityError, match="neither available"),
        gate_writing(shop.gate.engine) as connection,
    ):
        connection.execute(again)
    with gate_writing(shop.gate.engine) as connection:
        connection.execute(update(lot_table).where(lot_table.c.id == lot.id).values(status="released"))
    assert_lots_sound(shop)


def test_numbered_units_of_a_lot_are_of_that_lot_for_ever() -> None:
    tracking = Tracking("PUMP", lots=True, serials=True, expiry=False)
    item_id = uuid4()
    named = named_lots(item_id, tracking, 2, LotFields(lot_code="B1", serials=("1", "2")))
    assert [(one.code, one.batch, one.quantity) for one in named] == [("1", "B1", 1), ("2", "B1", 1)]


def came_back(
    shop: Shop, order: PlaceOrder, units: int, condition: str = "as_new", **said: object
) -> tuple[UUID, ReceiveReturn]:
    """An authorised return of the order's first line, and its receipt."""
    return_id, line_id = uuid4(), uuid4()
    wanted = AuthorisedLine(
        return_line_id=line_id,
        order_line_id=order.lines[0].line_id,
        quantity=units,
        reason_code="changed_mind",
    )
    shop.run(AuthoriseReturn(return_id=return_id, order_id=order.order_id, lines=(wanted,)))
    arrived = ArrivedLine.model_validate({"return_line_id": line_id, "quantity": units} | said)
    return line_id, ReceiveReturn(return_id=return_id, lines=(arrived,))


def decide(shop: Shop, line_id: UUID, receipt: ReceiveReturn, condition: str) -> DisposeReturn:
    inspected = InspectedLine.model_validate({"return_line_id": line_id, "condition": condition})
    shop.run(InspectReturn(return_id=receipt.return_id, lines=(inspected,)))
    return DisposeReturn(return_id=receipt.return_id)


@pytest.mark.capability("S127")
@pytest.mark.capability("S34")
def test_what_comes_back_is_the_lot_that_went_out_and_is_sold_again_only_while_it_may_be(shop: Shop) -> None:
    item_id = tracked_item(shop)
    lot, other = take_in(shop, item_id, "A", 4, JULY), take_in(shop, item_id, "B", 4, AUGUST)
    order = shop.place((item_id, 4))
    shop.ship(order)
    line, receipt = came_back(shop, order, 2)
    assert shop.refused(receipt).field == "lines.lot_code"
    line, wrong = came_back(shop, order, 1, lot_code="B")
    assert shop.refused(wrong).code == "lot_not_shipped"
    line, receipt = came_back(shop, order, 1, lot_code="A")
    shop.run(receipt)
    assert lies(shop, lot) == {("north", "return_pending"): 1}
    shop.run(decide(shop, line, receipt, "as_new"))
    assert lies(shop, lot) == {("north", "available"): 1}
    shop.run(RecallLot(recall_id=uuid4(), item_id=item_id, lot_code="A", reason_code="safety_notice"))
    assert lies(shop, other) == {("north", "available"): 4}
    assert_lots_sound(shop)


@pytest.mark.capability("S127")
@pytest.mark.capability("S28")
def test_a_recalled_lot_that_comes_back_is_not_restocked(shop: Shop) -> None:
    item_id = tracked_item(shop)
    lot = take_in(shop, item_id, "A", 4, JULY)
    order = shop.place((item_id, 4))
    shop.ship(order)
    shop.run(RecallLot(recall_id=uuid4(), item_id=item_id, lot_code="A", reason_code="safety_notice"))
    line, receipt = came_back(shop, order, 3, lot_code="A")
    shop.run(receipt)
    by_rule = decide(shop, line, receipt, "as_new")
    shop.run(by_rule)
    assert lies(shop, lot) == {("north", "quarantined"): 3}
    again = DisposedLine(return_line_id=line, disposition="restock", reason_code="inspector_judgement")
    assert shop.refused(by_rule.model_copy(update={"lines": (again,)})).code == "lot_held"
    away = DisposedLine(return_line_id=line, disposition="vendor_return", reason_code="inspector_judgement")
    shop.run(by_rule.model_copy(update={"lines": (away,)}))
    assert lies(shop, lot) == {}
    assert_lots_sound(shop)


@pytest.mark.capability("S127")
def test_what_comes_back_after_its_last_day_is_written_off_and_not_restocked(shop: Shop) -> None:
    item_id = tracked_item(shop)
    lot = take_in(shop, item_id, "A", 4, shop.now.date() + timedelta(days=20))
    order = shop.place((item_id, 4))
    shop.ship(order)
    shop.later(20)
    line, receipt = came_back(shop, order, 2, lot_code="A")
    shop.run(receipt)
    shop.later(1)
    by_rule = decide(shop, line, receipt, "as_new")
    restock = DisposedLine(return_line_id=line, disposition="restock", reason_code="inspector_judgement")
    assert shop.refused(by_rule.model_copy(update={"lines": (restock,)})).code == "lot_held"
    assert shop.run(by_rule)["dispositions"] == {"1": "write_off"}
    assert lies(shop, lot) == {}
    assert_lots_sound(shop)


def asked(shop: Shop, command: Command) -> list[str]:
    """The statements that the database got for a command."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(shop.gate.engine, "before_cursor_execute", note)
    try:
        shop.run(command)
    finally:
        event.remove(shop.gate.engine, "before_cursor_execute", note)
    return statements


def test_the_database_is_asked_nothing_about_lots_for_items_that_have_none(shop: Shop) -> None:
    plain = [shop.item(cost=10_000, north=9) for _ in range(3)]
    order = shop.order(*((item_id, 1) for item_id in plain))
    about_plain = asked(shop, order)
    assert not [one for one in about_plain if re.search(r"\b(lots|shelf_life_rules)\b", one)]
    shipping = asked(shop, ShipOrder(order_id=order.order_id, shipment_id=uuid4()))
    assert not [one for one in shipping if re.search(r"\blots\b", one)]
    tracked = [tracked_item(shop) for _ in range(3)]
    for item_id in tracked:
        take_in(shop, item_id, "A", 9)
    about_lots = asked(shop, shop.order(*((item_id, 1) for item_id in tracked)))
    assert len(about_lots) <= len(about_plain) + 2
