"""A wrong receipt is taken back by opposite entries: stock, value, what is owed, and the order as if nothing had come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from erp_core.exceptions.model import cases
from erp_core.finance.books import journal_of, trial_balance
from erp_core.finance.queries import valuation, valuation_differences
from erp_core.gate.contract import Denied, Executed, Proposed, Refused
from erp_core.gate.decisions import ApproveProposal
from erp_core.inventory.commands import AdjustStock, PostOpeningStock, StockLine
from erp_core.inventory.commands.putaway import PutAway, SetPutawayRule
from erp_core.inventory.model import stock_moves
from erp_core.master.commands import CreateLocation
from erp_core.procurement.books.accruals import accruals
from erp_core.procurement.books.reconciling import journal_differences
from erp_core.procurement.commands import (
    CancelPurchaseOrder,
    ChangePurchaseOrder,
    ClosePurchaseOrder,
    DecideHeldGoods,
    LineChange,
    ReceiveGoods,
    RecordLandedCost,
    ReverseLandedCost,
    ReverseReceipt,
    SendPurchaseOrder,
    SetInspectionRule,
    SetReceiptTolerance,
)
from erp_core.procurement.commands.resolving import DisputeSupplierInvoice
from erp_core.procurement.model import po_lines, purchase_orders, receipts, unordered_goods
from erp_core.procurement.queries.documents import purchase_order
from erp_core.procurement.queries.expected import expected_goods
from erp_core.storage.types import money
from tests.conftest import size
from tests.procurement.conftest import TODAY, Company, Order
from tests.procurement.test_drop_ship import DropShop, parcel
from tests.procurement.test_invoices import invoice
from tests.procurement.test_receiving_lots import delivery, lies, ordered, tracked
from tests.shop import Shop


def back(receipt: ReceiveGoods, **fields: Any) -> ReverseReceipt:
    values = {"po_id": receipt.po_id, "receipt_id": receipt.receipt_id, "reason_code": "counted_wrongly"}
    return ReverseReceipt.model_validate(values | fields)


def taken_back(company: Company, receipt: ReceiveGoods, **fields: Any) -> dict[str, Any]:
    """Reverse it; a manager agrees where it is many units."""
    company.people.setdefault("checker", company.gate.bootstrap_user("checker", roles=("warehouse",)))
    outcome = company.submit(back(receipt, **fields), "checker")
    if isinstance(outcome, Proposed):
        company.approve(outcome, "second_manager")
        return {}
    assert isinstance(outcome, Executed), outcome
    return dict(outcome.result)


def refused(company: Company, receipt: ReceiveGoods, **fields: Any) -> dict[str, Any]:
    """Reverse it, whoever has to agree, and expect a refusal."""
    tester = company.people.setdefault(
        "tester", company.gate.bootstrap_user("tester", roles=("simulator",), kind="service")
    )
    assert tester is not None
    return company.refused(back(receipt, **fields), "tester")


def state(company: Company, order: Order) -> tuple[Any, ...]:
    """What the order and its first line are, and what stock and its value."""
    head = company.row(purchase_orders, order.po_id)
    line = company.row(po_lines, order.line_ids[0])
    worth = {one.item_id: (one.quantity, one.value) for one in company.read(valuation) if one.quantity}
    fields = ("quantity", "accepted_quantity", "held_quantity", "inspection_quantity", "rejected_quantity")
    fields += ("quarantined_quantity", "tolerated_quantity", "accepted_by_promise", "completed_on")
    return (
        head.status,
        head.total,
        tuple(getattr(line, name) for name in fields),
        company.stock(company.item),
        worth,
    )


def agreed(company: Company, *days: int) -> None:
    for day in days or (-1, 0, 1):
        on = TODAY + timedelta(days=day)
        assert company.read(lambda c, on=on: journal_differences(c, on)) == []
    assert company.read(valuation_differences) == []


def open_cases(company: Company) -> list[str]:
    statement = select(cases.c.kind).where(cases.c.status == "open")
    return list(company.read(lambda c: c.scalars(statement).all()))


@pytest.mark.capability("S105")
def test_a_reversed_receipt_leaves_stock_value_and_the_order_as_if_nothing_had_come(company: Company) -> None:
    order = company.sent(40, promised_on=TODAY)
    before = state(company, order)
    receipt = company.receipt(order, 50, rejected=3)
    company.do(receipt, "warehouse")
    assert company.stock(company.item) == {"available": 40, "received_held": 7}
    assert open_cases(company) == ["receipt_variance"]
    taken_back(company, receipt, comment="the pallets were another order's")
    assert state(company, order) == before
    assert before[0] == "confirmed" and open_cases(company) == []
    detail = company.read(lambda c: purchase_order(c, order.po_id))
    assert [(one.accepted_quantity, one.reversed_on) for one in detail.receipts] == [(40, TODAY)]
    assert [one.units for one in company.read(expected_goods)] == [40]
    statement = select(stock_moves.c.event, func.sum(stock_moves.c.quantity)).group_by(stock_moves.c.event)
    moved = company.read(lambda c: dict(map(tuple, c.execute(statement))))
    assert moved == {"receipt": 47, "reversal": 47}, "nothing is edited: the opposite is posted"
    agreed(company)
    company.do(company.receipt(order, 40), "warehouse")
    assert state(company, order)[0] == "received"
    agreed(company)


@pytest.mark.capability("S105")
def test_one_of_two_receipts_is_reversed_and_the_order_is_partly_received(company: Company) -> None:
    order = company.sent(40, 20)
    first, rest = company.receipt(order, 20), company.receipt(order, 20, 20)
    company.do(first, "warehouse")
    company.do(rest, "warehouse")
    assert company.row(purchase_orders, order.po_id).status == "received"
    taken_back(company, first)
    assert company.row(purchase_orders, order.po_id).status == "partly_received"
    lines = [company.row(po_lines, line) for line in order.line_ids]
    again = company.submit(back(first), "checker")
    assert isinstance(again, Refused) and again.error.code == "already_reversed", again
    assert [(line.accepted_quantity, line.completed_on) for line in lines] == [(20, None), (20, TODAY)]
    owed = company.read(lambda c: accruals(c, TODAY))
    assert sum(one.value for one in owed) == money(200) + money(80)
    taken_back(company, rest)
    assert company.row(purchase_orders, order.po_id).status == "sent"
    assert company.read(lambda c: accruals(c, TODAY)) == [] and company.stock(company.item) == {}
    assert company.refused(SendPurchaseOrder(po_id=order.po_id))["code"] == "illegal_transition"
    dearer = LineChange(po_line_id=order.line_ids[0], unit_price=money(11))
    change = ChangePurchaseOrder(po_id=order.po_id, reason_code="demand_changed", lines=(dearer,))
    proposed = company.submit(change)
    assert not isinstance(proposed, Executed), "the journal of the past holds the line at its price"
    company.do(CancelPurchaseOrder(po_id=order.po_id, reason_code="not_needed"))
    agreed(company)


@pytest.mark.capability("S105")
def test_goods_leave_at_the_value_they_came_with_or_at_the_average_where_the_rest_is_worth_less(
    company: Company,
) -> None:
    cheap, dear = company.sent(20, price=money(2)), company.sent(20, price=money(10))
    company.do(company.receipt(cheap, 20), "warehouse")
    receipt, second = company.receipt(dear, 10), company.receipt(dear, 10)
    for one in (receipt, second):
        company.do(one, "warehouse")
    taken_back(company, receipt)
    worth = {one.item_id: (one.quantity, one.value) for one in company.read(valuation)}
    assert worth[company.item] == (30, money(140)), "as if only the others had come"
    lost = AdjustStock(
        adjustment_id=uuid4(),
        item_id=company.item,
        location_id=company.warehouse,
        quantity=-18,
        reason_code="counted",
    )
    company.do(lost, "warehouse")
    average = company.read(valuation)[0].value
    assert average == money(56), "12 left at 4 2/3"
    taken_back(company, second)
    left = company.read(valuation)[0]
    assert (left.quantity, left.value) == (2, average - 466_667)
    entries = company.read(lambda c: journal_of(c, dear.po_id))
    told = [(one.debit, one.credit, one.value) for one in entries if one.event == "reversal"]
    assert ("stock", "stock_losses", money(100) - 466_667) in told
    agreed(company)


@pytest.mark.capability("S105")
def test_goods_that_were_sold_or_moved_on_stop_the_reversal_and_putaway_does_not(company: Company) -> None:
    order = company.sent(20)
    receipt = company.receipt(order, 20)
    company.do(receipt, "warehouse")
    zone = uuid4()
    inside = CreateLocation(
        location_id=zone,
        code="MAIN-A",
        location_name="Zone A",
        kind="reserve",
        within_id=company.warehouse,
    )
    company.do(inside, "admin")
    rule = SetPutawayRule(rule_id=uuid4(), site_id=company.warehouse, location_id=zone)
    company.do(rule, "warehouse")
    carried = PutAway(
        putaway_id=uuid4(),
        item_id=company.item,
        site_id=company.warehouse,
        location_id=zone,
        quantity=15,
        scanned_location="MAIN-A",
    )
    company.do(carried, "warehouse")
    lost = AdjustStock(
        adjustment_id=uuid4(),
        item_id=company.item,
        location_id=zone,
        quantity=-1,
        reason_code="counted",
    )
    company.do(lost, "warehouse")
    error = refused(company, receipt)
    assert (error["code"], error["field"]) == ("insufficient_stock", "receipt_id")
    assert (error["details"]["item"], error["details"]["wanted"], error["details"]["available"]) == (
        "LAMP-0",
        20,
        19,
    )
    assert "supplier" in error["remedy"] and company.row(po_lines, order.line_ids[0]).accepted_quantity == 20
    found = lost.model_copy(update={"adjustment_id": uuid4(), "quantity": 1, "reason_code": "found"})
    company.do(found, "warehouse")
    taken_back(company, receipt)
    assert company.stock(company.item) == {}, "5 from the dock and 15 from the zone"
    agreed(company)


@pytest.mark.capability("S105")
def test_goods_decided_about_inspected_or_carrying_landed_cost_are_not_taken_back(company: Company) -> None:
    order, checked, carried = company.sent(20), company.sent(20), company.sent(20)
    beyond = company.receipt(order, 15 + 5)
    company.do(company.receipt(order, 3), "warehouse")
    company.do(beyond, "warehouse")
    decided = DecideHeldGoods(
        decision_id=uuid4(),
        po_id=order.po_id,
        po_line_id=order.line_ids[0],
        decision="return",
        quantity=1,
    )
    company.do(decided, "warehouse")
    error = refused(company, beyond)
    assert error["code"] == "receipt_not_reversible" and "decided" in error["message"]

    rule = SetInspectionRule(item_id=company.item, required=True)
    company.approve(company.submit(rule), "manager")
    inspected = company.receipt(checked, 20)
    company.do(inspected, "warehouse")
    waiting = state(company, checked)
    taken_back(company, inspected)
    assert company.row(po_lines, checked.line_ids[0]).inspection_quantity == 0 and waiting[2][3] == 20
    inspected = company.receipt(checked, 20)
    company.do(inspected, "warehouse")
    passed = decided.model_copy(
        update={
            "decision_id": uuid4(),
            "po_id": checked.po_id,
            "po_line_id": checked.line_ids[0],
            "decision": "accept",
            "held_for": "inspection",
        }
    )
    company.do(passed, "warehouse")
    assert refused(company, inspected)["code"] == "receipt_not_reversible"

    company.approve(company.submit(rule.model_copy(update={"required": False})), "manager")
    loaded = company.receipt(carried, 20)
    company.do(loaded, "warehouse")
    for of_receipt in (None, loaded.receipt_id):
        charge = RecordLandedCost(
            charge_id=uuid4(),
            po_id=carried.po_id,
            receipt_id=of_receipt,
            component="handling",
            amount=money(10),
        )
        company.do(charge, "finance")
        error = refused(company, loaded)
        assert (
            error["details"]["charge_id"] == str(charge.charge_id) and "ReverseLandedCost" in error["remedy"]
        )
        undo = ReverseLandedCost(charge_id=charge.charge_id, reversal_id=uuid4(), reason_code="charged_twice")
        company.approve(company.submit(undo, "finance"), "manager")
    taken_back(company, loaded)
    late = charge.model_copy(update={"charge_id": uuid4()})
    assert company.refused(late, "finance")["code"] == "nothing_received"
    agreed(company)


@pytest.mark.capability("S105")
@pytest.mark.capability("S106")
def test_units_that_are_payable_stay_received_until_the_invoice_is_disputed(company: Company) -> None:
    order = company.sent(30)
    first, second = company.receipt(order, 18), company.receipt(order, 12)
    for one in (first, second):
        company.do(one, "warehouse")
    bill = invoice(company, order, 15)
    assert company.do(bill, "finance")["status"] == "matched"
    error = refused(company, first)
    assert (error["details"]["payable"], error["details"]["left"]) == (15, 12)
    assert "dispute" in error["remedy"]
    taken_back(company, second)
    agreed(company)
    dispute = DisputeSupplierInvoice(
        invoice_id=bill.invoice_id, reason_code="price", owner_id=company.people["buyer"].user_id
    )
    company.do(dispute, "finance")
    taken_back(company, first)
    assert company.row(purchase_orders, order.po_id).status == "sent"
    agreed(company)


@pytest.mark.capability("S105")
@pytest.mark.capability("S9")
def test_many_units_wait_for_a_manager_who_did_not_receive_them(sqlite_company: Company) -> None:
    company = sqlite_company
    both = company.gate.bootstrap_user("both", roles=("warehouse", "manager"))
    company.people["both"] = both
    few, many = company.sent(40), company.sent(40)
    small, large = company.receipt(few, 20), company.receipt(many, 21)
    company.do(small, "warehouse")
    company.do(large, "both")
    assert isinstance(company.submit(back(small), "buyer"), Denied)
    assert isinstance(company.submit(back(small), "warehouse"), Executed)
    asked = company.submit(back(large), "warehouse")
    assert isinstance(asked, Proposed)
    yes = ApproveProposal(proposal_id=asked.proposal_id, payload_hash=asked.payload_hash)
    kept_away = company.refused(yes, "both")
    assert "who receives does not approve" in kept_away["message"]
    assert company.row(po_lines, many.line_ids[0]).accepted_quantity == 21
    company.approve(asked, "second_manager")
    assert company.row(po_lines, many.line_ids[0]).accepted_quantity == 0


@pytest.mark.capability("S105")
def test_bad_input_is_named_with_its_remedy(sqlite_company: Company) -> None:
    company = sqlite_company
    order, other = company.sent(20), company.sent(20)
    receipt = company.receipt(order, 20)
    company.do(receipt, "warehouse")
    assert refused(company, receipt, receipt_id=uuid4())["code"] == "not_found"
    assert refused(company, receipt, po_id=other.po_id)["field"] == "receipt_id"
    assert refused(company, receipt, reason_code="because")["field"] == "reason_code"
    early = datetime(2026, 6, 29, 9, tzinfo=UTC)
    assert refused(company, receipt, occurred_at=early)["field"] == "occurred_at"
    company.do(ClosePurchaseOrder(po_id=order.po_id, reason_code="complete"))
    closed = refused(company, receipt)
    assert (closed["code"], closed["field"]) == ("receipt_not_reversible", "po_id")


@pytest.mark.capability("S105")
def test_tolerated_units_and_goods_that_were_not_ordered_leave_with_their_receipt(company: Company) -> None:
    company.approve(company.submit(SetReceiptTolerance(over=500)), "manager")
    order = company.sent(40)
    before = state(company, order)
    receipt = company.receipt(order, 42)
    stranger = {"unordered_id": uuid4(), "item_id": company.other_item, "quantity": 6}
    receipt = ReceiveGoods.model_validate(receipt.model_dump() | {"unordered": (stranger,)})
    company.do(receipt, "warehouse")
    assert company.row(purchase_orders, order.po_id).total == money(420)
    assert company.stock(company.other_item) == {"received_held": 6} and open_cases(company)
    taken_back(company, receipt)
    assert state(company, order) == before and company.stock(company.other_item) == {}
    assert company.row(unordered_goods, stranger["unordered_id"]).held_quantity == 0
    assert open_cases(company) == []
    agreed(company)


@pytest.mark.capability("S105")
@pytest.mark.capability("S36")
def test_a_serial_number_that_left_stops_the_reversal_and_may_come_again_after_it(company: Company) -> None:
    item_id = tracked(company, serial_tracked=True)
    order = ordered(company, item_id, 10)
    said = {"quantity": 2, "serials": ("S1", "S2")}
    receipt = delivery(order, said)
    company.do(receipt, "warehouse")
    adjusted = {"item_id": item_id, "location_id": company.warehouse, "serials": ("S2",)}
    stolen = AdjustStock(adjustment_id=uuid4(), quantity=-1, reason_code="counted", **adjusted)
    company.do(stolen, "warehouse")
    error = refused(company, receipt)
    assert (error["code"], error["details"]["wanted"], error["details"]["available"]) == (
        "insufficient_stock",
        1,
        0,
    )
    assert lies(company, "S1") == {"available": 1}, "all of it or nothing"
    found = AdjustStock(adjustment_id=uuid4(), quantity=1, reason_code="found", **adjusted)
    company.do(found, "warehouse")
    taken_back(company, receipt)
    assert company.stock(item_id) == {}
    company.do(delivery(order, said), "warehouse")
    assert lies(company, "S1") == lies(company, "S2") == {"available": 1}
    agreed(company)


@pytest.mark.capability("S105")
@pytest.mark.capability("S72")
def test_what_the_supplier_sent_to_a_customer_is_not_taken_back(fresh_shop: Shop) -> None:
    drop = DropShop(fresh_shop)
    order = drop.order(2)
    drop.run()
    sent = parcel(drop.sent(order))
    fresh_shop.run(sent)
    error = fresh_shop.refused(
        ReverseReceipt(po_id=sent.po_id, receipt_id=sent.receipt_id, reason_code="posted_twice")
    )
    assert (error.code, error.field) == ("receipt_not_reversible", "receipt_id")
    assert "customer" in error.message


@pytest.mark.capability("S105")
def test_goods_without_a_cost_go_back_off_the_expense_that_they_were(sqlite_company: Company) -> None:
    company = sqlite_company
    opening = PostOpeningStock(
        document_id=uuid4(),
        location_id=company.warehouse,
        lines=(StockLine(item_id=company.item, quantity=5),),
    )
    company.do(opening, "admin")
    order = company.sent(20)
    receipt = company.receipt(order, 20)
    company.do(receipt, "warehouse")
    owed = {one.code: one.balance for one in company.read(lambda c: trial_balance(c, TODAY))}
    assert owed["unvalued_purchases"] == money(200) and not owed.get("stock")
    taken_back(company, receipt)
    left = {one.code: one.balance for one in company.read(lambda c: trial_balance(c, TODAY)) if one.balance}
    assert left == {} and company.stock(company.item) == {"available": 5}
    agreed(company)


STEPS = st.tuples(
    st.integers(0, 6),
    st.sampled_from(["receive", "reverse", "reverse", "bill", "dispute", "lose", "accept"]),
    st.booleans(),
    st.integers(1, 20),
)


@pytest.mark.capability("S105")
@settings(
    max_examples=size(6, 80), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(STEPS, min_size=3, max_size=12))
def test_whatever_is_received_billed_and_taken_back_the_books_are_the_records_on_every_day(
    company: Company, steps: list[tuple[int, str, bool, int]]
) -> None:
    tester = company.people.get("tester") or company.gate.bootstrap_user(
        f"tester-{uuid4().hex[:6]}", roles=("simulator",), kind="service"
    )
    company.people["tester"] = tester
    orders = {True: company.sent(30, price=money(10)), False: company.sent(30, price=money(3))}
    posted: list[ReceiveGoods] = []
    bills: list[UUID] = []
    for day, what, dear, units in sorted(steps, key=lambda step: step[0]):
        order = orders[dear]
        command: Any = None
        if what == "receive":
            command = company.receipt(order, units)
        elif what == "reverse" and posted:
            command = back(posted[units % len(posted)])
        elif what == "bill":
            command = invoice(company, order, units, price=10 if dear else 3)
        elif what == "dispute" and bills:
            owner = company.people["buyer"].user_id
            command = DisputeSupplierInvoice(
                invoice_id=bills[units % len(bills)], reason_code="price", owner_id=owner
            )
        elif what == "lose":
            command = AdjustStock(
                adjustment_id=uuid4(),
                item_id=company.item,
                location_id=company.warehouse,
                quantity=-units,
                reason_code="counted",
            )
        elif what == "accept":
            command = DecideHeldGoods(
                decision_id=uuid4(),
                po_id=order.po_id,
                po_line_id=order.line_ids[0],
                decision="accept",
                quantity=units,
            )
        if command is None:
            continue
        moment = datetime(TODAY.year, TODAY.month, TODAY.day, 9, tzinfo=UTC) - timedelta(days=6 - day)
        outcome = company.submit(command.model_copy(update={"occurred_at": moment}), "tester")
        if not isinstance(outcome, Executed):
            continue
        if what == "receive":
            posted.append(command)
        elif what == "bill":
            bills.append(command.invoice_id)
    agreed(company, *range(-7, 2))
    for order in orders.values():
        line = company.row(po_lines, order.line_ids[0])
        assert min(line.accepted_quantity, line.held_quantity, line.quantity - line.accepted_quantity) >= 0
        owed = company.read(lambda c: accruals(c, TODAY))
        billed = sum(one.invoiced for one in owed if one.po_id == order.po_id)
        assert billed <= line.accepted_quantity
    assert company.read(lambda c: c.scalar(select(func.count()).select_from(receipts))) >= len(posted)
