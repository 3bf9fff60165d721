"""An attacker's own MCP client: messages written by hand, so that nothing a proper client refuses to send is left out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import select

from erp_core.gate.api_keys import IssueKey
from erp_core.gate.contract import Proposed
from erp_core.gate.credentials import new_token, token_hash, token_prefix
from erp_core.gate.model import proposal_decisions, proposals
from evals.attacks.company import AttackedCompany

READS = ("ask", "read_metrics", "read_records", "see_cost")
PROPOSES = ("CreatePurchaseOrder", "SubmitPurchaseOrder")
MODERN = "2026-07-28"
_META = "io.modelcontextprotocol/"
_RPC = {
    -32700: "no_message",
    -32600: "no_message",
    -32601: "no_such_method",
    -32602: "invalid",
    -32020: "invalid",
}


def agents_key(
    company: AttackedCompany,
    login: str,
    *,
    rights: tuple[str, ...] = READS,
    commands: tuple[str, ...] = PROPOSES,
    agent: bool = True,
    hours: float = 24,
) -> tuple[str, UUID]:
    """A key that a user made for an MCP client, with its id; without `agent` one of their own."""
    secret, key_id = new_token("key"), uuid4()
    command = IssueKey(
        key_id=key_id,
        user_id=company.person(login).user_id,
        key_name="assistant",
        token_hash=token_hash(secret),
        prefix=token_prefix(secret),
        commands=commands,
        rights=rights,
        agent=agent,
        expires_at=company.gate.clock.now() + timedelta(hours=hours),
    )
    company.do(command, login)
    return secret, key_id


def order_of(units: int, **more: Any) -> dict[str, Any]:
    """Arguments that propose to buy lamps."""
    return {"lines": [{"item": "LAMP", "quantity": units}], "supplier": "ACME", **more}


class McpClient:
    """The MCP endpoint with one token, or with none. What stopped a message is noted, and what was `answered`."""

    def __init__(self, http: httpx.Client, company: AttackedCompany, token: str | None) -> None:
        self._http, self._company = http, company
        self._headers = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"
        self.answered: list[str] = []

    def call(
        self,
        tool: str,
        arguments: Any = None,
        *,
        id_: Any = 1,
        meta: Any = None,
        modern: bool = False,
        headers: Mapping[str, str] = {},
    ) -> dict[str, Any]:
        """What a tool gives; empty where the call did not get so far. `modern` leaves out the handshake's form."""
        params = {"name": tool, "arguments": {} if arguments is None else arguments}
        if modern:
            told = {f"{_META}protocolVersion": MODERN, f"{_META}clientCapabilities": {}}
            params["_meta"] = told | (meta or {})
            headers = {
                "MCP-Protocol-Version": MODERN,
                "Mcp-Method": "tools/call",
                "Mcp-Name": tool,
                **headers,
            }
        elif meta is not None:
            params["_meta"] = meta
        return self.send("tools/call", params, id_=id_, headers=headers)

    def send(
        self, method: str, params: Any = None, *, id_: Any = 1, headers: Mapping[str, str] = {}
    ) -> dict[str, Any]:
        """The result of a message."""
        message = {"jsonrpc": "2.0", "id": id_, "method": method, "params": params or {}}
        return self.post(json.dumps(message).encode(), headers)

    def post(self, body: bytes, headers: Mapping[str, str] = {}) -> dict[str, Any]:
        """The result of a body as it is."""
        answer = self._http.post("/mcp", content=body, headers=self._headers | dict(headers))
        if answer.status_code >= 500:
            self._company.stopped(f"error_{answer.status_code}")
            return {}
        told = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        if "result" not in told:
            self._company.stopped(_why(answer.status_code, told))
            return {}
        result: dict[str, Any] = told["result"].get("structuredContent") or told["result"]
        if "error" in result:
            self._company.stopped(result["error"]["code"])
        else:
            self.answered.append(body[:80].decode(errors="replace"))
            if result.get("proposals"):
                self._company.stopped("proposed")
        return result


def _why(status: int, told: dict[str, Any]) -> str:
    """The code of a problem at the door, or of an error of the protocol."""
    if "code" in told:
        return str(told["code"])
    error = told.get("error", {})
    data = error.get("data")
    named = data.get("code") if isinstance(data, dict) else None
    return str(named or _RPC.get(error.get("code"), f"rpc_{error.get('code', status)}"))


def opened(company: AttackedCompany) -> list[Any]:
    """What agents proposed."""
    query = select(proposals).where(proposals.c.via == "agent").order_by(proposals.c.id)
    return list(company.read(lambda connection: connection.execute(query).all()))


def require_an_agents(company: AttackedCompany, login: str) -> None:
    """Note what is wrong unless all that was proposed reads as a tainted wish of this user's agent."""
    user_id = company.person(login).user_id
    rows = company.read(lambda connection: connection.execute(proposals.select()).all())
    late = [row for row in rows if row.title.startswith("Buy ")]
    if not late or not all(
        row.via == "agent" and row.tainted and row.requested_by == user_id for row in late
    ):
        company.wrong.append("what came by MCP does not read as a tainted wish of its user's agent")


def require_undecided(company: AttackedCompany, proposal: Proposed) -> None:
    """Note it when somebody decided on a proposal that no person looked at."""
    query = select(proposal_decisions).where(proposal_decisions.c.proposal_id == proposal.proposal_id)
    if company.read(lambda connection: connection.execute(query).first()):
        company.wrong.append("a proposal was decided on, and not by a person in their own session")


def require_unanswered(company: AttackedCompany, *clients: McpClient) -> None:
    """Note what was answered to clients that must not get in at all."""
    company.wrong += [f"answered: {message}" for client in clients for message in client.answered]
