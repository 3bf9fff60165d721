"""Attacks on who comes in by MCP: forged callers, other people's tokens, stolen sessions, pages of other sites."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from erp_core.gate.api_keys import RevokeKey
from erp_core.gate.contract import Executed
from erp_core.gate.model import audit_entries
from erp_core.gate.users import SetUserActive
from evals.attacks.attack import attack
from evals.attacks.clients import Client, served, token_of
from evals.attacks.company import AttackedCompany
from evals.attacks.identity import key_of
from evals.attacks.mcp_client import (
    McpClient,
    agents_key,
    order_of,
    require_an_agents,
    require_unanswered,
    require_undecided,
)

CLAIMS: dict[str, Any] = {
    "principal": "manager",
    "user_id": "manager",
    "role": "manager",
    "roles": ["manager", "finance"],
    "via": "person",
    "tainted": False,
    "approved": True,
    "urgent": True,
    "run_id": "00000000-0000-0000-0000-000000000001",
    "requested_by": "manager",
}
HEADERS = {
    "X-User": "manager",
    "X-Forwarded-User": "manager",
    "X-Remote-User": "manager",
    "X-Roles": "manager, finance",
    "X-Via": "person",
    "Mcp-Session-Id": "manager",
    "Idempotency-Key": "as-the-manager",
}


@attack(
    "call-hidden-tools-by-mcp",
    "no_such_tool",
    "An MCP client has the agent's tools; none approves, executes or governs, whatever it is called.",
)
def hidden_tools(company: AttackedCompany) -> None:
    """A client with a key of the chief's agent calls tools that approve, execute, change policies, keys and automation by name."""
    proposal = company.order(5_000)
    told = {"proposal_id": str(proposal.proposal_id), "payload_hash": proposal.payload_hash}
    secret, key_id = agents_key(company, "chief")
    names = (
        "approve_proposal", "ApproveProposal", "execute_proposal", "reject_proposal", "submit_command",
        "SubmitPurchaseOrder", "SaveApprovalPolicy", "DelegateAuthority", "SetAutonomy", "IssueKey", "run_sql",
        "propose_purchase_order\0approve", "../approve", "tools/call", "",
    )  # fmt: skip
    with served(company) as http:
        client = McpClient(http, company, secret)
        for name in names:
            client.call(name, told)
    query = select(audit_entries).where(audit_entries.c.run_id == key_id)
    if len(company.read(lambda connection: connection.execute(query).all())) != len(names):
        company.wrong.append("calls of tools that are not there are not all in the audit log")
    require_undecided(company, proposal)


@attack(
    "forge-who-acts-by-mcp",
    "invalid proposed",
    "Who acts is told by the bearer token alone; arguments, _meta, headers and cookies are not asked.",
)
def forged_principal(company: AttackedCompany) -> None:
    """A client with a key of a buyer's agent says in arguments, in _meta, in its own name, in headers and a cookie that it is the manager."""
    secret, _ = agents_key(company, "buyer")
    with served(company) as http:
        client = McpClient(http, company, secret)
        for number, (name, value) in enumerate(CLAIMS.items()):
            client.call("propose_purchase_order", order_of(300 + number, **{name: value}))
            client.call("list_proposals", {name: value})
        for number, modern in enumerate((False, True)):
            units = order_of(400 + number)
            client.call("propose_purchase_order", units, meta=CLAIMS, modern=modern, headers=HEADERS)
        client.call("propose_purchase_order", order_of(500), headers={"Cookie": "user=manager; role=manager"})
        info = {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "manager", "version": "1"},
        }
        client.send("initialize", info)
        client.call("propose_purchase_order", order_of(501))
    require_an_agents(company, "buyer")


@attack(
    "come-in-by-mcp-as-a-person",
    "not_an_agent",
    "Only an agent's credential opens the MCP door: what may decide or order is refused there.",
)
def persons_token(company: AttackedCompany) -> None:
    """A client shows the manager's own session, the cookie of it, and a key that may order, to approve and to buy with them."""
    proposal = company.order(5_000)
    told = {"proposal_id": str(proposal.proposal_id), "payload_hash": proposal.payload_hash}
    session = token_of(company, "manager")
    ordinary, _ = agents_key(company, "buyer", agent=False)
    cookie = {"Cookie": f"quartermaster_session={session}", "Origin": "http://quartermaster"}
    with served(company) as http:
        ways: tuple[tuple[str | None, dict[str, str]], ...] = ((session, {}), (ordinary, {}), (None, cookie))
        for token, headers in ways:
            client = McpClient(http, company, token)
            client.call("approve_proposal", told, headers=headers)
            client.call("propose_purchase_order", order_of(600), headers=headers)
            client.send("tools/list", headers=headers)
            require_unanswered(company, client)
    require_undecided(company, proposal)


