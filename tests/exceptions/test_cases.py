"""What people and proposals do with a case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from erp_core.exceptions.actions import submit_best_action
from erp_core.exceptions.commands import AssignCase, RecordScan, ResolveCase, SnoozeCase
from erp_core.exceptions.draft import CaseDraft
from erp_core.exceptions.queries import case_detail
from erp_core.gate.contract import Denied, Executed, Invalid, Proposed, Refused
from erp_core.gate.decisions import ApproveProposal, RejectProposal
from erp_core.master.commands import CreateLocation

Inbox = Any
Draft = Callable[..., CaseDraft]


def propose(inbox: Inbox, agent: Any, case_id: UUID) -> Proposed:
    """A plan of the administrator's agent that answers the case."""
    plan = [CreateLocation(location_id=uuid4(), code=f"L-{uuid4().hex[:6]}", location_name="Overflow")]
    evidence = ({"kind": "case", "id": str(case_id)},)
    outcome = inbox.gate.submit_plan(
        plan,
        agent(inbox.people["admin"]),
        key=uuid4().hex,
        title="More room",
        reason="overstock",
        evidence=evidence,
    )
    assert isinstance(outcome, Proposed), outcome
    return outcome


@pytest.mark.capability("S152")
def test_a_case_is_assigned_and_its_history_says_by_whom(inbox: Inbox, make_draft: Draft) -> None:
    inbox.scan(make_draft("a"))
    case, planner = inbox.case("a"), inbox.people["planner"].user_id
    inbox.do(AssignCase(case_id=case.id, owner_id=planner))
    detail = inbox.read(lambda c: case_detail(c, case.id))
    assert (detail.case.status, detail.case.owner_id, detail.case.version) == ("assigned", planner, 2)
    assert [(step.status, step.user_id) for step in detail.history] == [
        ("open", None),
        ("assigned", inbox.people["buyer"].user_id),
    ]


def test_a_case_is_not_given_to_nobody(sqlite_inbox: Inbox, make_draft: Draft, nobody: UUID) -> None:
    sqlite_inbox.scan(make_draft("a"))
    error = sqlite_inbox.refused(AssignCase(case_id=sqlite_inbox.case("a").id, owner_id=nobody))
    assert (error["code"], error["field"]) == ("not_found", "owner_id")
    error = sqlite_inbox.refused(AssignCase(case_id=nobody, owner_id=sqlite_inbox.people["buyer"].user_id))
    assert (error["code"], error["field"]) == ("not_found", "case_id")


def test_a_case_cannot_be_put_aside_into_the_past(sqlite_inbox: Inbox, make_draft: Draft) -> None:
    sqlite_inbox.scan(make_draft("a"))
    past = SnoozeCase(case_id=sqlite_inbox.case("a").id, until=datetime(2026, 6, 29, tzinfo=UTC))
    assert sqlite_inbox.refused(past)["code"] == "snooze_in_the_past"


@pytest.mark.capability("S21")
def test_a_closed_case_stays_closed(sqlite_inbox: Inbox, make_draft: Draft) -> None:
    sqlite_inbox.scan(make_draft("a"))
    case = sqlite_inbox.case("a")
    sqlite_inbox.do(ResolveCase(case_id=case.id, resolution="false_alarm", note="a one-off order"))
    closed = sqlite_inbox.case("a")
    assert (closed.status, closed.resolution) == ("resolved", "false_alarm")
    buyer = sqlite_inbox.people["buyer"].user_id
    for command in (
        AssignCase(case_id=case.id, owner_id=buyer),
        SnoozeCase(case_id=case.id, until=datetime(2026, 8, 1, tzinfo=UTC)),
        ResolveCase(case_id=case.id, resolution="duplicate"),
    ):
        assert sqlite_inbox.refused(command)["code"] == "illegal_transition"


@pytest.mark.capability("S238")
def test_a_case_follows_the_proposal_that_answers_it(inbox: Inbox, make_draft: Draft, agent: Any) -> None:
    inbox.scan(make_draft("a"))
    case_id = inbox.case("a").id
    first = propose(inbox, agent, case_id)
    assert (inbox.case("a").status, inbox.case("a").proposal_id) == ("proposed", first.proposal_id)
    no = RejectProposal(proposal_id=first.proposal_id, payload_hash=first.payload_hash, comment="not now")
    inbox.do(no, "manager")
    assert (inbox.case("a").status, inbox.case("a").proposal_id) == ("open", None)
    inbox.do(AssignCase(case_id=case_id, owner_id=inbox.people["planner"].user_id))
    second = propose(inbox, agent, case_id)
    yes = ApproveProposal(proposal_id=second.proposal_id, payload_hash=second.payload_hash)
    assert inbox.do(yes, "manager")["status"] == "executed"
    acted = inbox.case("a")
    assert (acted.status, acted.resolution, acted.proposal_id) == ("resolved", "acted_on", second.proposal_id)
    history = [step.status for step in inbox.read(lambda c: case_detail(c, case_id)).history]
    assert history == ["open", "proposed", "open", "assigned", "proposed", "resolved"]


