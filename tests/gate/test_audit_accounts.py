"""What the tables say about proposals must be what the log says: each forgery beside the gate is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select

from erp_core.gate.audit import Sealer
from erp_core.gate.contract import Executed, Proposed
from erp_core.gate.decisions import ApproveProposal
from erp_core.gate.model import audit_entries
from erp_core.gate.policies.commands import PolicyApprover, PolicyCondition, SaveApprovalPolicy
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.storage.engine import reading
from tests.gate.owner import as_the_owner_of_the_database, literal


def propose(gate: Gate, who: Principal, low: int) -> Proposed:
    command = SaveApprovalPolicy(
        policy_id=uuid4(),
        policy_name=f"rule {low}",
        command="CreateUser",
        conditions=(PolicyCondition(fact="amount", low=low, high=low + 1),),
        approvers=(PolicyApprover(role="manager", people=1),),
    )
    outcome = gate.submit(command, who, key=str(low))
    assert isinstance(outcome, Proposed), outcome
    return outcome


@pytest.fixture
def decided(gate: Gate, person: Callable[..., Principal]) -> tuple[Proposed, Proposed]:
    """A proposal that two people agreed to, and one that waits."""
    gate.install_policies()
    people = {role: person(gate, role) for role in ("admin", "manager", "finance")}
    done, waiting = propose(gate, people["admin"], 1), propose(gate, people["admin"], 2)
    for role in ("manager", "finance"):
        command = ApproveProposal(proposal_id=done.proposal_id, payload_hash=done.payload_hash)
        assert isinstance(gate.submit(command, people[role], key=f"approve as {role}"), Executed)
    return done, waiting


def problems(gate: Gate, home: Path, *statements: str) -> list[str]:
    """What verifying says after the owner of the database ran the statements."""
    sealer = Sealer(gate.engine, home)
    sealer.seal(gate.clock.now())
    assert sealer.verify().findings == ()
    with as_the_owner_of_the_database(gate.engine) as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    return [one.problem for one in sealer.verify().findings]


@pytest.mark.capability("S207", "S209")
def test_a_proposal_changed_after_it_was_logged_is_named(
    gate: Gate, decided: tuple[Proposed, Proposed], tmp_path: Path
) -> None:
    id_ = literal(gate.engine, decided[1].proposal_id)
    (found,) = problems(
        gate,
        tmp_path,
        f"UPDATE proposals SET payload = replace(payload, 'rule 2', 'rule 3') WHERE id = {id_}",
    )
    assert "its content was changed" in found


@pytest.mark.capability("S207", "S209")
def test_a_proposal_changed_together_with_its_hash_is_named(
    gate: Gate, decided: tuple[Proposed, Proposed], tmp_path: Path
) -> None:
    id_ = literal(gate.engine, decided[1].proposal_id)
    (found,) = problems(gate, tmp_path, f"UPDATE proposals SET payload_hash = '{'0' * 64}' WHERE id = {id_}")
    assert "its content was changed" in found


@pytest.mark.capability("S205", "S207")
def test_a_decision_that_nobody_made_is_named(
    gate: Gate, decided: tuple[Proposed, Proposed], tmp_path: Path
) -> None:
    done, waiting = (literal(gate.engine, one.proposal_id) for one in decided)
    with reading(gate.engine) as connection:
        columns = connection.exec_driver_sql("SELECT * FROM proposal_decisions").keys()
    new = {"id": literal(gate.engine, uuid4()), "proposal_id": waiting}
    chosen = ", ".join(new.get(name, name) for name in columns)
    found = problems(
        gate,
        tmp_path,
        f"INSERT INTO proposal_decisions ({', '.join(columns)}) SELECT {chosen} "
        f"FROM proposal_decisions WHERE proposal_id = {done} AND role = 'manager'",
    )
    assert any("decided so (approve)" in one for one in found)


@pytest.mark.capability("S205", "S207")
def test_a_decision_turned_round_is_named(
    gate: Gate, decided: tuple[Proposed, Proposed], tmp_path: Path
) -> None:
    found = problems(
        gate, tmp_path, "UPDATE proposal_decisions SET decision = 'reject' WHERE role = 'manager'"
    )
    assert any("decided so (reject)" in one for one in found)


@pytest.mark.capability("S207")
def test_an_execution_that_never_was_and_one_taken_away_are_named(
    gate: Gate, decided: tuple[Proposed, Proposed], tmp_path: Path
) -> None:
    done, waiting = (literal(gate.engine, one.proposal_id) for one in decided)
    found = problems(
        gate,
        tmp_path,
        f"INSERT INTO executions (proposal_id, audit_id, results, executed_at) SELECT {waiting}, audit_id, results, "
        f"executed_at FROM executions WHERE proposal_id = {done}",
        f"DELETE FROM executions WHERE proposal_id = {done}",
    )
    assert any("no audit entry says that this proposal was executed" in one for one in found)
    assert any("its execution is gone" in one for one in found)
    assert sum("does not agree with its execution" in one for one in found) == 2


@pytest.mark.capability("S207")
def test_a_state_set_by_hand_is_named(gate: Gate, decided: tuple[Proposed, Proposed], tmp_path: Path) -> None:
    waiting = literal(gate.engine, decided[1].proposal_id)
    (found,) = problems(
        gate, tmp_path, f"UPDATE proposal_states SET status = 'executed' WHERE proposal_id = {waiting}"
    )
    assert "does not agree with its execution" in found


@pytest.mark.capability("S207")
def test_every_outcome_leaves_one_entry_with_who_what_and_why(
    gate: Gate, decided: tuple[Proposed, Proposed]
) -> None:
    with reading(gate.engine) as connection:
        entries = connection.execute(select(audit_entries).order_by(audit_entries.c.id)).all()
    assert len({one.id for one in entries}) == len(entries)
    for one in entries:
        assert one.principal_id and one.command and one.outcome and one.rule
        if one.outcome == "executed":
            assert one.subject_id is not None and (one.after is not None or one.before is not None), (
                one.command
            )
