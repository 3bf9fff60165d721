"""Ask: a question, the answer as it is made, and follow-ups. Works without scripts too, only less lively."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, Response
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import iterate_in_threadpool

from api.auth import OfCompany
from api.company import Company
from api.console.charts import svg
from api.console.rendering import words
from api.console.view import fragment, page, seeing
from copilot.agents.answer import Answer
from erp_core.gate.principals import Principal

router = APIRouter(include_in_schema=False, prefix="/ask")
Asker = Annotated[Principal, Depends(seeing("ask"))]
Text = Annotated[str, Form(min_length=1, max_length=4_000)]
Conversation = Annotated[str, Form(max_length=64, pattern=r"^[\w-]*$")]

EXAMPLES = (
    "Which SKUs are at immediate stockout risk by channel and warehouse?",
    "What inbound is delayed and which customer orders are exposed?",
    "Where does excess build up and what capital does it tie up?",
    "Which suppliers miss lead times or ship incomplete?",
    "How accurate are forecasts by category?",
    "What do freight, returns, markdowns and price variance do to margin?",
)


@router.get("", response_class=HTMLResponse)
def ask_page(request: Request, viewer: Asker, company: OfCompany, q: str = "") -> Response:
    """The page to ask on; `q` fills the question in."""
    return page(request, company, viewer, "ask.html", "ask", examples=EXAMPLES, question=q[:4_000], turn=None)


@router.post("", response_class=HTMLResponse)
def ask(
    request: Request, viewer: Asker, company: OfCompany, question: Text, conversation_id: Conversation = ""
) -> Response:
    """The page with the answer: what a browser without scripts gets."""
    answer = company.agent.ask(question, viewer, conversation_id or None)
    turn = {"question": question, **shown(answer)}
    return page(request, company, viewer, "ask.html", "ask", examples=EXAMPLES, question="", turn=turn)


@router.post("/stream", response_class=EventSourceResponse)
def stream(
    viewer: Asker, company: OfCompany, question: Text, conversation_id: Conversation = ""
) -> EventSourceResponse:
    """Parts of the page as the answer is made."""

    async def events() -> AsyncIterator[ServerSentEvent]:
        async for kind, data in iterate_in_threadpool(_parts(company, viewer, question, conversation_id)):
            yield ServerSentEvent(event=kind, data=json.dumps(data))

    return EventSourceResponse(events())


def _parts(
    company: Company, viewer: Principal, question: str, conversation: str
) -> Iterator[tuple[str, Any]]:
    for event in company.agent.stream(question, viewer, conversation or None):
        if event["type"] == "status":
            yield "status", event["text"]
        elif event["type"] == "tool":
            yield "status", words(event["tool"])
        elif event["type"] == "table":
            yield "table", fragment("answer_table.html", table=event["table"])
        elif event["type"] == "sentence":
            yield "sentence", event["text"]
        else:
            answer: Answer = event["answer"]
            yield (
                "answer",
                {
                    "html": fragment("answer.html", **shown(answer)),
                    "conversation_id": answer.conversation_id or "",
                },
            )


def shown(answer: Answer) -> dict[str, Any]:
    """What the templates need of an answer."""
    charts = []
    for one in answer.charts:
        try:
            charts.append(svg({**one, "width": 600}, str(one.get("title") or "Chart of the table")))
        except ValueError:
            continue
    return {"answer": answer, "charts": charts, "conversation_id": answer.conversation_id or ""}
