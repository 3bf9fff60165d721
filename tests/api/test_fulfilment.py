"""What the API says of carriers, rules, classes, workflows and alerts."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from api.company import Company
from api.upkeep import keep_up
from api.work import classify
from erp_core.inventory.counts.queries import due_counts
from erp_core.orders.queries.alerts import affected
from erp_core.planning.classes import reclassified
from erp_core.storage.engine import reading
from tests.api.conftest import User

LISTS = (
    "carriers",
    "carrier-services",
    "shipping-zones",
    "carrier-lanes",
    "carrier-cutoffs",
    "carrier-holidays",
    "packagings",
    "packaging-rules",
    "fulfilment-rules",
    "channel-terms",
    "legal-entities",
    "supplier-workflows",
    "due-steps",
    "class-policies",
    "landed-cost-components",
    "order-alerts",
    "outages",
)


@pytest.mark.capability("S15")
def test_who_ships_sees_the_offers_but_not_what_freight_costs_who_may_not(
    user: Callable[[str], User], tiny_company: Company
) -> None:
    admin, manager, warehouse = user("admin"), user("manager"), user("warehouse")
    place = admin.get("/locations")[0]["id"]
    carrier, service = str(uuid4()), str(uuid4())
    admin.post("/commands/SetCarrier", {"carrier_id": carrier, "code": "POST", "carrier_name": "Post"})
    admin.post(
        "/commands/SetCarrierService",
        {
            "service_id": service,
            "carrier_id": carrier,
            "code": "POST-STD",
            "service_name": "Parcel",
            "speed": "standard",
        },
    )
    admin.post("/commands/SetShippingZone", {"zone": "ALL", "zone_name": "All", "all_others": True})
    admin.post(
        "/commands/SetCarrierCutoff",
        {"location_id": place, "service_id": service, "weekdays": ["mon", "wed", "fri"], "at": "16:00"},
    )
    lane = {
        "service_id": service,
        "zone": "ALL",
        "valid_from": tiny_company.clock.today().isoformat(),
        "transit_days": 2,
        "rates": [{"price": 45_000}],
    }
    asked = admin.post("/commands/SetCarrierLane", lane, expect=202)
    assert asked["outcome"] == "proposed"
    manager.post(f"/proposals/{asked['proposal_id']}/approve", {"payload_hash": asked["payload_hash"]})
    query = {"location_id": place, "country": "Chile"}
    (dear,), (hidden,) = manager.get("/shipping-offers", **query), warehouse.get("/shipping-offers", **query)
    assert (dear["price"], hidden["price"]) == (45_000, None)
    assert hidden["service"]["code"] == "POST-STD"
    assert warehouse.get("/carrier-lanes")[0]["rates"] is None


@pytest.mark.capability("S11")
def test_items_have_classes_after_they_were_classified(
    user: Callable[[str], User], tiny_company: Company
) -> None:
    planner = user("planner")
    service = tiny_company.gate.bootstrap_user("jobs", roles=("jobs",), kind="service")
    assert classify(tiny_company, {}, service, lambda *_: None)["classified"] > 0
    items = planner.get("/items", limit=500)
    assert {one["abc_class"] for one in items} >= {"A", "B", "C"}
    best = next(one for one in items if one["abc_class"] == "A")
    classes, selected = planner.get(f"/items/{best['id']}/classes")
    assert "A" in classes
    assert selected["service_level"] is not None
    assert selected["because"]["service_level"] in classes


@pytest.mark.capability("S71")
def test_the_daily_upkeep_alerts_every_late_or_short_line_and_tells_nobody_twice(
    user: Callable[[str], User], tiny_company: Company
) -> None:
    jobs = tiny_company.gate.bootstrap_user("jobs", roles=("jobs",), kind="service")
    service, wanted = user("service"), str(uuid4())
    line = {
        "line_id": str(uuid4()),
        "item_id": service.get("/items", status="active")[0]["id"],
        "quantity": 10_000_000,
        "unit_price": 10_000,
        "list_price": 10_000,
        "location_id": service.get("/locations")[0]["id"],
    }
    placed = service.post(
        "/commands/PlaceOrder",
        {
            "order_id": wanted,
            "external_ref": "R-1",
            "channel_id": service.get("/channels")[0]["id"],
            "customer_country": "DE",
            "lines": [line],
        },
    )
    assert placed["result"]["status"] == "backordered"
    with reading(tiny_company.engine) as connection:
        called_for = {one.line_id for one in affected(connection, tiny_company.clock.today())}
    assert UUID(line["line_id"]) in called_for
    assert keep_up(tiny_company, jobs)["told"] > 0
    shown = service.get("/order-alerts")
    assert {one["line_id"] for one in shown} == {str(one) for one in called_for}
    (message,) = service.get(f"/orders/{wanted}/messages")
    assert message["template"] == "shortage"
    assert keep_up(tiny_company, jobs)["told"] == 0


@pytest.mark.capability("S11")
@pytest.mark.capability("S42")
def test_the_upkeep_classifies_items_once_a_day_and_counts_follow_their_classes(
    tiny_company: Company,
) -> None:
    jobs = tiny_company.gate.bootstrap_user("jobs", roles=("jobs",), kind="service")
    today = tiny_company.clock.today()
    built = json.loads((tiny_company.home / "demo.json").read_text(encoding="utf-8"))
    assert built["results"]["upkeep"]["reclassified"] > 0, "it ran when the company was built"
    with reading(tiny_company.engine) as connection:
        assert reclassified(connection, today) == reclassified(connection, today + timedelta(days=1)) == []
        intervals = {
            one.interval for one in due_counts(connection, today + timedelta(days=400), limit=10_000)
        }
    assert len(intervals) > 1 and intervals <= {30, 90, 180}
    assert keep_up(tiny_company, jobs)["reclassified"] == 0


def test_every_list_can_be_read(user: Callable[[str], User]) -> None:
    reader = user("planner")
    for name in LISTS:
        assert isinstance(reader.get(f"/{name}"), list), name
    reader.get(f"/promotions/{uuid4()}/readiness", expect=404, expected=5)
    for name in ("messages", "drop-shipments"):
        assert reader.get(f"/orders/{uuid4()}/{name}") == []
