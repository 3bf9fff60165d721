"""What buyers ask before they buy and after it came late, over HTTP, to whom."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import User


@pytest.mark.capability("S89", "S92", "S93", "S94", "S96")
def test_buyers_compare_sources_and_read_scorecards_as_the_figures_say_and_clerks_see_no_costs(
    read_only_http: TestClient,
) -> None:
    buyer, warehouse = User(read_only_http, "buyer"), User(read_only_http, "warehouse")
    order = buyer.get("/purchase-orders", limit=1)["rows"][0]
    line = buyer.get(f"/purchase-orders/{order['id']}")["record"]["lines"][0]
    offers = buyer.get(f"/sources/{line['item_id']}", quantity=10)
    assert [one["recommended"] for one in offers] == [True] + [False] * (len(offers) - 1)
    assert all(one["quantity"] >= 10 and one["why"] for one in offers)
    place = f"/continuity/{line['item_id']}/{order['location_id']}"
    ways = buyer.get(place, quantity=10, failed_supplier_id=order["supplier_id"])
    assert all(one["kind"] in ("transfer", "substitute", "alternate") for one in ways)
    for path in (f"/sources/{line['item_id']}", place, "/single-sources"):
        warehouse.get(path, expect=403, quantity=10)
    spend = [one["spend"] for one in buyer.get("/single-sources")]
    assert spend == sorted(spend, reverse=True)
    for one in buyer.get("/late-causes"):
        shares = [one["lateness"][name] for name in ("planning", "approval", "supplier")]
        assert None in shares or sum(shares) == one["lateness"]["days"] > 0
    card = buyer.get("/scorecards", by="supplier", period="last_12_months")
    for score in ("supplier_fill_rate", "adherence_days"):
        query = {"metrics": [score], "by": ["supplier"], "period": "last_12_months"}
        layer = buyer.post("/metrics/query", query)
        names = [column["name"] for column in layer["columns"]]
        scored = {row[0]: row[card["columns"].index(score)] for row in card["rows"]}
        said = {row[0]: row[names.index(score)] for row in layer["rows"]}
        assert said and {supplier: value for supplier, value in scored.items() if value is not None} == said
    assert "price_variance" not in warehouse.get("/scorecards", by="supplier", period="all")["columns"]
    buyer.get("/scorecards", by="colour", expect=422)
    assert {one["name"] for one in buyer.get("/playbooks")} >= {"shortage", "delay"}
    assert buyer.get("/requisitions") == []
