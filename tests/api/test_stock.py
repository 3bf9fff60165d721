"""Stock in depth, counts and refills over HTTP and on the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from api.company import Company
from api.demo import PASSWORD
from tests.api.conftest import User
from tests.api.test_cli import Cli, cli

__all__ = ["cli"]


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
    assert figures["subscription_committed"] == 0
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


@pytest.mark.capability("S3")
@pytest.mark.capability("S50")
def test_the_warehouse_looks_at_stock_and_brings_a_snapshot_file_on_the_command_line(
    cli: Cli, user: Callable[[str], User], item: dict[str, Any], tmp_path: Path
) -> None:
    places = user("planner").get("/locations")
    code = next(one["code"] for one in places if one["id"] == item["place"])
    cli("login", "warehouse", given=f"{PASSWORD}\n")
    assert "available" in cli("stock", "show", item["sku"], "--at", code)
    assert cli.json("stock", "show", item["sku"], "--as-of", "2000-01-01")["buckets"] == []
    assert "opening" in cli(
        "stock", "moves", item["sku"], "--at", code, "--state", "available", "--limit", "500"
    )
    assert item["sku"] in cli("stock", "age", "--at", code)
    for listed in ("counts", "refills", "transfers"):
        assert isinstance(cli.json("stock", listed), list)
    cli("stock", "show", "NO-SUCH-THING", expect=3)
    cli("stock", "show", item["sku"], "--at", "NOWHERE", expect=3)
    file, as_of = tmp_path / "stock.csv", ("--at", code, "--source", "3PL", "--as-of", "2026-06-01")
    file.write_text("sku\nA\n", encoding="utf-8")
    cli("stock", "snapshot", str(file), *as_of, expect=2)
    file.write_text(f"sku,units\n{item['sku']},many\n", encoding="utf-8")
    cli("stock", "snapshot", str(file), *as_of, expect=2)
    file.write_text(f"sku,units\n{item['sku']},0\nTHEIR-1,0\n", encoding="utf-8")
    cli("stock", "snapshot", str(file), *as_of, expect=3)
    open_cases = user("planner").get("/exceptions", kind="unmapped_sku")
    assert any("THEIR-1" in one["title"] for one in open_cases["rows"])
    file.write_text(f"sku,units\n{item['sku']},0\n", encoding="utf-8")
    cli("stock", "snapshot", str(file), *as_of)
    found = user("warehouse").get("/stock/snapshot-differences", location_id=item["place"], tolerated=True)
    assert found
    assert {one["source"] for one in found} == {"3PL"}
