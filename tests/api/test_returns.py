"""Goods that came back, over HTTP and on the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from api.demo import PASSWORD
from tests.api.conftest import User
from tests.api.test_cli import Cli, cli

__all__ = ["cli"]


@pytest.mark.capability("S122")
def test_goods_in_quarantine_are_listed_for_who_decides_on_them_and_their_cost_only_for_who_may_see_it(
    user: Callable[[str], User], cli: Cli
) -> None:
    returns, finance = user("returns"), user("finance")
    orders: list[dict[str, Any]] = returns.get("/orders", status="shipped", limit=1)["rows"]
    line = next(
        one
        for one in returns.get(f"/orders/{orders[0]['id']}")["record"]["lines"]
        if one["shipped_quantity"] > 0
    )
    return_id, line_id = str(uuid4()), str(uuid4())
    asked = {
        "return_line_id": line_id,
        "order_line_id": line["id"],
        "quantity": 1,
        "reason_code": "defective",
    }
    returns.post(
        "/commands/AuthoriseReturn",
        {"return_id": return_id, "order_id": orders[0]["id"], "lines": [asked]},
    )
    returns.post("/commands/ReceiveReturn", {"return_id": return_id})

    def listed(who: User, **chosen: Any) -> dict[str, Any]:
        found = who.get("/returns/waiting", limit=500, **chosen)
        (one,) = (one for one in found["rows"] if one["return_id"] == return_id)
        return dict(one) | {"sku": found["labels"][one["item_id"]]["code"]}

    assert (listed(returns)["command"], listed(returns)["state"]) == ("InspectReturn", "return_pending")
    found = {"return_line_id": line_id, "condition": "suspect"}
    returns.post("/commands/InspectReturn", {"return_id": return_id, "lines": [found]})
    returns.post("/commands/DisposeReturn", {"return_id": return_id})
    seen = listed(returns, state="quarantined")
    assert (seen["command"], seen["days"], seen["stranded"]) == ("DisposeReturn", 0, False)
    assert "returns" in seen["roles"] and "restock" in seen["ways"]
    assert listed(finance)["cost"] > 0 and seen["cost"] is None
    late = returns.get("/returns/waiting", stranded=True, limit=500)["rows"]
    assert return_id not in {one["return_id"] for one in late}
    returns.get("/returns/waiting", expect=422, state="lost")
    cli("login", "returns", given=f"{PASSWORD}\n")
    shown = cli.json("returns", "waiting", "--state", "quarantined")
    assert return_id in {one["return_id"] for one in shown["rows"]}
    assert seen["number"] in cli("returns", "waiting")
