"""What the API says of the flow of orders, to whom."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from tests.api.conftest import User


@pytest.mark.capability("S32")
@pytest.mark.capability("S57")
@pytest.mark.capability("S58")
@pytest.mark.capability("S69")
def test_people_follow_pick_lists_clocks_and_ageing_over_the_api(user: Callable[[str], User]) -> None:
    warehouse, service, manager = user("warehouse"), user("service"), user("manager")
    order = warehouse.get("/orders", status="reserved", limit=1)["rows"][0]
    pick_id = str(uuid4())
    released = {"order_id": order["id"], "pick_id": pick_id}
    lines = warehouse.get(f"/orders/{order['id']}")["record"]["lines"]
    released["location_id"] = lines[0]["location_id"]
    warehouse.post("/commands/ReleasePick", released)
    (pick,) = warehouse.get("/pick-lists", order_id=order["id"])
    assert (pick["id"], pick["status"], pick["order_number"]) == (pick_id, "released", order["number"])
    assert set(pick["units"]) <= {line["id"] for line in lines}
    manager.post("/commands/SetStageLimit", {"status": "reserved", "minutes": 1})
    clocks = service.get("/order-clocks", standing="breached")
    assert clocks and {one["stage"] for one in clocks} == {"reserved"}
    offered = service.get(f"/channels/{order['channel_id']}/published")
    assert offered and all(0 <= one["published"] <= one["available"] for one in offered)
    service.get(f"/channels/{uuid4()}/published", expect=404)
    held = warehouse.get("/orders", status="reserved", limit=1)["rows"][0]
    service.post("/commands/HoldOrder", {"order_id": held["id"], "reason_code": "credit_limit"})
    assert "credit_limit" in {one["code"] for one in service.get("/order-ageing")}
