"""Approvals and governance in the console, without a browser: what people are told, and what happens to bad input."""

from __future__ import annotations

import html
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from api.company import open_company
from api.console.fact_fields import fact_text, fact_value
from api.console.policy_words import condition_shown, wanted_in_words
from api.console.rendering import figure
from api.console.revising import Quantity, changed_payload, changed_title, restated
from api.demo import PASSWORD
from api.problems import Problem
from erp_core.gate.policies.rules import Condition
from erp_core.settings import Settings
from tests.api.conftest import app_over
from tests.console.desk import AGENT_RULE, buy, day_of, lend, ordinary, policy_id, waiting

ORIGIN = {"Origin": "http://testserver", "Accept": "text/html"}


class Visitor:
    """Somebody logged in; texts come without markup, so that sentences can be looked for."""

    def __init__(self, http: TestClient, login: str) -> None:
        self.http = http
        http.cookies.clear()
        answer = http.post("/login", data={"login": login, "password": PASSWORD}, headers=ORIGIN)
        assert answer.status_code == 303
        self.cookies = dict(http.cookies)

    def get(self, path: str, status: int = 200) -> str:
        return self._told(self._http().get(path, headers=ORIGIN), status)

    def post(self, path: str, status: int = 200, **data: str) -> str:
        answer = self._http().post(path, data={"key": f"test-{uuid4()}"} | data, headers=ORIGIN)
        return answer.headers["location"] if status == 303 else self._told(answer, status)

    def send(self, path: str, body: Any) -> Any:
        if body is None:
            return self._http().get(path).json()
        headers = ORIGIN | {"Idempotency-Key": str(uuid4()), "Accept": "application/json"}
        answer = self._http().post(path, json=body, headers=headers)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def _http(self) -> TestClient:
        self.http.cookies.clear()
        self.http.cookies.update(self.cookies)
        return self.http

    @staticmethod
    def _told(answer: Any, status: int) -> str:
        assert answer.status_code == status, answer.text
        return answer.text


def words(page: str) -> str:
    """The page's text without markup."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


@pytest.fixture
def visitor(tiny_template: Path, tmp_path: Path):
    """`visitor("manager")`: that person, at a company of the test's own."""
    home = tmp_path / "company"
    shutil.copytree(tiny_template, home)
    company = open_company(Settings(home=home, database_url=None))
    with TestClient(app_over(company), follow_redirects=False) as http:
        yield lambda login: Visitor(http, login)
    company.close()


@pytest.fixture
def watcher(tiny_template: Path):
    """As `visitor`, over the shared company, for pages that are only read."""
    company = open_company(Settings(home=tiny_template, database_url=None))
    with TestClient(app_over(company), follow_redirects=False) as http:
        yield lambda login: Visitor(http, login)
    company.close()


Who = Callable[[str], Visitor]


@pytest.mark.capability("S6", "S18", "S151")
def test_an_approver_reads_why_the_rule_asks_and_how_it_can_be_undone(watcher: Who) -> None:
    manager = watcher("manager")
    proposal = waiting(manager.send, tainted=False)
    text = words(manager.get(f"/approvals/{proposal['id']}"))
    assert "Who must agree 1 manager waits" in text
    assert re.search(r"Why this rule Who asks: agent rule: agent .* rule: under 25,000 EUR", text)
    assert "“Cancel purchase order”, while nothing has arrived" in text
    assert re.search(r"Executive may stand in from \d+ \w+ \d{4}", text)
    assert all(one["sha256"][:10] in text for one in proposal["evidence"] if one.get("kind") != "case")


@pytest.mark.capability("S204")
def test_who_may_not_see_cost_sees_no_amount_in_the_rule_either(watcher: Who) -> None:
    proposal = waiting(watcher("manager").send, tainted=False)
    amount = f"{proposal['facts']['cumulative_amount'] / 10_000:,.2f}"
    assert amount in watcher("manager").get(f"/approvals/{proposal['id']}")
    assert amount not in watcher("warehouse").get(f"/approvals/{proposal['id']}")


