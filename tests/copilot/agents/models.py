"""Chat models for tests: one that says what it is told, whatever the messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import ConfigDict, Field

Script = list[AIMessage | Callable[[Sequence[BaseMessage]], AIMessage]]


class ScriptedModel(BaseChatModel):
    """Plays its script message by message and keeps what it was sent."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    script: list[Any]
    seen: list[list[BaseMessage]] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        return self

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        self.seen.append(list(messages))
        step = self.script[min(len(self.seen), len(self.script)) - 1]
        message = step(messages) if callable(step) else step
        return ChatResult(generations=[ChatGeneration(message=message)])


def calling(tool: str, **args: Any) -> AIMessage:
    """A message that calls one tool."""
    return AIMessage(
        content="",
        tool_calls=[{"name": tool, "args": args, "id": f"call_{uuid4().hex[:8]}", "type": "tool_call"}],
    )


def saying(text: str) -> AIMessage:
    """A final message."""
    return AIMessage(content=text)


def last_tool_message(messages: Sequence[BaseMessage]) -> str:
    """The content of the last tool message."""
    return next(str(one.content) for one in reversed(messages) if isinstance(one, ToolMessage))
