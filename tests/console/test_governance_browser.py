"""Governance in a browser: lent rights, new versions, reviews and changes of policy, as people go about them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.console.conftest import PHONE, WIDE
from tests.console.desk import AGENT_RULE, Send, buy, day_of, lend, ordinary, waiting

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def sender(page: Page) -> Send:
    """The API with the browser's own session."""

    def send(path: str, body: Any) -> Any:
        if body is None:
            return page.request.get(path).json()
        origin = re.match(r"https?://[^/]+", page.url)[0]
        headers = {"Origin": origin, "Idempotency-Key": str(uuid4())}
        answer = page.request.post(path, data=body, headers=headers)
        assert answer.ok, answer.text()
        return answer.json()

    return send


@pytest.mark.capability("S206")
def test_a_deputy_approves_by_the_right_that_a_manager_lent(page_of: Callable[..., Page]) -> None:
    manager = page_of("manager")
    proposal = waiting(sender(manager), tainted=False)
    manager.goto("/approvals")
    manager.get_by_role("link", name="Lend your right to decide").click()
    manager.get_by_label("To whom").select_option(label="Noor van Dijk (planner)")
    manager.get_by_label("Until").fill(str(day_of(proposal)))
    manager.get_by_label("Why").fill("on the train")
    manager.get_by_role("button", name="Lend it").click()
    assert manager.get_by_role("status").inner_text().startswith("Lent.")

    planner = page_of("planner")
    planner.get_by_role("link", name=re.compile("Approvals")).first.click()
    planner.get_by_role("link", name=re.compile(re.escape(proposal["title"]))).click()
    assert planner.get_by_text("You decide in Helene Brandt’s right.").is_visible()
    planner.locator("summary", has_text="Why this rule").click()
    assert planner.get_by_text("rule: under 25,000 EUR").is_visible()
    planner.get_by_role("button", name="Approve").click()
    assert planner.get_by_role("status").first.inner_text() == "Approved and executed."
    assert planner.get_by_text("by the right that Helene Brandt lent").is_visible()


@pytest.mark.capability("S157", "S158")
def test_a_buyer_proposes_a_changed_order_again_on_what_holds_now(page_of: Callable[..., Page]) -> None:
    buyer = page_of("buyer")
    send = sender(buyer)
    like = ordinary(send)
    assert buy(send, like, 3, title="Grills for the season")["outcome"] == "proposed"
    assert buy(send, like, 4, urgent=True, title="Grills for the market")["outcome"] == "executed"
    buyer.goto("/approvals?show=again")
    buyer.get_by_role("link", name=re.compile("Grills for the season")).click()
    assert buyer.get_by_text("What it rests on has changed since.").is_visible()
    buyer.get_by_role("button", name="Propose again on what holds now").click()
    assert "Its approvals start anew." in buyer.get_by_role("status").first.inner_text()
    assert buyer.get_by_text("version 2 of 2").is_visible()
    assert buyer.get_by_text("Nothing beyond its tolerance").is_visible()
    buyer.get_by_role("link", name="Version 1").click()
    buyer.get_by_role("link", name="Open version 2").click()

    buyer.get_by_role("link", name="Change it").click()
    buyer.get_by_label(re.compile("Quantity of ")).fill("many")
    buyer.get_by_label("Why").fill("the lorry takes no more")
    buyer.get_by_role("button", name="Propose this version").click()
    assert "is no whole number" in buyer.get_by_role("alert").inner_text()
    assert buyer.get_by_label("Why").input_value() == "the lorry takes no more"
    fewer = like["payload"][0]["payload"]["lines"][0]["quantity"] * 2
    buyer.get_by_label(re.compile("Quantity of ")).fill(str(fewer))
    buyer.get_by_role("button", name="Propose this version").click()
    assert buyer.get_by_text("version 3 of 3").is_visible()
    assert buyer.get_by_role("cell", name=str(fewer), exact=True).first.is_visible()


@pytest.mark.capability("S18")
def test_a_reviewer_says_whether_an_urgent_purchase_was_justified(page_of: Callable[..., Page]) -> None:
    send = sender(page_of("buyer"))
    buy(send, ordinary(send), 2, urgent=True, title="Grills for the market")
    manager = page_of("manager")
    manager.get_by_role("link", name="1 review waits").click()
    manager.get_by_role("button", name="Complete the review").click()
    assert "choose one" in manager.get_by_role("alert").inner_text()
    manager.get_by_label("It was not").check()
    manager.get_by_label("Comment").fill("there was stock at the other shop")
    manager.get_by_role("button", name="Complete the review").click()
    assert manager.get_by_role("status").inner_text() == "Looked at, with your verdict on record."
    assert manager.get_by_text("Nothing waits for a look").is_visible()


@pytest.mark.capability("S205")
def test_an_administrator_previews_a_change_of_policy_and_proposes_it(page_of: Callable[..., Page]) -> None:
    admin = page_of("admin")
    touched = waiting(sender(admin), tainted=False)["title"]
    admin.get_by_role("link", name="Governance").click()
    admin.get_by_label("Command").select_option(label="Submit purchase order")
    admin.get_by_role("button", name="Show").click()
    admin.get_by_role("link", name=AGENT_RULE).click()
    admin.get_by_role("link", name="Change it").click()
    admin.get_by_label("and role").first.select_option("finance")
    admin.get_by_label("Why").fill("two mistakes in May")
    admin.get_by_role("button", name="Preview").click()
    preview = admin.get_by_role("region", name="Preview")
    assert preview.get_by_role("link", name=touched).is_visible()
    assert preview.get_by_text("1 manager and 1 finance").first.is_visible()
    admin.get_by_role("button", name="Propose this change").click()
    assert admin.get_by_role("status").first.inner_text() == "Proposed. It waits for approval."
    assert admin.get_by_text("Waiting proposals it touches").is_visible()
    assert admin.get_by_text("You can't decide this.").is_visible()


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_no_page_of_governance_is_wider_than_its_window(
    page_of: Callable[..., Page], size: tuple[int, int]
) -> None:
    page = page_of("admin", size)
    send = sender(page)
    rule = next(one["id"] for one in send("/api/v1/policies", None) if one["name"] == AGENT_RULE)
    proposal = waiting(send, tainted=True)
    day = day_of(proposal)
    lend(send, "planner", "admin", day)
    tried = "/governance/try?command=SubmitPurchaseOrder&asked=yes&cumulative_amount=9"
    paths = [f"/governance{path}" for path in ("", "/separation", "/lent", "/access", "/automation", "/data")]
    paths += [tried, f"/governance/policies/{rule}", f"/governance/policies/{rule}/edit"]
    paths += [
        f"/approvals/{proposal['id']}",
        f"/approvals/{proposal['id']}/revise",
        "/approvals?show=reviews",
    ]
    for path in paths:
        page.goto(path)
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0], path
        for one in page.locator("main :is(input:not([type=hidden]), select, textarea, button)").all():
            name = "e => (e.labels?.[0]?.innerText || e.getAttribute('aria-label') || e.innerText).trim()"
            assert one.evaluate(name), (path, one.evaluate("e => e.outerHTML"))
