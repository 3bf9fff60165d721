"""Stock in the console: what lies where, now and on a past day, by lot and by channel, and the moves behind each figure."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.console.conftest import PHONE, WIDE
from tests.console.test_governance_pages import ORIGIN, Visitor, visitor, watcher, words

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["visitor", "watcher"]

Who = Callable[[str], Visitor]
Send = Callable[[str, Any], Any]
BARCODE = "4006381333931"
GUESTS = "seven quiet herons paddle"


def moved(send: Send) -> dict[str, Any]:
    """A position of which something is available, with the last day before today on which that changed, and by how much."""
    found = send("/api/v1/stock?limit=500", None)
    for one in found["rows"]:
        at = f"item_id={one['item_id']}&location_id={one['location_id']}"
        changes: dict[str, int] = {}
        for move in send(f"/api/v1/stock/moves?{at}&state=available&limit=500", None):
            into = move["to_state"] == "available" and move["to_location_id"] == one["location_id"]
            day, units = move["occurred_on"], move["quantity"] if into else -move["quantity"]
            changes[day] = changes.get(day, 0) + units
        days = [day for day, units in changes.items() if units and day < found["as_of"]]
        if one["available"] and len(days) > 1:
            return one | {
                "code": found["labels"][one["location_id"]]["code"],
                "label": found["labels"][one["item_id"]],
                "day": date.fromisoformat(days[0]),
                "changed": changes[days[0]],
            }
    raise AssertionError("nothing moved in the tiny company")


def figures(text: str, place: str) -> list[int]:
    """The numbers of a place's row, in order."""
    after = text.split("Where it lies", 1)[1].split(f" {place} ", 1)[1]
    return [int(one.replace(",", "")) for one in re.findall(r"(?<![\w-])\d[\d,]*(?!\w)", after)]


@pytest.mark.capability("S23", "S25")
def test_a_position_of_a_past_day_is_what_it_was_before_the_move_and_the_moves_end_there(
    watcher: Who,
) -> None:
    planner = watcher("planner")
    one = moved(planner.send)
    page = f"/stock/{one['item_id']}?place={one['code']}"
    on, before = one["day"], one["day"] - timedelta(days=1)
    after = planner.send(f"/api/v1/stock?item_id={one['item_id']}&as_of={on}", None)["rows"]
    earlier = planner.send(f"/api/v1/stock?item_id={one['item_id']}&as_of={before}", None)["rows"]

    def lay(rows: list[dict[str, Any]], name: str) -> int:
        return sum(row[name] for row in rows if row["location_id"] == one["location_id"])

    assert lay(after, "available") == lay(earlier, "available") + one["changed"]
    for day, rows in ((on, after), (before, earlier)):
        text = words(planner.get(f"{page}&as_of={day}"))
        assert figures(text, one["code"])[:2] == [lay(rows, "on_hand"), lay(rows, "available")]
        assert f"up to {day:%-d %b %Y}" in text and "can promise" not in text.lower()
    shown = planner.get(f"{page}&as_of={before}").split('id="moves"')[1]
    assert f"{on:%-d %b %Y}" not in words(shown)
    assert f"{on:%-d %b %Y}" in words(planner.get(f"{page}&as_of={on}").split('id="moves"')[1])


@pytest.mark.capability("S23", "S29")
def test_the_list_finds_an_item_by_part_of_its_name_and_goes_straight_to_one_whose_sku_it_is(
    watcher: Who,
) -> None:
    planner = watcher("planner")
    one = moved(planner.send)
    sku, name = one["label"]["code"], one["label"]["name"]
    text = words(planner.get("/stock", 200))
    assert "Can promise" in text and "of" in text
    found = words(planner.get(f"/stock?text={name[:8]}&place={one['code']}"))
    assert name in found and sku in found
    assert "At the end of" in found and "Can promise" not in words(planner.get("/stock?as_of=2026-01-01"))
    answer = planner._http().get(f"/stock?text={sku.lower()}&place={one['code']}")
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"/stock/{one['item_id']}?place={one['code']}",
    )
    shown = planner.send(
        f"/api/v1/stock/figures?item_id={one['item_id']}&location_id={one['location_id']}", None
    )
    row = words(planner.get(answer.headers["location"])).split("can be promised", 1)[1]
    promised = f"{shown['atp']:,}".replace("-", "−")
    assert f"{one['code']} {promised} " in row
    assert "By channel" in row and "May offer" in row


