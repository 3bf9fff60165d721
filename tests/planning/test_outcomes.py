"""Outcomes: each decision is measured once, one lead time later, from nothing that happened after its cut-off."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from erp_core.gate.autonomy.rules import COMPANY, Record
from erp_core.gate.contract import Proposed, Refused
from erp_core.gate.decisions import RejectProposal
from erp_core.gate.queries import get_proposal
from erp_core.inventory.commands import ReceiveTransfer, StockLine, TransferStock
from erp_core.master.commands import CreateLocation
from erp_core.planning.model import decision_outcomes
from erp_core.planning.outcomes.record import list_outcomes, outcome_sums, record_of
from erp_core.planning.outcomes.rules import (
    LineResult,
    cutoff,
    interval,
    line_verdict,
    stockout_days,
    verdict_of,
)
from erp_core.procurement.commands import CreatePurchaseOrder, SubmitPurchaseOrder
from tests.planning.automated import EARLIER, Automated, approve_all

CUTOFF = EARLIER + timedelta(days=14 + 7)
AFTER = CUTOFF + timedelta(days=1)
DAY = date(2026, 5, 1)


@pytest.mark.parametrize(
    ("result", "executed", "verdict"),
    [
        (LineResult(100, 0, 0), True, "good"),
        (LineResult(100, 0, 1), True, "neutral"),
        (LineResult(100, 0, 99), True, "neutral"),
        (LineResult(100, 0, 100), True, "bad"),
        (LineResult(100, 0, 5_000), True, "bad"),
        (LineResult(100, 1, 0), True, "bad"),
        (LineResult(100, 1, 0), False, "good"),
        (LineResult(100, 0, 1), False, "bad"),
        (LineResult(100, 0, 0), False, "neutral"),
        (LineResult(100, None, 0), True, None),
        (LineResult(100, 0, None), False, None),
    ],
)
def test_a_verdict_follows_from_service_and_excess(
    result: LineResult, executed: bool, verdict: str | None
) -> None:
    assert line_verdict(result, executed=executed) == verdict


def test_half_of_the_lines_decide_and_no_data_gives_no_verdict() -> None:
    assert verdict_of([None, None]) is None and verdict_of([]) is None
    assert verdict_of(["good", "bad"]) == "bad"
    assert verdict_of(["good", "good", "bad"]) == "neutral"
    assert verdict_of(["good", "neutral", None]) == "good"
    assert verdict_of(["good", "neutral", "neutral"]) == "neutral"


def test_a_day_without_stock_counts_only_where_somebody_wanted_the_item() -> None:
    days = [DAY + timedelta(days=number) for number in range(5)]
    changes = [(days[1], -10), (days[3], 20)]
    assert stockout_days(10, changes, days, days[0], days[4]) == 2
    assert stockout_days(10, changes, [days[0], days[4]], days[0], days[4]) == 0
    assert stockout_days(10, changes, [], days[0], days[4]) == 0


def test_an_interval_of_nothing_is_none_and_of_few_is_wide() -> None:
    assert interval(0, 0) is None
    low, high = interval(5, 5) or (0, 0)
    assert 0.5 < low < 0.6 and high == 1
    low, high = interval(50, 100) or (0, 0)
    assert round(low, 3) == 0.404 and round(high, 3) == 0.596


def outcomes(automated: Automated) -> list[dict[str, Any]]:
    found = automated.company.read(lambda connection: list_outcomes(connection))
    return [one for one in found if one["origin"] == "rule"]


def test_an_executed_order_is_scored_once_and_not_before_its_lead_time_has_passed(
    automated: Automated,
) -> None:
    automated.run()
    automated.sell(49, automated.company.item, automated.company.other_item)
    approve_all(automated, "manager")
    automated.at(CUTOFF)
    automated.sell(1, automated.company.unlisted_item)
    automated.stock(1, automated.company.unlisted_item)
    automated.score()
    assert outcomes(automated) == []
    automated.at(AFTER)
    automated.score()
    (outcome,) = outcomes(automated)
    assert outcome["decided_on"] == EARLIER and outcome["cutoff_on"] == cutoff(EARLIER, 14.0) == CUTOFF
    assert (outcome["stockout_days"], outcome["excess_units"], outcome["verdict"]) == (0, 0, "good")
    assert (outcome["arrived_percent"], outcome["days_late"], outcome["cost_change"]) == (0, None, 0)
    assert outcome["model_version"] == "reorder points of 2026-05-01" and not outcome["overridden"]
    assert automated.score() == {"scored": 0, "judged": 0}


def test_what_happens_after_the_cut_off_changes_nothing(automated: Automated) -> None:
    automated.run()
    automated.sell(49, automated.company.item, automated.company.other_item)
    approve_all(automated, "manager")
    automated.at(AFTER)
    automated.stock(5_000, automated.company.item, automated.company.other_item)
    automated.sell(1, automated.company.unlisted_item)
    automated.score()
    (outcome,) = outcomes(automated)
    assert (outcome["stockout_days"], outcome["excess_units"], outcome["verdict"]) == (0, 0, "good")


def test_an_order_that_nobody_needed_and_one_that_came_too_late_turn_out_badly(
    sqlite_automated: Automated,
) -> None:
    automated, company = sqlite_automated, sqlite_automated.company
    automated.run()
    approve_all(automated, "manager")
    automated.at(EARLIER + timedelta(days=5))
    automated.sell(60, company.item)
    automated.stock(400, company.other_item)
    automated.at(AFTER)
    automated.sell(1, company.unlisted_item)
    automated.stock(1, company.unlisted_item)
    automated.score()
    (outcome,) = outcomes(automated)
    assert (outcome["stockout_days"], outcome["excess_units"]) == (1, 110) and outcome["verdict"] == "bad"


def test_a_rejected_order_is_judged_by_what_happened_without_it(sqlite_automated: Automated) -> None:
    automated, company = sqlite_automated, sqlite_automated.company
    (proposal_id,) = automated.run().proposed
    view = company.read(lambda connection: get_proposal(connection, proposal_id))
    rejection = RejectProposal(
        proposal_id=proposal_id, payload_hash=view.payload_hash, comment="we will not sell that many"
    )
    company.do(rejection, "manager")
    automated.at(EARLIER + timedelta(days=5))
    automated.sell(60, company.item, company.other_item)
    assert automated.run().proposed == []
    automated.at(AFTER)
    automated.sell(1, company.unlisted_item)
    automated.stock(1, company.unlisted_item)
    automated.score()
    (outcome,) = outcomes(automated)
    assert (outcome["status"], outcome["stockout_days"], outcome["verdict"]) == ("rejected", 2, "good")
    assert company.read(lambda connection: record_of(connection, ("warehouse", "MAIN"))) == Record(1, 0, 1, 1)


def test_what_a_person_changed_between_versions_counts_as_the_rules_and_as_overridden(
    automated: Automated,
) -> None:
    company = automated.company
    (proposal_id,) = automated.run().proposed
    view = company.read(lambda connection: get_proposal(connection, proposal_id))
    create, submit = view.payload
    fewer = [line | {"quantity": 300} for line in create["payload"]["lines"]]
    commands = [
        CreatePurchaseOrder.model_validate(create["payload"] | {"lines": fewer}),
        SubmitPurchaseOrder.model_validate(submit["payload"]),
    ]
    revised = company.gate.submit_plan(
        commands,
        company.people["buyer"],
        key="revised",
        title="More of them",
        reason="a fair in May",
        revises=proposal_id,
    )
    company.approve(revised, "manager")
    automated.at(AFTER)
    automated.sell(1, company.unlisted_item)
    automated.stock(1, company.unlisted_item)
    automated.score()
    (outcome,) = outcomes(automated)
    assert outcome["decision_id"] == revised.proposal_id and outcome["overridden"]
    assert outcome["model_version"] == "reorder points of 2026-05-01"
    assert company.read(lambda connection: record_of(connection, COMPANY)) == Record(1, 0, 1, 0)


def test_a_transfer_that_an_agent_proposed_is_judged_at_its_destination_under_its_model_version(
    sqlite_automated: Automated,
) -> None:
    automated, company, shop = sqlite_automated, sqlite_automated.company, uuid4()
    company.do(CreateLocation(location_id=shop, code="SHOP", location_name="Shop", kind="store"), "admin")
    transfer = TransferStock(
        transfer_id=uuid4(),
        from_location_id=company.warehouse,
        to_location_id=shop,
        lines=(StockLine(item_id=company.item, quantity=20),),
    )
    proposed = company.gate.submit_plan(
        [transfer],
        company.gate.agent_for(company.people["buyer"]),
        key="transfer",
        title="",
        reason="",
        evidence=[{"kind": "model", "id": "x", "label": "Demand forecast of 2026-04-30"}],
    )
    company.approve(proposed, "manager")
    company.do(ReceiveTransfer(transfer_id=transfer.transfer_id), "warehouse")
    automated.at(EARLIER + timedelta(days=15))
    automated.sell(1, company.unlisted_item)
    automated.stock(1, company.unlisted_item)
    automated.score()
    found = company.read(lambda connection: list_outcomes(connection))
    (outcome,) = [one for one in found if one["origin"] == "agent"]
    assert outcome["model_version"] == "Demand forecast of 2026-04-30"
    assert outcome["cutoff_on"] == EARLIER + timedelta(days=14)
    assert (outcome["stockout_days"], outcome["excess_units"], outcome["verdict"]) == (0, 20, "bad")
    assert (outcome["arrived_percent"], outcome["cost_change"]) == (None, None)


def test_without_feeds_up_to_the_cut_off_an_outcome_waits_and_then_stays_without_a_verdict(
    sqlite_automated: Automated,
) -> None:
    automated = sqlite_automated
    automated.run()
    approve_all(automated, "manager")
    automated.at(CUTOFF + timedelta(days=30))
    automated.score()
    assert outcomes(automated) == []
    automated.at(CUTOFF + timedelta(days=31))
    automated.score()
    (outcome,) = outcomes(automated)
    assert (outcome["verdict"], outcome["stockout_days"], outcome["excess_units"]) == (None, None, None)
    assert automated.company.read(lambda connection: record_of(connection, COMPANY)) == Record(1, 1, 0, 0)


@pytest.mark.capability("S158")
def test_a_step_up_to_act_that_is_not_earned_is_refused_with_its_figures(automated: Automated) -> None:
    refused = automated.set_level("act", "category", "Lighting")
    assert isinstance(refused, Refused) and refused.error.code == "not_earned"
    assert "0 of at least 20 recommendations decided" in refused.error.message
    assert isinstance(automated.set_level("recommend", "category", "Lighting"), Proposed)


@pytest.mark.capability("S158")
def test_a_scope_that_is_not_in_the_master_data_is_refused(sqlite_automated: Automated) -> None:
    refused = sqlite_automated.set_level("see", "category", "Ligthing")
    assert isinstance(refused, Refused) and refused.error.code == "not_found"


def test_the_ledger_is_summed_up_by_origin_model_version_and_override(acting: Automated) -> None:
    sums = acting.company.read(outcome_sums)
    rule = next(one for one in sums if one.origin == "rule")
    assert (rule.model_version, rule.decided, rule.executed, rule.judged, rule.good) == (
        "reorder points of 2026-05-01",
        1,
        1,
        1,
        1,
    )
    assert rule.good_interval is not None and rule.good_interval[0] < 0.5
    assert {one.origin for one in sums} == {"rule", "person"}


@pytest.mark.capability("S208")
def test_a_scope_whose_acts_turn_out_badly_steps_down_by_itself(acting: Automated) -> None:
    from erp_core.gate.autonomy.state import current_levels
    from erp_core.planning.automation.review import step_down_falling

    company, day = acting.company, acting.today
    for number in range(5):
        acting.points((300 + 20 * number, 310 + 20 * number))
        assert len(acting.run().executed) == 1, number
    acting.at(day + timedelta(days=3))
    acting.sell(500, company.item)
    assert step_down_falling(acting.gate, acting.jobs) == []
    acting.at(day + timedelta(days=40))
    acting.sell(1, company.unlisted_item)
    acting.stock(1, company.unlisted_item)
    acting.score()
    fallen = step_down_falling(acting.gate, acting.jobs)
    assert {fall.scope[0] for fall, _ in fallen} == {"category", "supplier", "warehouse"}
    rows = {row.scope: row for row in company.read(current_levels)}
    assert rows["MAIN"].level == "propose" and "0 of 5 turned out well" in rows["MAIN"].reason
    assert step_down_falling(acting.gate, acting.jobs) == []
    acting.points((2_000, 2_100))
    assert acting.run().executed == []


@pytest.mark.capability("S18")
def test_a_scope_whose_records_became_poor_steps_down_by_itself(sqlite_acting: Automated) -> None:
    from erp_core.master.rules.quality import Problem
    from erp_core.planning.automation.review import step_down_falling

    sqlite_acting.scores(Problem("missing_price", 60))
    ((fall, _),) = step_down_falling(sqlite_acting.gate, sqlite_acting.jobs)
    assert fall.scope == ("category", "Lighting") and "data quality" in fall.reason


def test_the_outcome_ledger_is_only_ever_added_to(acting: Automated) -> None:
    from sqlalchemy import update
    from sqlalchemy.exc import DBAPIError

    from erp_core.storage.engine import gate_writing

    with pytest.raises(DBAPIError), gate_writing(acting.gate.engine) as connection:
        connection.execute(update(decision_outcomes).values(verdict="good"))
    assert acting.company.read(lambda connection: connection.execute(select(decision_outcomes)).all())
