"""Separation of duties holds across documents, accounts and the database itself."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import insert, update
from sqlalchemy.exc import DBAPIError

from erp_core.gate.contract import Executed, Proposed, Refused
from erp_core.gate.credentials import load_principal
from erp_core.gate.model import duties, executions, proposal_decisions, users
from erp_core.gate.principals import Principal
from erp_core.gate.separation import SaveSeparationRule, separation_rules_in_force
from erp_core.storage.engine import gate_writing, reading
from tests.gate.office import Office, Receive, Spend


@pytest.fixture
def asking(office: Office) -> Office:
    office.save(office.policy(("manager", 1), low=100), office.policy(high=100))
    return office


def second_account(office: Office, of: Principal, *roles: str) -> Principal:
    """Another account of the same person."""
    other = office.gate.bootstrap_user(f"{of.login}-2", roles)
    with gate_writing(office.gate.engine) as connection:
        connection.execute(update(users).where(users.c.id == other.user_id).values(person_id=of.person))
    with reading(office.gate.engine) as connection:
        return load_principal(connection, other.user_id)


@pytest.mark.capability("S205")
def test_the_second_account_of_a_person_is_the_same_person(asking: Office) -> None:
    buyer = asking.person("buyer")
    proposal = asking.proposed(100, buyer)
    twin = second_account(asking, buyer, "manager")
    assert asking.refusal(asking.approve(proposal, twin)) == "own_proposal"
    assert asking.spent() == 0


@pytest.mark.capability("S205")
def test_who_ordered_or_approved_does_not_receive_through_any_account(asking: Office) -> None:
    buyer, manager, matter = asking.person("buyer"), asking.person("manager"), uuid4()
    proposal = asking.proposed(100, buyer, matter=matter)
    asking.approve(proposal, manager)
    for who in (buyer, manager, second_account(asking, buyer, "warehouse")):
        outcome = asking.gate.submit(Receive(matter=matter), who, key=uuid4().hex)
        assert isinstance(outcome, Refused) and outcome.error.code == "duties_conflict", who.login
        assert "another person" in outcome.error.remedy
    assert isinstance(
        asking.gate.submit(Receive(matter=matter), asking.person("warehouse"), key="r"), Executed
    )


@pytest.mark.capability("S205")
def test_who_received_does_not_order_afterwards_nor_approve(asking: Office) -> None:
    matter, warehouse = uuid4(), asking.person("keeper", "warehouse", "manager")
    asking.gate.submit(Receive(matter=matter), warehouse, key="first")
    assert asking.refusal(asking.spend(50, warehouse, matter=matter)) == "duties_conflict"
    proposal = asking.proposed(100, asking.person("buyer"), matter=matter)
    assert asking.refusal(asking.approve(proposal, warehouse)) == "own_proposal"


@pytest.mark.capability("S205")
def test_two_conflicting_duties_of_one_batch_are_seen(asking: Office) -> None:
    matter, both = uuid4(), asking.person("both", "buyer", "warehouse")
    outcome = asking.spend(50, both, matter=matter)
    assert isinstance(outcome, Executed)
    plan = asking.gate.submit_plan(
        [Receive(matter=matter)], both, key="plan", title="Receive", reason="it came"
    )
    assert asking.refusal(plan) == "duties_conflict"


@pytest.mark.capability("S157", "S205")
def test_rules_of_separation_are_data_that_change_with_two_approvals(asking: Office) -> None:
    rule = next(
        one
        for one in asking.read(separation_rules_in_force)
        if one["duty"] == "order_requester" and one["other"] == "receiver"
    )
    off = SaveSeparationRule(
        rule_id=rule["id"], rule_name=rule["name"], duty=rule["duty"], other=rule["other"], active=False
    )
    proposed = asking.gate.submit(off, asking.person("admin"), key="off")
    assert isinstance(proposed, Proposed) and {one["role"] for one in proposed.approvers} == {
        "manager",
        "finance",
    }
    for name in ("manager", "finance"):
        asking.approve(proposed, asking.person(name))
    matter, buyer = uuid4(), asking.person("buyer")
    asking.spend(50, buyer, matter=matter)
    assert isinstance(asking.gate.submit(Receive(matter=matter), buyer, key="r"), Executed)
    assert rule["id"] not in {one["id"] for one in asking.read(separation_rules_in_force)}


@pytest.mark.capability("S205")
def test_the_database_itself_refuses_a_second_duty(asking: Office) -> None:
    matter, buyer, warehouse = uuid4(), asking.person("buyer"), asking.person("warehouse")
    asking.spend(50, buyer, matter=matter)
    row = {
        "subject_id": matter,
        "duty": "receiver",
        "person_id": buyer.person,
        "subject_kind": "matter",
        "audit_id": uuid4(),
    }
    with (
        pytest.raises(DBAPIError, match="separation of duties"),
        gate_writing(asking.gate.engine) as connection,
    ):
        connection.execute(insert(duties), row)
    with gate_writing(asking.gate.engine) as connection:
        connection.execute(insert(duties), row | {"person_id": warehouse.person})


def decision(proposal: Proposed, who: Principal, **changed: object) -> dict[str, object]:
    return {
        "id": uuid4(),
        "proposal_id": proposal.proposal_id,
        "user_id": who.user_id,
        "decision": "approve",
        "person_id": who.person,
        "authority_id": who.person,
        "role": "manager",
        "acting_as": "manager",
        "quoted_hash": proposal.payload_hash,
        "comment": "",
        "decided_at": datetime(2026, 6, 30, tzinfo=UTC),
    } | changed


@pytest.mark.capability("S205", "S238")
def test_the_database_itself_refuses_a_decision_that_the_gate_would_refuse(asking: Office) -> None:
    buyer, manager = asking.person("buyer"), asking.person("manager")
    proposal = asking.proposed(100, buyer)
    forged = [
        decision(proposal, buyer),
        decision(proposal, manager, quoted_hash="0" * 64),
        decision(proposal, asking.person("planner")),
        decision(proposal, manager, person_id=uuid4()),
    ]
    for row in forged:
        with pytest.raises(DBAPIError, match="decision"), gate_writing(asking.gate.engine) as connection:
            connection.execute(insert(proposal_decisions), row)
    with gate_writing(asking.gate.engine) as connection:
        connection.execute(insert(proposal_decisions), decision(proposal, manager))


@pytest.mark.capability("S205", "S238")
def test_the_database_itself_refuses_an_execution_without_its_approvals(asking: Office) -> None:
    asking.save(asking.policy(("manager", 2), low=100, policy_id=None, among={"via": ("person",)}))
    proposal = asking.proposed(100, asking.person("buyer"))
    row = {
        "proposal_id": proposal.proposal_id,
        "audit_id": uuid4(),
        "results": [],
        "executed_at": datetime(2026, 6, 30, tzinfo=UTC),
    }
    asking.approve(proposal, asking.person("manager"))
    with pytest.raises(DBAPIError, match="approvals"), gate_writing(asking.gate.engine) as connection:
        connection.execute(insert(executions), row)
    asking.approve(proposal, asking.person("second", "manager"))
    assert asking.spent() == 1


@pytest.mark.capability("S205")
def test_two_conflicting_duties_of_one_plan_are_refused_by_name_and_nothing_of_it_runs(
    asking: Office,
) -> None:
    matter, both = uuid4(), asking.person("both", "buyer", "warehouse")
    plan = asking.gate.submit_plan(
        [Spend(matter=matter, amount=50), Receive(matter=matter)],
        both,
        key="plan",
        title="Buy and receive",
        reason="at once",
    )
    assert asking.refusal(plan) == "duties_conflict"
    assert asking.spent() == 0


@pytest.mark.capability("S205")
def test_a_duty_had_while_a_proposal_waits_stops_it_with_its_reason(asking: Office) -> None:
    matter, buyer = uuid4(), asking.person("buyer")
    outcome = asking.gate.submit(Receive(matter=matter), asking.gate.agent_for(buyer), key="agent")
    assert isinstance(outcome, Proposed)
    assert isinstance(asking.spend(50, buyer, matter=matter), Executed)
    done = asking.approve(outcome, asking.person("manager"))
    assert isinstance(done, Executed) and done.result["failed"]["code"] == "duties_conflict"
    assert asking.status(outcome) == "pending"
