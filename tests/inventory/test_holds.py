"""Held stock: visible, not available, decided about by people; and the recall of a lot."""

from __future__ import annotations

from datetime import date
from uuid import UUID, uuid4

import pytest

from erp_core.gate.contract import Executed, Proposed, Submission
from erp_core.gate.decisions import ApproveProposal
from erp_core.inventory.commands import (
    HoldStock,
    QuarantineExpired,
    ReceiveTransfer,
    ReleaseHold,
    StockLine,
    TransferStock,
)
from erp_core.inventory.lots.queries import expiring_lots, list_holds
from erp_core.orders.commands import ConfirmPick, RecallLot, RegisterCustomer, ReleasePick
from erp_core.orders.queries.lots import trace_lot
from erp_core.storage.engine import reading
from tests.conftest import size
from tests.inventory.lots import (
    JULY,
    NEXT_YEAR,
    assert_lots_sound,
    count,
    lies,
    lot_named,
    take_in,
    tracked_item,
)
from tests.orders.test_invariants import _at_once as at_once
from tests.shop import Shop


def hold(item_id: UUID, **said: object) -> HoldStock:
    values: dict[str, object] = {"hold_id": uuid4(), "item_id": item_id, "reason_code": "inspection_due"}
    return HoldStock.model_validate(values | said)


def release(shop: Shop, held: HoldStock | RecallLot, decision: str = "release") -> None:
    """Ask for the decision, and let a manager who is somebody else approve it."""
    hold_id = held.recall_id if isinstance(held, RecallLot) else held.hold_id
    command = ReleaseHold.model_validate({"hold_id": hold_id, "decision": decision, "occurred_at": shop.now})
    (asked,) = shop.gate.submit_many([Submission(command, uuid4().hex)], shop.principal)
    assert isinstance(asked, Proposed), asked
    manager = shop.gate.bootstrap_user(f"manager-{uuid4().hex[:8]}", roles=("manager",), kind="person")
    approve = ApproveProposal(proposal_id=asked.proposal_id, payload_hash=asked.payload_hash)
    decided = shop.gate.submit(approve, manager, key=uuid4().hex)
    assert isinstance(decided, Executed), decided


@pytest.mark.capability("S38")
def test_held_units_of_a_plain_item_are_seen_and_not_promised_until_somebody_releases_them(
    shop: Shop,
) -> None:
    item_id = shop.item(cost=10_000, north=10)
    held = hold(item_id, location_id=shop.north, quantity=4)
    shop.run(held)
    assert shop.at(item_id).states == {"available": 6, "quarantined": 4}
    assert shop.at(item_id).on_hand == 10
    waiting = shop.place((item_id, 8))
    assert shop.status(waiting) == "backordered"
    assert shop.refused(hold(item_id, location_id=shop.north, quantity=1)).code == "insufficient_stock"
    assert shop.refused(hold(item_id)).field == "location_id"
    with reading(shop.gate.engine) as connection:
        (shown,) = list_holds(connection, item_id=item_id)
    assert (shown.status, shown.reason) == ("open", "inspection_due")
    release(shop, held)
    assert shop.status(waiting) == "reserved"
    assert shop.at(item_id).states == {"available": 2, "reserved": 8}
    shop.assert_sound()


@pytest.mark.capability("S38")
def test_nobody_releases_held_stock_alone_and_what_is_rejected_is_damaged(shop: Shop) -> None:
    item_id = shop.item(cost=10_000, north=10)
    held = hold(item_id, location_id=shop.north, quantity=4)
    shop.run(held)
    again = ReleaseHold(hold_id=held.hold_id, decision="release", occurred_at=shop.now)
    assert isinstance(shop.submit(again)[0], Proposed)
    assert shop.at(item_id).available == 6
    release(shop, held, "reject")
    assert shop.at(item_id).states == {"available": 6, "damaged": 4}
    shop.assert_sound()


