"""Who is evaluated: the served agent over HTTP, and two that any honest suite must fail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import uuid4

import httpx


class Asked(Protocol):
    """Answers one question within a conversation, as the API's answer object."""

    name: str

    def ask(self, user: str, question: str, conversation_id: str) -> Mapping[str, Any]:
        """The answer."""


class Company:
    """A served company, seen over HTTP as several logged-in users."""

    def __init__(self, url: str, password: str, *, timeout: float = 60) -> None:
        self._client = httpx.Client(base_url=f"{url.rstrip('/')}/api/v1", timeout=timeout)
        self._password = password
        self._tokens: dict[str, str] = {}

    def call(self, user: str, method: str, path: str, **options: Any) -> Any:
        """The JSON answer to a request made as `user`. Raises `httpx.HTTPStatusError` for an error."""
        headers = {"Authorization": f"Bearer {self._token(user)}"}
        if method != "GET":
            headers["Idempotency-Key"] = str(uuid4())
        response = self._client.request(method, path, headers=headers, **options)
        response.raise_for_status()
        return response.json()

    def _token(self, user: str) -> str:
        if user not in self._tokens:
            answer = self._client.post("/auth/login", json={"login": user, "password": self._password})
            answer.raise_for_status()
            self._tokens[user] = answer.json()["token"]
        return self._tokens[user]


class ServedAgent:
    """The agent that the company's server runs: the interpreter or a configured model."""

    def __init__(self, company: Company, name: str = "served") -> None:
        self.name = name
        self._company = company

    def ask(self, user: str, question: str, conversation_id: str) -> Mapping[str, Any]:
        """Ask over HTTP."""
        body = {"question": question, "conversation_id": conversation_id}
        answer: Mapping[str, Any] = self._company.call(user, "POST", "/ask", json=body)
        return answer


class NullAgent:
    """Claims to have answered, with nothing in it. What it passes, the suite does not test."""

    name = "null"

    def ask(self, user: str, question: str, conversation_id: str) -> Mapping[str, Any]:
        """An empty answer."""
        return {"status": "answered", "text": "", "tables": [], "tools": [], "proposals": [], "options": []}


class AbstainingAgent:
    """Always says that it cannot answer: right on refusals only."""

    name = "abstain"

    def ask(self, user: str, question: str, conversation_id: str) -> Mapping[str, Any]:
        """An abstention."""
        empty: dict[str, Any] = {"tables": [], "tools": [], "proposals": [], "options": []}
        return {"status": "cannot_answer", "reason": "unsupported", "text": "I cannot answer that.", **empty}
