"""Middleware around the model and the tools: fall-back, time, and which model may answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, SystemMessage

from copilot.agents.prompt import system_prompt
from copilot.tools.tool import ToolContext


class ModelGuard(AgentMiddleware[Any, ToolContext]):
    """Prompts the model with today's date, ends at the deadline, and lets the interpreter take over when a remote fails.

    `may_call` raises where a rule keeps the company's data from the remote model: then it is never called.
    """

    def __init__(self, fallback: BaseChatModel, *, may_call: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._fallback, self._may_call = fallback, may_call

    def wrap_model_call(
        self,
        request: ModelRequest[ToolContext],
        handler: Callable[[ModelRequest[ToolContext]], ModelResponse[Any]],
    ) -> ModelResponse[Any] | AIMessage:
        """Call the model under the guard."""
        context = request.runtime.context
        run = context.run
        if time.monotonic() > run.deadline:
            return AIMessage(
                content="The time for this question is used up.",
                additional_kwargs={"answer": {"status": "error", "reason": "limit"}},
            )
        if request.model is self._fallback or run.fell_back:
            return handler(request.override(model=self._fallback))
        try:
            self._may_call()
            run.language_model = True
            return handler(request.override(system_message=SystemMessage(system_prompt(context.today))))
        except Exception as error:  # any failure of a remote model has the same remedy
            run.fell_back = type(error).__name__
            return handler(request.override(model=self._fallback))


def tool_failed(error: Exception, request: Any) -> str:
    """What a model reads when a tool could not even be called."""
    return f"{request.tool_call['name']} could not be called ({type(error).__name__}); check its arguments"
