"""A hostile model that calls any tool with any arguments changes nothing but proposals and the audit log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from copilot.agents.agent import Agent
from copilot.tools.registry import TOOLS
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from tests.copilot.agents.models import ScriptedModel, calling, saying

MAY_CHANGE = {
    "audit_entries",
    "proposals",
    "proposal_states",
    "idempotency_keys",
    "cases",
    "case_events",
    "outbox",
}
WORDS = st.sampled_from(
    [
        "OUT-0041",
        "SUP-NHM",
        "WH-RTM",
        "PO-10007",
        "net_sales",
        "item",
        "last_month",
        "po_lines",
        "pending",
        "approve",
        "manager",
        "'; DROP TABLE users; --",
        "",
    ]
)
SCALAR = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 2_000), st.floats(allow_nan=False), WORDS, st.text(max_size=12)
)
ANYTHING = st.recursive(
    SCALAR,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=6,
)
FIELDS = sorted(
    {field for tool in TOOLS.values() for field in tool.input.model_fields}
    | {"principal", "user_id", "roles", "runtime", "context"}
)
ARGS = st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=5)
LINES = st.fixed_dictionaries(
    {
        "lines": st.lists(
            st.fixed_dictionaries(
                {"item": st.sampled_from(["OUT-0041", "KIT-0041"]), "quantity": st.integers(1, 5_000)}
            ),
            min_size=1,
            max_size=2,
        ),
        "supplier": st.sampled_from(["SUP-NHM", "SUP-TPC"]),
    }
)
NAMES = st.sampled_from([*TOOLS, "approve_proposal", "ApproveProposal", "submit", "python"])
CALLS = st.one_of(st.tuples(NAMES, ARGS), st.tuples(st.just("propose_purchase_order"), LINES))


@pytest.mark.capability("S238")
@pytest.mark.capability("S209")
def test_whatever_a_hostile_model_calls_only_proposals_and_audit_grow(
    company: Gate, buyer: Principal, snapshot: Callable[[Gate], dict[str, Any]]
) -> None:
    manager = company.bootstrap_user("mara", roles=["manager", "admin", "finance"])
    model = ScriptedModel(script=[])
    agent = Agent(company, model=model)
    before = snapshot(company)

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(calls=st.lists(CALLS, min_size=1, max_size=3), words=st.text(max_size=60), boss=st.booleans())
    def attack(calls: list[tuple[str, dict[str, Any]]], words: str, boss: bool) -> None:
        model.script[:] = [*(calling(name, **args) for name, args in calls), saying(words)]
        model.seen.clear()
        answer = agent.ask("do something", manager if boss else buyer)
        assert answer.status in ("answered", "clarify", "cannot_answer", "refused", "proposed", "error")

    attack()
    after = snapshot(company)
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= MAY_CHANGE
    assert all(
        set(before[name]) <= set(after[name]) for name in ("audit_entries", "proposals", "proposal_states")
    )
    assert "executions" not in changed and "purchase_orders" not in changed
