"""Slots: what ``{{...}}`` in prose stands for. Cells, facts, and arithmetic over them; nothing else."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, DivisionByZero, InvalidOperation
from typing import Any

from copilot.agents.answer import AnswerTable
from copilot.tools.tool import Fact

NO_VALUE = "no value"


class SlotError(Exception):
    """A slot names no cell, or computes what can't be computed."""


@dataclass(frozen=True)
class Results:
    """All that prose may draw on: the run's tables in order (``t1`` is the first) and its facts."""

    tables: Sequence[AnswerTable] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict)
    passages: Sequence[str] = ()


@dataclass(frozen=True)
class Value:
    value: Any
    unit: str | None = None
    currency: str | None = None


_FUNCTIONS = ("sum", "min", "max", "mean", "count")


def evaluate(expression: str, results: Results) -> Value:
    """The value of a slot. Raises `SlotError` for anything but cells, facts and arithmetic over them."""
    expression, _, form = expression.partition("|")
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise SlotError(f"the slot “{expression[:60]}” is not readable") from error
    found = _evaluate(tree, results, 0)
    return Value(found.value, form.strip(), found.currency) if form.strip() else found


def _evaluate(node: ast.expr, results: Results, depth: int) -> Value:
    if depth > 12:
        raise SlotError("the slot is too deep")
    if isinstance(node, ast.Attribute):
        return _reference(_path(node), results)
    if isinstance(node, ast.BinOp):
        left, right = _evaluate(node.left, results, depth + 1), _evaluate(node.right, results, depth + 1)
        return _computed(node.op, left, right)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _evaluate(node.operand, results, depth + 1)
        return Value(-_number(inner), inner.unit, inner.currency)
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in _FUNCTIONS
        and len(node.args) == 1
        and not node.keywords
    ):
        return _aggregate(node.func.id, node.args[0], results)
    raise SlotError("the slot holds more than cells and arithmetic")


def _path(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        return [*_path(node.value), node.attr]
    raise SlotError("the slot names no cell")


def _table(name: str, results: Results) -> AnswerTable:
    match = re.fullmatch(r"t(\d{1,3})", name)
    if not match or not 1 <= int(match[1]) <= len(results.tables):
        raise SlotError(f"there is no table {name}")
    return results.tables[int(match[1]) - 1]


def _column(table: AnswerTable, name: str) -> int:
    for index, column in enumerate(table.columns):
        if column["name"] == name:
            return index
    raise SlotError(f"the table has no column {name}")


def _reference(path: list[str], results: Results) -> Value:
    if path[0] == "f" and len(path) == 2:
        if path[1] not in results.facts:
            raise SlotError(f"there is no fact {path[1]}")
        fact = results.facts[path[1]]
        return Value(fact.value, fact.unit)
    table = _table(path[0], results)
    if path[1:] == ["total_rows"]:
        return Value(table.total_rows, "count")
    if path[1:] == ["rows"]:
        return Value(len(table.rows), "count")
    if (
        len(path) != 3
        or not (match := re.fullmatch(r"r(\d{1,5})", path[1]))
        or int(match[1]) >= len(table.rows)
    ):
        raise SlotError(f"there is no cell {'.'.join(path)}")
    index = _column(table, path[2])
    column = table.columns[index]
    return Value(table.rows[int(match[1])][index], column.get("unit"), column.get("currency"))


def _aggregate(name: str, node: ast.expr, results: Results) -> Value:
    path = _path(node)
    table = _table(path[0], results)
    if name == "count":
        return Value(len(table.rows), "count")
    if len(path) != 2:
        raise SlotError(f"{name} takes a column")
    index = _column(table, path[1])
    column = table.columns[index]
    cells = [number for row in table.rows if (number := decimal_of(row[index])) is not None]
    if table.cut and name in ("sum", "mean"):
        raise SlotError(f"{name} over a table that was cut")
    if not cells:
        return Value(None, column.get("unit"), column.get("currency"))
    if name == "sum" and column.get("unit") == "percent":
        raise SlotError("percentages do not add up")
    value = {
        "sum": sum(cells, Decimal(0)),
        "min": min(cells),
        "max": max(cells),
        "mean": sum(cells, Decimal(0)) / len(cells),
    }[name]
    return Value(value, column.get("unit"), column.get("currency"))


def _number(value: Value) -> Decimal:
    number = decimal_of(value.value)
    if number is None:
        raise SlotError("a value is missing")
    return number


def _computed(op: ast.operator, left: Value, right: Value) -> Value:
    a, b = _number(left), _number(right)
    if isinstance(op, ast.Add | ast.Sub):
        if left.unit != right.unit:
            raise SlotError("different units don't add up")
        return Value(a + b if isinstance(op, ast.Add) else a - b, left.unit, left.currency)
    try:
        if isinstance(op, ast.Mult):
            return Value(
                a * b,
                left.unit if right.unit in (None, "percent", "ratio") else right.unit,
                left.currency or right.currency,
            )
        if isinstance(op, ast.Div):
            same = left.unit == right.unit
            return Value(a / b, "percent" if same else left.unit, None if same else left.currency)
    except (DivisionByZero, InvalidOperation) as error:
        raise SlotError("a division by nothing") from error
    raise SlotError("the slot computes with another operator")


def show(found: Value, results: Results | None = None) -> str:
    """A value as text, by its unit. A missing value is said so, never shown as 0."""
    value, unit = found.value, found.unit
    if value is None:
        return NO_VALUE
    number = decimal_of(value)
    if number is None:
        return str(value)
    if unit == "percent":
        return f"{number * 100:,.1f} %"
    if unit == "money":
        text = f"{number:,.0f}" if abs(number) >= 1_000 else f"{number:,.2f}"
        return f"{text} {found.currency}" if found.currency else text
    if unit in ("days", "hours", "seconds"):
        return f"{_short(number)} {unit[:-1] if number == 1 else unit}"
    if unit == "units":
        return f"{_short(number)} {'unit' if number == 1 else 'units'}"
    return _short(number)


def _short(number: Decimal) -> str:
    if number == number.to_integral_value():
        return f"{number:,.0f}"
    return f"{number:,.1f}" if abs(number) >= 1 else f"{number:,.3f}".rstrip("0")


def decimal_of(cell: Any) -> Decimal | None:
    if isinstance(cell, bool) or cell is None:
        return None
    if isinstance(cell, Decimal):
        return cell if cell.is_finite() else None
    if isinstance(cell, int):
        return Decimal(cell)
    if isinstance(cell, float):
        value = Decimal(repr(cell))
        return value if value.is_finite() else None
    return None
