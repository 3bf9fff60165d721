"""The API's manners: authentication, errors, fields by role, idempotency, OpenAPI."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from api.problems import MEDIA_TYPE
from tests.api.conftest import User


def test_without_a_token_nothing_is_read(read_only_http: TestClient) -> None:
    for path in ("/auth/whoami", "/exceptions", "/proposals", "/audit", "/stock", "/metrics"):
        answer = read_only_http.get(f"/api/v1{path}")
        assert answer.status_code == 401
        assert answer.headers["content-type"] == MEDIA_TYPE
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_wrong_password_and_an_unknown_login_look_alike(read_only_http: TestClient) -> None:
    answers = [
        read_only_http.post("/api/v1/auth/login", json={"login": login, "password": "wrong"}).json()
        for login in ("planner", "nobody-here")
    ]
    assert answers[0] == answers[1] and answers[0]["status"] == 401


def test_a_log_out_ends_the_token(user: Callable[[str], User]) -> None:
    planner = user("planner")
    planner.post("/auth/logout", expect=204)
    planner.get("/auth/whoami", expect=401)


@pytest.mark.capability("S204", "S209")
def test_a_command_outside_ones_role_is_denied_and_audited(user: Callable[[str], User]) -> None:
    warehouse, manager = user("warehouse"), user("manager")
    problem = warehouse.post("/commands/SendPurchaseOrder", {"po_id": str(uuid4())}, expect=403)
    assert problem["code"] == "denied" and "buyer" in problem["remedy"]
    (entry, *_) = manager.get("/audit", outcome="denied", limit=1)
    assert entry["command"] == "SendPurchaseOrder"


def test_a_malformed_command_names_field_and_remedy(user: Callable[[str], User]) -> None:
    buyer = user("buyer")
    body = {
        "po_id": "no-id",
        "supplier_id": str(uuid4()),
        "location_id": str(uuid4()),
        "lines": [],
        "reason": "x",
        "extra": 1,
    }
    problem = buyer.post("/commands/CreatePurchaseOrder", body, expect=422)
    assert {one["field"] for one in problem["errors"]} == {"po_id", "lines", "extra"}
    assert all(one["remedy"] for one in problem["errors"])


def test_a_domain_rule_answers_with_its_error_object(user: Callable[[str], User]) -> None:
    buyer = user("buyer")
    problem = buyer.post("/commands/SendPurchaseOrder", {"po_id": str(uuid4())}, expect=409)
    assert problem["code"] == "not_found" and problem["remedy"]


def test_a_change_without_an_idempotency_key_is_invalid(user: Callable[[str], User]) -> None:
    buyer = user("buyer")
    answer = buyer.http.post(
        "/api/v1/commands/SendPurchaseOrder",
        json={"po_id": str(uuid4())},
        headers={"Authorization": f"Bearer {buyer.token}"},
    )
    assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == "Idempotency-Key"


def test_a_key_used_for_another_wish_is_refused(user: Callable[[str], User]) -> None:
    admin = user("admin")
    key = str(uuid4())
    body = {
        "login": "new-1",
        "person_name": "New One",
        "roles": ["planner"],
        "password": "seven green lanterns",
    }
    fact = {"key": "name", "value": "Linden and Vale"}
    admin.post("/commands/SetCompanyFact", fact, key=key)
    admin.post("/commands/SetCompanyFact", fact, key=key)
    assert (
        admin.post("/commands/SetCompanyFact", fact | {"value": "Other"}, expect=409, key=key)["code"]
        == "key_reused"
    )
    admin.post("/users", body)
    assert User(admin.http, "new-1", "seven green lanterns").get("/auth/whoami")["roles"] == ["planner"]


@pytest.mark.capability("S204", "S210")
def test_costs_are_seen_only_with_the_right_to_see_them(read_only_http: TestClient) -> None:
    buyer, warehouse = User(read_only_http, "buyer"), User(read_only_http, "warehouse")
    seen, hidden = (one.get("/purchase-orders", limit=1)["rows"][0] for one in (buyer, warehouse))
    assert seen["id"] == hidden["id"] and seen["total"] > 0 and hidden["total"] is None
    lines = [
        one.get(f"/purchase-orders/{seen['number']}")["record"]["lines"][0] for one in (buyer, warehouse)
    ]
    assert lines[0]["unit_price"] > 0 and lines[1]["unit_price"] is None
    refused = warehouse.post("/metrics/query", {"metrics": ["inventory_value"]}, expect=403)
    assert refused["code"] == "missing_right"


@pytest.mark.capability("S210")
def test_who_an_order_is_for_is_seen_only_with_the_right_to_see_customers(read_only_http: TestClient) -> None:
    service, planner = User(read_only_http, "service"), User(read_only_http, "planner")
    seen, hidden = (one.get("/orders", limit=20)["rows"] for one in (service, planner))
    assert [one["number"] for one in seen] == [one["number"] for one in hidden]
    assert all(one["customer_id"] is None for one in hidden)


@pytest.mark.capability("S53")
def test_stock_of_a_past_day_differs_from_todays(read_only_http: TestClient) -> None:
    planner = User(read_only_http, "planner")
    now, then = planner.get("/stock", limit=500), planner.get("/stock", limit=500, as_of="2026-05-01")
    assert then["as_of"] == "2026-05-01"
    assert sum(one["on_hand"] for one in now["rows"]) != sum(one["on_hand"] for one in then["rows"])


def test_a_wrong_name_in_a_query_offers_the_nearest(read_only_http: TestClient) -> None:
    problem = User(read_only_http, "planner").post("/metrics/query", {"metrics": ["net_sale"]}, expect=422)
    assert "net_sales" in problem["remedy"]


def test_the_stream_gives_tables_and_ends_with_the_answer(read_only_http: TestClient) -> None:
    planner = User(read_only_http, "planner")
    with read_only_http.stream(
        "POST",
        "/api/v1/ask/stream",
        json={"question": "net sales by channel"},
        headers={"Authorization": f"Bearer {planner.token}"},
    ) as answer:
        kinds = [line.removeprefix("event: ") for line in answer.iter_lines() if line.startswith("event: ")]
    assert kinds[0] == "status" and "table" in kinds and kinds[-1] == "answer"


@pytest.mark.capability("S152", "S153", "S232")
def test_an_exception_explains_its_rank_and_is_handled(user: Callable[[str], User]) -> None:
    buyer = user("buyer")
    rows = buyer.get("/exceptions")["rows"]
    worth = [one["net_benefit"] for one in rows]
    assert worth == sorted(worth, reverse=True)
    first = rows[0]
    why = buyer.get(f"/exceptions/{first['id']}/explanation")
    assert f"{first['net_benefit'] / 10_000:.2f}" in why["rank"] and why["evidence"]
    buyer.post(f"/exceptions/{first['id']}/assign", {})
    buyer.post(f"/exceptions/{first['id']}/resolve", {"resolution": "false_alarm", "note": "seasonal"})
    detail = buyer.get(f"/exceptions/{first['id']}")
    assert detail["case"]["status"] == "resolved"
    assert [one["status"] for one in detail["history"]][-1] == "resolved"
    assert first["id"] not in [one["id"] for one in buyer.get("/exceptions")["rows"]]
    buyer.post(f"/exceptions/{first['id']}/resolve", {"resolution": "duplicate"}, expect=409)


def test_the_best_action_is_proposed_in_one_step(user: Callable[[str], User]) -> None:
    buyer = user("buyer")
    case = next(one for one in buyer.get("/exceptions")["rows"] if (one["action"] or {}).get("commands"))
    outcome = buyer.post(f"/exceptions/{case['id']}/propose", key="one-step-please")
    assert outcome["outcome"] in ("executed", "proposed")
    assert (
        buyer.http.post(
            f"/api/v1/exceptions/{case['id']}/propose",
            headers={"Authorization": f"Bearer {buyer.token}", "Idempotency-Key": "one-step-please"},
        ).json()
        == outcome
    )


def test_the_openapi_document_types_every_command_and_error(read_only_http: TestClient) -> None:
    schema = read_only_http.get("/api/v1/openapi.json").json()
    catalogue = User(read_only_http, "admin").get("/commands")
    for one in catalogue:
        operation = schema["paths"][f"/api/v1/commands/{one['name']}"]["post"]
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        assert body["$ref"].startswith("#/components/schemas/")
        assert {"401", "403", "409", "422"} <= operation["responses"].keys()
        assert MEDIA_TYPE in operation["responses"]["409"]["content"]
    assert "HTTPValidationError" not in schema["components"]["schemas"]


def test_it_says_whether_it_is_ready(read_only_http: TestClient) -> None:
    assert read_only_http.get("/healthz").json()["status"] == "ok"
    ready = read_only_http.get("/readyz").json()
    assert ready["ready"] and ready["migrated"] and "sales" in ready["feeds"]
    assert "sealer_age_seconds" in ready


@pytest.mark.capability("S204")
def test_background_work_is_started_only_by_who_may(user: Callable[[str], User]) -> None:
    for login in ("planner", "manager", "executive"):
        user(login).post("/jobs", {"kind": "scan"}, expect=403)
        user(login).get("/jobs", expect=403)
        user(login).get("/export", expect=403)
    job = user("admin").post("/jobs", {"kind": "scan"}, expect=202)
    assert job["status"] == "queued"
    user("planner").get(f"/jobs/{job['id']}", expect=403)


@pytest.mark.capability("S204")
def test_who_may_not_see_cost_sees_exceptions_and_proposals_without_money(read_only_http: TestClient) -> None:
    buyer, warehouse = User(read_only_http, "buyer"), User(read_only_http, "warehouse")
    money = ("expected_loss", "residual_loss", "action_cost", "net_benefit")
    first, same = buyer.get("/exceptions")["rows"][0], warehouse.get("/exceptions")["rows"][0]
    assert first["id"] == same["id"] and first["title"] == same["title"]
    assert all(first[name] is not None and same[name] is None for name in money)
    full, bare = (one.get(f"/exceptions/{first['id']}") for one in (buyer, warehouse))
    assert full["case"]["expected_loss"] is not None and bare["case"]["expected_loss"] is None
    assert not any(one["unit"] == "currency" for one in bare["case"]["evidence"])
    why = warehouse.get(f"/exceptions/{first['id']}/explanation")
    assert "amounts are for roles that see cost" in why["rank"]
    assert all(one["net_benefit"] is None for one in warehouse.get("/exceptions/summary")["kinds"])

    priced = next(one for one in buyer.get("/proposals", status="all")["rows"] if one["amount"])
    shown, hidden = (one.get(f"/proposals/{priced['id']}") for one in (buyer, warehouse))
    assert shown["amount"] and "amount" in shown["facts"]
    assert hidden["amount"] is None and "amount" not in hidden["facts"]
    assert hidden["payload_hash"] == shown["payload_hash"]
    kinds = [field["kind"] for step in hidden["plan"] for line in step["lines"] for field in line]
    assert "money" not in kinds
    assert not any(one["fact"].startswith("price of ") for one in hidden["read_set"])
