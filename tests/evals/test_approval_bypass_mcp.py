"""Every attack by MCP can succeed: with the guard that it is about taken off, the judge says what was then done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi import Request
from mcp_types import ListResourcesResult, PaginatedRequestParams
from pydantic import ConfigDict

from api.app import VERSION
from api.attacked import PRODUCT
from api.mcp import door, route, tools
from copilot.tools import proposing
from copilot.tools.order_plan import ProposePurchaseOrder
from copilot.tools.registry import TOOLS
from copilot.tools.tool import Run, Tool, ToolContext, ToolInput, ToolOutput
from erp_core.gate import api_keys
from erp_core.gate.credentials import Presented, load_principal
from erp_core.gate.decisions import ApproveProposal
from erp_core.gate.principals import Principal
from erp_core.gate.roles import RIGHTS
from erp_core.gate.submission import Gate
from erp_core.storage.engine import reading
from evals.attacks.attack import Breach, all_attacks
from evals.attacks.mcp_client import order_of
from evals.attacks.places import SqlitePlace
from evals.attacks.run import run_attack
from evals.attacks.summary import told

ATTACKS = {name: one for name, one in all_attacks().items() if one.kind.startswith("mcp")}
Off = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlitePlace]:
    found = SqlitePlace(PRODUCT, tmp_path_factory.mktemp("attacked"))
    yield found
    found.close()


class Anything(ToolInput):
    """Arguments that nobody checks."""

    model_config = ConfigDict(frozen=True, extra="allow")


def approving_tool(patch: pytest.MonkeyPatch) -> None:
    """There is a tool that approves, in its user's name."""

    def run(given: Any, context: ToolContext) -> ToolOutput:
        decision = ApproveProposal(proposal_id=given.proposal_id, payload_hash=given.payload_hash)
        with reading(context.gate.engine) as connection:
            user = load_principal(connection, context.principal.user_id)
        context.gate.submit(decision, user, key=uuid4().hex)
        return ToolOutput()

    tool: Tool[Any] = Tool("approve_proposal", "Approves.", Anything, "ask", "read", 1, run)
    patch.setitem(TOOLS, tool.name, tool)


def header_names_the_caller(patch: pytest.MonkeyPatch) -> None:
    """A header says whose agent it is."""
    admit = route.admit

    def believing(request: Request, company: Any, rate: Any) -> Principal:
        admitted = admit(request, company, rate)
        named = request.headers.get("x-user")
        who = company.gate.bootstrap_user(named, ()) if named else admitted
        return replace(who, kind="agent", run_id=admitted.run_id)

    patch.setattr(route, "admit", believing)


def any_credential(patch: pytest.MonkeyPatch) -> None:
    """Whoever has a credential comes in, as the agent of who it is."""
    presented_by = door.presented_by

    def as_agent(request: Request, company: Any) -> Presented | None:
        found = presented_by(request, company)
        if found is None:
            return None
        return replace(found, principal=replace(found.principal, kind="agent", run_id=found.id))

    patch.setattr(door, "presented_by", as_agent)


def nobody_is_somebody(patch: pytest.MonkeyPatch) -> None:
    """Who shows nothing valid is the buyer's agent."""

    def anybody(request: Request, company: Any, rate: Any) -> Principal:
        return company.gate.agent_for(company.gate.bootstrap_user("buyer", ()))

    patch.setattr(route, "admit", anybody)


def remembered_sessions(patch: pytest.MonkeyPatch) -> None:
    """Who used a session first is who uses it ever after."""
    admit, first = route.admit, []

    def remembering(request: Request, company: Any, rate: Any) -> Principal:
        if "mcp-session-id" in request.headers and first:
            return first[0]
        first.append(admit(request, company, rate))
        return first[-1]

    patch.setattr(route, "admit", remembering)


def any_place(patch: pytest.MonkeyPatch) -> None:
    """Host and Origin are not looked at."""
    patch.setattr(door, "require_own_place", lambda request, settings: None)