@pytest.mark.capability("S206")
def test_a_decision_by_a_lent_right_is_told_with_both_names(visitor: Who) -> None:
    manager, planner = visitor("manager"), visitor("planner")
    proposal = waiting(manager.send, tainted=True)
    assert "For me" not in planner.get("/approvals")
    lend(manager.send, "planner", "manager", day_of(proposal))
    assert "by a lent right" in planner.get("/approvals?show=me")
    page = planner.get(f"/approvals/{proposal['id']}")
    assert "You decide in Helene Brandt’s right." in page
    answer = {"decision": "send-back", "payload_hash": proposal["payload_hash"], "comment": "fewer"}
    planner.post(f"/approvals/{proposal['id']}/decide", 303, **answer)
    text = words(manager.get(f"/approvals/{proposal['id']}"))
    assert "Noor van Dijk (manager, by the right that Helene Brandt lent) sent it back: “fewer”" in text


@pytest.mark.capability("S21", "S157")
def test_a_person_restates_what_a_tainted_agent_proposed(visitor: Who) -> None:
    buyer = visitor("buyer")
    proposal = waiting(buyer.send, tainted=True)
    form = buyer.get(f"/approvals/{proposal['id']}/revise")
    quantity = re.search(r'name="quantity\.0\.0" value="(\d+)"', form)[1]
    typed = {"quantity.0.0": str(int(quantity) * 3), "reason": "the market needs three times as many"}
    location = buyer.post(f"/approvals/{proposal['id']}/revise", 303, **typed)
    assert location.endswith("done=rebased")
    rows = buyer.send("/api/v1/proposals?status=all&mine=true", None)["rows"]
    old, new = (
        next(one for one in rows if (one["chain_id"], one["version"]) == (proposal["chain_id"], v))
        for v in (1, 2)
    )
    assert old["status"] == "superseded" and (new["tainted"], new["via"]) == (False, "person")
    assert {one["kind"] for one in new["evidence"]} <= {"case"}, (
        "nothing that the model gathered is taken over"
    )
    assert new["reason"] == typed["reason"] and new["title"] != old["title"]
    said = {one["payload"]["reason"] for one in new["payload"] if "reason" in one["payload"]}
    assert said == {typed["reason"]}, "no text of the model stays in the plan"


def test_a_form_with_a_wrong_quantity_names_it_and_loses_nothing(visitor: Who) -> None:
    buyer = visitor("buyer")
    proposal = waiting(buyer.send, tainted=True)
    path = f"/approvals/{proposal['id']}/revise"
    page = buyer.post(path, 422, **{"quantity.0.0": "a dozen", "reason": "twelve fit a carton"})
    assert "Quantity of " in words(page) and "is no whole number" in words(page)
    assert 'value="a dozen"' in page and "twelve fit a carton" in page
    page = buyer.post(path, 422, **{"quantity.0.0": "12", "reason": " "})
    assert "Why: is missing" in words(page) and 'value="12"' in page
    page = buyer.post(path, 422, **{"quantity.0.0": "0", "reason": "none"})
    assert "nothing is left of the plan" in words(page)


@pytest.mark.capability("S158")
def test_what_was_sent_back_waits_under_its_own_tab_and_points_to_its_next_version(visitor: Who) -> None:
    manager, buyer = visitor("manager"), visitor("buyer")
    buy(buyer.send, waiting(buyer.send, tainted=True), 8, title="Grills for the season")
    proposal = waiting(manager.send, tainted=False, by_agent=False)
    path = f"/approvals/{proposal['id']}"
    answer = {
        "decision": "send-back",
        "payload_hash": proposal["payload_hash"],
        "comment": "in cartons of 24",
    }
    manager.post(f"{path}/decide", 303, **answer)
    assert "“in cartons of 24”" in buyer.get("/approvals?show=again")
    location = buyer.post(f"{path}/rebase", 303)
    assert location.endswith("done=rebased") and "version 2 of 2" in buyer.get(location)
    assert "A newer version exists." in buyer.get(path)
    assert "“in cartons of 24”" not in buyer.get("/approvals?show=again")


def test_a_decision_without_its_reason_keeps_what_was_typed(visitor: Who) -> None:
    manager = visitor("manager")
    proposal = waiting(manager.send, tainted=False)
    path = f"/approvals/{proposal['id']}/decide"
    page = manager.post(path, 422, decision="reject", payload_hash=proposal["payload_hash"], comment="")
    assert "Say why." in page
    page = manager.post(path, 422, decision="approve", payload_hash="0" * 10, comment="looks right to me")
    assert "looks right to me</textarea>" in page


