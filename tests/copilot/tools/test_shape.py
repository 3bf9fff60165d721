"""Every tool has the one shape, and none can approve."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

import copilot.tools
from copilot.tools.registry import TOOLS
from copilot.tools.tool import Tool, ToolContext, ToolInput, ToolOutput
from erp_core.gate.roles import RIGHTS

READ = {
    "query_metrics", "find_records", "get_record", "list_exceptions", "explain_exception", "forecast_demand", "assess_supplier",
    "recommend_replenishment", "search_knowledge", "list_proposals", "describe_vocabulary", "standard_question",
}  # fmt: skip
PROPOSE = {"propose_purchase_order"}
FORBIDDEN_ARGUMENTS = {
    "principal",
    "user",
    "user_id",
    "role",
    "roles",
    "as_user",
    "token",
    "tainted",
    "run_id",
}
KNOWN_RIGHTS = frozenset().union(*RIGHTS.values())


def problems(tool: Tool[Any]) -> list[str]:
    """What a tool lacks of the shape."""
    found = []
    if not issubclass(tool.input, ToolInput) or tool.input.model_config.get("extra") != "forbid":
        found.append("input is not typed, or takes unknown arguments")
    if not issubclass(tool.output, ToolOutput):
        found.append("output is not typed")
    if tool.permission not in KNOWN_RIGHTS:
        found.append("permission is no right of the roles table")
    if tool.effect not in ("read", "propose") or (tool.effect == "propose") != tool.name.startswith(
        "propose_"
    ):
        found.append("effect class does not fit")
    if not 1 <= tool.rows <= 1_000:
        found.append("no row limit")
    if not tool.description or not tool.run.__doc__:
        found.append("not described")
    if FORBIDDEN_ARGUMENTS & set(tool.input.model_fields):
        found.append("takes who acts as an argument")
    if list(inspect.signature(tool.run).parameters) != ["given", "context"]:
        found.append("does not run as (given, context)")
    return found


@pytest.mark.capability("S239")
@pytest.mark.parametrize("tool", TOOLS.values(), ids=list(TOOLS))
def test_a_tool_has_the_shape(tool: Tool[Any]) -> None:
    assert problems(tool) == []


def test_a_tool_without_the_shape_is_found_out() -> None:
    def run(given: ToolInput, principal: ToolContext) -> ToolOutput:
        return ToolOutput()

    assert len(problems(Tool("approve", "", ToolInput, "root", "read", 0, run))) >= 4


@pytest.mark.capability("S238")
def test_there_is_no_tool_that_approves_or_executes() -> None:
    assert set(TOOLS) == READ | PROPOSE
    assert {name for name, tool in TOOLS.items() if tool.effect == "propose"} == PROPOSE
    folder = Path(copilot.tools.__file__).parent
    text = "\n".join(file.read_text("utf-8") for file in folder.glob("*.py"))
    assert "ApproveProposal" not in text and ".submit(" not in text and ".submit_many(" not in text
