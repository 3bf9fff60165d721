"""Buying in the console: orders, requisitions, quotations, contracts, sources and scorecards; money for whom it is for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.console.conftest import PHONE, WIDE
from tests.console.test_governance_pages import Visitor, visitor, watcher, words

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["visitor", "watcher"]

TABS = ("", "/requisitions", "/quotations", "/contracts", "/sources", "/claims", "/scorecards")
Who = Callable[[str], Visitor]


def ordered(send: Callable[[str, Any], Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """An order that was sent, in full, and one of its lines' item, which no quotation was asked for."""
    rows = send("/api/v1/purchase-orders?limit=200", None)["rows"]
    requests = [one["id"] for one in send("/api/v1/quotation-requests", None)]
    asked = [send(f"/api/v1/quotation-requests/{one}", None)["asked"] for one in requests]
    quoted = {line["item_id"] for one in asked for line in one["lines"]}
    orders = (
        send(f"/api/v1/purchase-orders/{one['id']}", None)["record"]
        for one in rows
        if one["status"] in ("partly_received", "received", "closed")
    )
    detail = next(one for one in orders if one["lines"][0]["item_id"] not in quoted)
    items = send("/api/v1/items?limit=500", None)
    return detail, next(one for one in items if one["id"] == detail["lines"][0]["item_id"])


@pytest.mark.capability("S80", "S86", "S92")
def test_a_buyer_reads_what_became_of_an_order_and_a_clerk_sees_no_money(watcher: Who) -> None:
    buyer, clerk = watcher("buyer"), watcher("warehouse")
    detail, item = ordered(buyer.send)
    order = detail["order"]
    assert order["number"] in words(buyer.get("/buying"))
    page = f"/buying/orders/{order['id']}"
    text = words(buyer.get(page))
    assert item["name"] in text and "Receipts" in text
    total = f"{order['total'] / 10_000:,.2f}"
    assert total in text and total not in words(clerk.get(page))
    price = f"{detail['lines'][0]['unit_price'] / 10_000:,.2f}"
    assert price in text and price not in words(clerk.get(page))
    for path in ("/quotations", "/contracts", "/sources"):
        clerk.get(f"/buying{path}", 403)
    assert "Contracts" not in words(clerk.get("/buying/requisitions"))
    buyer.get(f"/buying/orders/{uuid4()}", 404)
    buyer.get("/buying?status=lost", 422)
    offers = words(buyer.get(f"/buying/sources?sku={item['sku']}&quantity=50&need_by=soon"))
    assert "recommended" in offers and item["name"] in offers
    assert "There is no item NOPE" in words(buyer.get("/buying/sources?sku=NOPE"))
    scorecards = words(buyer.get("/buying/scorecards?by=supplier"))
    assert "Supplier fill rate" in scorecards and "Lead time (days)" in scorecards
    assert "Lead-time adherence (days)" in scorecards


@pytest.mark.capability("S89", "S87", "S91")
def test_a_buyer_awards_a_quotation_in_the_console_and_a_case_names_its_playbook(visitor: Who) -> None:
    buyer = visitor("buyer")
    detail, item = ordered(buyer.send)
    order, request_id, line_id = detail["order"], str(uuid4()), str(uuid4())
    day = date.fromisoformat(order["created_on"]) + timedelta(days=4_000)
    asked = {
        "request_id": request_id,
        "location_id": order["location_id"],
        "supplier_ids": [order["supplier_id"]],
        "deadline_on": str(day),
        "lines": [{"line_id": line_id, "item_id": item["id"], "quantity": 50}],
    }
    buyer.send("/api/v1/commands/RequestQuotation", asked)
    quoted = {
        "request_id": request_id,
        "quotation_id": str(uuid4()),
        "supplier_id": order["supplier_id"],
        "valid_until": str(day),
        "note": "<b>award us</b>",
        "lines": [{"line_id": line_id, "unit_price": detail["lines"][0]["reference_price"]}],
    }
    buyer.send("/api/v1/commands/RecordQuotation", quoted)
    page = f"/buying/quotations/{request_id}"
    assert "&lt;b&gt;award us&lt;/b&gt;" in buyer.get(page), "what a supplier writes is shown, not obeyed"
    assert "Because it is cheap" not in buyer.get(page)
    compared = buyer.send(f"/api/v1/quotation-requests/{request_id}", None)
    assert compared["comparison"][0]["offers"][0]["recommended"]
    earlier = buyer.post(f"{page}/extend", 409, deadline_on=str(day))
    assert "takes quotations until" in words(earlier), "a deadline is never brought forward"
    buyer.post(f"{page}/extend", 303, deadline_on=str(day + timedelta(days=3)))
    assert f"{day + timedelta(days=3)}" in buyer.get(page)
    wrong = buyer.post(f"{page}/award", 422, quotation_id="mine")
    assert 'role="alert"' in wrong
    answer = buyer.post(f"{page}/award", 303, quotation_id=quoted["quotation_id"])
    assert answer.startswith(("/buying/orders/", "/approvals/"))
    cases = buyer.send("/api/v1/exceptions?limit=200", None)["rows"]
    late = next(one for one in cases if one["kind"] in ("po_overdue", "stockout_risk", "supplier_delay_risk"))
    text = words(buyer.get(f"/exceptions/{late['id']}"))
    assert "Playbook" in text and "it goes to the manager" in text and "Other sources and stock" in text
    assert "Other sources" not in words(visitor("warehouse").get(f"/exceptions/{late['id']}"))


@pytest.mark.browser
def test_a_buyer_reaches_every_page_on_a_phone_without_scrolling_sideways(
    page_of: Callable[..., Page],
) -> None:
    page = page_of("buyer", PHONE)
    nav = page.get_by_role("navigation", name="Main")
    more = nav.locator("summary")
    shown = nav.get_by_role("link").all_inner_texts()
    assert shown == ["Overview", "Ask", "Exceptions", "Approvals", "Buying"] and more.is_visible()
    assert nav.evaluate("one => one.scrollWidth <= one.clientWidth")
    for one in (*nav.get_by_role("link").all(), more):
        box = one.bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= PHONE[0] and box["height"] >= 40
    more.click()
    assert nav.get_by_role("link").all_inner_texts()[5:] == ["Receiving", "Stock", "Governance", "Audit"]
    nav.get_by_role("link", name="Governance").click()
    page.get_by_role("heading", level=1).wait_for()
    assert page.url.endswith("/governance") and more.get_attribute("aria-current") == "page"
    assert not nav.get_by_role("link", name="Receiving").is_visible()
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    assert not more.is_visible() and nav.get_by_role("link").count() == 9


def test_the_pages_for_buyers_fit_wide_and_phone(page_of: Callable[..., Page]) -> None:
    page = page_of("buyer", PHONE)
    order = page.request.get("/api/v1/purchase-orders?limit=1").json()["rows"][0]
    claim = page.request.get("/api/v1/returns/claims?status=open").json()[0]
    details = (f"/buying/orders/{order['id']}", f"/buying/claims/{claim['id']}")
    for size in (PHONE, WIDE):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        for path in (*(f"/buying{tab}" for tab in TABS), *details):
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= size[0], path
            assert page.get_by_role("navigation", name="Buying").is_visible()