@pytest.mark.capability("S238")
def test_a_case_whose_best_action_runs_at_once_is_resolved_and_offers_it_no_more(
    inbox: Inbox, make_draft: Draft
) -> None:
    inbox.scan(make_draft("a"))
    room = {"location_id": None, "code": "L-1", "location_name": "Overflow"}
    action = {"label": "More room", "commands": [{"command": "CreateLocation", "payload": room}]}
    case = replace(inbox.case("a"), action=action)
    both = inbox.gate.bootstrap_user("both", roles=("admin", "buyer"))
    outcome = submit_best_action(inbox.gate, case, both, "a key of mine")
    assert isinstance(outcome, Executed)
    assert (inbox.case("a").status, inbox.case("a").resolution) == ("resolved", "acted_on")
    again = submit_best_action(inbox.gate, case, both, "a key of mine")
    assert isinstance(again, Executed) and again.result == outcome.result


def test_a_proposed_case_keeps_its_proposal_when_it_gets_an_owner(
    sqlite_inbox: Inbox, make_draft: Draft, agent: Any
) -> None:
    sqlite_inbox.scan(make_draft("a"))
    outcome = propose(sqlite_inbox, agent, sqlite_inbox.case("a").id)
    planner = sqlite_inbox.people["planner"].user_id
    sqlite_inbox.do(AssignCase(case_id=sqlite_inbox.case("a").id, owner_id=planner))
    assert (sqlite_inbox.case("a").status, sqlite_inbox.case("a").proposal_id) == (
        "proposed",
        outcome.proposal_id,
    )
    no = RejectProposal(proposal_id=outcome.proposal_id, payload_hash=outcome.payload_hash, comment="no")
    sqlite_inbox.do(no, "manager")
    assert sqlite_inbox.case("a").status == "assigned"


def test_a_buyer_cannot_record_a_scan(sqlite_inbox: Inbox, make_draft: Draft) -> None:
    one = make_draft("a")
    scan = RecordScan(scan_id=uuid4(), as_of=one.deadline.date(), kinds=(one.kind,), drafts=(one,))
    assert isinstance(sqlite_inbox.submit(scan, "buyer"), Denied)


@pytest.mark.parametrize("named", [None, "", "the first one", "8806ef6e-1fbc-447b-81de-1331cc30310e"])
def test_evidence_that_names_no_case_is_refused(sqlite_inbox: Inbox, agent: Any, named: str | None) -> None:
    plan = [CreateLocation(location_id=uuid4(), code="L-1", location_name="Overflow")]
    outcome = sqlite_inbox.gate.submit_plan(
        plan,
        agent(sqlite_inbox.people["admin"]),
        key="k",
        title="More room",
        reason="overstock",
        evidence=({"kind": "case", "id": named},),
    )
    assert isinstance(outcome, Refused)
    assert outcome.error.code == "not_found"


@pytest.mark.parametrize(
    ("commands", "field"),
    [
        ([{"command": "BuyTheMoon", "payload": {}}], "command"),
        ([{"command": "CreateLocation", "payload": {"location_id": None, "code": "L-1"}}], "location_name"),
    ],
)
def test_an_action_that_no_command_fits_any_more_asks_for_a_scan(
    sqlite_inbox: Inbox, make_draft: Draft, commands: list[dict[str, Any]], field: str
) -> None:
    sqlite_inbox.scan(make_draft("a"))
    old = replace(sqlite_inbox.case("a"), action={"label": "Do it", "commands": commands})
    outcome = submit_best_action(sqlite_inbox.gate, old, sqlite_inbox.people["buyer"], "a key of mine")
    assert isinstance(outcome, Invalid)
    assert [one["field"] for one in outcome.errors] == [field] and "scan again" in outcome.errors[0]["remedy"]


def test_a_case_without_an_action_is_decided_by_hand(sqlite_inbox: Inbox, make_draft: Draft) -> None:
    sqlite_inbox.scan(make_draft("a"))
    bare = replace(sqlite_inbox.case("a"), action=None)
    outcome = submit_best_action(sqlite_inbox.gate, bare, sqlite_inbox.people["buyer"], "a key of mine")
    assert isinstance(outcome, Refused) and outcome.error.code == "no_action"
