"""What the API says of the quality, owners, duplicates and documents of the master data."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from api.company import Company
from api.work import score
from tests.api.conftest import User


@pytest.mark.capability("S18")
def test_scores_are_there_after_a_scan_and_every_answer_and_exception_that_rests_on_a_poor_one_says_so(
    user: Callable[[str], User], tiny_company: Company
) -> None:
    buyer, admin = user("buyer"), user("admin")
    case = buyer.get("/exceptions", limit=1)["rows"][0]
    item_id = next(id_ for kind, id_ in case["subjects"] if kind == "item")
    scored = buyer.get(f"/quality/item/{item_id}")
    assert scored["automation"] is True
    assert scored["score"] == 100 - sum(one["points"] for one in scored["problems"])
    assert buyer.get(f"/exceptions/{case['id']}/explanation")["quality"] == []
    for one in buyer.get("/proposals", status="pending")["rows"]:
        assert buyer.get(f"/proposals/{one['id']}")["quality"] == []
    query = {"v": 1, "metrics": ["on_hand_units"], "by": ["item"]}
    assert not _notes(buyer, query)
    for name, value in (("longest_lead_time_days", 1), ("lead_time_implausible", 50)):
        admin.post("/commands/SetMasterParameter", {"name": name, "value": value})
    service = tiny_company.gate.bootstrap_user("jobs", roles=("jobs",), kind="service")
    assert score(tiny_company, {}, service, lambda *_: None)["changed"] > 0
    assert score(tiny_company, {}, service, lambda *_: None)["changed"] == 0
    now = buyer.get(f"/quality/item/{item_id}")
    assert (now["automation"], now["score"]) == (False, scored["score"] - 50)
    told = buyer.get(f"/exceptions/{case['id']}/explanation")["quality"]
    assert (now["code"], now["score"]) in [(one["code"], one["score"]) for one in told]
    for asked in (query, {**query, "by": [], "where": [_is(now["code"])]}):
        (note,) = _notes(buyer, asked)
        assert "below 60 of 100" in note
    assert now["code"] in note
    assert not _notes(buyer, {**query, "by": ["category"]})
    proposals = buyer.get("/proposals", status="pending")["rows"]
    told_of = [buyer.get(f"/proposals/{one['id']}")["quality"] for one in proposals]
    assert any(one["score"] < 60 for told in told_of for one in told)
    poor = buyer.get("/quality/item", below=60)
    assert {one["problems"][0]["name"] for one in poor} == {"lead_time_implausible"}


def _is(code: str) -> dict[str, object]:
    return {"dim": "item", "op": "eq", "values": [code]}


def _notes(user: User, query: dict[str, object]) -> list[str]:
    answer = user.post("/metrics/query", query)
    return [note for note in answer["notes"] if note.startswith("Data quality")]


@pytest.mark.capability("S6")
@pytest.mark.capability("S17")
@pytest.mark.capability("S21")
def test_documents_owners_duplicates_and_the_catalogue_are_read_by_who_may_read_records(
    user: Callable[[str], User],
) -> None:
    buyer, admin = user("buyer"), user("admin")
    due = buyer.get("/supplier-documents/due")
    assert {one["gap"]["state"] for one in due} <= {"expiring"}
    assert buyer.get("/duplicates/item") == []
    domains = {one["domain"]: one for one in buyer.get("/data-owners")}
    assert domains["items"]["owner"] is None
    assert domains["items"]["unowned"] > 0
    assert buyer.get("/data-owners/items/unowned", limit=2)[0]["code"]
    planner = user("planner").get("/me")["user_id"]
    admin.post("/commands/AssignDataOwner", {"domain": "items", "user_id": planner})
    assert buyer.get("/data-owners/items/unowned") == []
    found = buyer.get("/catalogue")
    assert {"status": "submitted", "leads_to": ["active", "draft"]} in found["statuses"]["supplier"]
    assert "stock_adjustment" in {one["kind"] for one in found["reasons"]}
    buyer.get("/data-owners/weather/unowned", expect=422)
    buyer.get("/quality/channel", expect=422)
