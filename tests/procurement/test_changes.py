"""Changes of an approved order: numbered, with reason and author, approved anew above a threshold."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from erp_core.gate.contract import Executed, Proposed, Refused
from erp_core.procurement.commands import ChangePurchaseOrder, ConfirmPurchaseOrder, LineChange, LinePromise
from erp_core.procurement.model import po_lines, po_revisions, purchase_orders
from erp_core.procurement.steps import due_steps
from erp_core.storage.types import money
from tests.procurement.conftest import Company, Order
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
