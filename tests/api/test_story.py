"""The main story, over HTTP, with three people."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from api.company import Company
from api.jobs import Runner
from tests.api.conftest import User

ITEM, SUPPLIER = "OUT-0112", "Ningbo Harvest Metalware"


def stock_of(user: User, item_id: str, location_id: str) -> int:
    rows = user.get("/stock", item_id=item_id, location_id=location_id)["rows"]
    return sum(row["available"] for row in rows)


def value_of(user: User, sku: str) -> float:
    result = user.post(
        "/metrics/query",
        {"metrics": ["inventory_value"], "where": [{"dim": "item", "op": "eq", "values": [sku]}]},
    )
    return float(result["rows"][0][0])


@pytest.mark.capability("S80", "S100", "S205", "S207", "S233", "S238", "S240")
def test_a_planner_asks_an_agent_proposes_a_manager_approves_and_stock_and_money_follow(
    user: Callable[[str], User], tiny_company: Company
) -> None:
    planner, manager, warehouse, buyer = user("planner"), user("manager"), user("warehouse"), user("buyer")

    question = planner.post(
        "/ask", {"question": "Which SKUs are at immediate stockout risk by channel and warehouse?"}
    )
    assert question["status"] == "answered" and question["tables"]

    answer = planner.post("/ask", {"question": f"order 60 of {ITEM} from {SUPPLIER}"})
    assert answer["status"] == "proposed", answer
    shown = answer["proposals"][0]
    proposal = planner.get(f"/proposals/{shown['id']}")
    assert proposal["status"] == "pending" and proposal["via"] == "agent"
    assert proposal["deciding"]["own"] and not proposal["deciding"]["may_decide"]
    po_id = proposal["payload"][0]["payload"]["po_id"]
    planner.get(f"/purchase-orders/{po_id}", expect=404)

    decision = {"payload_hash": proposal["payload_hash"]}
    own = planner.post(f"/proposals/{shown['id']}/approve", decision, expect=409)
    assert own["code"] == "own_proposal"
    other = warehouse.post(f"/proposals/{shown['id']}/approve", decision, expect=409)
    assert other["code"] == "not_an_approver"
    manager.post(f"/proposals/{shown['id']}/approve", {"payload_hash": "0" * 64}, expect=409)

    done = manager.post(f"/proposals/{shown['id']}/approve", decision)
    assert done["result"]["status"] == "executed"
    again = manager.post(f"/proposals/{shown['id']}/approve", decision, expect=409)
    assert again["code"] == "proposal_not_pending"

    order = buyer.get(f"/purchase-orders/{po_id}")["record"]
    assert order["order"]["status"] == "approved"
    (line,) = order["lines"]
    assert line["quantity"] == 60

    location = order["order"]["location_id"]
    stock, value = stock_of(buyer, line["item_id"], location), value_of(buyer, ITEM)
    buyer.post("/commands/SendPurchaseOrder", {"po_id": po_id})
    receipt = {
        "receipt_id": str(uuid4()),
        "po_id": po_id,
        "lines": [{"receipt_line_id": str(uuid4()), "po_line_id": line["id"], "quantity": 60}],
    }
    key = str(uuid4())
    first = warehouse.post("/commands/ReceiveGoods", receipt, key=key)
    assert warehouse.post("/commands/ReceiveGoods", receipt, key=key) == first
    assert stock_of(buyer, line["item_id"], location) == stock + 60
    assert value_of(buyer, ITEM) == pytest.approx(value + 60 * line["unit_price"] / 10_000)

    Runner(tiny_company).seal()
    found = manager.post("/audit/verify")
    assert found["intact"] and found["unsealed"] == 0
    trail = manager.get("/audit", proposal_id=shown["id"])
    assert {"CreatePurchaseOrder", "SubmitPurchaseOrder"} <= {entry["command"] for entry in trail}


@pytest.mark.capability("S205", "S238")
def test_an_agents_token_reads_and_proposes_but_decides_and_starts_nothing(
    user: Callable[[str], User], tiny_company: Company
) -> None:
    from erp_core.gate import credentials
    from erp_core.storage.engine import writing

    manager = user("manager")
    me = manager.get("/auth/whoami")
    with writing(tiny_company.engine) as connection:
        from uuid import UUID

        token = credentials.issue(
            connection, UUID(me["user_id"]), "agent", tiny_company.clock.now(), run_id=uuid4()
        )
    agent = User.__new__(User)
    agent.http, agent.token = manager.http, token
    assert agent.get("/auth/whoami")["kind"] == "agent"
    assert agent.get("/auth/can/CreatePurchaseOrder")["only_propose"] is True

    supplier = next(one for one in agent.get("/suppliers") if one["name"] == SUPPLIER)
    item = agent.get("/items", text=ITEM)[0]
    place = agent.get("/locations")[0]
    order = {
        "po_id": str(uuid4()),
        "supplier_id": supplier["id"],
        "location_id": place["id"],
        "lines": [{"line_id": str(uuid4()), "item_id": item["id"], "quantity": 20}],
        "reason": "low",
    }
    proposed = agent.post("/commands/CreatePurchaseOrder", order, expect=202)
    assert proposed["outcome"] == "proposed"
    agent.get(f"/purchase-orders/{order['po_id']}", expect=404)

    decision = {"payload_hash": proposed["payload_hash"]}
    outcome = agent.http.post(
        f"/api/v1/proposals/{proposed['proposal_id']}/approve",
        json=decision,
        headers={"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4())},
    )
    assert outcome.status_code in (202, 403, 409)
    assert manager.get(f"/proposals/{proposed['proposal_id']}")["status"] == "pending"
    agent.post("/jobs", {"kind": "scan"}, expect=403)