@pytest.mark.capability("S37")
@pytest.mark.capability("S34")
def test_one_request_recalls_a_lot_wherever_it_is_and_names_everybody_it_reached(shop: Shop) -> None:
    item_id, customer = tracked_item(shop), uuid4()
    shop.run(RegisterCustomer(customer_id=customer, code=f"C-{customer.hex[:8]}", country="DE"))
    bad = take_in(shop, item_id, "BAD", 12, JULY)
    shipped = shop.place((item_id, 3), customer_id=customer)
    shipment = UUID(shop.ship(shipped).get("shipment_id") or str(_shipment(shop, bad)))
    transfer = TransferStock(
        transfer_id=uuid4(),
        from_location_id=shop.north,
        to_location_id=shop.south,
        lines=(StockLine(item_id=item_id, quantity=2),),
    )
    shop.run(transfer)
    reserved = shop.place((item_id, 4))
    good = take_in(shop, item_id, "GOOD", 1, NEXT_YEAR)
    recall = RecallLot(recall_id=uuid4(), item_id=item_id, lot_code="BAD", reason_code="safety_notice")
    told = shop.run(recall)
    assert told["frozen_units"] == 7
    assert told["shipped_units"] == 3
    assert told["shipments"] == [str(shipment)]
    assert told["customers"] == [str(customer)]
    assert told["transfers"] == [str(transfer.transfer_id)]
    assert told["orders_shipped"] == [str(shipped.order_id)]
    assert told["orders_released"] == [str(reserved.order_id)]
    assert lies(shop, bad) == {("north", "quarantined"): 7, ("south", "in_transit"): 2}
    assert shop.status(reserved) == "backordered"
    assert lies(shop, good) == {("north", "reserved"): 1}
    shop.run(ReceiveTransfer(transfer_id=transfer.transfer_id))
    take_in(shop, item_id, "BAD", 1, JULY)
    assert lies(shop, bad) == {("north", "quarantined"): 8, ("south", "quarantined"): 2}
    assert shop.refused(shop.order((item_id, 1), ship_now=True)).code == "insufficient_stock"
    with reading(shop.gate.engine) as connection:
        trace = trace_lot(connection, bad)
    assert sum(move.units for move in trace.origins) == 13
    assert {move.document_kind for move in trace.origins} == {"opening"}
    assert [(one.order_id, one.units) for one in trace.shipments] == [(shipped.order_id, 3)]
    assert_lots_sound(shop)


def _shipment(shop: Shop, lot_id: UUID) -> UUID:
    with reading(shop.gate.engine) as connection:
        (one,) = trace_lot(connection, lot_id).shipments
    return one.shipment_id


@pytest.mark.capability("S37")
def test_a_recall_takes_back_what_is_picked_already(shop: Shop) -> None:
    item_id = tracked_item(shop)
    lot = take_in(shop, item_id, "BAD", 5)
    order = shop.place((item_id, 3))
    pick = uuid4()
    shop.run(ReleasePick(order_id=order.order_id, pick_id=pick))
    shop.run(ConfirmPick(pick_id=pick))
    assert lies(shop, lot) == {("north", "available"): 2, ("north", "picked"): 3}
    shop.run(RecallLot(recall_id=uuid4(), item_id=item_id, lot_code="BAD", reason_code="safety_notice"))
    assert lies(shop, lot) == {("north", "quarantined"): 5}
    assert shop.status(order) == "backordered"
    assert_lots_sound(shop)


@pytest.mark.capability("S37")
def test_a_recall_of_a_lot_nobody_knows_changes_nothing_and_one_of_a_lot_reaches_its_numbered_units(
    shop: Shop,
) -> None:
    item_id = tracked_item(shop, serials=True, expiry=False)
    shop.run(count(item_id, shop.north, 2, lot_code="B1", serials=("1", "2")))
    shop.run(count(item_id, shop.north, 1, lot_code="B2", serials=("3",)))
    unknown = RecallLot(recall_id=uuid4(), item_id=item_id, lot_code="B9", reason_code="safety_notice")
    assert shop.refused(unknown).code == "not_found"
    assert shop.refused(unknown.model_copy(update={"reason_code": "felt_like_it"})).code == "unknown_reason"
    order = shop.place((item_id, 3))
    told = shop.run(RecallLot(recall_id=uuid4(), item_id=item_id, lot_code="B1", reason_code="safety_notice"))
    assert told["frozen_units"] == 2
    assert shop.at(item_id).states == {"quarantined": 2, "reserved": 1}
    assert shop.status(order) == "backordered"
    shop.run(count(item_id, shop.north, 1, lot_code="B1", serials=("4",)))
    assert lies(shop, lot_named(shop, item_id, "4").id) == {("north", "quarantined"): 1}
    assert_lots_sound(shop)


