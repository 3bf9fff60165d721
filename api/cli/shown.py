"""The capabilities as texts, and which tests show which, read from the tests' source."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).with_name("capabilities.json")


@dataclass(frozen=True, slots=True)
class Capability:
    """One thing the product must be able to do."""

    number: str
    area: str
    text: str


def known_capabilities() -> list[Capability]:
    """All of them, in order."""
    areas: dict[str, dict[str, str]] = json.loads(DATA.read_text(encoding="utf-8"))
    return [Capability(number, area, text) for area, texts in areas.items() for number, text in texts.items()]


def shown_by(folder: Path) -> dict[str, list[str]]:
    """Test ids by capability, from `@pytest.mark.capability(...)` on functions and classes and in `pytestmark`.

    Only the source is read; nothing is imported or run.
    """
    found: dict[str, list[str]] = {}
    for file in sorted(folder.rglob("test_*.py")):
        module = ast.parse(file.read_text(encoding="utf-8"), str(file))
        where = file.relative_to(folder.parent).as_posix()
        common = [
            number for node in module.body if isinstance(node, ast.Assign) for number in _module_marks(node)
        ]
        for name, numbers in _marked(module.body):
            for number in sorted({*common, *numbers}):
                found.setdefault(number, []).append(f"{where}::{name}")
    return found


def _marked(body: list[ast.stmt]) -> Iterator[tuple[str, list[str]]]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            yield node.name, [number for mark in node.decorator_list for number in _numbers(mark)]
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            own = [number for mark in node.decorator_list for number in _numbers(mark)]
            for name, numbers in _marked(node.body):
                yield f"{node.name}::{name}", [*own, *numbers]


def _module_marks(node: ast.Assign) -> Iterator[str]:
    if any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets):
        marks = node.value.elts if isinstance(node.value, ast.List | ast.Tuple) else [node.value]
        for mark in marks:
            yield from _numbers(mark)


def _numbers(mark: ast.expr) -> Iterator[str]:
    if isinstance(mark, ast.Call) and ast.unparse(mark.func).endswith("mark.capability"):
        for argument in mark.args:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.value


def as_markdown() -> str:
    """The reference page `docs/capabilities.md`, written by `python -m api.cli.shown`."""
    lines = [
        "# Capabilities",
        "",
        "What Quartermaster is to be able to do, by stable numbers. `quartermaster capabilities` adds the tests that show each one;",
        "a test names what it shows with `@pytest.mark.capability`. Written from `api/cli/capabilities.json`.",
    ]
    area = ""
    for one in known_capabilities():
        if one.area != area:
            area = one.area
            lines += ["", f"## {area}", "", "| | |", "|---|---|"]
        lines.append(f"| {one.number} | {one.text} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    (Path(__file__).parents[2] / "docs" / "capabilities.md").write_text(as_markdown(), encoding="utf-8")
