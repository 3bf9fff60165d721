"""The console without a browser: log-in, protection of forms, rights, errors."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.auth import COOKIE
from api.company import open_company
from api.console.rendering import estimate, figure, likely, money, runs_out, sentence, spaced, words
from api.console.tables import cells, laid_out
from api.demo import PASSWORD
from erp_core.settings import Settings
from tests.api.conftest import app_over

ORIGIN = {"Origin": "http://testserver", "Accept": "text/html"}


@pytest.fixture
def client(tiny_template: Path):
    company = open_company(Settings(home=tiny_template, database_url=None))
    with TestClient(app_over(company), follow_redirects=False) as http:
        yield http
    company.close()


def log_in(client: TestClient, login: str) -> None:
    answer = client.post(
        "/login", data={"login": login, "password": PASSWORD, "next": "/audit"}, headers=ORIGIN
    )
    assert answer.status_code == 303 and answer.headers["location"] == "/audit"


def test_who_is_not_logged_in_is_sent_to_the_log_in_page_and_back(client: TestClient) -> None:
    answer = client.get("/approvals?show=all", headers=ORIGIN)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=/approvals%3Fshow%3Dall"


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(client: TestClient) -> None:
    answer = client.post("/login", data={"login": "buyer", "password": PASSWORD}, headers=ORIGIN)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    assert client.cookies.get(COOKIE)


@pytest.mark.parametrize(
    "next_", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example"]
)
def test_after_the_log_in_nobody_is_sent_to_another_site(client: TestClient, next_: str) -> None:
    data = {"login": "buyer", "password": PASSWORD, "next": next_}
    assert client.post("/login", data=data, headers=ORIGIN).headers["location"] == "/"


@pytest.mark.capability("S209")
def test_a_form_sent_from_another_site_is_refused(client: TestClient) -> None:
    log_in(client, "buyer")
    for headers in ({"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}, {}):
        for path in ("/logout", "/audit/verify", "/api/v1/auth/logout"):
            assert client.post(path, headers=headers).status_code == 403
    assert client.get("/audit", headers=ORIGIN).status_code == 200


def test_a_wrong_password_is_said_on_the_page(client: TestClient) -> None:
    answer = client.post("/login", data={"login": "buyer", "password": "wrong"}, headers=ORIGIN)
    assert answer.status_code == 401 and "Login or password is wrong." in answer.text


def test_the_policy_for_content_is_strict(client: TestClient) -> None:
    answer = client.get("/login")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'self';") and "unsafe" not in policy
    assert "style=" not in answer.text and "<script>" not in answer.text


@pytest.mark.capability("S204")
def test_a_role_sees_only_its_pages(client: TestClient) -> None:
    log_in(client, "warehouse")
    front = client.get("/", headers=ORIGIN)
    assert front.status_code == 200 and 'href="/audit"' not in front.text
    refused = client.get("/audit", headers=ORIGIN)
    assert refused.status_code == 403 and "<h1>Forbidden</h1>" in refused.text
    assert 'href="/approvals"' in refused.text, "an error page keeps the way on"


def test_the_frame_says_who_one_is(client: TestClient) -> None:
    log_in(client, "warehouse")
    front = client.get("/", headers=ORIGIN).text
    assert "<strong>Samuel Okafor</strong>" in front and ">Warehouse</span>" in front


def test_who_decides_nothing_lands_on_all_that_waits(client: TestClient) -> None:
    log_in(client, "planner")
    page = client.get("/approvals", headers=ORIGIN).text
    assert "For me" not in page and 'href="/approvals?show=all" aria-current="page"' in page
    log_in(client, "manager")
    page = client.get("/approvals", headers=ORIGIN).text
    assert 'href="/approvals?show=me" aria-current="page"' in page


def test_decided_proposals_are_told_in_words_with_their_documents(client: TestClient) -> None:
    log_in(client, "manager")
    page = client.get("/approvals?show=decided", headers=ORIGIN).text
    assert re.search(r"Submit purchase order PO-\d+", page) and "SubmitPurchaseOrder" not in page


def test_the_audit_log_names_the_records(client: TestClient) -> None:
    log_in(client, "manager")
    page = client.get("/audit?command=SubmitPurchaseOrder", headers=ORIGIN).text
    assert re.search(r'class="subject">PO-\d+', page)
    entry = re.search(r'href="(/audit/[0-9a-f-]{36})"', page)
    shown = client.get(entry[1], headers=ORIGIN).text
    assert re.search(r"<dd>[^<]+<br>Purchase order <a", shown) and "<strong>Helene Brandt</strong>" in shown


def test_text_from_outside_is_shown_as_text(client: TestClient) -> None:
    log_in(client, "buyer")
    page = client.get("/ask", params={"q": "<script>alert(1)</script>"}, headers=ORIGIN)
    assert "<script>alert(1)" not in page.text and "&lt;script&gt;" in page.text


def test_a_question_works_without_scripts(client: TestClient) -> None:
    log_in(client, "planner")
    page = client.post("/ask", data={"question": "net sales by channel"}, headers=ORIGIN)
    assert page.status_code == 200 and "I read this as" in page.text and "<svg role=" in page.text


def test_an_address_that_leads_nowhere_is_a_page_too(client: TestClient) -> None:
    log_in(client, "buyer")
    for path in ("/nowhere", "/exceptions/00000000-0000-0000-0000-000000000000", "/approvals/no-id"):
        answer = client.get(path, headers=ORIGIN)
        assert answer.status_code in (404, 422) and "<h1>" in answer.text


def test_values_are_shown_as_people_read_them() -> None:
    assert [money(one) for one in (None, 0, 123_456, 123_456_789)] == ["–", "0.00", "12.35", "12,345.68"]
    assert [estimate(one) for one in (None, 0, 99_949, 123_456_789)] == ["–", "0.00", "9.99", "12,346"]
    assert spaced("CreatePurchaseOrder") == "Create purchase order"
    assert words("po_overdue") == "PO overdue"
    assert sentence("it is late") == "It is late."
    assert figure({"value": "1234.5", "unit": "units"}) == "1,234.5 units"
    assert figure({"value": "12", "unit": "%"}) == "12 %"
    assert figure({"value": "-4", "unit": "units"}) == "−4 units"
    assert figure({"value": "79.5", "unit": "currency"}, "EUR") == "79.50 EUR"
    assert figure({"value": "made on 2026-06-30", "unit": ""}) == "made on 30 Jun 2026"
    assert [runs_out(one) for one in (0, 0.4, 1.2, 23.6)] == [
        "its time is over",
        "runs out within the hour",
        "runs out in 1 hour",
        "runs out in 24 hours",
    ]
    shown = ["certain", "over 99 % likely", "99 % likely", "90 % likely", "under 1 % likely"]
    assert [likely(one) for one in (1.0, 0.996, 0.99, 0.9, 0.004)] == shown


def test_the_cells_of_a_column_have_one_format() -> None:
    assert cells([0.1234, None, -1], "percent") == ("12.3 %", "–", "−100.0 %")
    assert cells([1575.25, 899.3], "money") == ("1,575", "899")
    assert cells([99.5, -4], "money") == ("99.50", "−4.00")
    assert cells([2.5, 3, 1.204], "days") == ("2.5", "3.0", "1.2")
    assert cells([12_000, 0], "units") == ("12,000", "0")
    assert cells(["2026-06-30", "2026-99-30", "PO-1", True]) == ("30 Jun 2026", "2026-99-30", "PO-1", "True")


def test_a_column_is_set_by_what_all_its_cells_are() -> None:
    columns = [{"name": "item"}, {"name": "item_name", "label": "Item"}, {"name": "due"}, {"name": "units"}]
    rows = [("KIT-1", "Skillet, 26 cm", "2026-06-30", None), ("KIT-2", "Scale", None, 4)]
    found = laid_out(columns, rows)
    assert [one.kind for one in found] == ["code", "text", "code", "num"]
    assert [one.label for one in found] == ["Item", "Item", "Due", "Units"]
    assert found[3].cells == ("–", "4") and [one.kind for one in laid_out(columns, [])] == ["code"] * 4
