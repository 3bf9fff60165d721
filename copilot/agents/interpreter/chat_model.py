"""The interpreter as a LangChain chat model: reads the last question, calls tools, and answers with slots.

It sees the same messages as any other model and calls the same tools. What came before it reads from the
conversation's earlier tool calls. The answer's status and parts ride in `additional_kwargs["answer"]`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any
from uuid import uuid4

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from pydantic import ConfigDict

from copilot.agents.interpreter.compose import compose
from copilot.agents.interpreter.composed import Composed
from copilot.agents.interpreter.lexicon import Lexicon
from copilot.agents.interpreter.reading import Memory, read
from copilot.agents.interpreter.readings import Call, Reading
from copilot.agents.interpreter.references import Shown, shown_in
from copilot.tools.tool import Failure, ToolOutput

Done = list[tuple[Call, ToolOutput]]


class InterpreterModel(BaseChatModel):
    """Needs no key, network or weights. `lexicon` and `today` are asked for at every question."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    lexicon: Callable[[], Lexicon]
    today: Callable[[], date]

    @property
    def _llm_type(self) -> str:
        return "quartermaster-interpreter"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[LanguageModelInput, AIMessage]:
        """The tools are known; nothing is bound."""
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self.reply(messages))])

    def reply(self, messages: Sequence[BaseMessage]) -> AIMessage:
        """The next message: tool calls, or the answer."""
        at = max((i for i, one in enumerate(messages) if isinstance(one, HumanMessage)), default=-1)
        if at < 0:
            return _said(Composed("What would you like to know?", "clarify", "empty"), None)
        memory = remember(messages[:at])
        reading = read(_words(messages[at]), self.lexicon(), self.today(), memory)
        if reading.status != "call":
            return _said(
                Composed(reading.text, reading.status, reading.reason, options=reading.options), reading
            )
        done = _done(messages[at + 1 :])
        waiting = [call for call in reading.calls if not any(_same(call, one) for one, _ in done)]
        if waiting:
            return _calling(waiting)
        own = [(call, output) for call, output in done if any(_same(call, one) for one in reading.calls)]
        following = _following(reading, own)
        if following is not None:
            made = [(call, output) for call, output in done if _same(call, following)]
            if not made:
                return _calling([following])
            own += made
        return _said(compose(reading, own), reading)


def remember(messages: Sequence[BaseMessage]) -> Memory:
    """What the conversation so far leaves for a follow-up: the calls of the last question that made any."""
    question, pending, unanswered, fresh = "", "", "", True
    calls: list[Call] = []
    shown = Shown()
    for message in messages:
        if isinstance(message, HumanMessage):
            pending = unanswered = _words(message)
            fresh = True
        elif isinstance(message, AIMessage) and message.tool_calls:
            made = [Call(one["name"], one["args"]) for one in message.tool_calls]
            calls = made if fresh else [*calls, *made]
            question, unanswered, fresh = pending, "", False
        elif isinstance(message, ToolMessage) and isinstance(message.content, str):
            shown = shown_in(message.content)
    return Memory(tuple(calls), question, unanswered, shown)


def _words(message: BaseMessage) -> str:
    return message.content if isinstance(message.content, str) else str(message.text)


def _done(messages: Sequence[BaseMessage]) -> Done:
    calls = {
        one["id"]: Call(one["name"], one["args"])
        for message in messages
        if isinstance(message, AIMessage)
        for one in message.tool_calls
    }
    return [
        (calls[message.tool_call_id], _output(message))
        for message in messages
        if isinstance(message, ToolMessage) and message.tool_call_id in calls
    ]


def _output(message: ToolMessage) -> ToolOutput:
    """What the tool gave; a call that broke outside the tool is a failure, never a reason to call again."""
    if isinstance(message.artifact, ToolOutput):
        return message.artifact
    return ToolOutput(failure=Failure(code="error", message=f"{message.name} could not be called"))


def _same(one: Call, other: Call) -> bool:
    return one.tool == other.tool and dict(one.args) == dict(other.args)


def _calling(calls: Sequence[Call]) -> AIMessage:
    return AIMessage(
        content="",
        tool_calls=[
            {
                "name": call.tool,
                "args": dict(call.args),
                "id": f"call_{uuid4().hex[:12]}",
                "type": "tool_call",
            }
            for call in calls
        ],
    )


def _following(reading: Reading, done: Done) -> Call | None:
    """The call that a result makes possible: the proposal for a case, or for what was recommended."""
    if reading.then is None or not done or done[-1][1].failure is not None:
        return None
    data = done[-1][1].data
    if reading.then == "propose_recommended" and data.get("lines"):
        first = data["lines"][0]
        lines = [
            one
            for one in data["lines"]
            if (one["supplier"], one["warehouse"]) == (first["supplier"], first["warehouse"])
        ]
        return Call(
            "propose_purchase_order",
            {
                "supplier": reading.details.get("supplier") or first["supplier"],
                "warehouse": first["warehouse"],
                "lines": [{"item": one["item"], "quantity": one["quantity"]} for one in lines],
            },
        )
    if reading.then == "propose_for_case" and data.get("proposable"):
        return Call("propose_purchase_order", dict(data["proposable"]))
    return None


def _said(composed: Composed, reading: Reading | None) -> AIMessage:
    answer: dict[str, Any] = {
        "status": composed.status,
        "reason": composed.reason,
        "partial": composed.partial,
        "options": [one.model_dump() for one in composed.options],
        "interpretation": _interpretation(reading),
    }
    return AIMessage(content=composed.text, additional_kwargs={"answer": answer})


def _interpretation(reading: Reading | None) -> str | None:
    if reading is None or not reading.calls:
        return None
    text = reading.text
    for written, fixed in (reading.details.get("corrected") or {}).items():
        text += f" I read “{written}” as “{fixed}”."
    return text if re.match(r"I read this as", text) else None
