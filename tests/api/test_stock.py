"""Stock in depth, counts and refills over HTTP and on the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from api.company import Company
from tests.api.conftest import User


@pytest.fixture
def item(user: Callable[[str], User]) -> dict[str, Any]:
    """An item that lies somewhere: its id, SKU and place."""
    planner = user("planner")
    for one in planner.get("/stock", limit=500)["rows"]:
        if one["available"] > 5:
            sku = next(row["sku"] for row in planner.get("/items", limit=500) if row["id"] == one["item_id"])
            return {"id": one["item_id"], "place": one["location_id"], "sku": sku, "units": one["available"]}
    raise AssertionError("the tiny company has no stock")


@pytest.mark.capability("S24")
def test_an_item_is_shown_in_depth_now_and_on_a_past_day_with_its_moves(
    user: Callable[[str], User], item: dict[str, Any], tiny_company: Company
) -> None:
    planner = user("planner")
    now = planner.get("/stock/buckets", item_id=item["id"], location_id=item["place"])
    available = [one["units"] for one in now["buckets"] if one["state"] == "available"]
    assert sum(available) == item["units"]
    today = tiny_company.clock.today().isoformat()
    then = planner.get("/stock/buckets", item_id=item["id"], location_id=item["place"], as_of=today)
    assert then == now
    assert planner.get("/stock/buckets", item_id=item["id"], as_of="2000-01-01")["buckets"] == []
    assert planner.get("/stock/moves", item_id=item["id"], location_id=item["place"])
    figures = planner.get("/stock/figures", item_id=item["id"], location_id=item["place"])
    assert figures["states"]["available"] == item["units"]
    assert figures["atp"] == item["units"] + figures["inbound_due"] - figures["backordered"]


@pytest.mark.capability("S42")
def test_a_sheet_is_opened_and_counted_by_the_warehouse_and_tells_what_was_expected_only_then(
    user: Callable[[str], User], item: dict[str, Any]
) -> None:
    warehouse, planner = user("warehouse"), user("planner")
    count_id = str(uuid4())
    opening = {"count_id": count_id, "location_id": item["place"], "item_ids": [item["id"]]}
    planner.post("/commands/OpenCount", opening, expect=403)
    warehouse.post("/commands/OpenCount", opening)
    (line,) = warehouse.get(f"/counts/{count_id}")["lines"]
    assert (line["expected"], line["counted"]) == (None, None)
    found = [{"item_id": item["id"], "quantity": 1}]
    warehouse.post("/commands/RecordCount", {"count_id": count_id, "lines": found})
    (line,) = warehouse.get(f"/counts/{count_id}")["lines"]
    assert line["counted"] == 1
    assert line["expected"] >= item["units"]
    assert [one["id"] for one in warehouse.get("/counts", status="counted")] == [count_id]
    warehouse.get("/counts", status="lost", expect=422)
    warehouse.get(f"/counts/{uuid4()}", expect=404)
    for path in ("/counts/due", "/stock/ageing", "/stock/refills", "/stock/transfer-advice", "/kits"):
        assert isinstance(warehouse.get(path), list)
    assert isinstance(warehouse.get("/stock/kits"), list)


def test_what_waiting_stock_is_worth_is_shown_to_who_sees_costs(user: Callable[[str], User]) -> None:
    assert all(one["value"] is None for one in user("warehouse").get("/counts/due"))


@pytest.mark.capability("S50")
def test_a_snapshot_comes_as_a_file_and_shows_where_it_differs(
    user: Callable[[str], User], item: dict[str, Any], tiny_company: Company, tmp_path: Path
) -> None:
    warehouse = user("warehouse")
    body = {
        "snapshot_id": str(uuid4()),
        "location_id": item["place"],
        "source": "3PL",
        "as_of": tiny_company.clock.today().isoformat(),
        "lines": [{"item_id": item["id"], "quantity": 0}],
    }
    warehouse.post("/commands/RecordStockSnapshot", body)
    found = warehouse.get("/stock/snapshot-differences", location_id=item["place"])
    assert item["id"] in {one["item_id"] for one in found}
