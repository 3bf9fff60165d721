"""The OpenAI path over real HTTP, against a small server that speaks the protocol."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse

from copilot.agents.agent import Agent, destination_of
from erp_core.gate.contract import Executed, Proposed
from erp_core.gate.decisions import ApproveProposal
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.master.commands.residency import SetResidencyRule
from erp_core.settings import Settings


class Imitation:
    """Answers chat completions: first a tool call, then prose; or nothing but errors."""

    def __init__(self) -> None:
        self.failing = False
        self.requests: list[dict[str, Any]] = []
        self.app = FastAPI()
        self.app.post("/v1/chat/completions")(self.complete)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    async def complete(self, request: Request) -> Any:
        body = await request.json()
        self.requests.append(body)
        if self.failing:
            return JSONResponse({"error": {"message": "overloaded", "type": "server_error"}}, status_code=500)
        answered = any(message["role"] == "tool" for message in body["messages"])
        return StreamingResponse(self.stream(answered), media_type="text/event-stream")

    def stream(self, answered: bool) -> Iterator[str]:
        if answered:
            for piece in (
                "STATUS: answered\n",
                "Orders last week: {{t1.r0.",
                "order_count}}. ",
                "Next week there will be 4711.",
            ):
                yield self.chunk({"content": piece})
        else:
            arguments = json.dumps({"metrics": ["order_count"], "period": "last_week"})
            call = {
                "index": 0,
                "id": "call_1",
                "type": "function",
                "function": {"name": "query_metrics", "arguments": ""},
            }
            yield self.chunk({"role": "assistant", "tool_calls": [call]})
            for part in (arguments[:20], arguments[20:]):
                yield self.chunk({"tool_calls": [{"index": 0, "function": {"arguments": part}}]})
        yield self.chunk({}, finish="stop" if answered else "tool_calls")
        yield "data: [DONE]\n\n"

    @staticmethod
    def chunk(delta: dict[str, Any], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return f"data: {json.dumps({'id': 'c', 'object': 'chat.completion.chunk', 'created': 0, 'model': 'm', 'choices': [choice]})}\n\n"


@pytest.fixture(scope="module")
def imitation() -> Iterator[Imitation]:
    made = Imitation()
    server = uvicorn.Server(uvicorn.Config(made.app, host="127.0.0.1", port=made.port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield made
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture
def remote(imitation: Imitation, company: Gate, tmp_path: Path) -> Agent:
    imitation.failing = False
    imitation.requests.clear()
    settings = Settings(
        home=tmp_path,
        model="test-model",
        openai_base_url=f"http://127.0.0.1:{imitation.port}/v1",
        openai_api_key="key",
    )
    return Agent.from_settings(company, settings)


def test_a_remote_model_calls_our_tools_and_its_prose_goes_through_the_check(
    remote: Agent, imitation: Imitation, buyer: Principal
) -> None:
    answer = remote.ask("how many orders last week", buyer)
    assert answer.model == "test-model" and answer.status == "answered"
    assert answer.text == f"Orders last week: {answer.tables[0].rows[0][0]}."
    assert answer.partial and "4711" in answer.partial
    names = {tool["function"]["name"] for tool in imitation.requests[0]["tools"]}
    assert {"query_metrics", "propose_purchase_order"} <= names and not any(
        "approve" in name for name in names
    )


def test_when_the_remote_model_fails_the_interpreter_answers_and_says_so(
    remote: Agent, imitation: Imitation, buyer: Principal
) -> None:
    imitation.failing = True
    answer = remote.ask("how many orders last week", buyer)
    assert answer.status == "answered" and answer.model == "interpreter"
    assert "interpreter" in answer.text and answer.tables
    assert imitation.requests


@pytest.mark.capability("S211")
def test_a_model_is_never_asked_where_a_rule_keeps_data_from_it(
    remote: Agent, imitation: Imitation, company: Gate, buyer: Principal
) -> None:
    people = {
        role: company.bootstrap_user(f"{role}-of-data", roles=(role,))
        for role in ("admin", "manager", "finance")
    }

    def agree(destinations: tuple[str, ...], *, active: bool = True) -> None:
        rule = SetResidencyRule(
            channel="model", destinations=destinations, active=active, reason="works council agreement"
        )
        proposed = company.submit(rule, people["admin"], key=uuid4().hex)
        assert isinstance(proposed, Proposed)
        approval = ApproveProposal(proposal_id=proposed.proposal_id, payload_hash=proposed.payload_hash)
        for role in ("manager", "finance"):
            assert isinstance(company.submit(approval, people[role], key=uuid4().hex), Executed)

    agree(())
    answer = remote.ask("how many orders last week", buyer)
    assert imitation.requests == []
    assert answer.model == "interpreter" and answer.tables and "may not be asked" in answer.text
    agree(("local",))
    assert remote.ask("how many orders last week", buyer).model == "test-model"
    agree((), active=False)


def test_an_endpoint_is_named_by_its_host_and_this_machine_is_local() -> None:
    assert destination_of("https://models.example.com/v1") == "models.example.com"
    assert destination_of("http://localhost:8000/v1") == destination_of("http://127.0.0.1/v1") == "local"
    assert destination_of("https://localhost.example.com/v1") == "localhost.example.com"
    assert destination_of(None) == "api.openai.com"


def test_an_unreachable_server_is_no_error_either(company: Gate, buyer: Principal, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, model="m", openai_base_url="http://127.0.0.1:9/v1", openai_api_key="k")
    answer = Agent.from_settings(company, settings).ask("order count last week", buyer)
    assert answer.status == "answered" and answer.model == "interpreter"
