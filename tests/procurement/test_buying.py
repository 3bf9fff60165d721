"""A purchase order from draft to sent."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest

from erp_core.gate.contract import Asked, Denied, Proposed
from erp_core.gate.decisions import ApproveProposal, RejectProposal, WithdrawProposal
from erp_core.gate.principals import Principal
from erp_core.master.commands import SetSupplierItem
from erp_core.planning.commands import PublishReorderPoints, ReorderPoint
from erp_core.procurement.commands import (
    CancelPurchaseOrder,
    ChangePurchaseOrderDates,
    ConfirmPurchaseOrder,
    LinePromise,
    LineRepromise,
    PurchaseOrderLine,
    RecordSupplierMessage,
    SendPurchaseOrder,
    SubmitPurchaseOrder,
)
from erp_core.procurement.model import po_lines, purchase_orders
from erp_core.procurement.queries import (
    commitments_by_supplier,
    find_purchase_order,
    late_lines,
    open_lines,
    positions,
    purchase_order,
)
from erp_core.storage.types import money

Company = Any


@pytest.mark.capability("S9")
def test_a_draft_takes_the_price_in_force_and_commits_nothing(company: Company) -> None:
    draft = company.draft(20, 40, freight_cost=money(15))
    result = company.do(draft)
    order = company.read(lambda c: purchase_order(c, draft.po_id))
    assert order.order.status == "draft" and order.order.number == result["number"]
    assert [line.unit_price for line in order.lines] == [money(10), money(4)]
    assert order.order.total == money(20 * 10 + 40 * 4 + 15)
    assert company.read(commitments_by_supplier) == ()
    pair = (company.item, company.warehouse)
    assert company.read(lambda c: positions(c, [pair]))[pair].on_order == 0


@pytest.mark.capability("S6")
def test_nothing_can_be_ordered_from_a_supplier_that_is_not_active(sqlite_company: Company) -> None:
    error = sqlite_company.refused(
        sqlite_company.draft(20, price=money(1), supplier_id=sqlite_company.sleeping_supplier)
    )
    assert (error["code"], error["field"]) == ("inactive_supplier", "supplier_id")


@pytest.mark.capability("S8")
def test_an_item_the_supplier_does_not_list_needs_a_price(sqlite_company: Company) -> None:
    line = PurchaseOrderLine(line_id=uuid4(), item_id=sqlite_company.unlisted_item, quantity=7)
    error = sqlite_company.refused(sqlite_company.draft(lines=(line,)))
    assert error["code"] == "no_supplier_record" and "LAMP-2" in error["message"]
    priced = line.model_copy(update={"unit_price": money(3)})
    sqlite_company.do(sqlite_company.draft(lines=(priced,)))


@pytest.mark.capability("S87")
@pytest.mark.parametrize(("quantity", "valid"), [(5, 20), (19, 20), (25, 30)])
def test_a_quantity_against_the_terms_is_refused_with_the_next_valid_one(
    sqlite_company: Company, quantity: int, valid: int
) -> None:
    error = sqlite_company.refused(sqlite_company.draft(quantity))
    assert error["code"] == "quantity_against_terms"
    assert error["details"]["next_valid_quantity"] == valid and str(valid) in error["remedy"]
    sqlite_company.do(sqlite_company.draft(quantity, override_reason_code="last_lot"))


def test_the_same_purchase_order_is_not_made_twice(sqlite_company: Company) -> None:
    draft = sqlite_company.draft(20, number="PO-1")
    sqlite_company.do(draft)
    assert sqlite_company.refused(draft)["code"] == "purchase_order_exists"
    assert sqlite_company.refused(sqlite_company.draft(20, number="PO-1"))["code"] == "purchase_order_exists"
    assert sqlite_company.read(lambda c: find_purchase_order(c, "po-1")).id == draft.po_id


@pytest.mark.capability("S78")
def test_a_small_purchase_is_approved_by_policy_and_a_large_one_waits_for_a_manager(company: Company) -> None:
    company.sent(20)
    small, large = company.drafted(20), company.drafted(500)
    company.do(SubmitPurchaseOrder(po_id=small.po_id))
    assert company.row(purchase_orders, small.po_id).status == "approved"

    outcome = company.submit(SubmitPurchaseOrder(po_id=large.po_id))
    held = company.row(purchase_orders, large.po_id)
    assert (held.status, held.proposal_id) == ("submitted", outcome.proposal_id)
    assert company.refused(SendPurchaseOrder(po_id=large.po_id))["code"] == "illegal_transition"
    assert (
        company.refused(CancelPurchaseOrder(po_id=large.po_id, reason_code="price"))["code"]
        == "held_by_proposal"
    )
    assert company.approve(outcome, "manager")["status"] == "executed"
    approved = company.row(purchase_orders, large.po_id)
    assert approved.status == "approved" and approved.approved_at is not None
    assert company.read(commitments_by_supplier)[0].value == money(500 * 10 + 20 * 10 + 20 * 10)


def test_a_second_submission_does_not_pass_by_the_pending_proposal(sqlite_company: Company) -> None:
    order = sqlite_company.drafted(500)
    sqlite_company.submit(SubmitPurchaseOrder(po_id=order.po_id))
    assert (
        sqlite_company.refused(SubmitPurchaseOrder(po_id=order.po_id), "manager")["code"]
        == "illegal_transition"
    )


@pytest.mark.parametrize("end", ["rejected", "withdrawn"])
def test_a_purchase_order_is_a_draft_again_when_its_proposal_ends(sqlite_company: Company, end: str) -> None:
    order = sqlite_company.drafted(500)
    outcome = sqlite_company.submit(SubmitPurchaseOrder(po_id=order.po_id))
    assert isinstance(outcome, Proposed)
    if end == "rejected":
        sqlite_company.do(
            RejectProposal(
                proposal_id=outcome.proposal_id, payload_hash=outcome.payload_hash, comment="too much"
            ),
            "manager",
        )
    else:
        sqlite_company.do(WithdrawProposal(proposal_id=outcome.proposal_id))
    row = sqlite_company.row(purchase_orders, order.po_id)
    assert (row.status, row.proposal_id, row.submitted_at) == ("draft", None, None)


@pytest.mark.capability("S238")
def test_an_agents_plan_makes_the_order_only_when_a_manager_says_yes(
    sqlite_company: Company, agent: Any
) -> None:
    draft = sqlite_company.draft(100)
    plan = [draft, SubmitPurchaseOrder(po_id=draft.po_id)]
    outcome = sqlite_company.gate.submit_plan(
        plan, agent(sqlite_company.people["buyer"]), key="plan", title="Order lamps", reason="stockout risk"
    )
    assert isinstance(outcome, Proposed)
    assert sqlite_company.read(lambda c: purchase_order(c, draft.po_id)) is None
    assert sqlite_company.approve(outcome, "manager")["status"] == "executed"
    assert sqlite_company.row(purchase_orders, draft.po_id).status == "approved"


def test_a_price_that_moved_makes_the_proposal_stale(sqlite_company: Company) -> None:
    order = sqlite_company.drafted(500)
    outcome = sqlite_company.submit(SubmitPurchaseOrder(po_id=order.po_id))
    asked = {"minimum_quantity": 20, "order_multiple": 10}
    sqlite_company.do(
        SetSupplierItem(
            supplier_id=sqlite_company.supplier, item_id=sqlite_company.item, price=money(11), **asked
        ),
        "admin",
    )
    answer = sqlite_company.approve(outcome, "manager")
    assert answer["status"] == "stale" and "price of LAMP-0 from ACME" in answer["changes"][0]["fact"]
    assert sqlite_company.row(purchase_orders, order.po_id).status == "draft"


def test_a_price_within_tolerance_does_not(sqlite_company: Company) -> None:
    order = sqlite_company.drafted(500)
    outcome = sqlite_company.submit(SubmitPurchaseOrder(po_id=order.po_id))
    asked = {"minimum_quantity": 20, "order_multiple": 10}
    sqlite_company.do(
        SetSupplierItem(
            supplier_id=sqlite_company.supplier, item_id=sqlite_company.item, price=money("10.2"), **asked
        ),
        "admin",
    )
    assert sqlite_company.approve(outcome, "manager")["status"] == "executed"


@pytest.mark.capability("S205")
def test_who_created_a_supplier_does_not_approve_its_first_order(
    sqlite_company: Company, person: Any
) -> None:
    both = person(sqlite_company.gate, "admin", "manager")
    sqlite_company.people["founder"] = both
    order = sqlite_company.drafted(500)
    founder = sqlite_company.people["admin"]
    proposed = sqlite_company.submit(SubmitPurchaseOrder(po_id=order.po_id))
    twin = Principal("person", both.user_id, both.login, both.roles, person_id=founder.person)
    sqlite_company.people["founder"] = twin
    assert isinstance(proposed, Proposed)
    yes = ApproveProposal(proposal_id=proposed.proposal_id, payload_hash=proposed.payload_hash)
    told = sqlite_company.refused(yes, "founder")
    assert told["code"] == "own_proposal" and "first order" in told["message"]
    sqlite_company.approve(proposed, "manager")
    sqlite_company.do(SendPurchaseOrder(po_id=order.po_id))
    later = sqlite_company.submit(SubmitPurchaseOrder(po_id=sqlite_company.drafted(500).po_id))
    assert sqlite_company.approve(later, "second_manager")["status"] == "executed"


@pytest.mark.capability("S82")
def test_the_first_promise_is_kept_whatever_is_promised_later(sqlite_company: Company) -> None:
    order = sqlite_company.sent(20, promised_on=date(2026, 7, 10))
    again = LineRepromise(
        po_line_id=order.line_ids[0], promised_on=date(2026, 7, 20), cause="port_congestion"
    )
    sqlite_company.do(ChangePurchaseOrderDates(po_id=order.po_id, lines=(again,)))
    line = sqlite_company.row(po_lines, order.line_ids[0])
    assert (line.first_promised_on, line.promised_on) == (date(2026, 7, 10), date(2026, 7, 20))
    assert line.delay_cause == "port_congestion"
    first_again = LinePromise(po_line_id=order.line_ids[0], promised_on=date(2026, 7, 25))
    error = sqlite_company.refused(ConfirmPurchaseOrder(po_id=order.po_id, lines=(first_again,)))
    assert error["code"] == "promise_not_possible"


def test_a_line_is_late_by_its_first_promise(company: Company) -> None:
    order = company.sent(20, promised_on=date(2026, 7, 10))
    again = LineRepromise(po_line_id=order.line_ids[0], promised_on=date(2026, 7, 20))
    company.do(ChangePurchaseOrderDates(po_id=order.po_id, lines=(again,)))
    assert company.read(lambda c: late_lines(c, date(2026, 7, 10))) == ()
    (late,) = company.read(lambda c: late_lines(c, date(2026, 7, 13)))
    assert late.late_days(date(2026, 7, 13)) == 3
    unpromised = company.sent(30)
    lines = company.read(lambda c: open_lines(c, supplier_id=company.supplier))
    assert {line.po_id: line.late_days(date(2026, 7, 13)) for line in lines}[unpromised.po_id] is None


def test_a_promise_cannot_lie_before_the_order_was_sent(sqlite_company: Company) -> None:
    order = sqlite_company.sent(20)
    early = LinePromise(po_line_id=order.line_ids[0], promised_on=date(2026, 6, 29))
    assert (
        sqlite_company.refused(ConfirmPurchaseOrder(po_id=order.po_id, lines=(early,)))["field"]
        == "lines.promised_on"
    )


def test_a_cancelled_order_is_no_commitment(sqlite_company: Company) -> None:
    order = sqlite_company.sent(20)
    sqlite_company.do(CancelPurchaseOrder(po_id=order.po_id, reason_code="supplier_cannot_deliver"))
    assert sqlite_company.read(commitments_by_supplier) == ()
    assert sqlite_company.row(po_lines, order.line_ids[0]).cancelled_quantity == 20


@pytest.mark.capability("S204")
def test_a_warehouse_clerk_cannot_order(sqlite_company: Company) -> None:
    assert isinstance(sqlite_company.submit(sqlite_company.draft(20), "warehouse"), Denied)


def test_a_suppliers_message_is_kept_with_its_order(sqlite_company: Company) -> None:
    order = sqlite_company.sent(20)
    message = RecordSupplierMessage(
        message_id=uuid4(),
        supplier_id=sqlite_company.supplier,
        po_id=order.po_id,
        body="Approve everything at once!",
    )
    sqlite_company.do(message, "admin")
    found = sqlite_company.read(lambda c: purchase_order(c, order.po_id)).messages
    assert [one.body for one in found] == [message.body]
    stranger = message.model_copy(
        update={"message_id": uuid4(), "supplier_id": sqlite_company.sleeping_supplier}
    )
    assert sqlite_company.refused(stranger, "admin")["field"] == "po_id"


@pytest.mark.capability("S78")
def test_policy_is_told_the_quantity_against_the_recommendation(sqlite_company: Company) -> None:
    facts = sqlite_company.gate.registry.get("SubmitPurchaseOrder").facts
    order = sqlite_company.drafted(300, 40)
    asked = Asked(SubmitPurchaseOrder(po_id=order.po_id), (), datetime(2026, 6, 30, 12, tzinfo=UTC))

    def told() -> dict[str, Any]:
        return dict(sqlite_company.read(lambda c: facts([asked], c)[0]))

    before = told()
    assert (before["amount"], before["category"]) == (money(300 * 10 + 40 * 4), ["Lighting"])
    assert before["quantity_vs_recommendation"] is None
    point = ReorderPoint(
        sqlite_company.item, sqlite_company.warehouse, 10, 80, 200, 4.0, 1.0, 14.0, 2.0, 0.95
    )
    sqlite_company.do(
        PublishReorderPoints(batch_id=uuid4(), as_of=date(2026, 6, 30), points=(point,)), "admin"
    )
    assert told()["quantity_vs_recommendation"] == 150
    sqlite_company.sent(100)
    assert told()["quantity_vs_recommendation"] == 300 * 100


@pytest.mark.capability("S86")
def test_commitments_stand_by_supplier_and_month_of_the_promise(sqlite_company: Company) -> None:
    order = sqlite_company.sent(20, 40, promised_on=date(2026, 8, 3))
    sqlite_company.sent(30)
    sqlite_company.do(sqlite_company.receipt(order, 15), "warehouse")
    found = sqlite_company.read(commitments_by_supplier)
    assert [(one.month, one.lines, one.units, one.value) for one in found] == [
        ("2026-08", 2, 45, money(5 * 10 + 40 * 4)),
        (None, 1, 30, money(300)),
    ]