@pytest.mark.capability("S18")
def test_a_review_is_completed_by_another_with_verdict_and_comment(visitor: Who) -> None:
    manager, buyer = visitor("manager"), visitor("buyer")
    like = ordinary(buyer.send)
    buy(buyer.send, like, 2, urgent=True, title="Grills for the market")
    page = buyer.get("/approvals?show=reviews")
    assert "your own" in page and "Complete the review" not in page
    (review,) = manager.send("/api/v1/reviews", None)
    path = f"/approvals/reviews/{review['id']}"
    page = manager.post(path, 422, verdict="justified", comment="")
    assert "Comment: say why." in page and re.search(r'value="justified" checked', page)
    page = manager.post(path, 422, comment="seen")
    assert "Verdict: choose one." in page and "seen</textarea>" in page
    buyer.post(path, 409, verdict="justified", comment="of course")
    assert manager.post(path, 303, verdict="justified", comment="the stand was empty").endswith(
        "done=reviewed"
    )
    assert "Grills for the market" not in manager.get("/approvals?show=reviews")


@pytest.mark.capability("S205")
def test_the_policies_stand_in_words_by_command_and_by_version(watcher: Who) -> None:
    finance = watcher("finance")
    text = words(finance.get("/governance?command=SubmitPurchaseOrder"))
    assert "from 2,500 EUR under 25,000 EUR" in text and "who asks: person or service" in text
    assert "1 manager, within 72 h; after 48 h executive may stand in" in text
    text = words(finance.get(f"/governance/policies/{policy_id(finance.send, AGENT_RULE)}"))
    assert "Version 1 in force" in text and "who asks: agent" in text
    assert "Change it" not in text, "only an administrator changes a policy"


@pytest.mark.capability("S205")
def test_one_tries_which_rule_would_decide(watcher: Who) -> None:
    finance = watcher("finance")
    assert "Choose a command first" in finance.get("/governance/try")
    asked = "/governance/try?command=SubmitPurchaseOrder&asked=yes&via=person&urgent=no&supplier_new=no"
    assert "“purchase from 2,500” decides." in finance.get(f"{asked}&cumulative_amount=2,500")
    assert "“purchase under 2,500” decides." in finance.get(f"{asked}&cumulative_amount=2,499.9999")
    assert "Refused: No approval policy covers" in finance.get(f"{asked}&cumulative_amount=")
    page = finance.get(f"{asked}&cumulative_amount=a+lot", 422)
    assert "is no number" in page and 'value="a lot"' in page


def test_one_tries_a_command_by_its_payload(watcher: Who) -> None:
    manager = watcher("manager")
    page = manager.post("/governance/try", 422, command="SetBudget", payload="{nonsense")
    assert "Payload: is not JSON" in words(page) and "{nonsense</textarea>" in page
    page = manager.post("/governance/try", 422, command="SetBudget", payload="{}")
    assert "Payload." in words(page) and "required" in page
    like = waiting(manager.send, tainted=False)["payload"][1]
    page = manager.post(
        "/governance/try", 409, command=like["command"], payload=json.dumps({"po_id": str(uuid4())})
    )
    assert "<h1>Governance</h1>" in page


@pytest.mark.capability("S205")
def test_a_change_of_policy_shows_whom_it_touches_before_it_is_proposed(visitor: Who) -> None:
    admin = visitor("admin")
    touched = waiting(admin.send, tainted=False)
    path = f"/governance/policies/{policy_id(admin.send, AGENT_RULE)}"
    form = {
        "high.1": "25,000",
        "role.0": "manager",
        "people.0": "2",
        "deadline_hours": "48",
        "active": "yes",
        "reason": "two mistakes in May",
    }
    wrong = admin.post(f"{path}/edit", 422, **form | {"high.1": "plenty", "people.0": "many"})
    assert "under: 'plenty' is no number" in words(wrong) and 'value="plenty"' in wrong
    assert "two mistakes in May" in wrong and "Propose this change" not in wrong
    preview = words(admin.post(f"{path}/edit", **form))
    assert "Propose this change" in preview and touched["title"] in preview
    assert "2 manager, within 48 h" in preview
    location = admin.post(f"{path}/propose", 303, **form)
    assert location.startswith("/approvals/") and location.endswith("done=proposed")
    shown = words(visitor("manager").get(location.partition("?")[0]))
    assert "Waiting proposals it touches" in shown and touched["title"] in shown
    assert "2 manager, within 48 h" in shown
    assert "Version 1 in force" in words(admin.get(path)), "nothing changed before others agreed"