@pytest.mark.capability("S38")
def test_a_lot_held_for_two_reasons_is_released_when_both_are_settled(shop: Shop) -> None:
    item_id = tracked_item(shop)
    lot = take_in(shop, item_id, "A", 10)
    quality, recall = (
        hold(item_id, lot_code="A"),
        RecallLot(recall_id=uuid4(), item_id=item_id, lot_code="A", reason_code="supplier_notice"),
    )
    shop.run(quality)
    shop.run(recall)
    take_in(shop, item_id, "A", 2)
    early = ReleaseHold(hold_id=quality.hold_id, decision="release")
    (asked,) = shop.submit(early)
    manager = shop.gate.bootstrap_user(f"manager-{uuid4().hex[:8]}", roles=("manager",), kind="person")
    approve = ApproveProposal(proposal_id=asked.proposal_id, payload_hash=asked.payload_hash)
    decided = shop.gate.submit(approve, manager, key=uuid4().hex)
    assert "lot_held" in str(decided), decided
    assert lies(shop, lot) == {("north", "quarantined"): 12}


@pytest.mark.capability("S38")
def test_a_released_lot_is_sold_again_with_what_came_in_meanwhile_but_not_what_another_hold_keeps(
    shop: Shop,
) -> None:
    item_id = tracked_item(shop)
    lot = take_in(shop, item_id, "A", 10)
    shop.run(hold(item_id, lot_code="A", location_id=shop.north, quantity=3, reason_code="damage_suspected"))
    whole = hold(item_id, lot_code="A")
    shop.run(whole)
    take_in(shop, item_id, "A", 2)
    waiting = shop.place((item_id, 20))
    release(shop, whole)
    assert lies(shop, lot) == {("north", "quarantined"): 3, ("north", "reserved"): 9}
    assert shop.status(waiting) == "backordered"
    assert_lots_sound(shop)


@pytest.mark.capability("S36")
def test_each_night_what_is_over_leaves_the_stock_that_can_be_sold_and_orders_get_other_lots(
    shop: Shop,
) -> None:
    item_id = tracked_item(shop)
    over, good = take_in(shop, item_id, "OVER", 4, date(2026, 6, 2)), take_in(shop, item_id, "GOOD", 1)
    order = shop.place((item_id, 3))
    with reading(shop.gate.engine) as connection:
        (alert,) = [one for one in expiring_lots(connection, shop.now.date(), 7) if one.lot.id == over]
    assert (alert.units, alert.days_left) == (4, 1)
    shop.later(1)
    shop.run(QuarantineExpired())
    assert lies(shop, over)[("north", "reserved")] == 3
    shop.later(1)
    shop.run(QuarantineExpired())
    assert lies(shop, over) == {("north", "quarantined"): 4}
    assert lies(shop, good) == {("north", "reserved"): 1}
    assert shop.status(order) == "backordered"
    shop.write_off(item_id, 4, reason="expired", state="quarantined", lot_code="OVER")
    assert lies(shop, over) == {}
    assert shop.run(QuarantineExpired())["lots"] == 0
    assert_lots_sound(shop)


@pytest.mark.capability("S37")
def test_orders_and_a_recall_at_the_same_moment_leave_no_promise_of_the_lot(shop: Shop) -> None:
    for _ in range(size(3, 30)):
        item_id = tracked_item(shop)
        bad, good = take_in(shop, item_id, "BAD", 5, JULY), take_in(shop, item_id, "GOOD", 2, NEXT_YEAR)
        orders = [shop.order((item_id, 2)) for _ in range(3)]
        recall = RecallLot(recall_id=uuid4(), item_id=item_id, lot_code="BAD", reason_code="safety_notice")
        outcomes = at_once(shop, [orders[0], recall, *orders[1:]])
        if not isinstance(outcomes[1], Executed):
            assert outcomes[1].error.code == "lot_busy"
            shop.run(recall.model_copy(update={"recall_id": uuid4()}))
        assert lies(shop, bad) == {("north", "quarantined"): 5}
        assert lies(shop, good) == {("north", "reserved"): 2}
        statuses = sorted(shop.status(order) for order in orders)
        assert statuses in (["backordered", "backordered", "reserved"], ["backordered"] * 3)
    assert_lots_sound(shop)
