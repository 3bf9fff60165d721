"""The knowledge base: policies, procedures, terms and resolved cases, found offline and cited."""

from __future__ import annotations

from copilot.agents.knowledge.documents import Passage, built_in_passages
from copilot.agents.knowledge.index import KnowledgeBase, build_index, open_knowledge

__all__ = ["KnowledgeBase", "Passage", "build_index", "built_in_passages", "open_knowledge"]