def agents_are_people(patch: pytest.MonkeyPatch) -> None:
    """What comes with an agent's credential is its user's."""
    patch.setattr(Principal, "is_agent", property(lambda self: False))


def any_scope(patch: pytest.MonkeyPatch) -> None:
    """A key may be issued for anything."""
    patch.setattr(api_keys, "_require_scope", lambda command, roles: None)


def scope_unread(patch: pytest.MonkeyPatch) -> None:
    """A key has all the rights of its user."""
    patch.setattr(
        Principal, "rights", property(lambda self: frozenset().union(*(RIGHTS[role] for role in self.roles)))
    )


def arguments_unread(patch: pytest.MonkeyPatch) -> None:
    """Whatever is asked for, six hundred lamps are proposed."""
    tool = TOOLS["propose_purchase_order"]

    def run(given: Any, context: ToolContext) -> ToolOutput:
        return tool.run(ProposePurchaseOrder.model_validate(order_of(600)), context)

    patch.setitem(TOOLS, tool.name, replace(tool, input=Anything, run=run))


def each_time_anew(patch: pytest.MonkeyPatch) -> None:
    """Every request is a new wish."""
    patch.setattr(proposing, "_times_asked", lambda *args: (uuid4().int % 10**9, uuid4()))


def evidence_of_clients(patch: pytest.MonkeyPatch) -> None:
    """A client says what a proposal rests on."""
    said: Mapping[str, Any] = {"kind": "query", "id": "q1", "label": "Sold out tomorrow: 9,999 units"}
    patch.setattr(proposing, "_evidence", lambda given, context: [said])


def untainted(patch: pytest.MonkeyPatch) -> None:
    """What a client proposes is taken for clean."""
    patch.setattr(tools, "Run", lambda **said: Run())


def no_quota(patch: pytest.MonkeyPatch) -> None:
    """An agent may open any number of proposals."""
    patch.setattr(Gate, "_room_for_proposals", lambda self, principal, tx: 1_000)


def resources(patch: pytest.MonkeyPatch) -> None:
    """The server has resources too."""

    async def listed(context: Any, params: Any) -> ListResourcesResult:
        return ListResourcesResult(resources=[])

    server = tools.make_server(VERSION)
    server.add_request_handler("resources/list", PaginatedRequestParams, listed)
    patch.setattr(route, "prepared", lambda version: server)


GUARDS: Mapping[str, Off] = {
    "call-hidden-tools-by-mcp": approving_tool,
    "forge-who-acts-by-mcp": header_names_the_caller,
    "come-in-by-mcp-as-a-person": any_credential,
    "come-in-by-mcp-with-what-is-no-key": nobody_is_somebody,
    "take-over-a-session-by-mcp": remembered_sessions,
    "reach-mcp-through-a-browser": any_place,
    "use-an-mcp-key-over-http": agents_are_people,
    "widen-a-key-for-an-agent": any_scope,
    "reach-beyond-a-keys-scope-by-mcp": scope_unread,
    "break-tools-with-odd-arguments-by-mcp": arguments_unread,
    "replay-a-request-by-mcp": each_time_anew,
    "give-orders-in-an-argument-by-mcp": arguments_unread,
    "quote-figures-of-ones-own-by-mcp": evidence_of_clients,
    "pass-outside-text-as-trusted-by-mcp": untainted,
    "flood-people-by-mcp": no_quota,
    "call-what-the-protocol-has-besides-tools": resources,
}


@pytest.mark.capability("S241")
def test_every_attack_by_mcp_has_a_guard_that_is_taken_off_here() -> None:
    assert set(GUARDS) == set(ATTACKS)


@pytest.mark.capability("S209", "S238", "S241")
@pytest.mark.parametrize("name", ATTACKS)
def test_without_its_guard_an_attack_by_mcp_is_a_breach(
    name: str, place: SqlitePlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    GUARDS[name](monkeypatch)
    result = run_attack(ATTACKS[name], place, tmp_path / "home")
    assert isinstance(result, Breach), told(result)
