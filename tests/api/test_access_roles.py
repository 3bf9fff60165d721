"""Roles by commands: each role is let through to what it may ask for, and told who may where it may not."""

from __future__ import annotations

import ast
import re
from uuid import uuid4

import pytest

from api.access_table import access_table, markdown
from erp_core.gate.authorisation import authorise
from erp_core.gate.contract import Command, Denied
from erp_core.gate.principals import Principal, Scope
from erp_core.gate.requirements import Wish
from erp_core.gate.roles import COMMANDS, NEVER_BY_AGENTS, NEVER_BY_KEYS, ROLES, who_may
from erp_core.gate.submission import Gate
from tests.conftest import ROOT

NAMED = ("buyer", "planner", "warehouse", "finance", "manager", "admin")


def somebody(role: str, kind: str = "person", scope: Scope | None = None) -> Principal:
    return Principal(kind, uuid4(), role, frozenset({role}), scope=scope)  # type: ignore[arg-type]


def refusal(gate: Gate, name: str, who: Principal) -> Denied | None:
    """What the gate says before it looks at the payload; None when the command is let through to validation."""
    kind: type[Command] = gate.registry.require(name).command
    stopped = authorise(Wish((kind.model_construct(),)), who, gate.registry, gate.clock.business_now())
    assert stopped is None or isinstance(stopped, Denied)
    return stopped


@pytest.mark.capability("S204")
@pytest.mark.parametrize("role", NAMED)
def test_a_role_is_let_through_to_its_commands_and_is_told_who_may_run_the_others(
    sqlite_gate: Gate, role: str
) -> None:
    person = somebody(role)
    for name in sqlite_gate.registry.names():
        denied = refusal(sqlite_gate, name, person)
        if name in COMMANDS[role]:
            assert denied is None, (name, denied)
        else:
            assert denied is not None, name
            assert all(other in denied.remedy for other in who_may(name)) and role in denied.message


@pytest.mark.capability("S204")
def test_what_sets_the_named_roles_apart_is_what_their_work_is() -> None:
    only = {role: COMMANDS[role] for role in NAMED}
    assert "SendPurchaseOrder" in only["buyer"] and "SendPurchaseOrder" not in only["planner"]
    assert "SetPlanningPolicy" in only["planner"] and "SetPlanningPolicy" not in only["buyer"]
    assert {"ReceiveGoods", "ShipOrder"} <= only["warehouse"] - only["finance"] - only["manager"]
    assert "SetOpeningCost" in only["finance"] - only["buyer"] - only["warehouse"]
    assert {"GrantRole", "CreateUser"} <= only["admin"] - only["manager"]
    assert not only["admin"] & {"CreatePurchaseOrder", "SubmitPurchaseOrder", "ReceiveGoods"}


def test_every_command_has_a_row_and_every_row_a_command(sqlite_gate: Gate) -> None:
    named = frozenset().union(*COMMANDS.values())
    assert named == set(sqlite_gate.registry.names())
    assert set(COMMANDS) == set(ROLES)


@pytest.mark.capability("S204", "S239")
def test_no_agent_and_no_key_reaches_accounts_passwords_or_keys_whatever_its_users_roles(
    sqlite_gate: Gate,
) -> None:
    everything = frozenset(sqlite_gate.registry.names())
    for role in NAMED:
        agent = Principal("agent", uuid4(), role, frozenset({role}), run_id=uuid4())
        key = somebody(role, "service", Scope(everything, frozenset({"see_cost"})))
        for name in NEVER_BY_AGENTS:
            assert refusal(sqlite_gate, name, agent) is not None
        for name in NEVER_BY_KEYS:
            assert refusal(sqlite_gate, name, key) is not None
        assert not agent.rights & {"see_customers", "export", "run_jobs", "backdate"}
        assert key.rights <= {"see_cost"}


def test_the_page_of_roles_is_what_the_code_holds(sqlite_gate: Gate) -> None:
    page = (ROOT / "docs" / "roles.md").read_text(encoding="utf-8")
    assert page == markdown(access_table(sqlite_gate.registry)), (
        "run: quartermaster roles --markdown > docs/roles.md"
    )


def test_what_undoes_a_command_names_commands_that_exist(sqlite_gate: Gate) -> None:
    registry, named = sqlite_gate.registry, 0
    for name in registry.names():
        for other in re.findall(r"\b(?:[A-Z][a-z]+){2,}\b", registry.require(name).compensation or ""):
            assert other in registry.names(), f"{name} is undone by {other}, which is no command"
            named += 1
    assert named > 10


def test_nobody_asks_a_principals_roles_where_its_scope_counts() -> None:
    """Rights and commands are asked of the principal: asking its roles would forget a key's scope."""
    own = {"principals.py", "roles.py", "authorisation.py", "api_keys.py"}
    asked = []
    for package in ("erp_core", "copilot", "api"):
        for file in (ROOT / package).rglob("*.py"):
            if file.name in own:
                continue
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    if node.func.id in ("has_right", "may_run") and _asks_roles(node):
                        asked.append(f"{file.relative_to(ROOT)}:{node.lineno}")
    assert not asked


def _asks_roles(call: ast.Call) -> bool:
    return any(isinstance(one, ast.Attribute) and one.attr == "roles" for one in call.args)
