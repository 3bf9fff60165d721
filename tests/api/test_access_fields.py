"""Who may not see a class of fields learns nothing of it, by any way in: other values change no answer.

Two copies of a company differ in nothing but costs or customers' data. Somebody without the right walks
everything that can be read in both; whatever tells the copies apart is a leak, also where a value is only part of a sum.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import PREFIX, create_app
from api.company import open_company
from api.demo import PASSWORD
from api.fields import GUARDED
from erp_core.gate.roles import FIELD_CLASSES, RIGHTS
from erp_core.settings import Settings
from tests.api.conftest import User
from tests.conftest import size

COSTS = {
    "items": ("standard_cost",),
    "suppliers": ("minimum_order",),
    "supplier_prices": ("price",),
    "po_lines": ("unit_price", "reference_price"),
    "purchase_orders": ("total", "freight_cost", "expedite_cost"),
    "orders": ("freight_cost",),
    "shipments": ("freight_cost",),
    "order_lines": ("cost",),
    "shipment_lines": ("cost",),
    "return_lines": ("cost", "recovered", "written_off"),
    "cost_balances": ("value",),
    "cost_entries": ("value",),
    "cases": ("expected_loss", "residual_loss", "action_cost", "net_benefit"),
    "proposals": ("amount",),
}
CUSTOMERS = {"customers": ("name", "email"), "return_lines": ("comment",)}
JSON_COLUMNS = {
    "cases": ("evidence", "action"),
    "proposals": ("payload", "facts", "read_set", "evidence"),
}
MONEY_KEYS = (
    "price",
    "unit_price",
    "amount",
    "cumulative_amount",
    "budget_left",
    "stock_risk",
    "freight_cost",
    "expedite_cost",
)
FACTOR = 3
QUESTIONS = (
    "inventory value by warehouse",
    "gross margin by category last month",
    "spend by supplier",
    "what does each item cost",
    "show the purchase orders of last month with their totals",
    "which exceptions cost us most",
    "who supplies our best seller and at what price",
    "show the last orders with customer names and e-mail addresses",
    "show the returns with what the customers wrote",
    "what will be lost to stockouts",
    "price variance by supplier",
    "open purchase order value",
    "what waits for approval",
    "explain the first exception",
    "explain the second exception",
    "explain the third exception",
)
_VARYING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)?|\b\d\d:\d\d\b|[0-9a-f]{64}|[0-9a-f]{32}|\"(?:milliseconds|total_ms|tools_ms)\":\d+"
)


def with_other_costs(database: sqlite3.Connection) -> None:
    for table, columns in COSTS.items():
        for column in columns:
            database.execute(f"UPDATE {table} SET {column} = {column} * {FACTOR}")
    for table, columns in JSON_COLUMNS.items():
        for column in columns:
            rows = database.execute(
                f"SELECT rowid, {column} FROM {table} WHERE {column} IS NOT NULL"
            ).fetchall()
            for rowid, text in rows:
                scaled = json.dumps(_scaled(json.loads(text)))
                database.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (scaled, rowid))


def with_other_customers(database: sqlite3.Connection) -> None:
    for table, columns in CUSTOMERS.items():
        for column in columns:
            database.execute(f"UPDATE {table} SET {column} = 'Zzyzx ' || {column} WHERE {column} IS NOT NULL")


def _scaled(value: Any) -> Any:
    if isinstance(value, list):
        return [_scaled(one) for one in value]
    if not isinstance(value, dict):
        return value
    currency = value.get("unit") == "currency" or str(value.get("fact", "")).startswith("price of ")
    return {
        name: part * FACTOR
        if isinstance(part, int | float)
        and not isinstance(part, bool)
        and (name in MONEY_KEYS or (currency and name == "value"))
        else _scaled(part)
        for name, part in value.items()
    }


@pytest.fixture
def served(tiny_template: Path, tmp_path: Path) -> Iterator[Callable[..., TestClient]]:
    """`served("a", change)`: a copy of the company with other values behind an app of its own."""
    opened = []

    def serve(name: str, *changes: Callable[[sqlite3.Connection], None]) -> TestClient:
        home = tmp_path / name
        shutil.copytree(tiny_template, home)
        with closing(sqlite3.connect(home / "quartermaster.db")) as database:
            for (trigger,) in database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            ).fetchall():
                database.execute(f'DROP TRIGGER "{trigger}"')
            for change in changes:
                change(database)
            database.commit()
        company = open_company(Settings(home=home, database_url=None))
        client = TestClient(create_app(company.settings, company=company))
        opened.append((client, company))
        client.__enter__()
        return client

    yield serve
    for client, company in opened:
        client.__exit__(None, None, None)
        company.close()


def ids(http: TestClient) -> Mapping[str, list[str]]:
    """Identifiers for the parameters of addresses, found by somebody who may read everything."""
    admin = User(http, "manager")

    def first(path: str, key: str = "rows", name: str = "id", **params: object) -> list[str]:
        body: Any = admin.get(path, **params)
        rows = body if isinstance(body, list) else body[key]
        return [str(one[name]) for one in rows[: size(1, 3)]]

    return {
        "item_id": first("/items"),
        "order": first("/orders"),
        "po": first("/purchase-orders"),
        "ref": first("/returns"),
        "case_id": first("/exceptions"),
        "proposal_id": first("/proposals", status="all"),
        "name": ["item", "supplier", "buyer"],
        "command": ["SubmitPurchaseOrder", "SetOpeningCost"],
    }


@pytest.fixture(scope="module")
def addresses(tiny_template: Path) -> list[str]:
    """The addresses that the API's document lists for reading."""
    company = open_company(Settings(home=tiny_template, database_url=None))
    document = create_app(company.settings, company=company).openapi()
    company.close()
    return [path for path, methods in document["paths"].items() if "get" in methods]


