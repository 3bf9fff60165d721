"""A process goes live at a site when its checks are green, or against them by reasoned override; then it is reviewed daily."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from erp_core.exceptions.commands import RecordScan
from erp_core.exceptions.commands.cases import ResolveCase
from erp_core.exceptions.draft import SCANNED, CaseDraft
from erp_core.exceptions.model import cases
from erp_core.gate.contract import Denied, Proposed, Refused
from erp_core.inventory.commands import AdjustStock, ReverseStock
from erp_core.planning.commands.autonomy import SetAutomationLimits
from erp_core.planning.readiness.commands import AcknowledgeReview, GoLive, SetReadinessThreshold
from erp_core.planning.readiness.rules import Check, NotReady, Threshold, percent_of, require_green
from erp_core.planning.readiness.standing import live, readiness, reviews_due
from erp_core.storage.types import money
from tests.planning.automated import LIMITS, Automated


def checks(automated: Automated) -> dict[str, Check]:
    found = automated.company.read(lambda connection: readiness(connection, "automation", "MAIN"))
    return {check.name: check for check in found}


def count(automated: Automated, corrected: int) -> AdjustStock:
    """A count of the first item that found more or fewer units."""
    command = AdjustStock(
        adjustment_id=uuid4(),
        item_id=automated.company.item,
        location_id=automated.company.warehouse,
        quantity=corrected,
        reason_code="counted",
    )
    automated.company.do(command, "warehouse")
    return command


@pytest.mark.capability("S213")
def test_a_check_is_green_at_its_threshold_and_red_below_it_or_without_data() -> None:
    threshold = Threshold(95, 10)
    assert Check("inventory_accuracy", 95, 10, threshold).green
    for red in (
        Check("inventory_accuracy", 94, 10, threshold),
        Check("inventory_accuracy", 100, 9, threshold),
        Check("inventory_accuracy", None, 0, threshold),
    ):
        assert not red.green
        with pytest.raises(NotReady, match="inventory accuracy"):
            require_green("automation", "MAIN", [red])
    assert percent_of(0, 0) is None and percent_of(949, 1000) == 94


@pytest.mark.capability("S213")
def test_the_checks_are_measured_from_counts_documents_and_cases(automated: Automated) -> None:
    before = checks(automated)
    assert before["inventory_accuracy"].percent is None and before["pilot_cases"].percent is None
    wrong = count(automated, -4)
    automated.company.do(
        ReverseStock(document_kind="adjustment", document_id=wrong.adjustment_id, reason_code="data_error"),
        "warehouse",
    )
    count(automated, -2)
    after = checks(automated)
    on_hand = 100 - 2
    assert after["inventory_accuracy"].number == 2
    assert after["inventory_accuracy"].percent == (on_hand - 6) * 100 // on_hand
    documents = before["process_adherence"].number + 2
    assert after["process_adherence"].number == documents
    assert after["process_adherence"].percent == (documents - 1) * 100 // documents


@pytest.mark.capability("S213")
def test_a_process_that_is_not_ready_does_not_go_live_and_the_refusal_names_every_figure(
    automated: Automated,
) -> None:
    error = automated.company.refused(GoLive(process="automation", site="MAIN"), "admin")
    assert error["code"] == "not_ready"
    for part in ("inventory accuracy no value of 0 counts", "pilot cases no value of 0 cases", "needs 95 %"):
        assert part in error["message"]
    assert automated.company.read(live) == []


@pytest.mark.capability("S213")
def test_a_ready_process_goes_live_with_one_approval(automated: Automated) -> None:
    for check in ("inventory_accuracy", "process_adherence", "pilot_cases"):
        automated.governed(
            SetReadinessThreshold(
                process="automation",
                site="MAIN",
                check=check,
                least=0 if check == "pilot_cases" else 50,
                least_number=1,
            )
        )
    count(automated, -1)
    _case(automated)
    outcome = automated.company.submit(GoLive(process="automation", site="MAIN"), "admin")
    assert isinstance(outcome, Proposed) and outcome.policy == "process goes live when ready"
    automated.company.approve(outcome, "manager")
    (view,) = automated.company.read(live)
    assert (view.process, view.site, view.override_reason) == ("automation", "MAIN", None)
    assert "of 1 counts" in view.figures["inventory_accuracy"]
    assert (
        automated.company.refused(GoLive(process="automation", site="MAIN"), "admin")["code"]
        == "already_live"
    )


def _case(automated: Automated) -> None:
    """An exception of the site that a person resolved."""
    company = automated.company
    draft = CaseDraft(
        kind="stockout_risk",
        subject_key="lamp",
        title="Stockout of lamps",
        subjects=(("item", company.item), ("location", company.warehouse)),
        probability=0.5,
        deadline=datetime(2026, 6, 1, tzinfo=UTC),
        expected_loss=money(100),
        residual_loss=0,
        action_cost=0,
        evidence=(),
        action=None,
    )
    scan = RecordScan(scan_id=uuid4(), as_of=automated.today, kinds=SCANNED, drafts=(draft,))
    company.do(scan, "admin")
    (case_id,) = company.read(lambda connection: connection.scalars(select(cases.c.id)).all())
    company.do(ResolveCase(case_id=case_id, resolution="acted_on"), "buyer")


@pytest.mark.capability("S208")
@pytest.mark.capability("S213")
def test_going_live_against_the_checks_needs_a_reason_and_two_approvals(automated: Automated) -> None:
    command = GoLive(process="automation", site="MAIN", override_reason="a pilot with small amounts")
    outcome = automated.company.submit(command, "admin")
    assert isinstance(outcome, Proposed) and outcome.policy == "process goes live before it is ready"
    automated.company.approve(outcome, "manager")
    assert automated.company.read(live) == []
    automated.company.approve(outcome, "finance")
    (view,) = automated.company.read(live)
    assert view.override_reason == "a pilot with small amounts"


@pytest.mark.capability("S213")
def test_automation_does_not_act_at_a_warehouse_where_it_is_not_live(sqlite_automated: Automated) -> None:
    automated = sqlite_automated
    automated.governed(SetAutomationLimits(**LIMITS, reason="a small pilot"))
    automated.run()
    automated.sell(49, automated.company.item, automated.company.other_item)
    from tests.planning.automated import approve_all

    approve_all(automated, "manager")
    automated.at(automated.today + timedelta(days=60))
    automated.sell(1, automated.company.item)
    automated.stock(1, automated.company.item)
    automated.score()
    refused = automated.set_level("act", "warehouse", "MAIN")
    assert isinstance(refused, Refused) and refused.error.code == "not_ready"
    assert isinstance(automated.set_level("act", "category", "Lighting"), Proposed)


@pytest.mark.capability("S213")
def test_after_the_start_every_day_waits_for_a_person_to_review_it(acting: Automated) -> None:
    acting.points((200, 250))
    acting.run()
    acting.at(acting.today + timedelta(days=2))
    due = acting.company.read(lambda connection: reviews_due(connection, acting.today))
    assert [(row.day.day, row.orders, row.amount) for row in due] == [
        (30, 1, money(1_000)),
        (1, 0, 0),
        (2, 0, 0),
    ]
    review = AcknowledgeReview(
        process="automation", site="MAIN", day=due[0].day, note="one order, as expected"
    )
    assert isinstance(acting.gate.submit(review, acting.jobs, key=uuid4().hex), Denied)
    acting.company.do(review, "manager")
    left = acting.company.read(lambda connection: reviews_due(connection, acting.today))
    assert [row.day for row in left] == [row.day for row in due[1:]]
    for day in (acting.today + timedelta(days=1), due[0].day - timedelta(days=1)):
        early = review.model_copy(update={"day": day})
        assert acting.company.refused(early, "manager")["code"] == "nothing_to_review"
    acting.at(acting.today + timedelta(days=100))
    assert len(acting.company.read(lambda connection: reviews_due(connection, acting.today))) == 27
