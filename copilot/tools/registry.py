"""All tools, by name. A test holds every one of them to the one shape; none approves anything."""

from __future__ import annotations

from typing import Any

from copilot.tools import cases, figures, knowledge, planning, proposing, questions, records
from copilot.tools.tool import Tool

TOOLS: dict[str, Tool[Any]] = {
    tool.name: tool
    for module in (figures, questions, records, cases, planning, knowledge, proposing)
    for tool in module.TOOLS
}
