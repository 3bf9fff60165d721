"""Proposals: people decide on what was shown, once, and never on their own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from itertools import count
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from erp_core.clock import Clock
from erp_core.gate.commands import SetCompanyFact
from erp_core.gate.contract import Denied, Executed, Outcome, Proposed, Refused
from erp_core.gate.decisions import (
    ApproveProposal,
    ExpireProposals,
    RejectProposal,
    SendBackProposal,
    WithdrawProposal,
)
from erp_core.gate.model import approval_policies, company, executions, proposal_states
from erp_core.gate.policies.commands import PolicyApprover, PolicyCondition, SaveApprovalPolicy
from erp_core.gate.principals import Principal
from erp_core.gate.queries import get_proposal, list_audit, list_proposals
from erp_core.gate.rules import PROPOSAL_STEPS, REVISABLE
from erp_core.gate.submission import Gate
from erp_core.gate.users import CreateUser
from erp_core.storage.engine import gate_writing, reading
from tests.conftest import size

Person = Callable[..., Principal]
AgentFor = Callable[[Principal], Principal]


bands = count()


def policy(name: str = "new rule") -> SaveApprovalPolicy:
    """A policy that contradicts none of those before it."""
    band = next(bands)
    return SaveApprovalPolicy(
        policy_id=uuid4(),
        policy_name=name,
        command="CreateUser",
        conditions=(PolicyCondition(fact="amount", low=band, high=band + 1),),
        approvers=(PolicyApprover(role="manager", people=1),),
    )


def propose(gate: Gate, who: Principal, name: str = "new rule") -> Proposed:
    outcome = gate.submit(policy(name), who, key=name)
    assert isinstance(outcome, Proposed), outcome
    return outcome


def approve(gate: Gate, who: Principal, proposal: Proposed, *, shown: str | None = None) -> Outcome:
    command = ApproveProposal(proposal_id=proposal.proposal_id, payload_hash=shown or proposal.payload_hash)
    return gate.submit(command, who, key=f"approve:{proposal.proposal_id}:{uuid4()}")


def saved(gate: Gate, name: str = "new rule") -> int:
    with reading(gate.engine) as connection:
        query = select(func.count()).select_from(approval_policies).where(approval_policies.c.name == name)
        return connection.scalar(query) or 0


def status(gate: Gate, proposal: Proposed) -> str:
    with reading(gate.engine) as connection:
        view = get_proposal(connection, proposal.proposal_id)
    assert view is not None
    return view.status


@pytest.fixture
def people(gate: Gate, person: Person) -> dict[str, Principal]:
    gate.install_policies()
    return {role: person(gate, role) for role in ("admin", "manager", "finance", "planner")}


@pytest.mark.capability("S238")
def test_a_governed_command_waits_until_everybody_asked_for_has_approved(
    gate: Gate, people: dict[str, Principal]
) -> None:
    proposal = propose(gate, people["admin"])
    assert saved(gate) == 0
    first = approve(gate, people["manager"], proposal)
    assert isinstance(first, Executed) and first.result["status"] == "pending"
    assert saved(gate) == 0
    last = approve(gate, people["finance"], proposal)
    assert isinstance(last, Executed) and last.result["status"] == "executed"
    assert saved(gate) == 1
    with reading(gate.engine) as connection:
        entries = list_audit(connection, proposal_id=proposal.proposal_id)
    assert {(entry.command, entry.outcome) for entry in entries} == {
        ("SaveApprovalPolicy", "proposed"),
        ("SaveApprovalPolicy", "executed"),
    }


@pytest.mark.capability("S205")
def test_nobody_approves_their_own(gate: Gate, person: Person) -> None:
    gate.install_policies()
    both = person(gate, "admin", "manager", "finance")
    outcome = approve(gate, both, propose(gate, both))
    assert isinstance(outcome, Refused)
    assert outcome.error.code == "own_proposal"
    assert saved(gate) == 0


@pytest.mark.capability("S205")
def test_one_person_with_two_roles_counts_once(
    gate: Gate, people: dict[str, Principal], person: Person
) -> None:
    proposal = propose(gate, people["admin"])
    both = person(gate, "manager", "finance")
    approve(gate, both, proposal)
    again = approve(gate, both, proposal)
    assert isinstance(again, Refused) and again.error.code == "not_an_approver"
    assert saved(gate) == 0


@pytest.mark.capability("S204")
def test_a_person_without_the_role_cannot_approve(gate: Gate, people: dict[str, Principal]) -> None:
    outcome = approve(gate, people["planner"], propose(gate, people["admin"]))
    assert isinstance(outcome, Refused) and outcome.error.code == "not_an_approver"


def test_another_hash_than_the_one_shown_is_refused(gate: Gate, people: dict[str, Principal]) -> None:
    outcome = approve(gate, people["manager"], propose(gate, people["admin"]), shown="0" * 64)
    assert isinstance(outcome, Refused) and outcome.error.code == "hash_mismatch"


@pytest.mark.parametrize(("command", "end"), [(RejectProposal, "rejected"), (SendBackProposal, "sent_back")])
def test_a_turned_down_proposal_takes_no_further_decision(
    gate: Gate, people: dict[str, Principal], command: type, end: str
) -> None:
    proposal = propose(gate, people["admin"])
    gate.submit(
        command(proposal_id=proposal.proposal_id, payload_hash=proposal.payload_hash, comment="too broad"),
        people["manager"],
        key="no",
    )
    assert status(gate, proposal) == end
    late = approve(gate, people["finance"], proposal)
    assert isinstance(late, Refused) and late.error.code == "proposal_not_pending"


def test_only_the_requester_withdraws(gate: Gate, people: dict[str, Principal], person: Person) -> None:
    requester = person(gate, "admin", "manager")
    proposal = propose(gate, requester)
    command = WithdrawProposal(proposal_id=proposal.proposal_id)
    refused = gate.submit(command, people["manager"], key="1")
    assert isinstance(refused, Refused) and refused.error.code == "not_an_approver"
    assert isinstance(gate.submit(command, requester, key="1"), Executed)
    assert status(gate, proposal) == "withdrawn"


def days_later(gate: Gate, *, wall: int = 0, business: int = 0, live: bool = False) -> None:
    """Let days pass: on the wall, and for the business by setting its date or by following the wall."""
    then, today = gate.clock.now() + timedelta(days=wall), gate.clock.today() + timedelta(days=business)
    gate.clock = Clock(now=lambda: then, fixed_business_date=None if live else today)


def expire(gate: Gate, person: Person) -> int:
    outcome = gate.submit(ExpireProposals(), person(gate, "jobs"), key=str(uuid4()))
    assert isinstance(outcome, Executed)
    return int(outcome.result["expired"])


def test_days_that_pass_on_the_wall_alone_leave_the_queue_of_a_company_with_a_fixed_date(
    gate: Gate, people: dict[str, Principal], person: Person
) -> None:
    proposal = propose(gate, people["admin"])
    days_later(gate, wall=200)
    assert expire(gate, person) == 0 and status(gate, proposal) == "pending"
    assert isinstance(approve(gate, people["manager"], proposal), Executed)


def test_in_a_live_company_a_proposal_runs_out_on_the_wall(
    gate: Gate, people: dict[str, Principal], person: Person
) -> None:
    days_later(gate, live=True)
    proposal = propose(gate, people["admin"])
    days_later(gate, wall=2, live=True)
    assert expire(gate, person) == 0
    days_later(gate, wall=1, live=True)
    assert expire(gate, person) == 1 and status(gate, proposal) == "expired"


def test_a_business_date_set_forward_ends_what_is_then_overdue(
    gate: Gate, people: dict[str, Principal], person: Person
) -> None:
    proposal = propose(gate, people["admin"])
    days_later(gate, business=2)
    assert expire(gate, person) == 0
    days_later(gate, business=2)
    outcome = approve(gate, people["manager"], proposal)
    assert isinstance(outcome, Refused) and outcome.error.code == "proposal_not_pending"
    assert expire(gate, person) == 1 and status(gate, proposal) == "expired"
    days_later(gate, business=-4)
    assert expire(gate, person) == 0 and status(gate, proposal) == "expired", "what ended stays so"


def test_a_back_dated_wish_has_its_full_time_and_a_back_dated_yes_gains_none(
    gate: Gate, people: dict[str, Principal], person: Person
) -> None:
    simulator, past = person(gate, "admin", "simulator"), gate.clock.business_now() - timedelta(days=300)
    outcome = gate.submit(policy().model_copy(update={"occurred_at": past}), simulator, key="past")
    assert isinstance(outcome, Proposed)
    assert expire(gate, person) == 0 and status(gate, outcome) == "pending"
    with reading(gate.engine) as connection:
        view = get_proposal(connection, outcome.proposal_id)
    assert view is not None and view.created_at == past
    assert view.expires_at - gate.clock.business_now() > timedelta(hours=71)

    days_later(gate, business=4)
    decider = person(gate, "manager", "simulator")
    yes = ApproveProposal(
        proposal_id=outcome.proposal_id, payload_hash=outcome.payload_hash, occurred_at=past
    )
    late = gate.submit(yes, decider, key="late")
    assert isinstance(late, Refused) and late.error.code == "proposal_not_pending"


def test_the_newest_proposal_stands_first_though_a_fixed_day_starts_over(
    gate: Gate, people: dict[str, Principal]
) -> None:
    evening = gate.clock.now().replace(hour=23, minute=30)
    gate.clock = Clock(now=lambda: evening, fixed_business_date=gate.clock.fixed_business_date)
    first = propose(gate, people["admin"], "in the evening")
    morning = evening + timedelta(hours=8)
    gate.clock = Clock(now=lambda: morning, fixed_business_date=gate.clock.fixed_business_date)
    second = propose(gate, people["admin"], "next morning")
    with reading(gate.engine) as connection:
        views, _ = list_proposals(connection)
    assert [view.id for view in views] == [second.proposal_id, first.proposal_id]


def test_two_last_approvals_at_once_execute_exactly_once(
    gate: Gate, people: dict[str, Principal], person: Person
) -> None:
    for round_number in range(size(3, 30)):
        name = f"race {round_number}"
        proposal = propose(gate, people["admin"], name)
        approve(gate, people["manager"], proposal)
        rivals = [person(gate, "finance") for _ in range(3)]
        with ThreadPoolExecutor(3) as pool:
            outcomes = list(pool.map(lambda who: approve(gate, who, proposal), rivals))  # noqa: B023
        executed = [one for one in outcomes if isinstance(one, Executed)]
        assert len(executed) == 1
        assert saved(gate, name) == 1
    with reading(gate.engine) as connection:
        assert connection.scalar(select(func.count()).select_from(executions)) == size(3, 30)


def test_a_refusal_at_execution_leaves_it_pending_with_the_reason(
    gate: Gate, people: dict[str, Principal], person: Person, agent: AgentFor
) -> None:
    admin = people["admin"]
    user = CreateUser(user_id=uuid4(), login="newcomer", person_name="N", roles=("planner",))
    assert isinstance(gate.submit(user, agent(admin), key="1"), Denied)
    plan = [SetCompanyFact(key="name", value="Acme"), policy("bad")]
    bad = policy("bad").model_copy(update={"approvers": (PolicyApprover(role="wizard", people=1),)})
    outcome = gate.submit_plan([plan[0], bad], admin, key="2", title="Rename", reason="merger")
    assert isinstance(outcome, Proposed)
    approve(gate, people["manager"], outcome)
    last = approve(gate, people["finance"], outcome)
    assert isinstance(last, Executed)
    assert last.result["status"] == "pending"
    assert last.result["failed"]["code"] == "unknown_role"
    with reading(gate.engine) as connection:
        view = get_proposal(connection, outcome.proposal_id)
        assert connection.scalar(select(func.count()).select_from(company)) == 0
    assert view is not None
    assert view.status == "pending"
    assert [decision["role"] for decision in view.decisions] == ["manager"]
    assert view.attempts[0]["error"]["code"] == "unknown_role"


@pytest.mark.capability("S238")
def test_an_agent_only_ever_proposes_even_what_its_user_may_do_at_once(
    gate: Gate, people: dict[str, Principal], agent: AgentFor
) -> None:
    outcome = gate.submit(SetCompanyFact(key="name", value="Acme"), agent(people["admin"]), key="1")
    assert isinstance(outcome, Proposed)
    with reading(gate.engine) as connection:
        assert connection.scalar(select(func.count()).select_from(company)) == 0
    own = approve(gate, people["admin"], outcome)
    assert isinstance(own, Refused) and own.error.code == "own_proposal"
    approved = approve(gate, people["manager"], outcome)
    assert isinstance(approved, Executed) and approved.result["status"] == "executed"


@pytest.mark.capability("S238")
def test_an_agent_cannot_approve_even_for_a_manager(
    gate: Gate, people: dict[str, Principal], agent: AgentFor
) -> None:
    proposal = propose(gate, people["admin"])
    outcome = approve(gate, agent(people["manager"]), proposal)
    assert not (isinstance(outcome, Executed))
    assert status(gate, proposal) == "pending"


def test_an_agents_open_proposals_are_limited(
    gate: Gate, people: dict[str, Principal], agent: AgentFor
) -> None:
    helper = agent(people["admin"])
    outcomes = [gate.submit(SetCompanyFact(key="name", value=f"N{i}"), helper, key=f"{i}") for i in range(21)]
    assert all(isinstance(one, Proposed) for one in outcomes[:20])
    assert isinstance(outcomes[20], Refused) and outcomes[20].error.code == "too_many_open_proposals"


def test_a_tighter_policy_in_force_at_the_last_approval_wins(
    gate: Gate, people: dict[str, Principal], agent: AgentFor
) -> None:
    proposal = gate.submit(SetCompanyFact(key="name", value="Acme"), agent(people["admin"]), key="1")
    assert isinstance(proposal, Proposed)
    tighter = SaveApprovalPolicy(
        policy_id=uuid4(),
        policy_name="company facts by agents",
        command="SetCompanyFact",
        approvers=(PolicyApprover(role="manager", people=1), PolicyApprover(role="finance", people=1)),
    )
    change = gate.submit(tighter, people["admin"], key="t")
    assert isinstance(change, Proposed)
    approve(gate, people["manager"], change)
    approve(gate, people["finance"], change)
    outcome = approve(gate, people["manager"], proposal)
    assert isinstance(outcome, Executed)
    assert outcome.result["failed"]["code"] == "policy_changed"
    assert status(gate, proposal) == "pending"


def test_the_life_of_a_proposal_ends_once_and_what_ended_undecided_can_only_be_superseded() -> None:
    ends = PROPOSAL_STEPS.keys() - {"pending"}
    assert PROPOSAL_STEPS["pending"] == ends
    onwards = {end: PROPOSAL_STEPS[end] for end in ends if PROPOSAL_STEPS[end]}
    assert onwards == dict.fromkeys(REVISABLE - {"pending"}, frozenset({"superseded"}))


def test_what_runs_at_its_last_moment_stays_executed_when_its_time_is_over(
    gate: Gate, people: dict[str, Principal], person: Person
) -> None:
    """A rival has approved and not committed yet when the job looks for what ran out."""
    proposal = propose(gate, people["admin"])
    jobs = person(gate, "jobs")
    days_later(gate, business=4)
    with ThreadPoolExecutor(1) as another:
        with gate_writing(gate.engine) as connection:
            state = proposal_states.c
            connection.execute(
                update(proposal_states)
                .where(state.proposal_id == proposal.proposal_id)
                .values(status="executed")
            )
            waiting = another.submit(gate.submit, ExpireProposals(), jobs, key="expire")
            with suppress(TimeoutError):
                waiting.result(timeout=1)
        outcome = waiting.result()
    assert isinstance(outcome, Executed) and outcome.result == {"expired": 0}
    assert status(gate, proposal) == "executed"
