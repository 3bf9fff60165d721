"""HTTP clients of attackers: who they are logged in as, and bodies made from the API's own description."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx

from erp_core.gate import credentials
from erp_core.storage.engine import writing
from evals.attacks.company import AttackedCompany

PREFIX = "/api/v1"
STOPS = {202: "proposed", 401: "unauthenticated", 403: "denied", 404: "not_found", 405: "no_such_way"}
STOPS |= {409: "refused", 413: "invalid", 422: "invalid", 429: "locked", 400: "invalid", 415: "invalid"}


class Client:
    """The API with one token, or with none. What stopped a request that changes something is noted."""

    def __init__(self, http: httpx.Client, company: AttackedCompany, token: str | None) -> None:
        self._http, self._company = http, company
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str) -> Any:
        """A JSON answer."""
        return self._http.get(f"{PREFIX}{path}", headers=self._headers).json()

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Send a request under a fresh key; what stopped it is noted."""
        told = {"Idempotency-Key": uuid4().hex} | self._headers | headers
        answer = self._http.request(method, f"{PREFIX}{path}", json=body, headers=told)
        if answer.status_code >= 500:
            self._company.stopped(f"error_{answer.status_code}")
        elif answer.status_code in STOPS:
            self._company.stopped(STOPS[answer.status_code])
        return answer

    def post(self, path: str, body: Any = None) -> httpx.Response:
        """Send something that changes something."""
        return self.send("POST", path, body)


@contextmanager
def served(company: AttackedCompany) -> Iterator[httpx.Client]:
    """The company's API."""
    with company.product.serve(company.gate) as http:
        yield http


def token_of(
    company: AttackedCompany, login: str, *, agent: bool = False, age: timedelta = timedelta()
) -> str:
    """A session of a user, or a token of their agent, issued so long ago."""
    user_id = company.person(login).user_id
    now: datetime = company.gate.clock.now() - age
    with writing(company.engine) as connection:
        if agent:
            return credentials.issue(connection, user_id, "agent", now, uuid4())
        return credentials.issue(connection, user_id, "session", now)


def routes(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Every route of an OpenAPI document that may change something: method, path and schema of the body."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method.upper() in ("POST", "PUT", "PATCH", "DELETE") and path.startswith(PREFIX):
                content = operation.get("requestBody", {}).get("content", {})
                yield method.upper(), path, content.get("application/json", {}).get("schema")


def instance(schema: Any, document: Mapping[str, Any], known: Mapping[str, Any]) -> Any:
    """A value that fits a JSON schema; fields that are `known` by name get that value."""
    if not isinstance(schema, Mapping):
        return None
    if "$ref" in schema:
        return instance(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document, known)
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return instance(schema[choice][0], document, known)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        wanted = schema.get("required", ())
        return {
            name: known[name] if name in known else instance(part, document, known)
            for name, part in schema.get("properties", {}).items()
            if name in wanted or name in known
        }
    if kind == "array":
        return [instance(schema.get("items", {}), document, known)] * max(schema.get("minItems", 0), 1)
    if kind in ("integer", "number"):
        return max(schema.get("minimum", 1), schema.get("exclusiveMinimum", 0) + 1)
    if kind == "boolean":
        return True
    return _text(schema)


def _text(schema: Mapping[str, Any]) -> str:
    forms = {"uuid": str(uuid4()), "date": "2026-06-30", "date-time": "2026-06-30T10:00:00Z"}
    if schema.get("format") in forms:
        return forms[schema["format"]]
    return "a" * max(schema.get("minLength", 4), 4)


def as_path(path: str, values: Mapping[str, UUID]) -> str:
    """A path with its parameters filled in, without the prefix."""
    filled = path.removeprefix(PREFIX)
    while "{" in filled:
        head, _, rest = filled.partition("{")
        name, _, tail = rest.partition("}")
        filled = f"{head}{values.get(name, uuid4())}{tail}"
    return filled