def walk(
    http: TestClient, login: str, known: Mapping[str, list[str]], addresses: list[str]
) -> Iterator[tuple[str, str]]:
    """Every address that can be read with what it answers this person: API, console, figures, agent."""
    user = User(http, login)
    headers = {"Authorization": f"Bearer {user.token}"}
    for path in addresses:
        if path.endswith(
            ("/readyz", "/audit/seal", "/audit/export", "/jobs/{job_id}", "/sessions", "/whoami", "/me")
        ):
            continue
        (names := re.findall(r"{(\w+)}", path))
        for value in known.get(names[0], []) if names else [""]:
            address = re.sub(r"{\w+}", value, path)
            yield address, http.get(address, headers=headers).text
    metrics: Any = user.get("/metrics")
    for one in (metrics["metrics"] if isinstance(metrics, dict) else metrics)[:: size(3, 1)]:
        body = {"v": 1, "metrics": [one["name"]], "period": "last_90_days"}
        yield f"metric {one['name']}", http.post(f"{PREFIX}/metrics/query", json=body, headers=headers).text
    for question in QUESTIONS:
        yield question, http.post(f"{PREFIX}/ask", json={"question": question}, headers=headers).text
    own = {"origin": "http://testserver"}
    http.post("/login", data={"login": login, "password": PASSWORD}, headers=own)
    pages = ["/", "/exceptions", "/approvals", "/audit", "/ask"]
    pages += [f"/exceptions/{one}" for one in known["case_id"]] + [
        f"/approvals/{one}" for one in known["proposal_id"]
    ]
    for page in pages:
        yield f"page {page}", http.get(page, headers={"accept": "text/html"}).text


def plain(text: str) -> str:
    """An answer without what differs from one request to the next."""
    return _VARYING.sub("…", text)


CASES = (
    ("warehouse", (with_other_costs, with_other_customers)),
    ("service", (with_other_costs,)),
    ("planner", (with_other_customers,)),
)


@pytest.mark.capability("S210")
@pytest.mark.parametrize(("login", "changes"), CASES, ids=[one[0] for one in CASES])
def test_values_that_somebody_may_not_see_change_no_answer_they_get(
    served: Callable[..., TestClient],
    addresses: list[str],
    login: str,
    changes: tuple[Callable[[sqlite3.Connection], None], ...],
) -> None:
    one, other = served("one"), served("other", *changes)
    known, asked = ids(one), addresses[:: size(4, 1)]
    assert known == ids(other)
    leaks = {}
    for (place, here), (_, there) in zip(
        walk(one, login, known, asked), walk(other, login, known, asked), strict=True
    ):
        if plain(here) != plain(there):
            at = next(
                (i for i, (a, b) in enumerate(zip(plain(here), plain(there), strict=False)) if a != b), 0
            )
            leaks[place] = (plain(here)[max(at - 80, 0) : at + 60], plain(there)[max(at - 80, 0) : at + 60])
    assert not leaks
    export = other.get(
        f"{PREFIX}/audit/export", headers={"Authorization": f"Bearer {User(other, login).token}"}
    )
    assert b"Zzyzx" not in export.content


@pytest.mark.capability("S210")
def test_the_walk_would_notice_a_leak(served: Callable[..., TestClient], addresses: list[str]) -> None:
    """Who has the rights sees the copies differ at every kind of place that the walk goes to."""
    one, other = served("one"), served("other", with_other_costs, with_other_customers)
    known = ids(one)
    differ = {
        place
        for (place, here), (_, there) in zip(
            walk(one, "manager", known, addresses), walk(other, "manager", known, addresses), strict=True
        )
        if plain(here) != plain(there)
    }
    kinds = (
        "/api/v1/items",
        "/api/v1/purchase-orders/",
        "/api/v1/orders",
        "/api/v1/returns/",
        "/api/v1/exceptions",
    )
    for kind in (*kinds, "metric inventory_value", "inventory value", "page /exceptions", "page /"):
        assert any(place.startswith(kind) for place in differ), kind


def test_every_class_of_fields_is_a_right_that_some_role_has_and_some_lacks() -> None:
    assert set(GUARDED) == set(FIELD_CLASSES)
    for right in FIELD_CLASSES:
        having = {role for role, rights in RIGHTS.items() if right in rights}
        assert having and "warehouse" not in having
