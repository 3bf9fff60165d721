"""Lent rights and escalation: who may decide for whom, and who never becomes two people by it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from erp_core.clock import Clock
from erp_core.gate.authority import DelegateAuthority, EndDelegation, list_delegations
from erp_core.gate.contract import Denied, Executed, Outcome
from erp_core.gate.decisions import EscalateProposals
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.gate.users import SetUserActive
from tests.gate.office import Office


def lend(
    office: Office,
    lender: Principal,
    to: Principal,
    role: str = "manager",
    *,
    days: tuple[int, int] = (0, 5),
    **more: int,
) -> tuple[DelegateAuthority, Outcome]:
    today = office.gate.clock.today()
    command = DelegateAuthority(
        delegation_id=uuid4(),
        to_user_id=to.user_id,
        role=role,
        starts_on=today + timedelta(days=days[0]),
        ends_on=today + timedelta(days=days[1]),
        reason="on leave",
        amount_below=more.get("amount_below"),
    )
    return command, office.gate.submit(command, lender, key=uuid4().hex)


def pass_hours(gate: Gate, hours: int) -> None:
    then = gate.clock.business_now() + timedelta(hours=hours)
    gate.clock = Clock(now=lambda: then)


@pytest.fixture
def asking(office: Office) -> Office:
    office.save(office.policy(("manager", 1), low=0, escalation=(24, "executive")))
    return office


@pytest.mark.capability("S206")
def test_a_lent_right_decides_and_is_on_record_with_whose_it_was(asking: Office) -> None:
    manager, buyer = asking.person("manager"), asking.person("deputy", "buyer")
    _, outcome = lend(asking, manager, buyer)
    assert isinstance(outcome, Executed)
    proposal = asking.proposed(10, asking.person("planner"))
    done = asking.approve(proposal, buyer)
    assert isinstance(done, Executed) and done.result["status"] == "executed"
    (decision,) = asking.view(proposal.proposal_id).decisions
    assert (decision["person_id"], decision["authority_id"]) == (buyer.person, manager.person)


@pytest.mark.capability("S206")
@pytest.mark.parametrize("days", [(-9, -1), (1, 5)])
def test_a_right_lent_for_other_days_does_not_decide_today(asking: Office, days: tuple[int, int]) -> None:
    _, outcome = lend(asking, asking.person("manager"), asking.person("deputy", "buyer"), days=days)
    proposal = asking.proposed(10, asking.person("planner"))
    assert asking.refusal(asking.approve(proposal, asking.person("deputy"))) == "not_an_approver"
    if days[1] < 0:
        assert asking.refusal(outcome) == "cannot_delegate"


@pytest.mark.capability("S206")
def test_a_limit_of_a_lent_right_is_half_open(asking: Office) -> None:
    lend(asking, asking.person("manager"), asking.person("deputy", "buyer"), amount_below=100)
    at = asking.proposed(100, asking.person("planner"))
    assert asking.refusal(asking.approve(at, asking.person("deputy"))) == "not_an_approver"
    below = asking.proposed(99, asking.person("planner"))
    assert isinstance(asking.approve(below, asking.person("deputy")), Executed)


@pytest.mark.capability("S206")
def test_what_the_lender_asked_for_the_borrower_does_not_decide(asking: Office) -> None:
    manager = asking.person("manager")
    lend(asking, manager, asking.person("deputy", "buyer"))
    proposal = asking.proposed(10, manager)
    assert asking.refusal(asking.approve(proposal, asking.person("deputy"))) == "not_an_approver"


@pytest.mark.capability("S206")
def test_lender_and_borrower_are_one_person_of_two(office: Office) -> None:
    office.save(office.policy(("manager", 2), low=0))
    manager, deputy = office.person("manager"), office.person("deputy", "buyer", "finance")
    lend(office, manager, deputy)
    proposal = office.proposed(10, office.person("planner"))
    assert isinstance(office.approve(proposal, deputy), Executed)
    assert office.refusal(office.approve(proposal, manager)) == "not_an_approver"
    other = office.person("second", "manager")
    done = office.approve(proposal, other)
    assert isinstance(done, Executed) and done.result["status"] == "executed"


@pytest.mark.capability("S206")
def test_a_borrowed_right_is_not_lent_on_nor_lent_to_oneself_or_a_service(office: Office) -> None:
    deputy = office.person("deputy", "buyer")
    lend(office, office.person("manager"), deputy)
    for to in (office.person("friend", "planner"), office.person("manager")):
        assert office.refusal(lend(office, deputy, to)[1]) == "cannot_delegate"
    assert office.refusal(lend(office, deputy, deputy, "buyer")[1]) == "cannot_delegate"
    robot = office.gate.bootstrap_user("robot", ("automation",), kind="service")
    assert office.refusal(lend(office, deputy, robot, "buyer")[1]) == "cannot_delegate"


@pytest.mark.capability("S206")
def test_a_right_taken_back_or_lost_by_its_lender_counts_no_more(office: Office) -> None:
    office.save(office.policy(("finance", 1), ("manager", 1), low=0))
    deputy, manager = office.person("deputy", "buyer"), office.person("lender", "manager")
    command, _ = lend(office, manager, deputy)
    proposal = office.proposed(10, office.person("planner"))
    assert isinstance(office.approve(proposal, deputy), Executed)
    stranger = office.gate.submit(
        EndDelegation(delegation_id=command.delegation_id), office.person("planner"), key="e"
    )
    assert office.refusal(stranger) == "not_found"
    ended = office.gate.submit(EndDelegation(delegation_id=command.delegation_id), manager, key="e")
    assert isinstance(ended, Executed)
    pending = office.approve(proposal, office.person("finance"))
    assert isinstance(pending, Executed) and pending.result["missing"] == {"manager": 1}
    (row,) = office.read(list_delegations)
    assert (row["lender"], row["borrower"], row["ended_at"] is not None) == ("lender", "deputy", True)


def test_an_approval_of_somebody_who_left_counts_no_more(office: Office) -> None:
    office.save(office.policy(("finance", 1), ("manager", 1), low=0))
    leaver = office.person("leaver", "manager")
    proposal = office.proposed(10, office.person("planner"))
    office.approve(proposal, leaver)
    office.gate.submit(SetUserActive(user_id=leaver.user_id, active=False), office.person("admin"), key="out")
    pending = office.approve(proposal, office.person("finance"))
    assert isinstance(pending, Executed) and pending.result["missing"] == {"manager": 1}
    assert office.spent() == 0


@pytest.mark.capability("S206")
def test_what_nobody_decides_in_time_goes_up_and_the_role_above_may_stand_in(asking: Office) -> None:
    jobs, executive = (
        asking.gate.bootstrap_user("jobs", ("jobs",), kind="service"),
        asking.person("executive"),
    )
    proposal = asking.proposed(10, asking.person("planner"))
    assert asking.refusal(asking.approve(proposal, executive)) == "not_an_approver"
    pass_hours(asking.gate, 23)
    early = asking.gate.submit(EscalateProposals(), jobs, key="1")
    assert isinstance(early, Executed) and early.result["escalated"] == 0
    pass_hours(asking.gate, 1)
    due = asking.gate.submit(EscalateProposals(), jobs, key="2")
    assert isinstance(due, Executed) and due.result["escalated"] == 1
    again = asking.gate.submit(EscalateProposals(), jobs, key="3")
    assert isinstance(again, Executed) and again.result["escalated"] == 0
    done = asking.approve(proposal, executive)
    assert isinstance(done, Executed) and done.result["status"] == "executed"
    (decision,) = asking.view(proposal.proposal_id).decisions
    assert (decision["role"], decision["acting_as"]) == ("manager", "executive")


@pytest.mark.capability("S205", "S238")
def test_agents_and_services_neither_decide_nor_lend(
    asking: Office, agent: Callable[[Principal], Principal]
) -> None:
    proposal = asking.proposed(10, asking.person("planner"))
    robot = asking.gate.bootstrap_user("robot", ("manager",), kind="service")
    for who in (agent(asking.person("manager")), robot):
        assert isinstance(asking.approve(proposal, who), Denied)
        assert isinstance(lend(asking, who, asking.person("buyer"))[1], Denied)


@pytest.mark.capability("S205", "S206")
def test_a_right_is_not_lent_to_who_is_checked_by_it(office: Office) -> None:
    for lender, to in (("finance", "warehouse"), ("manager", "admin")):
        outcome = lend(office, office.person(lender), office.person(to), lender)[1]
        assert office.refusal(outcome) == "toxic_roles"
