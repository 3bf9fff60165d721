"""Automation, outcomes and readiness by API and command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from api.company import Company
from api.jobs import Runner
from api.work import perform
from tests.api.conftest import User


def work(company: Company, user: User, kind: str) -> dict[str, Any]:
    """Start the work over the API and let the runner do it."""
    job: Any = user.post("/jobs", {"kind": kind}, expect=202)
    runner = Runner(company)
    done = perform(company, runner.board, runner.board.next(), runner.principal)  # type: ignore[arg-type]
    assert str(done.id) == job["id"] and done.status == "done", done.error
    assert done.result is not None
    return done.result


@pytest.mark.capability("S158")
def test_the_demo_company_starts_with_automation_that_proposes_and_never_acts(
    user: Callable[[str], User], tiny_company: Company
) -> None:
    admin, manager = user("admin"), user("manager")
    before: Any = admin.get("/autonomy")
    assert (before["stopped"], before["default_level"], before["levels"]) == (False, "propose", [])
    recommended: Any = manager.get("/autonomy/recommendations")
    assert recommended and {one["level"] for one in recommended} == {"propose"}
    result = work(tiny_company, admin, "automation")
    assert result["executed"] == [] and len(result["proposed"]) == len(recommended)
    one: Any = manager.get(f"/proposals/{result['proposed'][0]}")
    assert one["via"] == "automation" and one["approvers"]
    assert manager.get("/autonomy/recommendations") == []
    assert work(tiny_company, admin, "automation")["proposed"] == []


@pytest.mark.capability("S208")
def test_a_buyer_stops_automation_over_the_api_and_only_with_a_reason(
    user: Callable[[str], User], tiny_company: Company
) -> None:
    buyer = user("buyer")
    buyer.post("/commands/StopAutomation", {}, expect=422)
    user("warehouse").post("/commands/StopAutomation", {"reason": "I want to"}, expect=403)
    buyer.post("/commands/StopAutomation", {"reason": "prices look wrong"})
    found: Any = buyer.get("/autonomy")
    assert found["stopped"] and found["stopped_because"] == "prices look wrong"
    assert work(tiny_company, user("admin"), "automation")["stopped"]


def test_a_level_is_asked_for_and_waits_for_two_people(user: Callable[[str], User]) -> None:
    body = {"scope_kind": "company", "level": "recommend", "reason": "a quiet month"}
    asked: Any = user("admin").post("/commands/SetAutonomy", body, expect=202)
    assert sorted(one["role"] for one in asked["approvers"]) == ["finance", "manager"]
    refused: Any = user("admin").post("/commands/SetAutonomy", body | {"level": "act"}, expect=409)
    assert refused["code"] == "not_earned"


def test_outcomes_are_measured_and_shown_with_intervals(
    user: Callable[[str], User], tiny_company: Company
) -> None:
    built = json.loads((tiny_company.home / "demo.json").read_text(encoding="utf-8"))
    found: Any = user("manager").get("/outcomes")
    assert 0 < built["results"]["upkeep"]["scored"] == sum(one["decided"] for one in found["sums"])
    for one in found["sums"]:
        assert (one["good_interval"] is None) == (one["judged"] == 0)
    assert work(tiny_company, user("admin"), "outcomes")["scored"] == 0


@pytest.mark.capability("S210")
def test_money_is_shown_only_to_who_may_see_cost(user: Callable[[str], User]) -> None:
    found: Any = user("warehouse").get("/autonomy")
    assert found["amount_today"] is None and found["limits"]["day_amount"] is None
    assert found["limits"]["day_orders"] is not None
    shown: Any = user("warehouse").get("/autonomy/recommendations")
    assert shown and all(one["amount"] is None and one["short_of"] is None for one in shown)


@pytest.mark.capability("S213")
def test_readiness_is_measured_over_the_api_and_going_live_too_early_is_refused(
    user: Callable[[str], User],
) -> None:
    admin = user("admin")
    site = next(one["code"] for one in admin.get("/locations") if one["kind"] == "warehouse")  # type: ignore[attr-defined]
    found: Any = admin.get(f"/readiness/automation/{site}")
    assert not found["green"] and found["live_since"] is None and len(found["checks"]) == 3
    refused: Any = admin.post("/commands/GoLive", {"process": "automation", "site": site}, expect=409)
    assert refused["code"] == "not_ready"
    admin.get(f"/readiness/automation/{uuid4().hex[:8]}", expect=404)
    assert admin.get("/readiness/reviews") == []


@pytest.mark.capability("S151")
def test_every_planning_rule_shows_its_source(user: Callable[[str], User]) -> None:
    rules: Any = user("planner").get("/planning/rules")
    assert {one["rule"] for one in rules} == {"planning_policy", "reorder_point"}
    item = rules[0]["item"]
    assert {one["item"] for one in user("planner").get("/planning/rules", item=item)} == {item}  # type: ignore[attr-defined]
