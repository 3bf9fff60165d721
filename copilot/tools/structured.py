"""Our tools as LangChain tools. Who acts comes with the run's context, never as an argument."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from langchain.tools import ToolRuntime
from langchain_core.tools import BaseTool, StructuredTool

from copilot.tools.runner import call, for_model
from copilot.tools.tool import Tool, ToolContext, ToolOutput


def structured(tools: Iterable[Tool[Any]]) -> list[BaseTool]:
    """LangChain tools whose content is what a model may read and whose artifact is the whole output."""
    return [_structured(tool) for tool in tools]


def _structured(tool: Tool[Any]) -> BaseTool:
    schema = tool.input.model_json_schema()

    def invoke(runtime: ToolRuntime[ToolContext], **given: Any) -> tuple[str, ToolOutput]:
        output = call(tool, given, runtime.context)
        return for_model(output), output

    return StructuredTool.from_function(
        func=invoke,
        name=tool.name,
        description=tool.description,
        args_schema=schema,
        infer_schema=False,
        response_format="content_and_artifact",
    )
