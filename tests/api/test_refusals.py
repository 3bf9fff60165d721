"""Whatever is sent to any route, the answer is a result or a problem that names what to do; never a crash."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DataError
from starlette.testclient import TestClient

from api import problems
from api.app import PREFIX, create_app
from api.company import open_company
from api.limits import MOST_BYTES
from api.problems import MEDIA_TYPE
from erp_core.settings import Settings
from tests.api.conftest import User
from tests.conftest import size

ENDS_THE_SESSION = (f"{PREFIX}/auth/logout", f"{PREFIX}/auth/logout-everywhere")
NASTY = (
    "",
    " ",
    "0",
    "-1",
    "nope",
    "null",
    "NaN",
    "9" * 30,
    "a" * 5_000,
    "é\u0000",
    "\ud800",
    "' OR 1=1 --",
    "2026-13-40",
)
EXTREMES = [
    2**31,
    2**63,
    -(2**63) - 1,
    10**30,
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-12:00",
    "9999-12-31",
    *NASTY,
]
EXTREME = st.sampled_from(EXTREMES)
WRONG = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    EXTREME,
    st.floats(),
    st.text(max_size=20),
    st.uuids().map(str),
    st.dates().map(str),
    st.datetimes().map(lambda one: one.isoformat()),
)
JSON = st.recursive(
    WRONG,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@dataclass(frozen=True)
class Operation:
    """One route of the OpenAPI document."""

    method: str
    path: str
    parameters: tuple[dict[str, Any], ...]
    body: dict[str, Any] | None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Served:
    """A company of its own behind the app, and what the app says about itself."""

    http: TestClient
    token: str
    document: dict[str, Any]
    operations: tuple[Operation, ...]


@pytest.fixture(scope="module")
def served(tiny_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("refusals") / "company"
    shutil.copytree(tiny_template, home)
    company = open_company(Settings(home=home, database_url=None))
    app = create_app(company.settings, company=company)
    with TestClient(app, raise_server_exceptions=False) as http:
        document = app.openapi()
        operations = tuple(
            Operation(method.upper(), path, tuple(one.get("parameters", ())), _body(one))
            for path, methods in document["paths"].items()
            for method, one in methods.items()
            if path.startswith(PREFIX) and path not in ENDS_THE_SESSION
        )
        yield Served(http, User(http, "planner").token, document, operations)
    company.close()


def _body(operation: dict[str, Any]) -> dict[str, Any] | None:
    content = operation.get("requestBody", {}).get("content", {})
    return next((one["schema"] for one in content.values()), None)


def like(schema: dict[str, Any], document: dict[str, Any], depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of the schema's shape, most of them right in kind, any of them wrong."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if depth > 4:
        return WRONG
    right: st.SearchStrategy[Any]
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        right = st.one_of([like(one, document, depth + 1) for one in options])
    elif "enum" in schema or "const" in schema:
        right = st.sampled_from(schema.get("enum") or [schema["const"]])
    elif schema.get("type") == "object" or "properties" in schema:
        named = {name: like(one, document, depth + 1) for name, one in schema.get("properties", {}).items()}
        needed = {name: named.pop(name) for name in schema.get("required", ()) if name in named}
        right = st.fixed_dictionaries(needed, optional=named)
    elif schema.get("type") == "array":
        inner = like(schema.get("items", {}), document, depth + 1)
        right = st.lists(inner, min_size=min(schema.get("minItems", 0), 2), max_size=2)
    elif schema.get("type") in ("integer", "number"):
        low = int(schema.get("minimum", schema.get("exclusiveMinimum", -5)))
        right = st.integers(low, max(int(schema.get("maximum", 10**12)), low))
    elif schema.get("format") == "uuid":
        right = st.uuids().map(str)
    elif schema.get("format") == "date":
        right = st.dates().map(str)
    elif schema.get("format") == "date-time":
        right = st.datetimes().map(lambda one: one.isoformat()) | st.just("2026-06-30T12:00:00Z")
    elif schema.get("type") == "boolean":
        right = st.booleans()
    else:
        right = st.text(min_size=min(schema.get("minLength", 0), 80), max_size=80)
    return st.integers(0, 9).flatmap(lambda dice: JSON if dice == 0 and depth else right)


def explained(answer: Any) -> None:
    """A refusal is a problem with a code and what to do; a malformed request has it field by field."""
    assert answer.status_code < 500, answer.text
    if answer.status_code < 400:
        return
    assert answer.headers["content-type"] == MEDIA_TYPE, answer.text
    problem = answer.json()
    assert problem["status"] == answer.status_code and problem["detail"] and problem["code"], problem
    assert problem.get("remedy"), problem
    for one in problem.get("errors", ()):
        assert one["field"] and one["reason"] and one["remedy"], problem


@settings(
    max_examples=size(150, 3_000),
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
@given(data=st.data())
def test_every_route_answers_wrong_types_and_unknown_ids_with_a_problem_and_never_fails(
    served: Served, data: st.DataObject
) -> None:
    operation = data.draw(st.sampled_from(served.operations), label="operation")
    path, query, headers = operation.path, {}, {"Authorization": f"Bearer {served.token}"}
    for one in operation.parameters:
        value = data.draw(st.one_of(like(one["schema"], served.document), WRONG, EXTREME), label=one["name"])
        text = str(value).encode("utf-8", "surrogatepass").decode("utf-8", "replace")
        if one["in"] == "path":
            path = path.replace(f"{{{one['name']}}}", quote(text, safe="") or "_")
        elif one["in"] == "query" and data.draw(st.booleans()):
            query[one["name"]] = text
    headers["Idempotency-Key"] = data.draw(st.sampled_from([str(uuid4()), str(uuid4()), "short"]))
    content = None
    if operation.body is not None:
        body = data.draw(st.one_of(*[like(operation.body, served.document)] * 4, JSON), label="body")
        content = json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
    explained(
        served.http.request(
            operation.method, path, params=query, headers=headers, content=content, follow_redirects=False
        )
    )


def test_no_extreme_value_of_any_parameter_breaks_a_route(served: Served) -> None:
    """At the small size each parameter meets every third extreme, the next one the others."""
    headers = {"Authorization": f"Bearer {User(served.http, 'manager').token}"}
    apart = size(3, 1)
    for met, operation in enumerate(served.operations):
        if operation.method != "GET" or "{" in operation.path or operation.path.endswith("/export"):
            continue
        for number, one in enumerate(operation.parameters, met):
            for value in EXTREMES[number % apart :: apart]:
                text = str(value).encode("utf-8", "replace").decode()
                explained(served.http.get(operation.path, params={one["name"]: text}, headers=headers))


def sent(served: Served, path: str, content: bytes, kind: str = "application/json") -> dict[str, Any]:
    headers = {
        "Authorization": f"Bearer {served.token}",
        "Content-Type": kind,
        "Idempotency-Key": str(uuid4()),
    }
    answer = served.http.post(f"{PREFIX}{path}", content=content, headers=headers)
    explained(answer)
    assert answer.status_code >= 400
    problem: dict[str, Any] = answer.json()
    return problem


@pytest.mark.parametrize(
    ("content", "kind", "reason"),
    [
        (b'{"question": ', "application/json", "is not JSON: Expecting value at position 13"),
        (b"<question/>", "text/xml", "is not a JSON object"),
        (b"[1]", "application/json", "is not a JSON object"),
        (b"", "application/json", "is not a JSON object"),
    ],
)
def test_a_body_that_is_no_json_object_is_said_so(
    served: Served, content: bytes, kind: str, reason: str
) -> None:
    problem = sent(served, "/ask", content, kind)
    assert [(one["field"], one["reason"]) for one in problem["errors"]] == [("body", reason)]


@pytest.mark.parametrize(
    "content", [b'{"question": "\xff"}', b"[" * 100_000, b'{"question": ' + b"9" * 5_000 + b"}"]
)
def test_a_body_that_cannot_be_read_is_refused(served: Served, content: bytes) -> None:
    assert sent(served, "/ask", content)["status"] == 400


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_beyond_the_limit_is_cut_off_whether_announced_or_not(served: Served, announced: bool) -> None:
    body = json.dumps({"question": "x" * (MOST_BYTES + 1)}).encode()
    pieces = (body[start : start + 65_536] for start in range(0, len(body), 65_536))
    headers = {"Authorization": f"Bearer {served.token}", "Content-Type": "application/json"}
    answer = served.http.post(f"{PREFIX}/ask", content=body if announced else pieces, headers=headers)
    explained(answer)
    assert answer.status_code == 413 and "/api/v1/imports" in answer.json()["remedy"]


@pytest.mark.parametrize(
    ("path", "parameters", "field"),
    [
        ("/proposals", {"status": "waiting"}, "status"),
        ("/exceptions", {"status": "waiting"}, "status"),
        ("/exceptions", {"kind": "fire"}, "kind"),
        ("/exceptions", {"minimum_amount": 2**63}, "minimum_amount"),
        ("/orders", {"status": "waiting"}, "status"),
        ("/purchase-orders", {"status": "waiting"}, "status"),
        ("/returns", {"status": "waiting"}, "status"),
        ("/items", {"status": "waiting"}, "status"),
        ("/suppliers", {"status": "waiting"}, "status"),
        ("/stock", {"offset": 2**63}, "offset"),
        ("/audit", {"before": "2026-01-01T00:00:00"}, "before"),
        ("/audit", {"before": "0001-01-01T00:00:00+14:00"}, "before"),
    ],
)
def test_a_value_that_nothing_can_match_is_named(
    served: Served, path: str, parameters: dict[str, Any], field: str
) -> None:
    token = User(served.http, "manager").token
    answer = served.http.get(
        f"{PREFIX}{path}", params=parameters, headers={"Authorization": f"Bearer {token}"}
    )
    explained(answer)
    assert answer.status_code == 422 and [one["field"] for one in answer.json()["errors"]] == [field]


def test_a_wrong_field_in_a_plan_is_named_with_its_place(served: Served) -> None:
    plan = {
        "title": "x",
        "reason": "y",
        "commands": [{"command": "SendPurchaseOrder", "payload": {"po_id": 3}}],
    }
    problem = sent(served, "/proposals", json.dumps(plan).encode())
    assert [one["field"] for one in problem["errors"]] == ["commands.0.payload.po_id"]


def test_a_period_beyond_all_calendars_is_refused(served: Served) -> None:
    period = {"from": "9999-12-31", "to": "9999-12-31"}
    query = {"metrics": ["net_sales"], "period": period, "compare": "previous_period"}
    problem = sent(served, "/metrics/query", json.dumps(query).encode())
    assert (problem["code"], problem["field"]) == ("invalid_period", "period")


@pytest.mark.parametrize("name", ["..", "a" * 400 + ".csv", "../../x.csv", ".hidden", "\x01.csv"])
def test_an_upload_is_kept_under_a_name_of_its_own_folder(served: Served, name: str) -> None:
    admin = User(served.http, "admin").token
    answer = served.http.post(
        f"{PREFIX}/imports",
        data={"source": "items", "as_of": "2026-06-30"},
        files={"file": (name, b"sku\n")},
        headers={"Authorization": f"Bearer {admin}"},
    )
    assert answer.status_code == 202, answer.text
    folder, digest, kept = Path(answer.json()["options"]["file"]).parts
    assert folder == "uploads" and len(digest) == 16 and kept.strip(".") and len(kept) <= 100


def test_a_fault_of_the_product_and_a_value_it_cannot_store_are_problems_too() -> None:
    app = FastAPI()
    problems.install(app)

    def fault() -> None:
        raise RuntimeError("secret")

    def unstorable() -> None:
        raise DataError("INSERT", {}, ValueError("text cannot contain NUL\nDETAIL"))

    app.add_api_route("/api/fault", fault)
    app.add_api_route("/api/unstorable", unstorable)
    with TestClient(app, raise_server_exceptions=False) as http:
        failed, wrong = http.get("/api/fault"), http.get("/api/unstorable")
    assert failed.status_code == 500 and failed.headers["content-type"] == MEDIA_TYPE
    assert failed.json()["remedy"] and "secret" not in failed.text
    explained(wrong)
    assert wrong.status_code == 422 and wrong.json()["detail"].endswith("text cannot contain NUL")
