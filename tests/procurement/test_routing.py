"""Who is asked about a purchase: by the risk of its supplier, by what is about to run out, by category."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from erp_core.exceptions.commands import RecordScan
from erp_core.exceptions.draft import CaseDraft
from erp_core.gate.contract import Executed, Outcome, Proposed
from erp_core.gate.policies.commands import PolicyApprover, PolicyCondition, SaveApprovalPolicy
from erp_core.gate.queries import get_proposal
from erp_core.master.commands import (
    ActivateSupplier,
    AddSupplierDocument,
    CreateSupplier,
    SetSupplierItem,
    SubmitSupplier,
)
from erp_core.procurement.commands import SendPurchaseOrder, SubmitPurchaseOrder
from erp_core.storage.types import money
from tests.procurement.conftest import TODAY, Company


def asked(company: Company, quantity: int, *, urgent: bool = False, **fields: Any) -> tuple[UUID, Outcome]:
    """A buyer drafts an order and asks for it."""
    order = company.drafted(quantity, **fields)
    outcome = company.gate.submit_plan(
        [SubmitPurchaseOrder(po_id=order.po_id)],
        company.people["buyer"],
        key=uuid4().hex,
        title="Lamps",
        reason="customers wait",
        urgent=urgent,
    )
    return order.po_id, outcome


def risky(company: Company) -> UUID:
    """A supplier of high risk that sells the first item at 10 and was ordered from before."""
    id_ = uuid4()
    supplier = CreateSupplier(
        supplier_id=id_,
        code="RISKY",
        supplier_name="Risky",
        currency="EUR",
        country="Italy",
        payment_days=30,
        delivery_terms="DAP",
        lead_time_days=14,
        risk_class="high",
    )
    paper = AddSupplierDocument(
        document_id=uuid4(),
        supplier_id=id_,
        kind="business_registration",
        number="HRB 9",
        valid_from=date(2020, 1, 1),
    )
    for command in (supplier, paper, SubmitSupplier(supplier_id=id_)):
        company.do(command, "admin")
    company.approve(company.submit(ActivateSupplier(supplier_id=id_), "manager"), "second_manager")
    company.do(SetSupplierItem(supplier_id=id_, item_id=company.item, price=money(10), rank=2), "admin")
    po_id, first = asked(company, 20, supplier_id=id_)
    company.approve(first, "manager")
    company.do(SendPurchaseOrder(po_id=po_id))
    return id_


def runs_out(company: Company, place: UUID, loss: int) -> None:
    """A scan that found that the first item runs out at a place; no loss: it found nothing."""
    company.people["scan"] = company.people.get("scan") or company.gate.bootstrap_user(
        "scan", roles=("simulator",), kind="service"
    )
    found = CaseDraft(
        kind="stockout_risk",
        subject_key=f"{company.item}:{place}",
        title="LAMP-0 runs out",
        subjects=(("item", company.item), ("location", place)),
        probability=0.5,
        deadline=company.gate.clock.business_now() + timedelta(days=5),
        expected_loss=loss,
        residual_loss=0,
        action_cost=0,
        evidence=(),
        action=None,
    )
    drafts = (found,) if loss else ()
    company.do(RecordScan(scan_id=uuid4(), as_of=TODAY, kinds=("stockout_risk",), drafts=drafts), "scan")


@pytest.mark.capability("S78")
def test_a_small_purchase_of_a_supplier_of_high_risk_waits_for_a_manager_also_when_it_is_urgent(
    company: Company,
) -> None:
    supplier = risky(company)
    company.sent(20)
    _, usual = asked(company, 20)
    assert isinstance(usual, Executed), "of a supplier of medium risk it needs nobody"
    _, small = asked(company, 20, supplier_id=supplier)
    assert isinstance(small, Proposed)
    assert small.policy == "purchase from a supplier of high risk under 25,000"
    assert small.approvers == [{"role": "manager", "people": 1}]
    _, urgent = asked(company, 300, supplier_id=supplier, urgent=True)
    assert isinstance(urgent, Proposed) and urgent.policy == small.policy
    large, both = asked(company, 2_500, supplier_id=supplier)
    assert isinstance(both, Proposed)
    assert {one["role"] for one in both.approvers} == {"manager", "finance"}
    company.approve(both, "manager", "finance")
    company.do(SendPurchaseOrder(po_id=large))


@pytest.mark.capability("S78")
def test_a_purchase_of_what_is_about_to_run_out_goes_higher_within_hours_and_only_there(
    company: Company,
) -> None:
    company.sent(20)

    def told(**fields: Any) -> tuple[str, int, int]:
        _, outcome = asked(company, 300, **fields)
        assert isinstance(outcome, Proposed)
        view = company.read(lambda c: get_proposal(c, outcome.proposal_id))
        assert view is not None and view.escalation is not None
        return outcome.policy, view.escalation["after_hours"], view.facts["stock_risk"]

    calm = ("purchase from 2,500", 48, 0)
    assert told() == calm
    runs_out(company, uuid4(), money(900))
    assert told() == calm, "another place"
    runs_out(company, company.warehouse, money(900))
    assert told() == ("purchase from 2,500 of goods that are about to run out", 8, money(900))
    runs_out(company, company.warehouse, 0)
    assert told() == calm, "it runs out no more"


@pytest.mark.capability("S78")
def test_a_category_that_the_company_calls_critical_has_approvers_of_its_own(sqlite_company: Company) -> None:
    company = sqlite_company
    company.sent(20)
    critical = SaveApprovalPolicy(
        policy_id=uuid4(),
        policy_name="critical category",
        command="SubmitPurchaseOrder",
        conditions=(
            PolicyCondition(fact="via", among=("person",)),
            PolicyCondition(fact="category", among=("Lighting",)),
            PolicyCondition(fact="cumulative_amount", low=0),
            PolicyCondition(fact="supplier_new", among=(True, False)),
            PolicyCondition(fact="supplier_risk", among=("low", "medium", "high")),
            PolicyCondition(fact="urgent", among=(True, False)),
            PolicyCondition(fact="tainted", among=(False,)),
        ),
        approvers=(PolicyApprover(role="finance", people=1),),
    )
    assert isinstance(asked(company, 20)[1], Executed)
    company.approve(company.submit(critical, "admin"), "manager", "finance")
    for quantity, urgent in ((20, False), (300, True), (3_000, False)):
        _, outcome = asked(company, quantity, urgent=urgent)
        assert isinstance(outcome, Proposed) and outcome.policy == "critical category"
        assert outcome.approvers == [{"role": "finance", "people": 1}]