@pytest.mark.capability("S23", "S36")
def test_lots_are_shown_with_their_last_day_their_hold_and_their_own_moves(visitor: Who) -> None:
    admin, warehouse = visitor("admin"), visitor("warehouse")
    place = next(one for one in warehouse.send("/api/v1/locations", None) if one["code"] == "WH-RTM")
    today = date.fromisoformat(warehouse.send("/api/v1/stock?limit=1", None)["as_of"])
    item_id, sku = str(uuid4()), "TEA-LOT-1"
    admin.send(
        "/api/v1/commands/CreateItem",
        {
            "item_id": item_id,
            "sku": sku,
            "item_name": "Green tea, 100 g",
            "category": "Tea",
            "brand": "Acme",
            "base_unit": "piece",
            "gtin": BARCODE,
            "lot_tracked": True,
            "expiry_tracked": True,
        },
    )
    admin.send("/api/v1/commands/ActivateItem", {"item_id": item_id})
    lots = (("SPRING", 12, today + timedelta(days=9)), ("SUMMER", 30, today + timedelta(days=400)))
    for code, units, last in lots:
        line = {"item_id": item_id, "quantity": units, "lot_code": code, "expires_on": str(last)}
        body = {"document_id": str(uuid4()), "location_id": place["id"], "lines": [line]}
        admin.send("/api/v1/commands/PostOpeningStock", body)
    held = {
        "hold_id": str(uuid4()),
        "item_id": item_id,
        "lot_code": "SPRING",
        "reason_code": "damage_suspected",
    }
    warehouse.send("/api/v1/commands/HoldStock", held | {"comment": "the bags are <i>wet</i>"})

    page = warehouse.get(f"/stock/{item_id}")
    text = words(page)
    assert "SPRING" in text and "9 days" in text and "Held back now" in text
    assert "&lt;i&gt;wet&lt;/i&gt;" in page, "what somebody typed is shown as text"
    rows = re.search(r"Lots (.*?) Held back now", text)
    assert rows is not None and rows[1].index("SPRING") < rows[1].index("SUMMER"), "first expired first"
    assert re.search(r"SPRING .*? Held WH-RTM Quarantined 12", rows[1])
    assert re.search(r"SUMMER .*? Released WH-RTM Available 30", rows[1])
    assert figures(text, "WH-RTM Rotterdam warehouse")[:3] == [42, 30, 12]
    assert "Moves, into or out of quarantined" in words(warehouse.get(f"/stock/{item_id}?state=quarantined"))
    link = re.search(r'href="(/stock/[^"]*lot=[^"]*)#moves">SUMMER', page)
    assert link is not None
    moves = words(warehouse.get(link[1].replace("&amp;", "&"))).split("Moves", 1)[1]
    assert "of lot SUMMER" in moves and " 30 " in moves and " 12 " not in moves

    for barcode in (BARCODE, BARCODE.zfill(14)):
        answer = warehouse._http().get(f"/stock?text={barcode}")
        assert answer.headers["location"] == f"/stock/{item_id}"
    listed = words(warehouse.get("/stock?text=green"))
    assert "TEA-LOT-1 Green tea, 100 g WH-RTM 42 30 – – 12" in listed


