"""Reading the code: only the gate opens transactions that may change business tables."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("erp_core", "copilot", "evals", "api")
OWN_FILE = {"copilot/agents/memory.py"}  # conversations: a database file of their own, no business state
OWNERS_WORK = {"erp_core/inventory/months.py"}  # the tables' owner moves rows between partitions
MAY_OPEN = {"erp_core/gate/submission.py", "erp_core/gate/relay.py"}


def uses(tree: ast.AST, name: str) -> bool:
    return any(
        (isinstance(node, ast.Name) and node.id == name)
        or (isinstance(node, ast.Attribute) and node.attr == name)
        or (isinstance(node, ast.alias) and node.name == name)
        for node in ast.walk(tree)
    )


@pytest.mark.capability("S209")
def test_only_the_gate_opens_a_transaction_that_may_write_business_tables() -> None:
    openers = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if uses(ast.parse(path.read_text()), "gate_writing"):
                openers.add(path.relative_to(ROOT).as_posix())
    assert openers == MAY_OPEN


def test_no_code_goes_around_the_guard_with_text_statements() -> None:
    offenders = []
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            name = path.relative_to(ROOT).as_posix()
            if "migrations" in path.parts or path.name == "guard.py" or name in OWN_FILE | OWNERS_WORK:
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call):
                    for argument in node.args[:1]:
                        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                            word = argument.value.strip().split(" ")[0].upper()
                            if (
                                word in ("INSERT", "UPDATE", "DELETE", "DROP", "ALTER")
                                and " " in argument.value.strip()
                            ):
                                offenders.append(f"{name}: {argument.value[:60]}")
    assert offenders == []
