"""A supplier's login over HTTP: its own orders and interchanges, and nothing else of the company."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import User

PASSWORD = "a long walk along the old harbour 7"


@pytest.mark.capability("S95", "S204")
def test_a_supplier_answers_its_own_orders_over_the_api_and_sees_nothing_else(
    http: TestClient, user: Callable[[str], User]
) -> None:
    buyer, admin = user("buyer"), user("admin")
    page = buyer.get("/purchase-orders", status=["sent", "confirmed"], limit=200)["rows"]
    order = next(one for one in page if one["sent_on"])
    login = f"supplier-{uuid4().hex[:6]}"
    person = {"login": login, "person_name": login, "roles": ["supplier"], "password": PASSWORD}
    admin.post("/users", person | {"supplier_id": order["supplier_id"]})
    supplier = User(http, login, PASSWORD)
    own = supplier.get("/supplier/purchase-orders")
    assert order["id"] in {one["id"] for one in own}
    foreign = next(one for one in page if one["supplier_id"] != order["supplier_id"])
    supplier.get(f"/supplier/purchase-orders/{foreign['id']}", expect=404)
    for path in ("/purchase-orders", "/items", "/exceptions", "/metrics", "/users"):
        supplier.get(path, expect=403)
    detail = supplier.get(f"/supplier/purchase-orders/{order['id']}")
    assert "reference_price" not in detail["lines"][0] and "reason" not in detail["order"]
    line = next(one for one in detail["lines"] if one["open_quantity"])
    number, arrives = detail["order"]["number"], "20991231"
    code = next(one["code"] for one in buyer.get("/suppliers") if one["id"] == order["supplier_id"])
    advice = (
        f"UNB+UNOC:3+{code}+Q+260701:0900+R1'UNH+1+DESADV:D:96A:UN'BGM+351+DN-1'"
        f"DTM+17:{arrives}:102'RFF+ON:{number}'LIN+1'RFF+LI:{line['line_no']}'QTY+12:1'UNT+8+1'UNZ+1+R1'"
    )
    headers = {"Authorization": f"Bearer {supplier.token}", "Idempotency-Key": uuid4().hex}
    answer = http.post("/api/v1/supplier/interchanges", content=advice, headers=headers)
    assert answer.status_code == 200, answer.text
    again = http.post("/api/v1/supplier/interchanges", content=advice, headers=headers)
    assert again.json() == answer.json(), "the same key is the same wish"
    broken = http.post(
        "/api/v1/supplier/interchanges",
        content=advice.replace("UNT+8", "UNT+7").replace("R1'", "R2'"),
        headers=headers | {"Idempotency-Key": uuid4().hex},
    )
    assert broken.status_code == 409 and "UNT" in broken.json()["detail"] and broken.json()["remedy"]
    told = supplier.get("/supplier/sent")
    assert [(one["command"], one["outcome"]) for one in told] == [
        ("ReceiveInterchange", "refused"),
        ("ReceiveInterchange", "executed"),
    ]
    assert supplier.get(f"/supplier/purchase-orders/{order['id']}")["notices"][0]["reference"] == "DN-1"
    buyer.get("/supplier/purchase-orders", expect=403)
