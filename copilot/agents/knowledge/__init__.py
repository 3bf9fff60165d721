"""The knowledge base: policies, procedures, terms and resolved cases, found offline and cited."""

from __future__ import annotations

from copilot.agents.knowledge.documents import Passage, built_in_passages
from copilot.agents.knowledge.index import KnowledgeBase, LazyKnowledge, add_resolved_case, build_index

__all__ = [
    "KnowledgeBase",
    "LazyKnowledge",
    "Passage",
    "add_resolved_case",
    "build_index",
    "built_in_passages",
]
