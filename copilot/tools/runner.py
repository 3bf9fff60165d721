"""Runs a tool: permission, typed input, row limit, audit entry. Nothing leaves it as an exception."""

from __future__ import annotations

import json
import math
import re
import time
import traceback
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from copilot.agents.answer import AnswerTable
from copilot.agents.untrusted import model_cell
from copilot.tools.tool import MODEL_ROWS, Failure, Tool, ToolContext, ToolError, ToolOutput
from erp_core.gate.contract import DomainError
from erp_core.master.queries.quality import QualityKind, quality_notes

_RECORDED_CHARACTERS = 2_000
_DEPTH = 20
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_TOLD = frozenset({"read", "through"})
"""What the record of a call says by itself; an argument of that name is not recorded."""


def call(tool: Tool[Any], given: Mapping[str, Any], context: ToolContext) -> ToolOutput:
    """The tool's output, with the names of its tables. A refusal, a bad argument or an error is in `failure`."""
    started = time.monotonic()
    output = _checked(tool, given, context)
    milliseconds = round((time.monotonic() - started) * 1000)
    outcome = (
        "done" if output.failure is None else "refused" if output.failure.code == "no_right" else "failed"
    )
    if output.proposals:
        outcome = "proposed"
    recorded = _recorded(given) | _read(tool, output) | {"through": context.through}
    context.gate.record_tool_call(context.principal, tool.name, recorded, outcome)
    names = context.run.add(tool.name, given, output, milliseconds)
    return output.model_copy(update={"names": tuple(names)})


def _checked(tool: Tool[Any], given: Mapping[str, Any], context: ToolContext) -> ToolOutput:
    if not context.principal.is_agent:
        return _failed("not_an_agent", "tools run for an agent's principal only")
    if not context.principal.has_right(tool.permission):
        return _failed(
            "no_right",
            f"your role may not use {tool.name}",
            remedy=f"it needs the right {tool.permission}; ask an administrator",
        )
    if time.monotonic() > context.run.deadline:
        return _failed("limit", "the time for this question is used up", remedy="ask for less at once")
    if (failure := _unreadable(given)) is not None:
        return ToolOutput(failure=failure)
    try:
        arguments = tool.input.model_validate(dict(given))
    except ValidationError as error:
        return _invalid(error, tool)
    try:
        return _with_quality(_limited(tool.run(arguments, context), tool.rows), context)
    except ToolError as error:
        return ToolOutput(failure=error.failure)
    except DomainError as error:
        nearest = error.details.get("nearest") or error.details.get("known") or ()
        return ToolOutput(
            failure=Failure(
                code=error.code,
                message=error.message,
                field=error.field,
                remedy=error.remedy,
                nearest=tuple(str(one) for one in nearest),
            )
        )
    except Exception as error:  # the loop must go on; the kind of error is enough to find it in the log
        import structlog

        at = traceback.extract_tb(error.__traceback__)[-1]
        structlog.get_logger("copilot.tools").error(
            "tool_failed", tool=tool.name, error=type(error).__name__, at=f"{at.name}:{at.lineno}"
        )
        return _failed(
            "error", f"{tool.name} failed ({type(error).__name__})", remedy="try a simpler question"
        )


def _failed(code: str, message: str, remedy: str = "") -> ToolOutput:
    return ToolOutput(failure=Failure(code=code, message=message, remedy=remedy))


def _unreadable(value: Any, at: str = "", depth: int = 0) -> Failure | None:
    """Why no tool could use an argument, whatever it means: no number, no text, or nested without end."""
    if depth > _DEPTH:
        return _bad(at.partition(".")[0], "is nested too deeply", "give plain values")
    if isinstance(value, float) and not math.isfinite(value):
        return _bad(at, f"{value} is no number", "give a finite number")
    if isinstance(value, str) and _NO_TEXT.search(value):
        return _bad(
            at, "has a character that is no text", "leave out NUL and characters that are half of a pair"
        )
    if isinstance(value, Mapping):
        parts = [(str(name), part) for name, part in value.items()]
        if any(_NO_TEXT.search(name) for name, _ in parts):
            return _bad(at or "input", "has a field whose name is no text", "use the fields of the tool")
    elif isinstance(value, list | tuple):
        parts = [(str(place), part) for place, part in enumerate(value)]
    else:
        return None
    found = (_unreadable(part, f"{at}.{name}" if at else name, depth + 1) for name, part in parts)
    return next((one for one in found if one is not None), None)


def _bad(field: str, reason: str, remedy: str) -> Failure:
    return Failure(code="invalid", message=f"{field}: {reason}", field=field, remedy=remedy)


