"""What orders earn, what capital is bound and what purchases may yet cost: over HTTP, on the command line, in the console."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from api.demo import PASSWORD
from tests.api.conftest import User
from tests.api.test_cli import Cli, cli

__all__ = ["cli"]


def column(result: dict[str, Any], name: str) -> list[float]:
    place = [one["name"] for one in result["columns"]].index(name)
    return [float(row[place] or 0) for row in result["rows"]]


@pytest.mark.capability("S114")
@pytest.mark.capability("S115")
@pytest.mark.capability("S111")
def test_finance_reads_margins_and_exposures_and_who_sees_no_cost_reads_none(
    user: Callable[[str], User], cli: Cli
) -> None:
    finance: Any = user("finance")
    order = finance.get("/orders", status="shipped", limit=1)["rows"][0]
    margin = finance.get(f"/orders/{order['id']}/margin")
    parts = {one["name"]: one["amount"] for one in margin["components"]}
    assert margin["gross_margin"] == margin["order"]["whole"]["costed_sales"] - parts["cost"]
    assert margin["contribution_margin"] == (
        margin["gross_margin"] - parts["freight"] - parts["refunds"] + parts["recovered"]
    )
    assert all(one["source"] for one in margin["components"]) and margin["order"]["number"] == order["number"]

    capital = finance.get("/working-capital", by="warehouse")
    plus, minus = ("inventory_value", "open_po_value"), "payables_value"
    whole = sum(column(capital["whole"], name)[0] for name in plus) - column(capital["whole"], minus)[0]
    assert whole == pytest.approx(column(capital["whole"], "working_capital_exposure")[0])
    assert sum(column(capital["groups"], "working_capital_exposure")) == pytest.approx(whole)
    assert capital["groups"]["drill"] and capital["notes"] == []
    day = "2020-01-01"
    past = finance.get("/working-capital", as_of=day)
    assert (
        "working_capital_exposure" not in str(past["whole"]["columns"]) and "today only" in past["notes"][0]
    )
    finance.get("/working-capital", as_of="2999-01-01", expect=422)
    finance.get("/working-capital", by="colour", expect=422)

    exposed = finance.get("/purchase-exposure", by="month")
    assert exposed["total_lines"] == exposed["whole"]["lines"] > 0
    assert sum(one["value"] for one in exposed["groups"]) == exposed["whole"]["value"]
    first = exposed["lines"][0]
    lines = finance.get(f"/purchase-orders/{first['po_id']}")["record"]["lines"]
    assert first["po_line_id"] in {one["id"] for one in lines}
    for path in (f"/orders/{order['id']}/margin", "/working-capital", "/purchase-exposure"):
        user("warehouse").get(path, expect=403)
    finance.get(f"/orders/{uuid4()}/margin", expect=404)

    asked = {"Accept": "text/html", "Authorization": f"Bearer {finance.token}"}
    seen = finance.http.get("/exposure", params={"capital": "item", "purchases": "month"}, headers=asked)
    assert seen.status_code == 200 and exposed["lines"][0]["number"] in seen.text

    cli("login", "finance", given=f"{PASSWORD}\n")
    assert cli.json("exposure", "margin", order["id"]) == margin
    assert "contribution margin" in cli("exposure", "margin", order["id"])
    assert "bound capital" in cli("exposure", "capital", "--by", "supplier")
    assert "today only" in cli("exposure", "capital", "--as-of", day)
    assert "price variance" in cli("exposure", "purchases", "--by", "category")
