"""Lots over the API and on the command line: who may do what, and what each way in says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from api.demo import PASSWORD
from tests.api.conftest import User
from tests.api.test_cli import Cli, cli

__all__ = ["cli"]


def tracked(admin: User, place: str) -> tuple[str, str]:
    """An item with two lots at a place; its id and SKU."""
    item_id, sku = str(uuid4()), f"TEA-{uuid4().hex[:6]}"
    named = {"item_name": sku, "category": "Tea", "brand": "Acme", "base_unit": "piece"}
    flags = {"lot_tracked": True, "expiry_tracked": True}
    admin.post("/commands/CreateItem", {"item_id": item_id, "sku": sku, **named, **flags})
    admin.post("/commands/ActivateItem", {"item_id": item_id})
    today = admin.get("/lots/expiring", days=0)
    assert isinstance(today, list)
    lines = [
        {"item_id": item_id, "quantity": 5, "lot_code": code, "expires_on": last}
        for code, last in (("A", "2099-01-31"), ("B", "2099-06-30"))
    ]
    admin.post(
        "/commands/PostOpeningStock", {"document_id": str(uuid4()), "location_id": place, "lines": lines}
    )
    return item_id, sku


@pytest.mark.capability("S37")
@pytest.mark.capability("S38")
@pytest.mark.capability("S34")
def test_the_warehouse_holds_a_lot_and_a_manager_recalls_it_and_sees_whom_it_reached(
    user: Callable[[str], User],
) -> None:
    admin, warehouse, manager, service = user("admin"), user("warehouse"), user("manager"), user("service")
    place = warehouse.get("/locations")[0]["id"]
    item_id, _ = tracked(admin, place)
    customer = str(uuid4())
    registered = {"customer_id": customer, "code": f"C-{customer[:8]}", "country": "Germany"}
    service.post("/commands/RegisterCustomer", registered)
    channel = warehouse.get("/channels")[0]["id"]
    order_id, line_id = str(uuid4()), str(uuid4())
    line = {"line_id": line_id, "item_id": item_id, "quantity": 2, "location_id": place}
    prices = {"unit_price": 100_000, "list_price": 100_000}
    placed = {
        "order_id": order_id,
        "external_ref": order_id,
        "channel_id": channel,
        "customer_id": customer,
        "customer_country": "Germany",
        "lines": [line | prices],
    }
    service.post("/commands/PlaceOrder", placed)
    warehouse.post("/commands/ShipOrder", {"order_id": order_id, "shipment_id": str(uuid4())})
    first, second = warehouse.get("/lots", item_id=item_id)
    assert (first["code"], second["code"], first["status"]) == ("A", "B", "released")
    recall = {
        "recall_id": str(uuid4()),
        "item_id": item_id,
        "lot_code": "A",
        "reason_code": "safety_notice",
    }
    warehouse.post("/commands/RecallLot", recall, expect=403)
    hold = {"hold_id": str(uuid4()), "item_id": item_id, "lot_code": "A", "reason_code": "damage_suspected"}
    assert warehouse.post("/commands/HoldStock", hold)["result"]["units"] == 3
    assert hold["hold_id"] in {one["id"] for one in warehouse.get("/holds")}
    told = manager.post("/commands/RecallLot", recall)["result"]
    assert (told["shipped_units"], told["customers"]) == (2, [customer])
    seen = manager.get(f"/lots/{first['id']}")
    assert [(one["units"], one["customer_id"]) for one in seen["shipments"]] == [(2, customer)]
    assert [(one["state"], one["units"]) for one in seen["stock"]] == [("quarantined", 3)]
    assert warehouse.get(f"/lots/{first['id']}")["shipments"][0]["customer_id"] is None
    warehouse.get(f"/lots/{uuid4()}", expect=404)
    warehouse.get("/lots", status="strange", expect=422)
    assert warehouse.get("/stock/ownership", item_id=item_id)[0]["system"] == "ledger"


@pytest.mark.capability("S54")
def test_the_warehouse_receives_a_scanners_file_and_looks_at_lots_on_the_command_line(
    cli: Cli, user: Callable[[str], User], tmp_path: Path
) -> None:
    admin = user("admin")
    _, sku = tracked(admin, admin.get("/locations")[0]["id"])
    waiting: list[dict[str, Any]] = admin.get("/purchase-orders", status="sent")["rows"]
    number = waiting[0]["number"]
    order = admin.get(f"/purchase-orders/{number}")
    wanted = order["labels"][order["record"]["lines"][0]["item_id"]]["code"]
    cli("login", "warehouse", given=f"{PASSWORD}\n")
    file = tmp_path / "scans.csv"
    file.write_text(f"sku,quantity,barcode\n{wanted},1,{wanted}\n{wanted},1,STRANGE\n")
    cli("receive", number, str(file), expect=3)
    assert "STRANGE was scanned" in cli.errors
    file.write_text(f"sku,quantity,colour\n{wanted},1,red\n")
    cli("receive", number, str(file), expect=2)
    assert "column colour" in cli.errors
    file.write_text("sku,quantity\nNEVER,1\n")
    cli("receive", number, str(file), expect=2)
    assert "was not ordered" in cli.errors
    file.write_text(f"sku,quantity,rejected,barcode\n{wanted},3,1,{wanted}\n")
    assert "2 accepted, 0 held, 1 rejected" in cli("receive", number, str(file))
    assert [one["code"] for one in cli.json("lots", sku)] == ["A", "B"]
    assert "is held: 5 units" in cli("hold", sku, "B")
    assert cli.json("lot", sku, "B")["lot"]["status"] == "held"
    assert "damaged" not in cli("lot", sku, "A")
    assert len(cli.json("holds")) >= 1
    cli.json("expiring", "--days", "10")
    cli("lot", sku, "NEVER", expect=1)
    cli("recall", sku, "A", expect=4)
