"""The queue of proposals over HTTP: what changed since, what runs out, and what may be decided."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.auth import COOKIE
from api.company import Company
from api.composition import make_gate
from erp_core.clock import Clock
from erp_core.gate.queries import list_proposals
from erp_core.storage.engine import reading
from tests.api.conftest import User


def queue(company: Company, *, days: int = 0, hours: int = 0) -> list[dict[str, Any]]:
    """What waits as the manager sees it, so much business time after the newest was proposed."""
    with TestClient(create_app(company.settings, company=company)) as http:
        rows = User(http, "manager").get("/proposals", limit=100)["rows"]
    made = max(row["created_at"] for row in rows)
    moment = company.clock.now().fromisoformat(made) + timedelta(days=days, hours=hours)
    clock = Clock(now=lambda: moment, fixed_business_date=moment.date())
    later = replace(company, clock=clock, gate=make_gate(company.engine, clock, home=company.home))
    with TestClient(create_app(company.settings, company=later)) as http:
        found: list[dict[str, Any]] = User(http, "manager").get("/proposals", limit=100)["rows"]
    return found


def test_a_submitted_order_shows_what_it_is_for_and_when_that_became_stale(
    user: Callable[[str], User],
) -> None:
    buyer, admin = user("buyer"), user("admin")
    item = buyer.get("/items", text="OUT-0112")[0]
    offer = buyer.get(f"/items/{item['id']}/suppliers")[0]
    lines = [{"line_id": str(uuid4()), "item_id": item["id"], "quantity": 9_000}]
    draft = {"po_id": str(uuid4()), "supplier_id": offer["supplier_id"], "lines": lines, "reason": "season"}
    draft["location_id"] = buyer.get("/locations")[0]["id"]
    buyer.post("/commands/CreatePurchaseOrder", draft)
    held = buyer.post("/commands/SubmitPurchaseOrder", {"po_id": draft["po_id"]}, expect=202)
    (step,) = buyer.get(f"/proposals/{held['proposal_id']}")["plan"]
    shown = {field["name"]: field["label"] for field in step["fields"] if field["kind"] == "record"}
    assert shown.keys() == {"purchase_order", "supplier", "location"} and all(shown.values())
    (line,) = [{field["name"]: field["value"] for field in line} for line in step["lines"]]
    assert (line["quantity"], line["amount"]) == (9_000, 9_000 * offer["price"])
    (hidden,) = user("warehouse").get(f"/proposals/{held['proposal_id']}")["plan"][0]["lines"]
    assert {field["name"] for field in hidden} == {"item", "quantity"}
    before = {row["id"]: row["standing"]["stale"] for row in buyer.get("/proposals", limit=100)["rows"]}
    assert before[held["proposal_id"]] is False

    kept = ("supplier_id", "item_id", "minimum_quantity", "order_multiple", "rank")
    dearer = {name: offer[name] for name in kept} | {"price": offer["price"] * 105 // 100}
    admin.post("/commands/SetSupplierItem", dearer)
    after = {row["id"]: row["standing"]["stale"] for row in buyer.get("/proposals", limit=100)["rows"]}
    assert after[held["proposal_id"]] is True
    untouched = [
        row["id"] for row in buyer.get("/proposals", limit=100)["rows"] if "TransferStock" in str(row)
    ]
    assert untouched and all(after[id_] == before[id_] for id_ in untouched)
    page = buyer.http.get("/approvals?show=all", headers={"Cookie": f"{COOKIE}={buyer.token}"}).text
    marked = [one for one in page.split("<li>") if "changed since" in one]
    assert len(marked) == sum(after.values()) and any(held["proposal_id"] in one for one in marked)

    path = f"/proposals/{held['proposal_id']}"
    decision = {"payload_hash": buyer.get(path)["payload_hash"]}
    assert user("manager").post(f"{path}/approve", decision)["result"]["status"] == "stale"
    found, unpriced = buyer.get(path), user("warehouse").get(path)
    (moved,) = found["changes"]
    assert (moved["then"], moved["now"]) == (offer["price"], dearer["price"])
    assert unpriced["changes"] == [] and found["note"] is unpriced["note"] is None
    assert str(dearer["price"]) not in str(unpriced), "without the right to see cost no price, in no wording"
    page = buyer.http.get(
        f"/approvals/{held['proposal_id']}", headers={"Cookie": f"{COOKIE}={buyer.token}"}
    ).text
    assert "What had changed" in page and f"{dearer['price'] / 10_000:,.2f}" in page


def test_the_list_says_which_run_out_soon(tiny_company: Company) -> None:
    rows = queue(tiny_company, days=2, hours=2)
    assert all(row["standing"]["runs_out_soon"] and 21 < row["standing"]["hours_left"] <= 22 for row in rows)
    assert any(row["deciding"]["may_decide"] for row in rows)


def test_what_is_over_but_not_ended_yet_can_no_longer_be_decided(tiny_company: Company) -> None:
    rows = queue(tiny_company, days=4)
    assert rows and all(row["standing"]["hours_left"] == 0 for row in rows)
    assert {row["deciding"]["why_not"] for row in rows} == {"its time is over"}


def test_what_is_decided_has_no_standing(user: Callable[[str], User]) -> None:
    manager = user("manager")
    rows = manager.get("/proposals", limit=100)["rows"]
    one = next(row for row in rows if row["deciding"]["may_decide"])
    manager.post(f"/proposals/{one['id']}/reject", {"payload_hash": one["payload_hash"], "comment": "no"})
    assert manager.get(f"/proposals/{one['id']}")["standing"] is None


def test_what_is_decided_is_listed_with_what_was_decided_last_first(tiny_company: Company) -> None:
    with reading(tiny_company.engine) as connection:
        views, total = list_proposals(connection, status=None, closed=True, limit=1_000)
        first, _ = list_proposals(connection, status=None, closed=True, limit=5)
    shown = [max((one["decided_at"] for one in view.decisions), default=view.created_at) for view in views]
    assert total == len(views) and len(set(shown)) > 2
    assert shown == sorted(shown, reverse=True) and [one.id for one in first] == [one.id for one in views[:5]]


def test_explaining_a_policy_for_a_document_that_is_not_there_answers_404(
    user: Callable[[str], User],
) -> None:
    asked = {"command": "SubmitPurchaseOrder", "payload": {"po_id": str(uuid4())}}
    problem = user("buyer").post("/policies/explain", asked, expect=404)
    assert problem["code"] == "not_found" and problem["remedy"]


@pytest.mark.capability("S204", "S206")
def test_a_policy_is_explained_for_what_one_may_do_and_without_amounts_to_who_sees_no_costs(
    user: Callable[[str], User],
) -> None:
    buyer = user("buyer")
    item = buyer.get("/items", text="OUT-0112")[0]
    offer = buyer.get(f"/items/{item['id']}/suppliers")[0]
    lines = [{"line_id": str(uuid4()), "item_id": item["id"], "quantity": 9_000}]
    draft = {"po_id": str(uuid4()), "supplier_id": offer["supplier_id"], "lines": lines, "reason": "season"}
    draft["location_id"] = buyer.get("/locations")[0]["id"]
    buyer.post("/commands/CreatePurchaseOrder", draft)
    asked = {"command": "SubmitPurchaseOrder", "payload": {"po_id": draft["po_id"]}}
    assert user("warehouse").post("/policies/explain", asked, expect=403)["code"] == "denied"
    (told,) = buyer.post("/policies/explain", asked)
    assert told["facts"]["amount"] > 0
    body = {"name": "sheet", "commands": ["SubmitPurchaseOrder"], "rights": ["read_records"]}
    key = copy(buyer)
    key.token = buyer.post("/keys", body)["token"]
    (told,) = key.post("/policies/explain", asked)
    assert "supplier" in told["facts"] and not told["facts"].keys() & {"amount", "cumulative_amount"}
    conditions = [one for policy in told["policies"] for one in policy["conditions"]]
    assert {one["value"] for one in conditions if one["fact"] == "cumulative_amount"} == {"not shown"}


@pytest.mark.capability("S206")
def test_a_change_of_policy_that_cannot_be_saved_any_more_is_still_shown_and_turned_down(
    user: Callable[[str], User],
) -> None:
    admin, manager = user("admin"), user("manager")
    seen = {"command": "BlockSupplier", "conditions": [], "approvers": [{"role": "manager", "people": 1}]}
    waiting, rival = (
        admin.post(
            "/commands/SaveApprovalPolicy", seen | {"policy_id": str(uuid4()), "policy_name": name}, 202
        )
        for name in ("one", "other")
    )
    for person in (manager, user("finance")):
        shown = {"payload_hash": rival["payload_hash"]}
        person.post(f"/proposals/{rival['proposal_id']}/approve", shown)
    detail = manager.get(f"/proposals/{waiting['proposal_id']}")
    assert detail["touches"] == []
    no = {"payload_hash": detail["payload_hash"], "comment": "no"}
    assert manager.post(f"/proposals/{detail['id']}/reject", no)["result"]["status"] == "rejected"


def test_a_plan_that_was_executed_shows_what_it_bought_once(user: Callable[[str], User]) -> None:
    buyer, manager = user("buyer"), user("manager")
    waiting = next(
        one
        for one in buyer.get("/proposals", limit=100)["rows"]
        if [step["command"] for step in one["payload"]] == ["CreatePurchaseOrder", "SubmitPurchaseOrder"]
        and [one["role"] for one in one["approvers"]] == ["manager"]
        and not one["standing"]["stale"]
    )
    path = f"/proposals/{waiting['id']}"
    before = [len(step["lines"]) for step in buyer.get(path)["plan"]]
    done = manager.post(f"{path}/approve", {"payload_hash": waiting["payload_hash"]})
    assert done["result"]["status"] == "executed"
    assert [len(step["lines"]) for step in buyer.get(path)["plan"]] == before == [before[0], 0]
