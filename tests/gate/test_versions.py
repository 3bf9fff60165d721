"""What is proposed is written once: a change is a new version, and what was altered is never executed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import text, update

from erp_core.gate.audit.accounts import unaccounted
from erp_core.gate.commands import SetCompanyFact
from erp_core.gate.contract import Command, Executed, Proposed
from erp_core.gate.decisions import ApproveProposal, RejectProposal, SendBackProposal, WithdrawProposal
from erp_core.gate.model import company
from erp_core.gate.principals import Principal
from erp_core.gate.rules import content_hash, payload_hash
from erp_core.storage.bulk import upsert_replace
from erp_core.storage.engine import gate_writing, reading
from tests.gate.office import Office


@pytest.fixture
def asking(office: Office) -> Office:
    office.save(office.policy(("manager", 1), low=100), office.policy(high=100))
    return office


def change_price(office: Office, price: int) -> None:
    with gate_writing(office.gate.engine) as connection:
        upsert_replace(connection, company, [{"key": "price", "value": str(price)}], ["value"])


@pytest.mark.capability("S238")
def test_a_revised_plan_is_the_next_version_and_the_old_approvals_are_void(office: Office) -> None:
    office.save(office.policy(("manager", 2), low=0))
    buyer, manager, other = (
        office.person("buyer"),
        office.person("manager"),
        office.person("other", "manager"),
    )
    first = office.proposed(100, buyer)
    office.approve(first, manager)
    second = office.proposed(80, buyer, revises=first.proposal_id)
    assert office.status(first) == "superseded"
    assert office.refusal(office.approve(first, other)) == "proposal_not_pending"
    view, before = office.view(second.proposal_id), office.view(first.proposal_id)
    assert (view.version, view.chain_id, view.payload_hash != before.payload_hash) == (
        2,
        before.chain_id,
        True,
    )
    pending = office.approve(second, other)
    assert isinstance(pending, Executed) and pending.result["missing"] == {"manager": 1}
    assert isinstance(office.approve(second, manager), Executed) and office.spent() == 1


@pytest.mark.capability("S205")
def test_who_asked_for_an_earlier_version_does_not_approve_a_later_one(asking: Office) -> None:
    manager, buyer = asking.person("manager"), asking.person("buyer")
    first = asking.proposed(100, manager)
    second = asking.proposed(100, buyer, revises=first.proposal_id)
    assert asking.refusal(asking.approve(second, manager)) == "own_proposal"


def test_an_approver_who_edits_asks_anew_and_needs_another_to_approve(asking: Office) -> None:
    manager = asking.person("manager")
    first = asking.proposed(500, asking.person("buyer"))
    edited = asking.proposed(300, manager, revises=first.proposal_id)
    assert asking.refusal(asking.approve(edited, manager)) == "own_proposal"
    done = asking.approve(edited, asking.person("second", "manager"))
    assert isinstance(done, Executed) and asking.spent() == 1


def test_a_stale_proposal_shows_what_moved_and_is_rebased_in_one_step(asking: Office) -> None:
    proposal = asking.proposed(100, asking.person("buyer"))
    change_price(asking, 106)
    outcome = asking.approve(proposal, asking.person("manager"))
    assert isinstance(outcome, Executed) and outcome.result["status"] == "stale"
    assert outcome.result["changes"] == [{"fact": "price", "then": 100, "now": 106}]
    assert asking.spent() == 0 and asking.status(proposal) == "stale"
    again = asking.gate.rebase(proposal.proposal_id, asking.person("buyer"), key="again")
    assert isinstance(again, Proposed)
    assert asking.view(again.proposal_id).read_set[0]["value"] == 106
    assert asking.status(proposal) == "stale", "how it ended stays on record"
    assert isinstance(asking.approve(again, asking.person("manager")), Executed) and asking.spent() == 1


def test_a_read_set_within_its_tolerance_does_not_hold_up_an_approval(asking: Office) -> None:
    proposal = asking.proposed(100, asking.person("buyer"))
    change_price(asking, 105)
    assert isinstance(asking.approve(proposal, asking.person("manager")), Executed) and asking.spent() == 1


def test_what_was_sent_back_comes_again_as_the_next_version_with_the_comment_kept(asking: Office) -> None:
    proposal = asking.proposed(100, asking.person("buyer"))
    back = SendBackProposal(
        proposal_id=proposal.proposal_id, payload_hash=proposal.payload_hash, comment="half of it"
    )
    asking.gate.submit(back, asking.person("manager"), key="back")
    assert asking.view(proposal.proposal_id).note == "half of it"
    again = asking.spend(50, asking.person("buyer"), revises=proposal.proposal_id)
    assert isinstance(again, Executed), "half of it needs nobody"
    assert asking.spent() == 1


@pytest.mark.parametrize("end", ["sent_back", "stale"])
def test_what_a_changed_plan_that_ran_at_once_replaced_reads_superseded_and_is_changed_no_second_time(
    asking: Office, end: str
) -> None:
    buyer = asking.person("buyer")
    proposal = asking.proposed(100, buyer)
    shown = {"proposal_id": proposal.proposal_id, "payload_hash": proposal.payload_hash}
    if end == "stale":
        change_price(asking, 106)
        asking.approve(proposal, asking.person("manager"))
    else:
        back = SendBackProposal(**shown, comment="half of it")
        asking.gate.submit(back, asking.person("manager"), key="back")
    assert asking.status(proposal) == end
    assert isinstance(asking.spend(50, buyer, revises=proposal.proposal_id), Executed)
    assert asking.status(proposal) == "superseded"
    assert asking.refusal(asking.spend(40, buyer, revises=proposal.proposal_id)) == "not_revisable"
    assert asking.spent() == 1
    with reading(asking.gate.engine) as connection:
        assert not list(unaccounted(connection))


@pytest.mark.parametrize("end", ["executed", "rejected", "withdrawn"])
def test_what_came_to_a_final_end_has_no_next_version(asking: Office, end: str) -> None:
    buyer, manager = asking.person("buyer"), asking.person("manager")
    proposal = asking.proposed(100, buyer)
    shown = {"proposal_id": proposal.proposal_id, "payload_hash": proposal.payload_hash}
    if end == "executed":
        asking.gate.submit(ApproveProposal(**shown), manager, key="end")
    elif end == "rejected":
        asking.gate.submit(RejectProposal(**shown, comment="no"), manager, key="end")
    else:
        asking.gate.submit(WithdrawProposal(proposal_id=proposal.proposal_id), buyer, key="end")
    assert asking.status(proposal) == end
    assert asking.refusal(asking.spend(100, buyer, revises=proposal.proposal_id)) == "not_revisable"
    assert asking.refusal(asking.gate.rebase(proposal.proposal_id, buyer, key="r")) == "not_revisable"


def test_only_the_newest_version_is_revised(asking: Office) -> None:
    buyer = asking.person("buyer")
    first = asking.proposed(100, buyer)
    asking.proposed(200, buyer, revises=first.proposal_id)
    assert asking.refusal(asking.spend(300, buyer, revises=first.proposal_id)) == "not_revisable"
    assert asking.refusal(asking.gate.rebase(uuid4(), buyer, key="r")) == "not_found"


@pytest.mark.capability("S238")
def test_an_agent_revises_its_own_users_agent_proposals_only(
    asking: Office, agent: Callable[[Principal], Principal]
) -> None:
    by_person = asking.proposed(100, asking.person("buyer"))
    robot = agent(asking.person("buyer"))
    assert asking.refusal(asking.spend(5, robot, revises=by_person.proposal_id)) == "not_revisable"
    own = asking.proposed(100, robot)
    assert isinstance(asking.spend(5, robot, revises=own.proposal_id), Proposed)
    assert asking.spent() == 0


def test_taint_stays_when_a_plan_is_rebased_and_goes_when_a_person_states_it_anew(
    asking: Office, agent: Callable[[Principal], Principal]
) -> None:
    tainted = asking.proposed(100, agent(asking.person("buyer")), tainted=True)
    rebased = asking.gate.rebase(tainted.proposal_id, agent(asking.person("buyer")), key="r")
    assert isinstance(rebased, Proposed) and asking.view(rebased.proposal_id).tainted
    stated = asking.proposed(100, asking.person("planner"), revises=rebased.proposal_id)
    assert not asking.view(stated.proposal_id).tainted


@pytest.mark.capability("S209")
def test_what_an_agent_submits_without_saying_what_it_saw_counts_as_tainted(
    asking: Office, agent: Callable[[Principal], Principal]
) -> None:
    outcome = asking.gate.submit(
        SetCompanyFact(key="name", value="Acme"), agent(asking.person("admin")), key="1"
    )
    assert isinstance(outcome, Proposed) and asking.view(outcome.proposal_id).tainted


def test_the_hash_covers_all_that_is_shown_and_evidence_has_its_own(asking: Office) -> None:
    evidence = [
        {"kind": "metric_query", "id": "q1", "value": 7},
        {"kind": "model", "version": "3", "sha256": "forged"},
    ]
    proposal = asking.proposed(100, asking.person("buyer"), evidence=evidence)
    view = asking.view(proposal.proposal_id)
    assert [one["sha256"] for one in view.evidence] == [
        payload_hash(evidence[0]),
        payload_hash({"kind": "model", "version": "3"}),
    ]
    shown = {name: getattr(view, name) for name in view.__slots__ if name != "payload_hash"}
    row = shown | {"run_id": None}
    assert content_hash(row) == proposal.payload_hash
    for name, other in (
        ("reason", "x"),
        ("tainted", True),
        ("amount", 1),
        ("evidence", []),
        ("approvers", []),
    ):
        changed = content_hash(row | {name: other})
        assert (changed == proposal.payload_hash) == (name == "amount"), name
    assert view.compensation == [{"command": "Spend", "by": "Receive the money back"}]


@pytest.mark.capability("S209")
def test_a_proposal_altered_in_the_database_is_never_executed(asking: Office) -> None:
    proposal = asking.proposed(100, asking.person("buyer"))
    with asking.gate.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.execute(text("DROP TRIGGER proposals_refuse_update"))
        else:
            connection.execute(text("ALTER TABLE proposals DISABLE TRIGGER USER"))
        connection.execute(
            text("UPDATE proposals SET payload = replace(payload, '100', '900')"),
        )
    assert asking.refusal(asking.approve(proposal, asking.person("manager"))) == "proposal_altered"
    assert asking.spent() == 0


def test_a_plan_that_failed_says_why_and_the_same_person_may_try_again(asking: Office) -> None:
    proposal = asking.proposed(100, asking.person("buyer"), fails=True)
    manager = asking.person("manager")
    failed = asking.approve(proposal, manager)
    assert isinstance(failed, Executed) and failed.result["failed"]["code"] == "no_money"
    view = asking.view(proposal.proposal_id)
    assert (view.status, view.decisions, view.attempts[0]["error"]["remedy"]) == ("pending", (), "fill it")
    with gate_writing(asking.gate.engine) as connection:
        upsert_replace(connection, company, [{"key": "till", "value": "open"}], ["value"])
    done = asking.approve(proposal, manager)
    assert isinstance(done, Executed) and done.result["status"] == "executed" and asking.spent() == 1


def test_who_lost_the_right_meanwhile_gets_nothing_executed(asking: Office) -> None:
    buyer = asking.person("buyer")
    proposal = asking.proposed(100, buyer)
    with gate_writing(asking.gate.engine) as connection:
        from erp_core.gate.model import users

        connection.execute(update(users).where(users.c.id == buyer.user_id).values(active=False))
    failed = asking.approve(proposal, asking.person("manager"))
    assert isinstance(failed, Executed) and failed.result["failed"]["code"] == "requester_lost_right"
    assert asking.spent() == 0


def test_a_plan_whose_command_has_become_another_can_only_be_turned_down(
    asking: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposal, manager = asking.proposed(100, asking.person("buyer")), asking.person("manager")

    class Spend(Command):
        """The same name with other fields."""

        budget: int

    registration = asking.gate.registry.require("Spend")
    monkeypatch.setitem(asking.gate.registry._registrations, "Spend", replace(registration, command=Spend))
    (seating,) = asking.read(
        lambda c: asking.gate.advice.deciding([asking.view(proposal.proposal_id)], manager, c)
    )
    assert seating.why_not is not None and seating.why_not.code == "proposal_outdated"
    assert asking.refusal(asking.approve(proposal, manager)) == "proposal_outdated"
    assert asking.refusal(asking.gate.rebase(proposal.proposal_id, manager, key="r")) == "proposal_outdated"
    no = RejectProposal(proposal_id=proposal.proposal_id, payload_hash=proposal.payload_hash, comment="old")
    assert isinstance(asking.gate.submit(no, manager, key="no"), Executed)
    assert asking.status(proposal) == "rejected" and asking.spent() == 0