@pytest.mark.capability("S205")
def test_a_policy_that_would_contradict_another_is_refused_in_the_form(visitor: Who) -> None:
    admin = visitor("admin")
    path = f"/governance/policies/{policy_id(admin.send, AGENT_RULE)}"
    form = {"high.1": "30,000", "role.0": "manager", "people.0": "1", "deadline_hours": "72", "active": "yes"}
    page = admin.post(f"{path}/edit", 422, **form, reason="a little more")
    assert "is as specific and covers some of the same" in page and 'value="30,000"' in page


@pytest.mark.capability("S204")
def test_only_an_administrator_changes_a_policy(visitor: Who) -> None:
    manager = visitor("manager")
    path = f"/governance/policies/{policy_id(manager.send, AGENT_RULE)}"
    assert "Your role may not change policies." in manager.get(f"{path}/edit")
    form = {"high.1": "9,000", "role.0": "manager", "people.0": "1", "deadline_hours": "72", "active": "yes"}
    manager.post(f"{path}/propose", 403, **form, reason="less work")


@pytest.mark.capability("S204", "S206")
def test_governance_is_for_who_may_read_the_audit_log_and_lending_for_everybody(watcher: Who) -> None:
    service = watcher("service")
    assert 'href="/governance"' not in service.get("/")
    for path in ("", "/try", "/separation", "/access", "/refusals", "/automation", "/data"):
        service.get(f"/governance{path}", 403)
    page = service.get("/governance/lent")
    assert "Lend your right to decide" in page and 'aria-label="Governance"' not in page
    finance = watcher("finance")
    for path in ("", "/try", "/separation", "/access", "/automation", "/data", "/data?twins=supplier"):
        assert "<h1>Governance</h1>" in finance.get(f"/governance{path}")
    refused = re.sub(r"\s+", " ", words(finance.get("/governance/refusals")))
    assert "no right to it 1 time GET /governance/data" in refused


@pytest.mark.capability("S206")
def test_a_right_is_lent_and_taken_back_in_the_console(visitor: Who) -> None:
    manager, executive = visitor("manager"), visitor("executive")
    day = str(day_of(waiting(manager.send, tainted=False)))
    people = re.search(r'value="([0-9a-f-]{36})">Noor van Dijk', manager.get("/governance/lent"))
    form = {"to_user_id": people[1], "role": "manager", "starts_on": day, "ends_on": day, "reason": "away"}
    page = manager.post("/governance/lent", 422, **form | {"amount_below": "little"})
    assert "Only below: is no amount" in words(page) and 'value="little"' in page and 'value="away"' in page
    page = manager.post("/governance/lent", 422, **form | {"to_user_id": "", "reason": ""})
    assert "To whom: is missing" in words(page)
    assert manager.post("/governance/lent", 303, **form | {"amount_below": "5,000"}).endswith("done=lent")
    text = words(manager.get("/governance/lent"))
    assert "Helene Brandt → Noor van Dijk in force as manager" in text and "below 5,000.00 EUR" in text
    assert "Noor van Dijk in force" not in words(executive.get("/governance/lent"))
    taken = re.search(r'action="(/governance/lent/[0-9a-f-]{36}/end)"', manager.get("/governance/lent"))
    visitor("buyer").post(taken[1], 409)
    assert manager.post(taken[1], 303).endswith("done=taken_back")
    assert "taken back" in manager.get("/governance/lent")


@pytest.mark.capability("S204")
def test_the_table_of_access_can_be_read_for_one_role(watcher: Who) -> None:
    finance = watcher("finance")
    whole = words(finance.get("/governance/access"))
    assert "Submit purchase order" in whole and "finance and warehouse" in whole
    own = words(finance.get("/governance/access?role=finance"))
    assert "Set budget" in own and "Ship order" not in own and not re.search(r"\b1 commands", own)
    assert "Priya Raman" in own and "Samuel Okafor" not in own


