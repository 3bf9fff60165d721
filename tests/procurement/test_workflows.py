"""The segment of a supplier selects which confirmations, milestones and steps its orders ask for."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest
from pydantic import ValidationError

from erp_core.gate.contract import Command, Executed, Proposed, Refused
from erp_core.gate.principals import Principal
from erp_core.master.commands.workflows import Milestone, SetSegmentWorkflow
from erp_core.procurement.commands import ConfirmPurchaseOrder, LinePromise, RecordMilestone
from erp_core.procurement.ordering.steps import due_steps
from tests.procurement.conftest import Company, Order
from tests.procurement.test_supplier_logins import login_of

TODAY = date(2026, 6, 30)


def selects(company: Company, **fields: object) -> None:
    """The workflow of long-tail suppliers, as ACME is one."""
    command = SetSegmentWorkflow.model_validate({"segment": "long_tail"} | fields)
    proposed = company.submit(command, "admin")
    assert isinstance(proposed, Proposed)
    company.approve(proposed, "manager")


def promise(order: Order, *positions: int) -> ConfirmPurchaseOrder:
    lines = tuple(
        LinePromise(po_line_id=order.line_ids[one], promised_on=date(2026, 8, 1)) for one in positions
    )
    return ConfirmPurchaseOrder(po_id=order.po_id, lines=lines)


def due(company: Company, on: date = TODAY) -> list[tuple[str, str, int]]:
    return [
        (one.step, one.due_on.isoformat(), one.late_days)
        for one in company.read(lambda connection: due_steps(connection, on))
    ]


@pytest.mark.capability("S10")
def test_a_segment_says_what_is_due_and_it_is_gone_when_it_was_done(company: Company) -> None:
    order = company.sent(20, 20)
    assert due(company, date(2026, 7, 6)) == [("confirmation", "2026-07-05", 1)], "as a company starts with"
    selects(
        company,
        confirm_days=2,
        milestones=(Milestone(name="produced", days=10), Milestone(name="shipped", days=14)),
    )
    assert due(company, date(2026, 7, 12)) == [
        ("confirmation", "2026-07-02", 10),
        ("produced", "2026-07-10", 2),
        ("shipped", "2026-07-14", 0),
    ]
    company.do(promise(order, 0))
    company.do(RecordMilestone(po_id=order.po_id, milestone="produced"))
    assert due(company) == [("shipped", "2026-07-14", 0)]
    again = company.refused(RecordMilestone(po_id=order.po_id, milestone="produced"))
    assert (again["code"], again["field"]) == ("milestone_not_possible", "milestone")
    strange = company.refused(RecordMilestone(po_id=order.po_id, milestone="customs_cleared"))
    assert "use one of produced, shipped" in strange["remedy"]
    selects(company)
    assert due(company) == [], "a segment may ask for nothing"


@pytest.mark.capability("S10")
def test_a_segment_that_confirms_every_line_refuses_a_confirmation_that_leaves_one_out(
    company: Company,
) -> None:
    selects(company, confirm_days=2, every_line=True)
    order = company.sent(20, 20)
    error = company.refused(promise(order, 0))
    assert (error["code"], error["details"]["lines"]) == ("confirmation_incomplete", [2])
    assert [step for step, *_ in due(company)] == ["confirmation"]
    company.do(promise(order, 0, 1))
    assert due(company) == []


@pytest.mark.capability("S10")
def test_a_step_that_is_the_suppliers_own_is_taken_by_its_login_alone(company: Company) -> None:
    selects(
        company,
        confirm_days=2,
        milestones=(Milestone(name="shipped", days=14),),
        supplier_steps=("confirmation", "milestones"),
    )
    order = company.sent(20)
    shipped = RecordMilestone(po_id=order.po_id, milestone="shipped")
    for command in (promise(order, 0), shipped):
        assert company.refused(command)["code"] == "supplier_step"
    own, stranger = login_of(company, company.supplier), login_of(company, uuid4())

    def submitted(command: Command, by: Principal) -> object:
        return company.gate.submit(command, by, key=uuid4().hex)

    outcome = submitted(shipped, stranger)
    assert isinstance(outcome, Refused)
    assert outcome.error.code == "not_your_supplier"
    for command in (promise(order, 0), shipped):
        assert isinstance(submitted(command, own), Executed)
    assert due(company) == []


def test_a_workflow_that_contradicts_itself_is_no_command() -> None:
    for wrong in (
        {"every_line": True},
        {"confirm_days": 1, "milestones": [{"name": "confirmation", "days": 2}]},
        {"milestones": [{"name": "b", "days": 3}, {"name": "a", "days": 2}]},
    ):
        with pytest.raises(ValidationError):
            SetSegmentWorkflow.model_validate({"segment": "imported"} | wrong)
