"""Ask in plain language: one JSON answer, or a stream of what happens until it is there."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.encoders import jsonable_encoder
from pydantic import BaseModel, Field
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import iterate_in_threadpool

from api.auth import Asker, OfCompany
from copilot.agents.answer import Answer

router = APIRouter(prefix="/ask", tags=["ask"])


class Question(BaseModel):
    """A question; with `conversation_id` it may follow up on the one before."""

    question: Annotated[str, Field(min_length=1, max_length=4_000)]
    conversation_id: Annotated[str | None, Field(max_length=64, pattern=r"^[\w-]+$")] = None


@router.post("")
def ask(body: Question, actor: Asker, company: OfCompany) -> Answer:
    """Ask and wait for the answer. The agent acts for the person who asks: it reads and proposes, nothing more."""
    return company.agent.ask(body.question, actor, body.conversation_id)


@router.post("/stream", response_class=EventSourceResponse)
def stream(body: Question, actor: Asker, company: OfCompany) -> EventSourceResponse:
    """Server-sent events `status`, `tool`, `table`, `sentence`, and last `answer` with the whole answer."""

    async def events() -> AsyncIterator[ServerSentEvent]:
        async for event in iterate_in_threadpool(
            company.agent.stream(body.question, actor, body.conversation_id)
        ):
            yield ServerSentEvent(event=event["type"], data=_data(event))

    return EventSourceResponse(events())


def _data(event: dict[str, Any]) -> str:
    content = (
        event["answer"] if event["type"] == "answer" else {k: v for k, v in event.items() if k != "type"}
    )
    return json.dumps(jsonable_encoder(content), ensure_ascii=False)