def test_automation_is_stopped_at_once_and_resumes_with_anothers_consent(visitor: Who) -> None:
    manager, buyer = visitor("manager"), visitor("buyer")
    page = buyer.post("/governance/automation/stop", 422, reason="")
    assert "Why: is missing" in words(page)
    assert buyer.post("/governance/automation/stop", 303, reason="prices look wrong").endswith("done=stopped")
    for path in ("/", "/governance/automation"):
        assert "prices look wrong" in manager.get(path).lower()
    assert "Stop automation" not in manager.get("/governance/automation")
    location = manager.post("/governance/automation/resume", 303, reason="they were right")
    assert location.startswith("/approvals/") and "prices look wrong" in manager.get("/")
    buyer.post("/governance/automation/dance", 404, reason="none")


def test_the_overview_says_what_governance_needs_somebody(visitor: Who) -> None:
    buyer, manager = visitor("buyer"), visitor("manager")
    assert "review waits" not in manager.get("/")
    buy(buyer.send, ordinary(buyer.send), 2, urgent=True)
    assert "1 review waits" in manager.get("/")
    assert "review waits" not in visitor("service").get("/")


def test_bounds_are_read_and_shown_as_people_write_them() -> None:
    condition = Condition("cumulative_amount", 25_000_000, 250_000_000)
    assert wanted_in_words(condition, "EUR") == "from 2,500 EUR under 25,000 EUR"
    shown = condition_shown(condition, {"cumulative_amount": 30_005_000}, "EUR")
    assert (shown.value, shown.holds) == ("3,000.50 EUR", True)
    assert wanted_in_words(Condition("price_change", 1_001)) == "from 10.01 %"
    assert condition_shown(condition, {}).value == "not known"
    assert fact_value("amount", "2,500.5") == 25_005_000 and fact_text("amount", 25_005_000) == "2,500.5"
    assert fact_value("price_change", "10.01") == 1_001 and fact_text("price_change", None) == ""
    wrong = ("", "much", "1e400", "NaN", "-", "0.00001", "9" * 40)
    assert [fact_value("amount", one) for one in wrong] == [None] * len(wrong)
    assert fact_value("units", "1.5") is None


def test_only_the_quantities_typed_change_and_a_line_of_none_is_left_out() -> None:
    lines = [{"item_id": "a", "quantity": 5}, {"item_id": "b", "quantity": 7}]
    payload = [{"command": "Buy", "payload": {"lines": lines}}, {"command": "Submit", "payload": {}}]
    typed = [Quantity("q.0.0", 0, 0, "A", 5, "0"), Quantity("q.0.1", 0, 1, "B", 7, " 9 ")]
    changed = changed_payload(payload, typed)
    assert changed[0]["payload"]["lines"] == [{"item_id": "b", "quantity": 9}] and changed[1] == payload[1]
    assert lines[1]["quantity"] == 7, "the old version stays as it is"
    for text in ("", "x", "1.5", "-1", "9" * 12, "١"):
        with pytest.raises(Problem):
            changed_payload(payload, [Quantity("q.0.0", 0, 0, "A", 5, text)])


def test_one_of_a_unit_is_not_shown_as_many() -> None:
    shown = [
        figure({"value": value, "unit": unit}) for value, unit in ((1, "units"), (0, "units"), (1.5, "days"))
    ]
    assert shown == ["1 unit", "0 units", "1.5 days"]


def test_a_command_that_repeats_the_old_title_or_reason_says_the_new_reason_instead() -> None:
    payload = [{"command": name, "payload": {"reason": name}} for name in ("Order 5", "for a fair")]
    payload.append({"command": "Submit", "payload": {"po_id": "1"}})
    texts = [one["payload"].get("reason") for one in restated(payload, "less", frozenset({"Order 5"}))]
    assert texts == ["less", "for a fair", None]
    assert [one["payload"].get("reason") for one in restated(payload, "less", None)] == ["less", "less", None]


def test_a_title_takes_the_new_quantity_only_where_it_named_the_old_one() -> None:
    one = Quantity("q", 0, 0, "A", 20, "24")
    assert changed_title("Order 20 of A-20 for B", [one]) == "Order 24 of A-20 for B"
    assert changed_title("Order 20 of 20 for B", [one]) == ""
    assert changed_title("Order some", [Quantity("q", 0, 0, "A", 20, "20")]) == "Order some"
    assert changed_title("Order 20 and 5", [one, Quantity("r", 0, 1, "B", 5, "6")]) == ""
