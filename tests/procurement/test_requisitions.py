"""Requisitions: asked for, approved by policy, ordered once with others for the same place."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from erp_core.finance.commands import SetBudget
from erp_core.gate.contract import Denied, Executed, Proposed
from erp_core.gate.reviews import CompleteReview, list_reviews
from erp_core.procurement.commands import (
    CancelRequisition,
    OrderRequisitions,
    RequestPurchase,
    SubmitPurchaseOrder,
)
from erp_core.procurement.model import purchase_orders
from erp_core.procurement.ordering.requests import list_requisitions
from erp_core.procurement.queries import purchase_order
from erp_core.storage.types import money
from tests.procurement.conftest import Company


def request(company: Company, quantity: int, **fields: Any) -> RequestPurchase:
    values = {"requisition_id": uuid4(), "item_id": company.item, "location_id": company.warehouse}
    return RequestPurchase(**values | {"quantity": quantity, "reason": "the shelf is empty"} | fields)


@pytest.mark.capability("S75")
def test_a_requisition_is_approved_by_policy_and_ordered_once(company: Company) -> None:
    small, early, large = (
        request(company, 15, need_by=date(2026, 8, 1)),
        request(company, 10, need_by=date(2026, 7, 15)),
        request(company, 60),
    )
    assert isinstance(company.submit(small, "warehouse"), Executed), "150.00 needs nobody"
    company.do(early, "warehouse")
    proposed = company.submit(large, "warehouse")
    assert isinstance(proposed, Proposed) and proposed.policy == "requisition from 500"
    assert len(company.read(list_requisitions)) == 2, "what waits is a proposal still"
    company.approve(proposed, "manager")
    unknown = company.submit(request(company, 1, item_id=company.unlisted_item), "warehouse")
    assert isinstance(unknown, Proposed), "nobody knows what it costs"
    ids = tuple(one.requisition_id for one in (small, early, large))
    order = OrderRequisitions(po_id=uuid4(), supplier_id=company.supplier, requisition_ids=ids)
    assert isinstance(company.submit(order, "warehouse"), Denied)
    told = company.do(order)
    detail = company.read(lambda c: purchase_order(c, order.po_id))
    (line,) = detail.lines
    assert (line.quantity, line.need_by) == (90, date(2026, 7, 15)), "85 raised to the multiple of ten"
    assert len(told["requisitions"]) == 3 and detail.order.status == "draft"
    again = company.refused(order.model_copy(update={"po_id": uuid4()}))
    assert again["code"] == "illegal_transition"
    cancelled = request(company, 5)
    company.do(cancelled, "warehouse")
    cancel = CancelRequisition(requisition_id=cancelled.requisition_id, reason_code="not_needed")
    company.do(cancel, "warehouse")
    late = OrderRequisitions(
        po_id=uuid4(), supplier_id=company.supplier, requisition_ids=(cancelled.requisition_id,)
    )
    assert company.refused(late)["code"] == "illegal_transition"
    for wrong, field in (
        (
            OrderRequisitions(po_id=uuid4(), supplier_id=company.supplier, requisition_ids=(uuid4(),)),
            "requisition_id",
        ),
        (request(company, 5, item_id=uuid4()), "item_id"),
        (request(company, 5, location_id=uuid4()), "location_id"),
    ):
        error = company.refused(wrong)
        assert (error["field"], bool(error["remedy"])) == (field, True)
    statuses = sorted(one.status for one in company.read(list_requisitions))
    assert statuses == ["cancelled", "ordered", "ordered", "ordered"]


@pytest.mark.capability("S79", "S88")
def test_an_urgent_buy_runs_within_its_own_limit_is_reviewed_later_and_never_beyond_the_budget(
    company: Company,
) -> None:
    company.sent(20)

    def urgent(quantity: int, urgent: bool = True) -> Any:
        order = company.drafted(quantity)
        return company.gate.submit_plan(
            [SubmitPurchaseOrder(po_id=order.po_id)],
            company.people["buyer"],
            key=uuid4().hex,
            title="Lamps",
            reason="customers wait",
            urgent=urgent,
        ), order

    waits, _ = urgent(300, urgent=False)
    assert isinstance(waits, Proposed)
    ran, order = urgent(300)
    assert isinstance(ran, Executed)
    assert company.row(purchase_orders, order.po_id).status == "approved"
    (review,) = company.read(list_reviews)
    assert (review["kind"], review["role"]) == ("urgent", "manager")
    beyond, _ = urgent(1_000)
    assert isinstance(beyond, Proposed), "above its limit"
    budget = SetBudget(category="Lighting", month=date(2026, 6, 1), amount=money(100))
    company.approve(company.submit(budget, "finance"), "manager")
    over, _ = urgent(20)
    assert isinstance(over, Proposed) and over.policy == "purchase beyond the budget"
    own = CompleteReview(review_id=review["id"], verdict="justified", comment="seen")
    assert company.submit(own, "buyer") is not None
    company.do(own, "manager")
