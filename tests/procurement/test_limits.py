"""Limits on buying can't be gone around: parts count as the whole, other currencies are converted, budgets are told."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest

from erp_core.finance.commands import SetBudget, SetExchangeRate
from erp_core.gate.commands import SetCompanyFact
from erp_core.gate.contract import Executed, Outcome, Proposed, Refused, Submission
from erp_core.master.commands import SetSupplierItem, SetSupplierPrice
from erp_core.procurement.commands import CancelPurchaseOrder, SubmitPurchaseOrder
from erp_core.storage.types import money
from tests.procurement.conftest import TODAY, Company

JUNE = date(2026, 6, 1)


def submit(company: Company, units: int) -> Outcome:
    """An order of so many lamps at 10.00."""
    return company.submit(SubmitPurchaseOrder(po_id=company.drafted(units).po_id))


@pytest.fixture
def known(company: Company) -> Company:
    """A company that has bought from its supplier before."""
    company.sent(500)
    return company


@pytest.mark.capability("S206")
def test_the_parts_of_a_split_order_count_as_the_whole(known: Company) -> None:
    assert isinstance(submit(known, 120), Executed), "1,200 runs"
    assert isinstance(submit(known, 110), Executed), "2,300 in all still runs"
    third = submit(known, 20)
    assert isinstance(third, Proposed), "2,500 in all does not"
    assert third.approvers == [{"role": "manager", "people": 1}]
    known.approve(third, "manager")
    assert isinstance(submit(known, 20), Proposed), "and what was bought unasked still counts"


@pytest.mark.capability("S206")
def test_the_parts_of_one_batch_count_as_the_whole(known: Company) -> None:
    drafts = [known.drafted(120) for _ in range(3)]
    submissions = [Submission(SubmitPurchaseOrder(po_id=one.po_id), uuid4().hex) for one in drafts]
    outcomes = known.gate.submit_many(submissions, known.people["buyer"])
    assert [type(one) for one in outcomes] == [Executed, Executed, Proposed]


@pytest.mark.capability("S206")
def test_a_cancelled_order_counts_no_more(known: Company) -> None:
    order = known.drafted(240)
    known.do(SubmitPurchaseOrder(po_id=order.po_id))
    known.do(CancelPurchaseOrder(po_id=order.po_id, reason_code="price"))
    assert isinstance(submit(known, 240), Executed)


@pytest.mark.capability("S206")
def test_an_order_in_another_currency_is_judged_in_the_companys(known: Company) -> None:
    known.do(SetCompanyFact(key="currency", value="USD"), "admin")
    unrated = known.refused(SubmitPurchaseOrder(po_id=known.drafted(20).po_id))
    assert unrated["code"] == "no_policy_matches"
    rate = SetExchangeRate(currency="EUR", valid_from=JUNE, rate=125_000_000)
    known.approve(known.submit(rate, "finance"), "manager")
    assert isinstance(submit(known, 200), Proposed), "2,500 dollars wait"
    assert isinstance(submit(known, 190), Executed), "2,375 dollars run"


@pytest.mark.capability("S206")
def test_what_goes_beyond_the_budget_of_the_month_asks_two(known: Company) -> None:
    budget = SetBudget(category="Lighting", month=JUNE, amount=(5_000 + 1_000) * 10_000)
    known.approve(known.submit(budget, "finance"), "manager")
    assert isinstance(submit(known, 100), Executed), "just within it"
    for urgent in (False, True):
        beyond = known.gate.submit_plan(
            [SubmitPurchaseOrder(po_id=known.drafted(20).po_id)],
            known.people["buyer"],
            key=uuid4().hex,
            title="Lamps",
            reason="the shelf is empty",
            urgent=urgent,
        )
        assert isinstance(beyond, Proposed)
        assert (beyond.policy, {one["role"] for one in beyond.approvers}) == (
            "purchase beyond the budget",
            {"manager", "finance"},
        )


@pytest.mark.capability("S206")
def test_a_budget_is_named_by_its_month_and_changes_with_approval(known: Company) -> None:
    wrong = known.submit(SetBudget(category="Lighting", month=date(2026, 6, 2), amount=1), "finance")
    assert isinstance(wrong, Proposed)
    assert known.approve(wrong, "manager")["failed"]["code"] == "no_month"


@pytest.mark.capability("S206")
def test_a_plan_that_moves_a_price_and_orders_at_it_is_refused(known: Company) -> None:
    dearer = SetSupplierItem(supplier_id=known.supplier, item_id=known.item, price=money(11))
    unpriced, priced = known.draft(240), known.draft(240, price=money(11))
    outcomes = [
        known.gate.submit_plan(
            [dearer, draft, SubmitPurchaseOrder(po_id=draft.po_id)],
            known.people["buyer"],
            key=uuid4().hex,
            title="Lamps",
            reason="needed",
        )
        for draft in (unpriced, priced)
    ]
    assert isinstance(outcomes[0], Refused) and outcomes[0].error.code == "price_moves_in_plan"
    assert isinstance(outcomes[1], Proposed), "2,640 at the new price wait"


@pytest.mark.capability("S206")
def test_a_price_that_moved_at_the_quantity_of_a_waiting_order_makes_it_stale(known: Company) -> None:
    draft = known.draft(300)
    plan = [draft, SubmitPurchaseOrder(po_id=draft.po_id)]
    waiting = known.gate.submit_plan(plan, known.people["buyer"], key="plan", title="Lamps", reason="needed")
    dearer = SetSupplierPrice(
        supplier_id=known.supplier,
        item_id=known.item,
        price=money(10),
        valid_from=TODAY,
        breaks=((200, money("10.90")),),
        corrects=True,
    )
    known.do(dearer)
    assert known.approve(waiting, "manager")["status"] == "stale"
