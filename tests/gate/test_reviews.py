"""What cannot wait runs with fewer approvals, with a reason, and is looked at later by somebody else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from erp_core.gate.contract import Denied, Executed, Outcome, Proposed
from erp_core.gate.model import outbox
from erp_core.gate.principals import Principal
from erp_core.gate.queries import list_audit
from erp_core.gate.reviews import CompleteReview, list_reviews
from tests.gate.office import Office, Receive


@pytest.fixture
def asking(office: Office) -> Office:
    office.save(
        office.policy(("manager", 1), low=100),
        office.policy(high=100),
        office.policy(low=100, high=500, among={"urgent": (True,)}, review=("manager", 48)),
    )
    return office


def complete(office: Office, by: Principal, verdict: str = "justified") -> Outcome:
    (review,) = office.read(list_reviews)
    command = CompleteReview(review_id=review["id"], verdict=verdict, comment="seen")  # type: ignore[arg-type]
    return office.gate.submit(command, by, key=uuid4().hex)


@pytest.mark.capability("S208")
def test_an_urgent_wish_runs_within_its_limit_and_waits_for_a_look(asking: Office) -> None:
    buyer = asking.person("buyer")
    assert isinstance(asking.spend(300, buyer), Proposed)
    assert isinstance(asking.spend(500, buyer, urgent=True), Proposed), "the limit is half-open"
    assert isinstance(asking.spend(300, buyer, urgent=True), Executed)
    (review,) = asking.read(list_reviews)
    assert (review["kind"], review["role"], review["reason"]) == ("urgent", "manager", "because it has to be")
    assert review["due_at"] - review["opened_at"] == timedelta(hours=48)
    told = asking.read(
        lambda c: c.scalars(select(outbox.c.kind).where(outbox.c.aggregate_id == review["id"])).all()
    )
    assert told == ["ReviewOpened"]


@pytest.mark.capability("S208")
@pytest.mark.parametrize("reason", ["", "   ", "quick"])
def test_what_cannot_wait_needs_a_reason(asking: Office, reason: str) -> None:
    outcome = asking.spend(300, asking.person("buyer"), urgent=True, reason=reason)
    assert asking.refusal(outcome) == "reason_missing" and asking.spent() == 0


@pytest.mark.capability("S208")
def test_a_review_is_for_somebody_else_with_the_role_and_done_once(asking: Office) -> None:
    boss = asking.person("boss", "buyer", "manager")
    asking.spend(300, boss, urgent=True)
    assert asking.refusal(complete(asking, boss)) == "own_review"
    assert asking.refusal(complete(asking, asking.person("planner"))) == "not_an_approver"
    done = complete(asking, asking.person("manager"), "not_justified")
    assert isinstance(done, Executed)
    assert asking.read(list_reviews) == []
    (review,) = asking.read(lambda c: list_reviews(c, open_only=False))
    assert review["verdict"] == "not_justified"
    again = CompleteReview(review_id=review["id"], verdict="justified", comment="well")
    assert (
        asking.refusal(asking.gate.submit(again, asking.person("manager"), key="x")) == "illegal_transition"
    )


@pytest.mark.capability("S208")
def test_breaking_the_glass_waives_approvals_tells_everybody_and_is_reviewed(asking: Office) -> None:
    officer = asking.person("officer", "buyer", "emergency")
    outcome = asking.spend(5_000, officer, breaks_glass=True, reason="the cold store is on fire")
    assert isinstance(outcome, Executed) and asking.spent() == 1
    (review,) = asking.read(list_reviews)
    assert (review["kind"], review["role"]) == ("break_glass", "manager")
    (entry,) = asking.read(lambda c: list_audit(c, command="Spend", outcome="executed"))
    assert entry.rule == "glass broken"
    assert isinstance(complete(asking, asking.person("manager")), Executed)


@pytest.mark.capability("S208")
def test_the_glass_is_for_one_role_and_for_people(
    asking: Office, agent: Callable[[Principal], Principal]
) -> None:
    officer = asking.person("officer", "buyer", "emergency")
    robot = asking.gate.bootstrap_user("robot", ("buyer", "emergency"), kind="service")
    for who in (asking.person("buyer"), asking.person("admin"), agent(officer), robot):
        outcome = asking.spend(5_000, who, breaks_glass=True, reason="let me through please")
        assert isinstance(outcome, Denied), who
    short = asking.spend(5_000, officer, breaks_glass=True, reason="fire")
    assert asking.refusal(short) == "reason_missing"
    assert asking.spent() == 0


@pytest.mark.capability("S205", "S208")
def test_the_glass_breaks_neither_rights_nor_separation_nor_the_rules_of_the_business(asking: Office) -> None:
    officer, matter = asking.person("officer", "buyer", "emergency"), uuid4()
    asking.spend(5, officer, matter=matter)
    receive = asking.gate.submit_plan(
        [Receive(matter=matter)],
        officer,
        key="k",
        title="Receive",
        reason="it cannot wait at all",
        breaks_glass=True,
    )
    assert asking.refusal(receive) == "duties_conflict"
    failing = asking.spend(5, officer, breaks_glass=True, fails=True, reason="it cannot wait at all")
    assert asking.refusal(failing) == "no_money"
    assert asking.read(list_reviews) == [], "what did not happen needs no look"
