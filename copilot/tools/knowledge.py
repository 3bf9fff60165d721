"""The tool over the knowledge base: policies, procedures, terms, resolved cases."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from copilot.agents.answer import Source
from copilot.agents.untrusted import taints
from copilot.tools.tool import Tool, ToolContext, ToolError, ToolInput, ToolOutput


class SearchKnowledge(ToolInput):
    """What to look for, in words."""

    query: str = Field(min_length=2, max_length=400)
    limit: int = Field(default=3, ge=1, le=8)


def search_knowledge(given: SearchKnowledge, context: ToolContext) -> ToolOutput:
    """The best passages, each with its document and heading."""
    if context.knowledge is None:
        raise ToolError("no_knowledge", "the knowledge base is not built", remedy="run `quartermaster init`")
    found = context.knowledge.search(given.query, limit=given.limit)
    if context.run.language_model and any(taints(one.origin) for one in found):
        context.run.tainted = True
    return ToolOutput(
        passages=tuple(
            {"document": one.title, "heading": one.heading, "text": one.text, "id": one.id} for one in found
        ),
        sources=tuple(
            Source(kind="document", id=one.id, label=f"{one.title}: {one.heading}", detail={"text": one.text})
            for one in found
        ),
        notes=() if found else ("no passage fits that",),
    )


TOOLS: tuple[Tool[Any], ...] = (
    Tool(
        "search_knowledge",
        "Search policies, procedures, terms and resolved cases; passages are cited.",
        SearchKnowledge,
        "ask",
        "read",
        8,
        search_knowledge,
    ),
)
