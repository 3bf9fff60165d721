"""Customers' orders in the console: which are late or short, and what became of one."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.console.conftest import PHONE, WIDE
from tests.console.desk import user_id
from tests.console.test_governance_pages import Visitor, visitor, watcher, words

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["visitor", "watcher"]
Who = Callable[[str], Visitor]
Send = Callable[[str, Any], Any]


def day(text: str) -> str:
    """A day as pages show it."""
    one = date.fromisoformat(text)
    return f"{one.day} {one:%b %Y}"


def confirmed(send: Send) -> dict[str, Any]:
    """A line of a purchase order that a supplier confirmed and did not deliver yet, the latest promise of all."""
    rows = send("/api/v1/purchase-orders/inbound", None)["rows"]
    promised = [one for one in rows if one["promised_on"] and one["open_quantity"] > 1]
    return max(promised, key=lambda one: one["promised_on"])


def ordered(send: Send, like: dict[str, Any], units: int) -> dict[str, str]:
    """An order of a customer for more than the place of the purchase order has."""
    channel = send("/api/v1/channels", None)[0]
    ids = {"order": str(uuid4()), "line": str(uuid4()), "reference": f"LATE_{uuid4().hex[:8]}"}
    line = {
        "line_id": ids["line"],
        "item_id": like["item_id"],
        "location_id": like["location_id"],
        "quantity": units,
        "unit_price": 120_000,
        "list_price": 120_000,
    }
    order = {
        "order_id": ids["order"],
        "external_ref": ids["reference"],
        "channel_id": channel["id"],
        "customer_country": "Italy",
        "promised_on": like["promised_on"],
        "lines": [line],
    }
    send("/api/v1/commands/PlaceOrder", order)
    return ids


def available(send: Send, like: dict[str, Any]) -> int:
    """Units of the item that can be reserved at the place."""
    rows = send(f"/api/v1/stock?item_id={like['item_id']}&location_id={like['location_id']}", None)["rows"]
    return sum(one["available"] for one in rows)


@pytest.mark.capability("S71", "S90", "S192")
def test_service_reads_which_order_a_suppliers_change_makes_late_and_what_its_customer_was_told(
    visitor: Who,
) -> None:
    service, buyer = visitor("service"), visitor("buyer")
    supply = confirmed(buyer.send)
    mine = ordered(service.send, supply, available(service.send, supply) + 1)
    page = f"/orders/{mine['order']}"
    placed = words(service.get(page))
    assert "Order placed Backordered" in placed and "late or short" not in placed
    late = str(date.fromisoformat(supply["promised_on"]) + timedelta(days=30))
    moved = {"po_line_id": supply["line_id"], "promised_on": late}
    buyer.send("/api/v1/commands/ChangePurchaseOrderDates", {"po_id": supply["po_id"], "lines": [moved]})
    record = service.send(page.replace("/orders", "/api/v1/orders"), None)["record"]
    number, units = record["order"]["number"], record["lines"][0]["quantity"]
    listed = words(service.get("/orders"))
    assert f"{number} " in listed and f"promised {day(supply['promised_on'])} expected {day(late)}" in listed
    story = words(service.get(page))
    assert "A line is late or short." in story and f"expected {day(late)}; since" in story
    assert f"because of purchase order {supply['number']}" in story
    assert f"{day(supply['promised_on'])} → {day(late)} later than promised" in story
    assert f"The customer was told : Your order {mine['reference']} will be late" in story
    assert f"{late} only." in story, "in the words that the customer read"
    assert (
        story.index("The customer was told")
        < story.index("because of purchase")
        < story.index("Order placed")
    )
    assert "the order names it" in story and f"{units:,}" in story and "12.00" in story
    assert f'href="/buying/orders/{supply["po_id"]}"' in service.get(page)


@pytest.mark.capability("S192")
def test_an_order_that_came_back_tells_its_parcels_invoices_returns_and_credit_notes(watcher: Who) -> None:
    service = watcher("service")
    order = service.send("/api/v1/orders?status=credited&limit=1", None)["rows"][0]
    text = words(service.get(f"/orders/{order['id']}"))
    documents = service.send(f"/api/v1/sales-documents?order_id={order['id']}", None)
    (came_back, *_) = service.send(f"/api/v1/orders/{order['id']}/returns", None)
    assert {one["kind"] for one in documents} == {"invoice", "credit_note"}
    for one in documents:
        assert f"{one['number']} : {(one['net'] + one['tax']) / 10_000:,.2f}" in text
    assert f"Return {came_back['header']['number']}" in text and "refund" in text
    assert "Parcel left" in text and order["external_ref"] in text
    steps = service.send(f"/api/v1/orders/{order['id']}/story", None)["steps"]
    assert [one["event"] for one in steps][:2] == ["OrderPlaced", "OrderShipped"]
    assert steps[-1]["status"] == order["status"]
    assert "Freight cost" not in text
    assert "Freight cost" in words(watcher("manager").get(f"/orders/{order['id']}"))


@pytest.mark.capability("S192")
def test_orders_are_found_by_number_reference_status_and_channel_and_turned_by_pages(watcher: Who) -> None:
    service = watcher("service")
    rows = service.send("/api/v1/orders?limit=100", None)["rows"]
    first, second = (service.get(f"/orders/all?offset={skip}") for skip in (0, 40))
    for page, expected in ((first, rows[:40]), (second, rows[40:80])):
        shown = re.findall(r'href="/orders/([0-9a-f-]{36})"', page)
        assert shown == [one["id"] for one in expected]
    assert "Older" in first and "Newer" not in first and "Newer" in second
    wanted = rows[17]
    for text in (wanted["number"].lower(), wanted["external_ref"].upper(), f" {wanted['number']} "):
        assert wanted["id"] in service.get(f"/orders/all?search={text}")
    assert "No order fits" in service.get("/orders/all?search=%25"), "a sign of the database's is a letter"
    channels = {one["id"]: one["code"] for one in service.send("/api/v1/channels", None)}
    code = channels[wanted["channel_id"]]
    found = service.get(f"/orders/all?status={wanted['status']}&channel={code}&search={wanted['number']}")
    assert re.findall(r'href="/orders/([0-9a-f-]{36})"', found) == [wanted["id"]]
    other = next(one for one in channels.values() if one != code)
    assert wanted["id"] not in service.get(f"/orders/all?channel={other}&search={wanted['number']}")


@pytest.mark.capability("S56")
def test_an_order_that_is_held_waits_for_review_with_its_reason_until_it_is_released(visitor: Who) -> None:
    service = visitor("service")
    order = service.send("/api/v1/orders?status=reserved&limit=1", None)["rows"][0]
    assert order["number"] not in service.get("/orders/review")
    held = {"order_id": order["id"], "reason_code": "address_problem"}
    service.send("/api/v1/commands/HoldOrder", held)
    assert f"{order['number']} On hold Address problem" in words(service.get("/orders/review"))
    assert "Order held On hold , address problem" in words(service.get(f"/orders/{order['id']}"))
    service.send("/api/v1/commands/ReleaseOrder", {"order_id": order["id"]})
    assert order["number"] not in service.get("/orders/review")


@pytest.mark.capability("S204")
def test_orders_are_for_who_may_read_records_and_odd_addresses_are_told_kindly(visitor: Who) -> None:
    admin, outsider, service = visitor("admin"), visitor("returns"), visitor("service")
    taken = {"user_id": user_id(admin.send, "returns"), "role": "returns"}
    admin.send("/api/v1/commands/RevokeRole", taken)
    order = service.send("/api/v1/orders?limit=1", None)["rows"][0]
    for path in ("", "/all", "/review", f"/{order['id']}"):
        assert order["number"] not in outsider.get(f"/orders{path}", 403)
    assert 'href="/orders"' in service.get("/") and 'href="/orders"' not in visitor("buyer").get("/")
    assert order["number"] in visitor("buyer").get(f"/orders/{order['id']}")
    assert "There is no such order" in words(service.get(f"/orders/{uuid4()}", 404))
    assert "no such order" in service.get(f"/api/v1/orders/{uuid4()}/story", 404)
    for path, told in (
        ("/all?status=lost", "there is no status 'lost'"),
        ("/all?channel=NOPE", "there is no channel 'NOPE'"),
        (f"/all?search={'x' * 61}", "at most 60 characters"),
        ("/all?offset=-1", "greater than or equal to 0"),
        ("?offset=soon", "valid integer"),
        ("/SO-1", "Order_id: is no id"),
    ):
        assert told in words(service.get(f"/orders{path}", 422)), path


@pytest.mark.browser
def test_the_pages_for_service_fit_wide_and_phone(page_of: Callable[..., Page]) -> None:
    page = page_of("service", PHONE)
    nav = page.get_by_role("navigation", name="Main")
    assert nav.get_by_role("link", name="Orders").is_visible()
    order = page.request.get("/api/v1/orders?status=credited&limit=1").json()["rows"][0]
    for size in (PHONE, WIDE):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        for path in ("", "/all", "/review", f"/{order['id']}"):
            page.goto(f"/orders{path}")
            assert page.get_by_role("heading", level=1).is_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= size[0], path