@attack(
    "come-in-by-mcp-with-what-is-no-key",
    "unauthenticated",
    "Every message is authenticated for itself; a key that ended, was revoked or belongs to a leaver is nobody's.",
)
def no_key(company: AttackedCompany) -> None:
    """A client has no token, a made-up one, half of one, one that ended, one revoked, and that of somebody kept out since."""
    good, _ = agents_key(company, "manager")
    ended, _ = agents_key(company, "buyer", hours=1)
    revoked, revoked_id = agents_key(company, "buyer")
    leaver, _ = agents_key(company, "colleague")
    company.do(RevokeKey(key_id=revoked_id), "buyer")
    company.do(SetUserActive(user_id=company.person("colleague").user_id, active=False), "admin")
    old = token_of(company, "buyer", agent=True, age=timedelta(hours=1))
    later = company.gate.clock.now() + timedelta(hours=2)
    company.gate.clock = replace(company.gate.clock, now=lambda: later)
    with served(company) as http:
        owner = McpClient(http, company, good)
        owner.send("ping")
        if not owner.answered:
            company.wrong.append("the owner's own key opens nothing")
        for token in (
            None,
            "",
            "null",
            good[:-1],
            good.upper(),
            ended,
            revoked,
            leaver,
            old,
            f"{good}, {ended}",
        ):
            client = McpClient(http, company, token)
            client.call("propose_purchase_order", order_of(600))
            client.send("tools/list")
            require_unanswered(company, client)
        for scheme in ("Basic", "Token", ""):
            client = McpClient(http, company, None)
            told = {"Authorization": f"{scheme} {good}"}
            client.call("propose_purchase_order", order_of(600), headers=told)
            require_unanswered(company, client)


@attack(
    "take-over-a-session-by-mcp",
    "unauthenticated no_right",
    "There is no session to take over: a session id opens nothing and lends no right.",
)
def stolen_session(company: AttackedCompany) -> None:
    """A client learns the session id of another's client and sends it with no token, and with one that may read measures only."""
    strong, _ = agents_key(company, "chief")
    weak, _ = agents_key(company, "buyer", rights=("read_metrics",), commands=())
    opening = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "x", "version": "1"},
    }
    with served(company) as http:
        answer = http.post(
            "/mcp",
            json={"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": opening},
            headers={"Authorization": f"Bearer {strong}", "Accept": "application/json, text/event-stream"},
        )
        McpClient(http, company, strong).call("list_proposals", {})
        stolen = {answer.headers.get("mcp-session-id", "1"), "1", str(company.person("chief").user_id)}
        for session in sorted(stolen):
            for token in (None, weak):
                client = McpClient(http, company, token)
                for tool, arguments in (("propose_purchase_order", order_of(600)), ("list_proposals", {})):
                    found = client.call(
                        tool, arguments, headers={"Mcp-Session-Id": session, "Last-Event-ID": "0"}
                    )
                    if found and "error" not in found:
                        company.wrong.append(f"{tool} answered under another's session")


@attack(
    "reach-mcp-through-a-browser",
    "cross_site unknown_host",
    "Host must be known and Origin our own, and the console's cookie opens nothing here.",
)
def browser(company: AttackedCompany) -> None:
    """A page of another site lets the manager's browser, or one that found the agent's key, call us under names of its making."""
    secret, _ = agents_key(company, "chief")
    cookie = f"quartermaster_session={token_of(company, 'manager')}"
    with served(company) as http:
        ways: tuple[tuple[str | None, dict[str, str]], ...] = ((secret, {}), (None, {"Cookie": cookie}))
        for token, more in ways:
            client = McpClient(http, company, token)
            for headers in (
                {"Origin": "https://evil.example"},
                {"Origin": "null"},
                {"Origin": "http://quartermaster.evil.example"},
                {"Host": "evil.example"},
                {"Host": "evil.example", "Origin": "http://evil.example"},
                {"Host": "127.0.0.1.evil.example:8321"},
                {"Host": "localhost.evil.example"},
            ):
                client.call("propose_purchase_order", order_of(600), headers=more | headers)
            require_unanswered(company, client)


@attack(
    "use-an-mcp-key-over-http",
    "denied proposed invalid not_found",
    "A key made for an agent is an agent's through every way in: it orders nothing and decides nothing.",
)
def over_http(company: AttackedCompany) -> None:
    """A thief takes the key out of a client's configuration and orders, approves, issues keys, grants roles, starts jobs and lets the product's own agent order over HTTP with it."""
    waiting = company.order(5_000)
    scope = ("CreatePurchaseOrder", "SubmitPurchaseOrder", "SendPurchaseOrder", "CancelPurchaseOrder")
    buyers, _ = agents_key(company, "buyer", commands=scope)
    managers, _ = agents_key(company, "manager", commands=())
    path, shown = f"/proposals/{waiting.proposal_id}", {"payload_hash": waiting.payload_hash}
    with served(company) as http:
        for secret in (buyers, managers):
            client = Client(http, company, secret)
            client.post(f"{path}/approve", shown)
            client.post(f"{path}/reject", shown | {"comment": "no"})
            client.post("/commands/SubmitPurchaseOrder", {"po_id": str(company.draft(500))})
            client.post("/keys", {"name": "mine", "commands": ["SubmitPurchaseOrder"]})
            client.post("/jobs", {"kind": "scan"})
            client.post("/auth/logout-everywhere")
            whole = {"user_id": str(company.person("buyer").user_id), "role": "manager"}
            client.post("/commands/GrantRole", whole)
        Client(http, company, buyers).post("/ask", {"question": "order 600 LAMP from ACME"})
    require_an_agents(company, "buyer")
    require_undecided(company, waiting)


@attack(
    "widen-a-key-for-an-agent",
    "scope_too_wide",
    "No key for an agent carries decisions, accounts, or what is kept from agents.",
)
def widened(company: AttackedCompany) -> None:
    """A manager and an administrator make keys for their assistants that approve, see customers, export, or make accounts."""
    for login, commands, rights in (
        ("manager", ("ApproveProposal",), ()),
        ("manager", (), ("see_customers",)),
        ("admin", ("GrantRole",), ()),
        ("admin", (), ("export",)),
    ):
        _, command = key_of(company, login, *commands, rights=rights)
        if isinstance(
            company.tries(company.submit(command.model_copy(update={"agent": True}), login)), Executed
        ):
            company.wrong.append(f"an agent's key has {', '.join(commands + rights)}")
