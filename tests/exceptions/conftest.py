"""An inbox, a scanner and two people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection

from erp_core.exceptions.commands import RecordScan
from erp_core.exceptions.draft import SCANNED, CaseDraft
from erp_core.exceptions.queries import Case, CaseFilter, ranked_cases
from erp_core.exceptions.rules import CASE_STEPS
from erp_core.gate.contract import Command, Executed, Outcome, Refused
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.storage.engine import reading
from erp_core.storage.types import money
from tests.conftest import Founded, Founding

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)


def draft(key: str = "lamp", *, kind: str = "stockout_risk", loss: int = 100, **fields: Any) -> CaseDraft:
    """A draft worth `loss` less 10 of remaining loss and action cost."""
    values: dict[str, Any] = {
        "kind": kind,
        "subject_key": key,
        "title": f"{kind} of {key}",
        "subjects": (("item", uuid4()),),
        "probability": 0.5,
        "deadline": NOW + timedelta(days=14),
        "expected_loss": money(loss),
        "residual_loss": money(7) if loss else 0,
        "action_cost": money(3) if loss else 0,
        "evidence": ({"label": "available", "value": 3, "unit": "units", "query": None},),
        "action": {"kind": "purchase_order", "label": "Order 20", "commands": []},
    }
    return CaseDraft(**(values | fields))


@dataclass
class Inbox:
    """The gate with people in their roles."""

    gate: Gate
    people: dict[str, Principal]
    keys: int = field(default=0)

    def submit(self, command: Command, role: str = "buyer") -> Outcome:
        """Submit as a person in this role."""
        self.keys += 1
        return self.gate.submit(command, self.people[role], key=str(self.keys))

    def do(self, command: Command, role: str = "buyer") -> dict[str, Any]:
        """Submit, and expect that it ran."""
        outcome = self.submit(command, role)
        assert isinstance(outcome, Executed), outcome
        return dict(outcome.result)

    def refused(self, command: Command, role: str = "buyer") -> dict[str, Any]:
        """Submit, and expect a refusal: its error object."""
        outcome = self.submit(command, role)
        assert isinstance(outcome, Refused), outcome
        return outcome.error.as_dict()

    def scan(self, *drafts: CaseDraft, **fields: Any) -> dict[str, Any]:
        """Record a scan with these drafts; what changed, without the zeros."""
        values = {"scan_id": uuid4(), "as_of": date(2026, 6, 30), "kinds": SCANNED, "drafts": drafts}
        counts = self.do(RecordScan(**(values | fields)), "admin")
        return {name: count for name, count in counts.items() if count}

    def read(self, query: Callable[[Connection], Any]) -> Any:
        """What a query gives."""
        with reading(self.gate.engine) as connection:
            return query(connection)

    def cases(self, **wanted: Any) -> tuple[Case, ...]:
        """Cases in every status, ranked, or those wanted."""
        return tuple(
            self.read(
                lambda c: ranked_cases(c, CaseFilter(**({"statuses": tuple(CASE_STEPS)} | wanted)))
            ).cases
        )

    def case(self, key: str = "lamp") -> Case:
        """The newest case of this key."""
        return max(
            (case for case in self.cases() if case.subject_key == key), key=lambda case: case.opened_at
        )


def open_inbox(gate: Gate) -> Inbox:
    """People and policies."""
    gate.install_policies()
    roles = ("buyer", "manager", "admin", "planner")
    return Inbox(gate, {role: gate.bootstrap_user(role, roles=(role,)) for role in roles})


FOUNDING = Founding("inbox", open_inbox)


@pytest.fixture
def founding(request: pytest.FixtureRequest) -> Founding | None:
    """The inbox, for tests that ask for it."""
    return FOUNDING if {"inbox", "sqlite_inbox"} & {*request.fixturenames} else None


@pytest.fixture
def inbox(gate: Gate, founded: Founded) -> Inbox:
    """The inbox on both databases."""
    return _visited(gate, founded)


@pytest.fixture
def sqlite_inbox(sqlite_gate: Gate, founded: Founded) -> Inbox:
    """The inbox on SQLite, for what cannot differ between databases."""
    return _visited(sqlite_gate, founded)


def _visited(gate: Gate, founded: Founded) -> Inbox:
    inbox: Inbox
    _, inbox = founded(gate.engine.dialect.name, FOUNDING)
    return replace(inbox, gate=gate, people=dict(inbox.people))


@pytest.fixture
def make_draft() -> Callable[..., CaseDraft]:
    """`make_draft("key", loss=100)`: a draft of a case."""
    return draft


@pytest.fixture
def nobody() -> UUID:
    """An id that names nothing."""
    return uuid4()