def test_who_acted_is_named_and_leads_to_the_log_only_who_may_read_it(watcher: Who) -> None:
    planner, service = watcher("planner"), watcher("service")
    one = moved(planner.send)
    move = planner.send(f"/api/v1/stock/moves?item_id={one['item_id']}&limit=1", None)[0]
    page = f"/stock/{one['item_id']}"
    assert f"/audit/{move['audit_id']}" in planner.get(page)
    assert "/audit" not in service.get(page) and "Where it lies" in words(service.get(page))
    for login in ("planner", "service", "warehouse", "buyer"):
        assert 'href="/stock"' in watcher(login).get("/"), login
    assert 'href="/stock"' not in watcher("finance").get("/")


@pytest.mark.capability("S30")
def test_a_channel_whose_share_is_set_sees_what_is_left_for_it(visitor: Who) -> None:
    manager = visitor("manager")
    one = moved(manager.send)
    channel = manager.send("/api/v1/channels", None)[0]
    quota = {"channel_id": channel["id"], "item_id": one["item_id"], "most_percent": 50}
    manager.send("/api/v1/commands/SetChannelQuota", quota)
    text = words(manager.get(f"/stock/{one['item_id']}")).split("By channel", 1)[1].split("Moves", 1)[0]
    offered = manager.send(f"/api/v1/channels/{channel['id']}/published?item_id={one['item_id']}", None)
    row = text.split(f"{channel['code']} ", 1)[1]
    assert f"{offered[0]['published']:,} {offered[0]['available']:,}" in row
    assert row.index("at most 50 %") < len(row.split(" %", 1)[0]) + 2, "it is this channel's share"


def test_nobody_sees_stock_without_logging_in_or_without_the_right_to_read_records(visitor: Who) -> None:
    admin = visitor("admin")
    item_id = moved(admin.send)["item_id"]
    supplier = admin.send("/api/v1/suppliers", None)[0]["id"]
    guest = {"login": "guest", "person_name": "Gail", "password": GUESTS, "roles": ["supplier"]}
    admin.send("/api/v1/users", guest | {"supplier_id": supplier})
    for path in ("/stock", f"/stock/{item_id}"):
        admin.http.cookies.clear()
        answer = admin.http.get(path, headers=ORIGIN)
        assert answer.status_code == 303 and answer.headers["location"].startswith("/login")
        admin.http.post("/login", data={"login": "guest", "password": GUESTS}, headers=ORIGIN)
        answer = admin.http.get(path, headers=ORIGIN)
        assert answer.status_code == 403 and "read records" in answer.text


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("as_of=soon", 422, "“soon” is no day"),
        ("as_of=2099-01-01", 422, "is still to come"),
        ("place=NOWHERE", 404, "There is no such place as NOWHERE"),
        ("offset=-1", 422, "offset"),
        (f"text={'x' * 121}", 422, "text"),
    ],
)
def test_what_cannot_be_asked_is_said_clearly(watcher: Who, query: str, status: int, said: str) -> None:
    assert said.lower() in words(watcher("planner").get(f"/stock?{query}", status)).lower()


def test_an_item_that_is_none_and_a_state_that_is_none_are_refused(watcher: Who) -> None:
    planner = watcher("planner")
    item_id = moved(planner.send)["item_id"]
    planner.get(f"/stock/{uuid4()}", 404)
    assert "there is no state" in words(planner.get(f"/stock/{item_id}?state=lost", 422))
    planner.get(f"/stock/{item_id}?lot=mine", 422)
    assert "Nothing moved" in words(planner.get(f"/stock/{item_id}?offset=100000"))
    assert "Nothing fits" in words(planner.get("/stock?text=%25%25"))


@pytest.mark.browser
def test_stock_fits_wide_and_phone_and_a_figure_leads_to_its_moves(page_of: Callable[..., Page]) -> None:
    page = page_of("service", PHONE)
    row = page.request.get("/api/v1/stock?limit=1").json()["rows"][0]
    for size in (PHONE, WIDE):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        for path in ("/stock", f"/stock/{row['item_id']}"):
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= size[0], path
    page.locator("#places a").first.click()
    assert page.url.endswith("#moves")
    assert "into or out of" in page.locator("#moves h2").inner_text()
