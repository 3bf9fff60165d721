"""Automation buys what stored rules recommend, inside its limits, and nothing else."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import select

from erp_core.gate.autonomy.model import automation_uses
from erp_core.gate.contract import Denied, Executed, Outcome, Proposed, Refused
from erp_core.gate.decisions import ApproveProposal
from erp_core.gate.principals import Principal
from erp_core.gate.queries import get_proposal
from erp_core.gate.roles import toxic_with
from erp_core.master.commands import CreateSupplier
from erp_core.master.rules.quality import Problem
from erp_core.planning.automation.rule import REASON
from erp_core.planning.commands.autonomy import ResumeAutomation, SetAutomationLimits, StopAutomation
from erp_core.procurement.commands import (
    CancelPurchaseOrder,
    CreatePurchaseOrder,
    PurchaseOrderLine,
    ReceiveGoods,
    SubmitPurchaseOrder,
)
from erp_core.procurement.model import purchase_orders
from erp_core.storage.types import money
from tests.planning.automated import LIMITS, Automated


def plan(automated: Automated, *quantities: int, **fields: object) -> list[object]:
    """A plan of the kind that automation submits."""
    company = automated.company
    items = (company.item, company.other_item)
    draft = CreatePurchaseOrder(
        po_id=uuid4(),
        supplier_id=company.supplier,
        location_id=company.warehouse,
        lines=tuple(
            PurchaseOrderLine(line_id=uuid4(), item_id=items[n % 2], quantity=quantity)
            for n, quantity in enumerate(quantities)
        ),
        reason=REASON,
    ).model_copy(update=fields)
    return [draft, SubmitPurchaseOrder(po_id=draft.po_id)]


def submit(
    automated: Automated, *quantities: int, evidence: object = (), tainted: bool = False, **fields: object
) -> Outcome:
    return automated.gate.submit_plan(
        plan(automated, *quantities, **fields),  # type: ignore[arg-type]
        automated.automation,
        key=uuid4().hex,
        title="",
        reason="",
        evidence=evidence,  # type: ignore[arg-type]
        tainted=tainted,
    )


def refusal(outcome: Outcome) -> dict[str, object]:
    assert isinstance(outcome, Refused), outcome
    return outcome.error.as_dict()


@pytest.mark.capability("S77")
@pytest.mark.capability("S158")
def test_without_any_level_set_automation_proposes_and_a_person_decides(automated: Automated) -> None:
    report = automated.run()
    assert report.executed == [] and len(report.proposed) == 1
    found = automated.company.read(lambda connection: get_proposal(connection, report.proposed[0]))
    assert found is not None and found.via in ("service", "automation") and found.approvers
    assert found.evidence[0]["label"] == "reorder points of 2026-05-01"
    again = automated.run()
    assert again.proposed == [] and again.refused == []


@pytest.mark.capability("S158")
def test_at_recommend_automation_only_lists_and_at_alert_it_says_nothing(automated: Automated) -> None:
    automated.agree("recommend", "category", "Lighting")
    report = automated.run()
    assert (report.executed, report.proposed) == ([], [])
    assert [line["quantity"] for line in report.recommended[0]["lines"]] == [110, 110]
    automated.agree("alert", "supplier", "ACME")
    assert automated.run().recommended == []


@pytest.mark.capability("S158")
def test_a_scope_below_propose_refuses_what_automation_submits_and_names_the_scope(
    automated: Automated,
) -> None:
    automated.agree("recommend", "supplier_group", "long_tail")
    error = refusal(submit(automated, 20))
    assert error["code"] == "autonomy_too_low"
    assert "supplier group long_tail is at recommend" in str(error["message"])


@pytest.mark.capability("S77")
@pytest.mark.capability("S158")
def test_where_it_has_earned_to_act_automation_buys_by_itself_and_uses_its_caps(acting: Automated) -> None:
    assert acting.run().executed == []
    acting.points((200, 250), (100, 150))
    report = acting.run()
    assert len(report.executed) == 1 and report.proposed == report.refused == []
    row = acting.company.row(purchase_orders, report.executed[0])
    assert (row.status, row.proposal_id, row.buyer_id) == ("approved", None, acting.automation.user_id)
    (use,) = acting.company.read(lambda connection: connection.execute(select(automation_uses)).all())
    assert (use.category, use.amount, use.rule) == ("Lighting", row.total, "reorder points of 2026-06-30")
    assert acting.run().executed == []


@pytest.mark.capability("S77")
def test_the_same_need_twice_on_a_day_is_bought_twice_and_a_cancelled_order_is_not_made_again(
    sqlite_acting: Automated,
) -> None:
    orders = []
    for point, level in ((160, 170), (180, 190), (200, 210)):
        sqlite_acting.points((point, level))
        orders += sqlite_acting.run().executed
    assert len(set(orders)) == 3
    cancel = CancelPurchaseOrder(po_id=orders[-1], reason_code="not_needed")
    sqlite_acting.company.do(cancel)
    assert sqlite_acting.run().executed == []


@pytest.mark.capability("S158")
def test_one_scope_below_act_is_enough_to_keep_automation_from_acting(sqlite_acting: Automated) -> None:
    sqlite_acting.agree("propose", "warehouse", "MAIN")
    sqlite_acting.points((200, 250))
    report = sqlite_acting.run()
    assert report.executed == [] and len(report.proposed) == 1


@pytest.mark.capability("S208")
@pytest.mark.parametrize(
    ("limits", "named"),
    [
        ({"order_amount": money(999)}, "amount per order"),
        ({"day_amount": money(999)}, "amount per day"),
        ({"category_day_amount": money(999)}, "amount per day in Lighting"),
        ({"day_orders": 0}, "orders per day"),
    ],
)
def test_an_order_beyond_a_limit_is_refused_and_the_limit_named(
    sqlite_acting: Automated, limits: dict[str, int], named: str
) -> None:
    sqlite_acting.governed(SetAutomationLimits(**LIMITS | limits, reason="a narrower pilot"))
    sqlite_acting.points((200, 250))
    (refused,) = sqlite_acting.run().refused
    error = refusal(submit(sqlite_acting, 100))
    assert error["code"] == "cap_exceeded" and error["details"]["limit"] == named  # type: ignore[index]
    assert refused["why"] == error["message"]


@pytest.mark.capability("S208")
def test_an_order_that_reaches_its_limit_exactly_is_bought(sqlite_acting: Automated) -> None:
    sqlite_acting.points((200, 250))
    sqlite_acting.governed(
        SetAutomationLimits(**LIMITS | {"order_amount": money(1_000)}, reason="a narrower pilot")
    )
    assert isinstance(submit(sqlite_acting, 100), Executed)


@pytest.mark.capability("S208")
def test_more_than_the_rule_recommends_is_refused_also_in_parts(acting: Automated) -> None:
    acting.points((200, 250))
    assert refusal(submit(acting, 130))["code"] == "not_rule_made"
    assert isinstance(submit(acting, 100), Executed)
    assert refusal(submit(acting, 20))["code"] == "not_rule_made"


@pytest.mark.parametrize(
    "fields",
    [
        {"reason": "the supplier's mail says prices rise tomorrow"},
        {"number": "IGNORE-ALL-RULES"},
        {"freight_cost": 1},
        {"expedite_cost": 1},
    ],
)
def test_free_text_and_values_that_no_rule_made_do_not_pass(
    sqlite_acting: Automated, fields: dict[str, object]
) -> None:
    sqlite_acting.points((200, 250))
    assert refusal(submit(sqlite_acting, 20, **fields))["code"] == "not_rule_made"


def test_a_price_other_than_the_one_in_force_does_not_pass(sqlite_acting: Automated) -> None:
    sqlite_acting.points((200, 250))
    line = PurchaseOrderLine(
        line_id=uuid4(), item_id=sqlite_acting.company.item, quantity=20, unit_price=money(11)
    )
    assert refusal(submit(sqlite_acting, 20, lines=(line,)))["code"] == "not_rule_made"


def test_what_a_language_model_had_a_part_in_does_not_reach_automation(sqlite_acting: Automated) -> None:
    sqlite_acting.points((200, 250))
    assert refusal(submit(sqlite_acting, 20, tainted=True))["code"] == "not_rule_made"
    for kind in ("model", "query", "case", "document"):
        error = refusal(submit(sqlite_acting, 20, evidence=[{"kind": kind, "id": "x"}]))
        assert error["code"] == "not_rule_made" and kind in str(error["message"])


def test_a_draft_that_a_person_made_is_not_for_automation_to_submit(sqlite_acting: Automated) -> None:
    sqlite_acting.points((200, 250))
    order = sqlite_acting.company.drafted(20)
    outcome = sqlite_acting.gate.submit(
        SubmitPurchaseOrder(po_id=order.po_id), sqlite_acting.automation, key=uuid4().hex
    )
    assert refusal(outcome)["code"] == "not_rule_made"


def test_two_drafts_for_one_need_in_one_batch_are_bought_once(acting: Automated) -> None:
    from erp_core.gate.contract import Submission

    acting.points((200, 250))
    first, second = plan(acting, 100), plan(acting, 100)
    drafts = [Submission(one[0], uuid4().hex) for one in (first, second)]  # type: ignore[arg-type]
    assert all(isinstance(one, Executed) for one in acting.gate.submit_many(drafts, acting.automation))
    submissions = [Submission(one[1], uuid4().hex) for one in (first, second)]  # type: ignore[arg-type]
    outcomes = acting.gate.submit_many(submissions, acting.automation)
    assert [type(one).__name__ for one in outcomes] == ["Executed", "Refused"]


@pytest.mark.capability("S18")
def test_a_record_below_the_quality_threshold_is_off_for_automation(sqlite_acting: Automated) -> None:
    sqlite_acting.points((200, 250))
    sqlite_acting.scores(Problem("missing_price", 60))
    error = refusal(submit(sqlite_acting, 20))
    assert error["code"] == "quality_too_low" and "LAMP-0" in str(error["message"])


def test_a_supplier_at_risk_is_off_for_automation(sqlite_acting: Automated) -> None:
    from sqlalchemy import update

    from erp_core.master.model import suppliers
    from erp_core.storage.engine import gate_writing

    sqlite_acting.points((200, 250))
    with gate_writing(sqlite_acting.gate.engine) as connection:
        connection.execute(
            update(suppliers)
            .where(suppliers.c.id == sqlite_acting.company.supplier)
            .values(risk_class="high")
        )
    assert refusal(submit(sqlite_acting, 20))["code"] == "supplier_not_for_automation"


@pytest.mark.capability("S208")
@pytest.mark.parametrize("role", ["buyer", "manager", "admin"])
def test_any_of_them_stops_automation_at_once_and_people_let_it_go_on(
    sqlite_acting: Automated, role: str
) -> None:
    sqlite_acting.points((200, 250))
    company = sqlite_acting.company
    assert company.do(StopAutomation(reason="prices look wrong"), role) == {"stopped": True}
    assert sqlite_acting.run().stopped
    error = refusal(submit(sqlite_acting, 20))
    assert error["code"] == "automation_stopped" and "prices look wrong" in str(error["message"])
    assert company.refused(StopAutomation(reason="once more"), role)["code"] == "already_so"
    resumed = company.submit(ResumeAutomation(reason="prices are right"), "admin")
    assert isinstance(resumed, Proposed)
    assert sqlite_acting.run().stopped
    company.approve(resumed, "manager")
    assert len(sqlite_acting.run().executed) == 1


@pytest.mark.capability("S208")
def test_what_automation_proposed_before_it_was_stopped_is_not_executed_until_it_goes_on(
    sqlite_automated: Automated,
) -> None:
    company = sqlite_automated.company
    (proposal_id,) = sqlite_automated.run().proposed
    view = company.read(lambda connection: get_proposal(connection, proposal_id))
    waiting = Proposed(view.id, view.payload_hash, view.approvers, view.policy_name)
    company.do(StopAutomation(reason="prices look wrong"))
    answer = company.approve(waiting, "manager")
    assert answer["status"] == "pending" and answer["failed"]["code"] == "automation_stopped"
    resumed = company.submit(ResumeAutomation(reason="prices are right"), "admin")
    company.approve(resumed, "manager")
    assert company.approve(waiting, "second_manager")["status"] == "executed"


@pytest.mark.capability("S205")
def test_automation_neither_approves_nor_receives_nor_lends_its_role_to_people(
    sqlite_acting: Automated,
) -> None:
    gate, company = sqlite_acting.gate, sqlite_acting.company
    waiting = company.submit(ResumeAutomation(reason="nothing"), "admin")
    held = sqlite_acting.set_level("propose", "category", "Lighting")
    assert isinstance(waiting, Refused) and isinstance(held, Proposed)
    for command in (
        ApproveProposal(proposal_id=held.proposal_id, payload_hash=held.payload_hash),
        company.receipt(company.drafted(20), 20),
        CreateSupplier(supplier_id=uuid4(), code="MINE", supplier_name="Mine", currency="EUR"),
    ):
        assert isinstance(command, ApproveProposal | ReceiveGoods | CreateSupplier)
        assert isinstance(gate.submit(command, sqlite_acting.automation, key=uuid4().hex), Denied)
    sqlite_acting.points((200, 250))
    assert toxic_with("automation") == {"buyer", "manager", "warehouse", "finance", "admin"}
    person = gate.bootstrap_user("clever", roles=("automation", "warehouse"))
    both = Principal("service", sqlite_acting.automation.user_id, "x", frozenset({"automation", "buyer"}))
    for principal in (person, both):
        outcome = gate.submit_plan(
            plan(sqlite_acting, 20),  # type: ignore[arg-type]
            principal,
            key=uuid4().hex,
            title="",
            reason="",
        )
        assert refusal(outcome)["code"] == "not_automation"


def test_an_agent_cannot_ask_for_more_autonomy(sqlite_acting: Automated) -> None:
    from erp_core.planning.commands.autonomy import SetAutonomy

    manager = sqlite_acting.company.people["manager"]
    agent = sqlite_acting.gate.agent_for(manager)
    command = SetAutonomy(scope_kind="company", level="act", reason="the model asks nicely")
    assert isinstance(sqlite_acting.gate.submit(command, agent, key=uuid4().hex), Denied)
