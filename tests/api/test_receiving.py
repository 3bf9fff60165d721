"""The warehouse's door over the API, in the console and on the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from api.demo import PASSWORD
from tests.api.conftest import User
from tests.api.test_cli import Cli, cli

__all__ = ["cli"]


@pytest.mark.capability("S97")
def test_the_door_shows_what_comes_takes_it_in_and_lets_only_a_buyer_keep_what_is_too_much(
    user: Callable[[str], User],
) -> None:
    warehouse, buyer, service = user("warehouse"), user("buyer"), user("service")
    found: dict[str, Any] = warehouse.get("/receiving/expected", limit=500)
    coming = [one for one in found["rows"] if one["kind"] == "purchase"]
    assert sum(one["units"] for one in found["days"]) == sum(one["units"] for one in found["rows"])
    line = coming[0]
    page = "/receiving/" + line["document_id"]

    def html(who: User, path: str) -> str:
        answer = who.http.get(path, headers={"Accept": "text/html", "Authorization": f"Bearer {who.token}"})
        assert answer.status_code == 200, answer.text
        return str(answer.text)

    assert line["number"] in html(warehouse, "/receiving")
    assert 'href="/receiving"' not in html(service, "/"), "who neither receives nor decides has no such page"
    assert "What came" in html(warehouse, page) and "What came" not in html(buyer, page)
    typed = {"key": "door-receives-1", f"quantity-{line['line_id']}": str(line["units"] + 3)}
    form = {"headers": {"Authorization": f"Bearer {warehouse.token}"}, "follow_redirects": False}
    assert (
        warehouse.http.post(page, data=typed | {f"rejected-{line['line_id']}": "x"}, **form).status_code
        == 422
    )
    assert warehouse.http.post(page, data=typed, **form).status_code == 303
    (held,) = warehouse.get("/receiving/held")["rows"]
    assert (held["reason"], held["units"], held["unit_price"]) == ("beyond", 3, None)
    assert buyer.get("/receiving/held")["rows"][0]["unit_price"] is not None
    keep = {"key": "door-decides-1", "decision": "accept", "quantity": "1", "held_for": "beyond"}
    keep |= {"subject": held["po_line_id"]}
    assert warehouse.http.post(f"{page}/held", data=keep, **form).status_code in (403, 409, 422)
    keep |= {"key": "door-decides-2", "decision": "return", "quantity": "3"}
    assert warehouse.http.post(f"{page}/held", data=keep, **form).status_code == 303
    assert warehouse.get("/receiving/held")["rows"] == []
    later = warehouse.get("/receiving/expected", limit=500)["rows"]
    assert line["line_id"] not in {one["line_id"] for one in later}


@pytest.mark.capability("S97")
@pytest.mark.capability("S104")
def test_the_door_on_the_command_line(cli: Cli) -> None:
    cli("login", "warehouse", given=f"{PASSWORD}\n")
    assert "are held" in cli("held")
    found = cli.json("expected")
    assert f"{found['total']} lines are on their way" in cli("expected")
    code = found["labels"][found["days"][0]["location_id"]]["code"]
    assert "to put away" in cli("putaway", code)
    cli("held", "--place", "NOWHERE", expect=1)
    assert "there is no place NOWHERE" in cli.errors
