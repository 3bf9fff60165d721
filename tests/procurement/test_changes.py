"""Changes of an approved order: numbered, with reason and author, approved anew above a threshold."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from erp_core.gate.contract import Executed, Proposed, Refused
from erp_core.procurement.commands import (
    ChangePurchaseOrder,
    ConfirmPurchaseOrder,
    LineCancellation,
    LineChange,
    LinePromise,
    PurchaseOrderLine,
)
from erp_core.procurement.model import po_lines, po_revisions, purchase_orders
from erp_core.procurement.ordering.steps import due_steps
from erp_core.procurement.queries import open_lines
from erp_core.storage.types import money
from tests.procurement.conftest import TODAY, Company, Order
from tests.procurement.test_supplier_channel import JULY_10, JULY_20, confirm, open_cases


def change(order: Order, line: int = 0, reason: str = "demand_changed", **fields: Any) -> ChangePurchaseOrder:
    return ChangePurchaseOrder(
        po_id=order.po_id,
        reason_code=reason,
        lines=(LineChange(po_line_id=order.line_ids[line], **fields),),
    )


def revisions(company: Company, order: Order) -> list[Any]:
    table = po_revisions
    return list(
        company.read(
            lambda c: c.execute(
                select(table).where(table.c.po_id == order.po_id).order_by(table.c.revision)
            ).all()
        )
    )


@pytest.mark.capability("S81")
def test_a_change_keeps_what_changed_why_and_by_whom_and_is_to_be_confirmed_again(company: Company) -> None:
    order = company.sent(20, 40, promised_on=JULY_10)
    told = company.do(change(order, quantity=30))
    assert (told["revision"], told["asked_again"]) == (1, [1])
    company.do(change(order, line=1, reason="other_date", need_by=date(2026, 7, 5)))
    first, second = revisions(company, order)
    assert first.changes == {"1": {"quantity": [20, 30]}}
    assert second.changes == {"2": {"need_by": [None, "2026-07-05"]}}
    assert (first.author_id, first.reason_code) == (company.people["buyer"].user_id, "demand_changed")
    assert (first.total_before, first.total_after) == (money(360), money(460))
    stands = company.row(purchase_orders, order.po_id)
    assert (stands.status, stands.total) == ("sent", money(460))
    assert [one.step for one in company.read(lambda c: due_steps(c, JULY_20))] == ["confirmation"]
    company.do(confirm(order, {"promised_on": JULY_20}, {"promised_on": date(2026, 7, 4)}))
    line = company.row(po_lines, order.line_ids[0])
    assert (line.first_promised_on, line.promised_on, line.confirmed_quantity) == (JULY_10, JULY_20, 30)
    assert company.read(lambda c: due_steps(c, JULY_20)) == []


@pytest.mark.capability("S81")
def test_a_change_above_the_threshold_waits_for_a_manager_and_small_ones_add_up(company: Company) -> None:
    company.sent(10, override_reason_code="trial_order")
    order = company.sent(100)
    assert isinstance(company.submit(change(order, quantity=230)), Executed)
    proposed = company.submit(change(order, quantity=250))
    assert isinstance(proposed, Proposed), "2,500 that nobody was asked about, in steps"
    assert company.row(po_lines, order.line_ids[0]).quantity == 230
    company.approve(proposed, "manager")
    last = revisions(company, order)[-1]
    assert (last.revision, last.proposal_id) == (2, proposed.proposal_id)
    assert isinstance(company.submit(change(order, quantity=260)), Executed), (
        "little beyond what was agreed to"
    )
    assert isinstance(company.submit(change(order, quantity=600)), Proposed)
    assert isinstance(company.submit(change(order, quantity=240)), Executed), "less needs nobody"
    twin = company.submit(change(order, quantity=700))
    company.do(change(order, quantity=200))
    from erp_core.gate.decisions import ApproveProposal

    yes = ApproveProposal(proposal_id=twin.proposal_id, payload_hash=twin.payload_hash)
    assert company.submit(yes, "manager") is not None
    assert company.row(po_lines, order.line_ids[0]).quantity == 200, "what it rested on is gone: it is stale"


@pytest.mark.capability("S81", "S82")
def test_changing_the_order_to_what_was_confirmed_settles_the_exception_and_asks_nobody_again(
    sqlite_company: Company,
) -> None:
    company = sqlite_company
    order = company.sent(40)
    company.do(confirm(order, {"promised_on": JULY_10, "quantity": 30, "unit_price": money(11)}))
    assert len(open_cases(company)) == 1
    told = company.do(change(order, reason="supplier_asked", quantity=30, unit_price=money(11)))
    assert told["asked_again"] == []
    assert open_cases(company) == {}
    assert company.row(purchase_orders, order.po_id).status == "confirmed"


@pytest.mark.capability("S81")
def test_a_change_that_cannot_be_is_refused_with_its_remedy_and_leaves_no_revision(
    sqlite_company: Company,
) -> None:
    company = sqlite_company
    draft, order = company.drafted(20), company.sent(40, 40, promised_on=JULY_10)
    company.do(company.receipt(order, 30, 40), "warehouse")
    for command, field in (
        (change(draft, quantity=30), "po_id"),
        (change(order, quantity=40), "lines"),
        (change(order, quantity=20), "lines.quantity"),
        (change(order, quantity=55), "lines.quantity"),
        (change(order, unit_price=money(9)), "lines.unit_price"),
        (change(order, line=1, quantity=50), "lines"),
        (change(order, reason="because", quantity=50), "reason_code"),
    ):
        error = company.refused(command)
        assert (error["field"], bool(error["remedy"])) == (field, True), command
    assert revisions(company, order) == []
    outcome = company.submit(change(order, quantity=50), "warehouse")
    assert not isinstance(outcome, Executed | Refused | Proposed), "it is no right of the warehouse"
    promise = LinePromise(po_line_id=uuid4(), promised_on=JULY_10)
    assert company.refused(ConfirmPurchaseOrder(po_id=order.po_id, lines=(promise,)))["code"] == "not_found"


def added(company: Company, order: Order, quantity: int, **fields: Any) -> ChangePurchaseOrder:
    line = {"line_id": uuid4(), "item_id": company.other_item, "quantity": quantity} | fields
    return ChangePurchaseOrder(
        po_id=order.po_id, reason_code="demand_changed", added=(PurchaseOrderLine(**line),)
    )


def cancelled(order: Order, line: int, quantity: int | None = None, **fields: Any) -> ChangePurchaseOrder:
    gone = LineCancellation(po_line_id=order.line_ids[line], quantity=quantity)
    return ChangePurchaseOrder(
        po_id=order.po_id, reason_code="supplier_cannot_deliver", cancelled=(gone,), **fields
    )


@pytest.mark.capability("S81")
def test_a_line_added_to_a_sent_order_is_a_revision_at_the_price_in_force_and_is_to_be_confirmed(
    company: Company,
) -> None:
    order = company.sent(20, promised_on=JULY_10)
    more = added(company, order, 40, need_by=JULY_20)
    told = company.do(more)
    assert (told["revision"], told["asked_again"], told["total"]) == (1, [2], money(360))
    (revision,) = revisions(company, order)
    expected = {"quantity": [None, 40], "unit_price": [None, money(4)], "need_by": [None, "2026-07-20"]}
    assert revision.changes == {"2": expected | {"item_id": [None, str(company.other_item)]}}
    line = company.row(po_lines, more.added[0].line_id)
    assert (line.line_no, line.quantity, line.unit_price) == (2, 40, money(4))
    assert company.row(purchase_orders, order.po_id).status == "sent"
    assert [one.step for one in company.read(lambda c: due_steps(c, JULY_20))] == ["confirmation"]
    second = Order(order.po_id, (line.id,))
    company.do(confirm(second, {"promised_on": JULY_20}))
    company.do(company.receipt(Order(order.po_id, (*order.line_ids, line.id)), 20, 40), "warehouse")
    assert company.row(purchase_orders, order.po_id).status == "received"


@pytest.mark.capability("S81")
def test_an_added_line_counts_with_what_people_agreed_to_and_is_checked_like_a_draft(
    company: Company,
) -> None:
    company.sent(10, override_reason_code="trial_order")
    order = company.sent(100)
    assert isinstance(company.submit(added(company, order, 100)), Executed)
    proposed = company.submit(added(company, order, 300))
    assert isinstance(proposed, Proposed) and proposed.policy == "purchase order change from 2,500"
    company.approve(proposed, "manager")
    assert company.row(purchase_orders, order.po_id).total == money(2_600)
    twin = order.line_ids[0]
    for command, code in (
        (added(company, order, 25), "quantity_against_terms"),
        (added(company, order, 20, item_id=company.unlisted_item), "no_supplier_record"),
        (added(company, order, 20, item_id=uuid4()), "not_found"),
        (added(company, order, 20, line_id=twin), "purchase_order_exists"),
    ):
        error = company.refused(command)
        assert (error["code"], bool(error["remedy"])) == (code, True), error
    assert len(revisions(company, order)) == 2


@pytest.mark.capability("S81", "S82")
def test_what_is_cancelled_of_an_order_is_a_revision_and_no_longer_awaited(company: Company) -> None:
    order = company.sent(40, 40, 20)
    company.do(confirm(order, {"promised_on": JULY_10}, {"quantity": 0}, {"promised_on": JULY_10}))
    assert len(open_cases(company)) == 1, "the supplier will not deliver the second line"
    told = company.do(cancelled(order, 1))
    assert (told["asked_again"], told["total"]) == ([], money(600))
    assert open_cases(company) == {}
    told = company.do(cancelled(order, 0, 20))
    assert (told["asked_again"], told["total"]) == ([1], money(400)), "what is left of it is to be confirmed"
    changes = [one.changes for one in revisions(company, order)]
    assert changes == [{"2": {"cancelled_quantity": [0, 40]}}, {"1": {"cancelled_quantity": [0, 20]}}]
    assert [line.open_quantity for line in company.read(open_lines)] == [20, 20]
    company.do(company.receipt(Order(order.po_id, (order.line_ids[0],)), 20), "warehouse")
    assert company.row(purchase_orders, order.po_id).status == "partly_received"
    company.do(cancelled(order, 2))
    assert company.row(purchase_orders, order.po_id).status == "received", "nothing more is to come"


@pytest.mark.capability("S81", "S93")
def test_a_short_line_whose_rest_is_cancelled_was_complete_when_its_last_goods_came(
    sqlite_company: Company,
) -> None:
    company = sqlite_company
    order = company.sent(40, 20, promised_on=JULY_10)
    company.do(company.receipt(order, 20), "warehouse")
    company.do(cancelled(order, 0, override_reason_code="supplier_agreed"))
    line = company.row(po_lines, order.line_ids[0])
    assert (line.completed_on, line.cancelled_quantity) == (TODAY, 20)
    for command, field in (
        (cancelled(order, 0), "cancelled.quantity"),
        (cancelled(order, 1, 21), "cancelled.quantity"),
        (cancelled(order, 1, 5), "lines.quantity"),
        (cancelled(company.sent(20), 0), "cancelled"),
    ):
        error = company.refused(command)
        assert (error["field"], bool(error["remedy"])) == (field, True), error
    with pytest.raises(ValueError, match="changed twice"):
        ChangePurchaseOrder(
            po_id=order.po_id,
            reason_code="demand_changed",
            lines=(LineChange(po_line_id=order.line_ids[0], quantity=30),),
            cancelled=(LineCancellation(po_line_id=order.line_ids[0]),),
        )
