"""The story in a browser, and how the pages hold up."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.console.conftest import PHONE, WIDE

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
PAGES = ("/", "/ask", "/exceptions", "/approvals?show=all", "/stock", "/orders/all", "/audit")


def ask(page: Page, question: str) -> str:
    """Ask on the Ask page and give the text of the last answer."""
    page.get_by_label("Your question").fill(question)
    page.get_by_role("button", name="Ask", exact=True).click()
    page.locator(".turn").last.locator(".sources").wait_for()
    return page.locator(".turn").last.inner_text()


@pytest.mark.capability("S231", "S233", "S238", "S240")
def test_the_whole_story_runs_in_a_browser(page_of: Callable[..., Page]) -> None:
    planner = page_of("planner")
    planner.get_by_role("link", name="Ask", exact=True).click()
    answer = ask(planner, "net sales by channel")
    assert "I read this as" in answer and "Net sales" in answer
    assert planner.locator(".turn table").count() == 1
    assert planner.locator(".turn .chart svg").count() == 1
    assert "by month" in ask(planner, "and by month").lower()

    ask(planner, "order 60 of OUT-0112 from Ningbo Harvest Metalware")
    planner.get_by_role("link", name=re.compile("Proposed: ")).click()
    assert planner.get_by_text("You can't decide this.").is_visible()
    assert planner.get_by_role("button", name="Approve").count() == 0
    address = planner.url

    manager = page_of("manager")
    manager.get_by_role("link", name=re.compile("Approvals")).first.click()
    manager.get_by_role("link", name=re.compile("Buy 60 × .*OUT-0112")).click()
    assert manager.url == address
    assert manager.get_by_text("purchase by an agent under 25,000").is_visible()
    assert manager.get_by_text("Nothing beyond its tolerance").is_visible()
    manager.get_by_role("button", name="Reject").click()
    assert manager.get_by_role("alert").inner_text().startswith("Say why")
    manager.get_by_role("button", name="Approve").click()
    assert manager.get_by_role("status").inner_text() == "Approved and executed."

    manager.get_by_role("link", name="Audit").click()
    assert manager.get_by_text("Approve proposal").count() >= 1
    manager.get_by_role("button", name="Verify the log").click()
    assert "Intact" in manager.get_by_role("status").inner_text()
    manager.goto("/audit?command=SubmitPurchaseOrder")
    manager.get_by_role("link", name=re.compile("Submit purchase order")).first.click()
    assert manager.get_by_text("approved").count() >= 1


@pytest.mark.capability("S153", "S232")
def test_a_buyer_sees_why_an_exception_ranks_where_it_does_and_proposes_in_one_step(
    page_of: Callable[..., Page],
) -> None:
    buyer = page_of("buyer")
    buyer.get_by_role("link", name="Exceptions").first.click()
    worth = [float(one.inner_text().replace(",", "")) for one in buyer.locator("main .item .money").all()]
    assert worth == sorted(worth, reverse=True) and len(worth) > 5
    actionable = buyer.locator("main .item", has_text=re.compile(r"(Order|Transfer|Cancel) \S+ of|Cancel PO"))
    actionable.filter(has_not_text="Proposed").first.click()
    assert buyer.get_by_text("Expected loss if nothing is done").is_visible()
    assert buyer.get_by_role("cell", name=re.compile("Forecast demand")).is_visible()
    buyer.get_by_role("button", name="Propose it").click()
    assert buyer.get_by_role("status").first.is_visible()

    buyer.goto("/exceptions?kind=overstock")
    buyer.locator("main .item").first.click()
    buyer.get_by_role("button", name="Take it").click()
    assert buyer.get_by_text("owner").first.is_visible()
    buyer.locator("summary", has_text="Resolve").click()
    buyer.get_by_label("Reason").select_option("accepted_risk")
    buyer.get_by_role("button", name="Resolve").click()
    assert buyer.get_by_role("status").first.inner_text() == "Resolved."


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_no_page_is_wider_than_its_window(page_of: Callable[..., Page], size: tuple[int, int]) -> None:
    page = page_of("manager", size)
    for path in PAGES:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0], path
    for question in (
        "Which SKUs are at immediate stockout risk by channel and warehouse?",
        "Which suppliers miss lead times?",
    ):
        page.goto("/ask")
        ask(page, question)
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0], question


def test_every_field_and_button_has_a_name(page_of: Callable[..., Page]) -> None:
    page = page_of("manager")
    for path in PAGES:
        page.goto(path)
        for one in page.locator("input:not([type=hidden]), select, textarea, button").all():
            name = one.evaluate(
                "e => (e.labels?.[0]?.innerText || e.getAttribute('aria-label') || e.innerText).trim()"
            )
            assert name, (path, one.evaluate("e => e.outerHTML"))


def test_the_pages_can_be_used_with_the_keyboard(page_of: Callable[..., Page]) -> None:
    page = page_of("planner")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.goto("/ask")
    page.keyboard.type("units on hand by warehouse")
    page.keyboard.press("Enter")
    page.locator(".turn .sources").wait_for()


def test_a_question_that_makes_no_sense_is_said_kindly(page_of: Callable[..., Page]) -> None:
    page = page_of("planner")
    page.goto("/ask")
    answer = ask(page, "how many flibbertigibbets by warehouse")
    assert "flibbertigibbet" in answer
