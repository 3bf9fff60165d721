"""What the stories of the console start from, made over the API with the session of who is logged in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

Send = Callable[[str, Any], Any]
"""`send(path, body)`: a GET where the body is None, else a POST; the parsed answer."""

AGENT_RULE = "purchase by an agent under 25,000"


def waiting(send: Send, *, tainted: bool, by_agent: bool = True) -> dict[str, Any]:
    """A purchase that waits, and that an agent proposed."""
    found = send("/api/v1/proposals", None)["rows"]
    return next(
        one
        for one in found
        if one["tainted"] == tainted and (one["via"] == "agent") == by_agent and len(one["payload"]) == 2
    )


def ordinary(send: Send) -> dict[str, Any]:
    """A purchase of 1,300 to 2,400, like one that waits, but from a supplier that is no high risk."""
    like = waiting(send, tainted=True)
    calm = {one["id"] for one in send("/api/v1/suppliers", None) if one["risk_class"] != "high"}
    for order in send("/api/v1/purchase-orders?limit=200", None)["rows"]:
        if order["supplier_id"] not in calm or order["status"] not in ("received", "closed"):
            continue
        line = send(f"/api/v1/purchase-orders/{order['id']}", None)["record"]["lines"][0]
        times = -(-13_000_000 // (line["quantity"] * line["unit_price"]))
        if times * line["quantity"] * line["unit_price"] > 24_000_000:
            continue
        create, submit = like["payload"]
        wanted = {"line_id": str(uuid4()), "item_id": line["item_id"], "quantity": times * line["quantity"]}
        payload = {
            **create["payload"],
            "supplier_id": order["supplier_id"],
            "location_id": order["location_id"],
            "lines": [wanted],
        }
        return {**like, "payload": [{**create, "payload": payload}, submit]}
    raise AssertionError("no order is like that")


def user_id(send: Send, login: str) -> str:
    """The id of somebody."""
    return next(one["id"] for one in send("/api/v1/users", None) if one["login"] == login)


def policy_id(send: Send, name: str) -> str:
    """The id of a policy in force."""
    return next(one["id"] for one in send("/api/v1/policies", None) if one["name"] == name)


def buy(send: Send, like: dict[str, Any], times: int, *, urgent: bool = False, title: str = "") -> Any:
    """Submit the purchase of a proposal once more, in a multiple of its quantity."""
    order = dict(like["payload"][0]["payload"])
    order["po_id"] = str(uuid4())
    order["lines"] = [
        {**line, "line_id": str(uuid4()), "quantity": line["quantity"] * times} for line in order["lines"]
    ]
    commands = [
        {"command": "CreatePurchaseOrder", "payload": order},
        {"command": "SubmitPurchaseOrder", "payload": {"po_id": order["po_id"]}},
    ]
    plan = {"title": title or "Buy more", "reason": "the shop has none left", "commands": commands}
    return send("/api/v1/proposals", plan | {"urgent": urgent})


def lend(send: Send, to: str, role: str, day: date) -> Any:
    """Lend one's role to somebody for ten days."""
    body = {
        "delegation_id": str(uuid4()),
        "to_user_id": user_id(send, to),
        "role": role,
        "starts_on": str(day),
        "ends_on": str(day + timedelta(days=9)),
        "reason": "on leave",
    }
    return send("/api/v1/commands/DelegateAuthority", body)


def day_of(proposal: dict[str, Any]) -> date:
    """The business day on which a proposal was made."""
    return date.fromisoformat(proposal["created_at"][:10])
