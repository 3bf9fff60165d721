"""Goods go back to their supplier from stock and from quarantine: the return is the move, the cost and the claim."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from erp_core.analytics.query import MetricQuery
from erp_core.analytics.run import run
from erp_core.finance.books import trial_balance
from erp_core.finance.queries import valuation, valuation_differences
from erp_core.gate.contract import Command, Executed, Outcome, Proposed, Refused
from erp_core.inventory.commands import HoldStock
from erp_core.inventory.queries import rebuild_differences
from erp_core.master.commands import CreateChannel, CreateLocation
from erp_core.orders.commands import OrderLine, PlaceOrder
from erp_core.procurement.books.reconciling import journal_differences
from erp_core.procurement.commands import DecideHeldGoods, ReverseReceipt, SetInspectionRule
from erp_core.procurement.model import po_lines, vendor_returns
from erp_core.returns.commands import (
    ArrivedLine,
    AuthorisedLine,
    AuthoriseReturn,
    DisposedLine,
    DisposeReturn,
    InspectedLine,
    InspectReturn,
    ReceiveReturn,
    ReturnToVendor,
    ReverseVendorReturn,
    SettleVendorClaim,
)
from erp_core.returns.queries import (
    OpenClaims,
    VendorClaim,
    list_vendor_claims,
    open_vendor_claims,
    vendor_claim,
    vendor_claims_page,
)
from erp_core.storage.engine import reading
from erp_core.storage.types import money
from tests.procurement.conftest import TODAY, Company, Order
from tests.procurement.conftest import company as company
from tests.procurement.conftest import founding as founding
from tests.procurement.conftest import sqlite_company as sqlite_company
from tests.procurement.test_drop_ship import DropShop, parcel
from tests.procurement.test_receiving_lots import delivery, lies, ordered, tracked
from tests.shop import Shop
from tests.shop_fixtures import fresh_shop as fresh_shop


def sent_back(order: Order, units: int, **fields: Any) -> ReturnToVendor:
    values = {
        "vendor_return_id": uuid4(),
        "po_id": order.po_id,
        "po_line_id": order.line_ids[0],
        "quantity": units,
        "state": "available",
        "reason_code": "quality",
        "defect": "faulty",
    }
    return ReturnToVendor.model_validate(values | fields)


def received(company: Company, *units: int) -> Order:
    order = company.sent(*units)
    company.do(company.receipt(order, *units), "warehouse")
    return order


def claims(company: Company) -> tuple[VendorClaim, ...]:
    found: tuple[VendorClaim, ...] = company.read(list_vendor_claims)
    return found


def balances(company: Company) -> dict[str, int]:
    found = company.read(lambda c: trial_balance(c, TODAY))
    return {one.code: one.balance for one in found if one.balance}


def agreed(company: Company) -> None:
    for day in (TODAY, TODAY + timedelta(days=1)):
        assert company.read(lambda c, on=day: journal_differences(c, on)) == []
    assert company.read(valuation_differences) == [] == company.read(rebuild_differences)


def in_quarantine(company: Company, units: int) -> None:
    hold = HoldStock(
        hold_id=uuid4(),
        item_id=company.item,
        reason_code="damage_suspected",
        location_id=company.warehouse,
        quantity=units,
    )
    company.do(hold, "warehouse")


@pytest.mark.capability("S102")
def test_goods_go_back_by_quantity_from_stock_and_from_quarantine_and_the_supplier_owes_their_cost(
    company: Company,
) -> None:
    order = received(company, 40)
    in_quarantine(company, 6)
    company.do(sent_back(order, 10), "warehouse")
    quarantined = sent_back(order, 4, state="quarantined", defect="damaged", comment="cracked in transit")
    result = company.do(quarantined, "warehouse")
    assert company.stock(company.item) == {"available": 24, "quarantined": 2}
    worth = {one.item_id: (one.quantity, one.value) for one in company.read(valuation)}
    assert worth[company.item] == (26, money(260))
    assert balances(company) == {
        "stock": money(260),
        "claims_receivable": money(140),
        "goods_received_not_invoiced": money(400),
    }
    first, second = claims(company)
    told = (second.supplier_id, second.po_line_id, second.vendor_return_id, second.return_line_id)
    assert told == (company.supplier, order.line_ids[0], quarantined.vendor_return_id, None)
    assert (first.quantity, first.expected, second.expected) == (10, money(100), money(40))
    assert result["claim_id"] == str(second.id) and result["expected"] == money(40)
    row = company.row(vendor_returns, quarantined.vendor_return_id)
    assert (row.state, row.reason_code, row.defect, row.comment) == (
        "quarantined",
        "quality",
        "damaged",
        "cracked in transit",
    )
    company.do(SettleVendorClaim(claim_id=first.id, credited=money(90), credit_note="C-1"), "finance")
    company.do(SettleVendorClaim(claim_id=second.id, credited=0), "finance")
    assert balances(company)["supplier_credits"] == money(90)
    assert balances(company)["stock_losses"] == money(10) + money(40)
    agreed(company)


@pytest.mark.capability("S102")
def test_claims_come_by_pages_open_ones_first_and_what_is_open_is_told_in_all(company: Company) -> None:
    assert company.read(open_vendor_claims) == OpenClaims(0, 0, 0, 0, None)
    order = received(company, 40)
    for units in (3, 4, 5):
        company.do(sent_back(order, units), "warehouse")
    first, second, third = claims(company)
    company.do(SettleVendorClaim(claim_id=first.id, credited=0), "finance")
    assert company.read(open_vendor_claims) == OpenClaims(2, 9, money(90), 0, TODAY)
    page, total = company.read(lambda c: vendor_claims_page(c, limit=2))
    assert ([one.id for one in page], total) == ([second.id, third.id], 3)
    rest, total = company.read(lambda c: vendor_claims_page(c, limit=2, offset=2))
    assert ([(one.id, one.status) for one in rest], total) == ([(first.id, "refused")], 3)
    refused, total = company.read(lambda c: vendor_claims_page(c, status="refused"))
    assert (refused, total) == (rest, 1)
    assert company.read(lambda c: vendor_claim(c, third.id)) == third
    assert company.read(lambda c: vendor_claim(c, uuid4())) is None


@pytest.mark.capability("S102")
def test_what_may_not_go_back_is_refused_with_the_field_and_the_way_out(company: Company) -> None:
    order, other = received(company, 40), received(company, 20)
    company.do(sent_back(order, 30), "warehouse")
    again = sent_back(order, 5)
    company.do(again, "warehouse")
    yesterday = datetime(2026, 6, 29, 9, tzinfo=UTC)
    company.people["past"] = company.gate.bootstrap_user("past", roles=("simulator",), kind="service")
    for wrong, code, field in (
        (sent_back(order, 6), "return_exceeds_received", "quantity"),
        (sent_back(order, 1, po_line_id=other.line_ids[0]), "not_found", "po_line_id"),
        (sent_back(order, 1, reason_code="counted"), "unknown_reason", "reason_code"),
        (sent_back(order, 1, state="quarantined"), "insufficient_stock", "quantity"),
        (sent_back(order, 1, location_id=uuid4()), "not_found", "location_id"),
        (sent_back(order, 1, lot_code="A"), "not_tracked", "lot_code"),
        (sent_back(order, 1, vendor_return_id=again.vendor_return_id), "already_exists", "vendor_return_id"),
        (sent_back(order, 1, occurred_at=yesterday), "not_returnable", "occurred_at"),
    ):
        error = company.refused(wrong, "past")
        assert (error["code"], error["field"]) == (code, field) and error["remedy"], error
    error = company.refused(sent_back(order, 6), "past")
    assert error["details"] == {"accepted": 40, "went_back": 35, "left": 5}
    assert len(claims(company)) == 2 and company.stock(company.item) == {"available": 25}
    agreed(company)


@pytest.mark.capability("S102")
def test_from_a_limit_on_a_manager_agrees_also_when_it_goes_back_in_parts(company: Company) -> None:
    order = received(company, 100)
    company.do(sent_back(order, 40), "warehouse")
    rest = company.submit(sent_back(order, 10), "warehouse")
    assert isinstance(rest, Proposed)
    assert isinstance(company.submit(sent_back(order, 9), "warehouse"), Executed)
    company.approve(rest, "manager")
    assert company.stock(company.item) == {"available": 41}
    assert isinstance(company.submit(sent_back(order, 1), "warehouse"), Proposed)
    assert isinstance(company.submit(sent_back(received(company, 60), 50), "warehouse"), Proposed)
    assert not isinstance(company.submit(sent_back(order, 1), "buyer"), Executed | Proposed)
    agreed(company)


@pytest.mark.capability("S102")
def test_a_return_is_taken_back_once_while_nobody_credited_it(company: Company) -> None:
    order = received(company, 40)
    before = balances(company)
    command = sent_back(order, 12)
    company.do(command, "warehouse")
    back = ReverseVendorReturn(vendor_return_id=command.vendor_return_id, reason_code="supplier_sent_back")
    company.do(back, "warehouse")
    assert company.stock(company.item) == {"available": 40} and balances(company) == before
    assert [(one.status, one.credited) for one in claims(company)] == [("withdrawn", 0)]
    assert company.refused(back, "warehouse")["code"] == "illegal_transition"
    settled = sent_back(order, 39)
    company.do(settled, "warehouse")
    (claim,) = (one for one in claims(company) if one.status == "open")
    company.do(SettleVendorClaim(claim_id=claim.id, credited=0), "finance")
    late = back.model_copy(update={"vendor_return_id": settled.vendor_return_id})
    assert company.refused(late, "warehouse")["code"] == "illegal_transition"
    unknown = back.model_copy(update={"vendor_return_id": uuid4()})
    assert company.refused(unknown, "warehouse")["code"] == "not_found"
    agreed(company)


@pytest.mark.capability("S102", "S105")
def test_a_receipt_whose_goods_went_back_is_not_reversed_before_they_come_again(company: Company) -> None:
    order = company.sent(40)
    receipt = company.receipt(order, 20)
    company.do(receipt, "warehouse")
    gone = sent_back(order, 5)
    company.do(gone, "warehouse")
    company.people["checker"] = company.gate.bootstrap_user("checker", roles=("warehouse",))
    wrong = ReverseReceipt(po_id=order.po_id, receipt_id=receipt.receipt_id, reason_code="wrong_order")
    error = company.refused(wrong, "checker")
    assert (error["code"], error["field"]) == ("receipt_not_reversible", "receipt_id")
    assert error["details"]["went_back"] == 5
    again = ReverseVendorReturn(vendor_return_id=gone.vendor_return_id, reason_code="never_left")
    company.do(again, "checker")
    company.do(wrong, "checker")
    assert company.stock(company.item) == {} and balances(company) == {}
    agreed(company)


def defect_rate(company: Company) -> float:
    query = MetricQuery(metrics=("defect_rate",), by=("supplier",))
    tomorrow = TODAY + timedelta(days=1)
    asked: dict[str, Any] = {"today": tomorrow, "rights": {"read_metrics"}}
    now = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=UTC)
    (row,) = (
        one
        for one in company.read(lambda c: run(c, query, computed_at=now, **asked)).rows
        if one[-1] is not None
    )
    return float(row[-1])


@pytest.mark.capability("S102", "S137")
def test_a_unit_counts_against_its_supplier_once_however_it_was_found(company: Company) -> None:
    asked = company.submit(SetInspectionRule(supplier_id=company.supplier, required=True))
    company.approve(asked, "manager")
    order = received(company, 40)

    def decide(decision: str, units: int, held_for: str) -> None:
        command = DecideHeldGoods.model_validate(
            {
                "decision_id": uuid4(),
                "po_id": order.po_id,
                "po_line_id": order.line_ids[0],
                "decision": decision,
                "quantity": units,
                "held_for": held_for,
            }
        )
        company.do(command, "buyer" if held_for == "quarantine" else "warehouse")

    decide("quarantine", 4, "inspection")
    decide("accept", 36, "inspection")
    assert defect_rate(company) == pytest.approx(4 / 40)
    decide("accept", 4, "quarantine")
    company.do(sent_back(order, 3), "warehouse")
    assert defect_rate(company) == pytest.approx(4 / 40), "three of the four that were in doubt"
    company.do(sent_back(order, 5, defect=None, reason_code="agreed"), "warehouse")
    assert defect_rate(company) == pytest.approx(4 / 40), "nothing was wrong with them"
    more = sent_back(order, 5)
    company.do(more, "warehouse")
    assert defect_rate(company) == pytest.approx(8 / 40)
    again = ReverseVendorReturn(vendor_return_id=more.vendor_return_id, reason_code="never_left")
    company.do(again, "warehouse")
    assert defect_rate(company) == pytest.approx(4 / 40)
    agreed(company)


@pytest.mark.capability("S102", "S34")
def test_lots_and_numbered_units_go_back_with_the_order_that_brought_them(company: Company) -> None:
    item_id = tracked(company, lot_tracked=True)
    first, second = ordered(company, item_id, 20), ordered(company, item_id, 20)
    company.do(delivery(first, {"quantity": 12, "lot_code": "A"}), "warehouse")
    company.do(delivery(second, {"quantity": 8, "lot_code": "B"}), "warehouse")
    assert company.refused(sent_back(first, 2), "warehouse")["code"] == "lot_required"
    error = company.refused(sent_back(first, 2, lot_code="B"), "warehouse")
    assert (error["code"], error["field"]) == ("lot_of_another_order", "lot_code")
    assert company.refused(sent_back(first, 2, lot_code="C"), "warehouse")["code"] == "not_found"
    gone = sent_back(first, 5, lot_code="A")
    company.do(gone, "warehouse")
    assert lies(company, "A") == {"available": 7}
    company.do(
        HoldStock(hold_id=uuid4(), item_id=item_id, lot_code="A", reason_code="supplier_notice"), "warehouse"
    )
    again = ReverseVendorReturn(vendor_return_id=gone.vendor_return_id, reason_code="supplier_sent_back")
    company.do(again, "warehouse")
    assert lies(company, "A") == {"quarantined": 12}, "the lot is held, wherever its units lie"
    company.do(sent_back(first, 12, lot_code="A", state="quarantined"), "warehouse")
    assert lies(company, "A") == {}
    numbered = tracked(company, serial_tracked=True)
    order = ordered(company, numbered, 10)
    company.do(delivery(order, {"quantity": 2, "serials": ("S1", "S2")}), "warehouse")
    gone = sent_back(order, 1, serials=("S2",))
    company.do(gone, "warehouse")
    assert (lies(company, "S1"), lies(company, "S2")) == ({"available": 1}, {})
    assert company.refused(sent_back(order, 1, serials=("S2",)), "warehouse")["code"] == "insufficient_stock"
    agreed(company)


@pytest.mark.capability("S102", "S34")
def test_what_a_customer_sent_back_to_the_supplier_counts_for_the_order_that_brought_its_lot(
    company: Company,
) -> None:
    for role in ("service", "returns"):
        company.people[role] = company.gate.bootstrap_user(role, roles=(role,))
    channel = CreateChannel(channel_id=uuid4(), code="STORE", channel_name="Store", kind="store")
    company.do(channel, "admin")
    item_id = tracked(company, lot_tracked=True)
    order = ordered(company, item_id, 20)
    company.do(delivery(order, {"quantity": 12, "lot_code": "A"}), "warehouse")
    line = OrderLine(
        line_id=uuid4(),
        item_id=item_id,
        quantity=5,
        unit_price=money(20),
        list_price=money(20),
        location_id=company.warehouse,
    )
    sale = PlaceOrder(
        order_id=uuid4(),
        external_ref=uuid4().hex,
        channel_id=channel.channel_id,
        customer_country="Italy",
        lines=(line,),
        ship_now=True,
        shipment_id=uuid4(),
    )
    company.do(sale, "service")
    one, return_id = uuid4(), uuid4()
    asked = AuthorisedLine(
        return_line_id=one, order_line_id=line.line_id, quantity=4, reason_code="defective"
    )
    company.do(AuthoriseReturn(return_id=return_id, order_id=sale.order_id, lines=(asked,)), "returns")
    arrived = ArrivedLine(return_line_id=one, quantity=4, lot_code="A")
    company.do(ReceiveReturn(return_id=return_id, lines=(arrived,)), "returns")
    found = InspectedLine(return_line_id=one, condition="defective")
    company.do(InspectReturn(return_id=return_id, lines=(found,)), "returns")
    quarantined = DisposedLine(return_line_id=one, disposition="quarantine", reason_code="safety")
    company.do(DisposeReturn(return_id=return_id, lines=(quarantined,)), "returns")
    theirs = sent_back(order, 1, lot_code="A", state="quarantined")
    error = company.refused(theirs, "warehouse")
    assert (error["code"], error["field"]) == ("not_returnable", "quantity")
    assert error["details"] == {"waiting": 4}
    final = DisposedLine(return_line_id=one, disposition="vendor_return", reason_code="safety")
    company.do(DisposeReturn(return_id=return_id, lines=(final,)), "returns")
    (claim,) = claims(company)
    assert (claim.return_line_id, claim.vendor_return_id, claim.po_line_id) == (one, None, order.line_ids[0])
    error = company.refused(sent_back(order, 9, lot_code="A"), "warehouse")
    assert error["code"] == "return_exceeds_received" and error["details"]["left"] == 8
    agreed(company)


@pytest.mark.capability("S102")
def test_goods_that_went_straight_to_a_customer_do_not_go_back_from_stock(fresh_shop: Shop) -> None:
    drop = DropShop(fresh_shop)
    bought = drop.order(3)
    drop.run()
    po_id = drop.sent(bought)
    fresh_shop.run(parcel(po_id))
    with reading(fresh_shop.gate.engine) as connection:
        line_ids = tuple(connection.scalars(select(po_lines.c.id).where(po_lines.c.po_id == po_id)))
    error = fresh_shop.refused(sent_back(Order(po_id, line_ids), 1))
    assert (error.code, error.field) == ("not_returnable", "po_line_id")


@pytest.mark.capability("S102")
def test_goods_go_back_from_where_they_were_put(sqlite_company: Company) -> None:
    company = sqlite_company
    order = received(company, 40)
    place = CreateLocation(location_id=uuid4(), code="SIDE", location_name="Side")
    company.do(place, "admin")
    error = company.refused(sent_back(order, 1, location_id=place.location_id), "warehouse")
    assert (error["code"], error["field"]) == ("insufficient_stock", "quantity")


@pytest.mark.capability("S102")
def test_of_two_who_send_the_last_units_back_at_once_one_is_refused(company: Company) -> None:
    order, other = received(company, 40), received(company, 40)
    company.do(sent_back(order, 30), "warehouse")
    company.people["returns"] = company.gate.bootstrap_user("returns", roles=("returns",))

    def at_once(*commands: Command) -> list[Outcome]:
        people = ("warehouse", "returns")
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(company.submit, commands, people))

    outcomes = at_once(sent_back(order, 7), sent_back(order, 7))
    (refused,) = (one for one in outcomes if isinstance(one, Refused))
    assert refused.error.code == "return_exceeds_received" and refused.error.details["left"] == 3
    in_quarantine(company, 40)
    outcomes = at_once(sent_back(order, 3), sent_back(other, 3))
    (refused,) = (one for one in outcomes if isinstance(one, Refused))
    assert refused.error.code == "insufficient_stock", "three units are left of both orders' goods"
    assert sum(isinstance(one, Executed) for one in outcomes) == 1
    agreed(company)
