"""The agent: prompts, guards, the built-in interpreter, the knowledge base. Importing this is cheap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from copilot.agents.answer import Answer, AnswerTable, Option, Source

if TYPE_CHECKING:
    from copilot.agents.agent import Agent
    from copilot.tools.tool import KnowledgeSearch
    from erp_core.gate.submission import Gate
    from erp_core.settings import Settings

__all__ = ["Agent", "Answer", "AnswerTable", "Option", "Source", "make_agent", "make_knowledge"]


def make_knowledge(settings: Settings) -> KnowledgeSearch:
    """The knowledge base of a company, opened at its first search."""
    from copilot.agents.knowledge import LazyKnowledge

    return LazyKnowledge(settings.home, settings.chroma_url)


def make_agent(gate: Gate, settings: Settings, knowledge: KnowledgeSearch | None = None) -> Agent:
    """The agent of an opened company, with its knowledge base. Build it once: it takes about a second."""
    from copilot.agents.agent import Agent

    return Agent.from_settings(gate, settings, knowledge=knowledge or make_knowledge(settings))


def __getattr__(name: str) -> object:
    if name == "Agent":
        from copilot.agents.agent import Agent

        return Agent
    raise AttributeError(name)