def _invalid(error: ValidationError, tool: Tool[Any]) -> ToolOutput:
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    first = problems[0]
    fields = ", ".join(tool.input.model_fields)
    return ToolOutput(
        failure=Failure(
            code="invalid",
            message="; ".join(
                f"{'.'.join(str(p) for p in one['loc']) or 'input'}: {one['msg']}" for one in problems[:4]
            ),
            field=".".join(str(part) for part in first["loc"]) or None,
            remedy=f"{tool.name} takes: {fields}",
        )
    )


def _limited(output: ToolOutput, rows: int) -> ToolOutput:
    if all(len(one.rows) <= rows for one in output.tables):
        return output
    tables = tuple(
        one if len(one.rows) <= rows else one.model_copy(update={"rows": one.rows[:rows], "cut": True})
        for one in output.tables
    )
    return output.model_copy(update={"tables": tables})


def _with_quality(output: ToolOutput, context: ToolContext) -> ToolOutput:
    """The output with a note on the items and suppliers in its tables whose data are poor."""
    wanted: dict[QualityKind, set[str]] = {"item": set(), "supplier": set()}
    for one in output.tables:
        for position, column in enumerate(one.columns):
            for kind, codes in wanted.items():
                if column["name"] == kind:
                    codes.update(str(row[position]) for row in one.rows if row[position] is not None)
    if not any(wanted.values()):
        return output
    with context.reading() as connection:
        found = quality_notes(connection, wanted)
    new = tuple(note for note in found if note not in output.notes)
    return output.model_copy(update={"notes": output.notes + new}) if new else output


def _recorded(given: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as the audit log keeps them: personal data masked, floats as text, cut."""
    from copilot.agents.masking import mask

    own = {name: value for name, value in given.items() if name not in _TOLD}
    try:
        text = json.dumps(own, default=str, ensure_ascii=False, sort_keys=True)
    except RecursionError:
        return {"input": "nested too deeply", "cut": True}
    text = mask(text.replace("\\u0000", "").encode(errors="replace").decode())
    if len(text) > _RECORDED_CHARACTERS:
        return {"input": text[:_RECORDED_CHARACTERS], "cut": True}
    try:
        value = json.loads(text, parse_float=str, parse_constant=str)
    except ValueError:
        return {"input": text}
    return value if isinstance(value, dict) else {"input": value}


def _read(tool: Tool[Any], output: ToolOutput) -> dict[str, Any]:
    """What the call gave out, as the audit log keeps it: by which right, which fields, how many rows; no values."""
    if output.failure is not None:
        return {}
    read = {
        "right": tool.permission,
        "tables": [
            {"fields": [column["name"] for column in one.columns], "rows": len(one.rows)}
            for one in output.tables
        ],
        "facts": sorted(output.facts),
        "texts": len(output.texts),
    }
    return {"read": {name: value for name, value in read.items() if value}}


def for_model(output: ToolOutput, *, texts: str = "shown to the user beside your answer") -> str:
    """The output as a model may read it: cells with their slot names, facts, notes; no untrusted text.

    `texts` says where people find the untrusted text.
    """
    body: dict[str, Any] = {}
    if output.failure:
        body["error"] = output.failure.model_dump(exclude_none=True)
    if output.tables:
        body["tables"] = [
            _model_table(one, name) for one, name in zip(output.tables, output.names, strict=True)
        ]
    if output.facts:
        body["facts"] = {
            name: {"value": model_cell(fact.value), "unit": fact.unit} for name, fact in output.facts.items()
        }
    if output.notes:
        body["notes"] = list(output.notes)
    if output.proposals:
        body["proposals"] = [dict(one) for one in output.proposals]
    if output.passages:
        body["passages"] = [dict(one) for one in output.passages]
    if output.texts:
        body["untrusted_text"] = {
            "handles": sorted(output.texts),
            "note": f"{texts}; you do not see it",
        }
    if output.sources:
        body["sources"] = [f"{one.kind} {one.id}: {one.label}" for one in output.sources[:8]]
    return json.dumps(body, default=_plain, ensure_ascii=False)


def _model_table(one: AnswerTable, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "title": one.title,
        "columns": [
            f"{column['name']} ({column['unit']})" if column.get("unit") else column["name"]
            for column in one.columns
        ],
        "rows": [[model_cell(cell) for cell in row] for row in one.rows[:MODEL_ROWS]],
        "total_rows": one.total_rows,
        "rows_shown_here": min(len(one.rows), MODEL_ROWS),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal) and value.is_finite():
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)
