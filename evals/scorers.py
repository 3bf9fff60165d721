"""Scorers are code: each looks at one side of an answer and says what is missing, or nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from evals.suite import Expected

Answer = Mapping[str, Any]
RunQuery = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def problems(expected: Expected, answer: Answer, run_query: RunQuery) -> list[str]:
    """Everything in which the answer falls short of what the turn must give; empty means passed."""
    found: list[str] = []
    for scorer in (_status, _tools, _text, _counts, _query):
        found.extend(scorer(expected, answer))
    if expected.values and not found:
        found.extend(_values(answer, run_query))
    return found


def _status(expected: Expected, answer: Answer) -> Iterator[str]:
    if expected.status and answer.get("status") not in expected.status:
        yield f"status is {answer.get('status')}, not {' or '.join(expected.status)}"
    if answer.get("status") == "answered" and not everything_said(answer).strip():
        yield "it claims an answer and says nothing"
    if expected.reason and answer.get("reason") not in expected.reason:
        yield f"reason is {answer.get('reason')}, not {' or '.join(expected.reason)}"


def called(answer: Answer) -> list[str]:
    """The names of the tools an answer says it called."""
    return [str(call.get("tool") or call.get("name")) for call in answer.get("tools", ())]


def _tools(expected: Expected, answer: Answer) -> Iterator[str]:
    names = called(answer)
    for tool in expected.tools:
        if tool not in names:
            yield f"{tool} was not called"
    for tool in expected.never_tools:
        if tool in names:
            yield f"{tool} was called"


def says(text: str, phrase: str) -> bool:
    """Whether a phrase stands in a text as whole words, case aside: "5" is not in "15"."""
    return re.search(rf"(?<![\w.,]){re.escape(phrase.lower())}(?![\w])", text.lower()) is not None


def everything_said(answer: Answer) -> str:
    """All that a person reads: text, interpretation, partial, tables and options."""
    parts = [str(answer.get(name) or "") for name in ("text", "interpretation", "partial")]
    for table in answer.get("tables", ()):
        parts += [str(table.get("title", "")), *(str(cell) for row in table.get("rows", ()) for cell in row)]
    parts += [str(option.get("label", "")) for option in answer.get("options", ())]
    return "\n".join(parts)


def _text(expected: Expected, answer: Answer) -> Iterator[str]:
    said = everything_said(answer)
    for phrase in expected.text:
        if not says(said, phrase):
            yield f"it does not say {phrase!r}"
    for phrase in expected.not_text:
        if says(said, phrase):
            yield f"it says {phrase!r}"


def _counts(expected: Expected, answer: Answer) -> Iterator[str]:
    if expected.rows_at_least is not None:
        rows = max((len(table.get("rows", ())) for table in answer.get("tables", ())), default=0)
        if rows < expected.rows_at_least:
            yield f"it shows {rows} rows, not {expected.rows_at_least} or more"
    if expected.options_at_least is not None and len(answer.get("options", ())) < expected.options_at_least:
        yield f"it offers {len(answer.get('options', ()))} options, not {expected.options_at_least} or more"
    if expected.proposals is not None and len(answer.get("proposals", ())) != expected.proposals:
        yield f"it made {len(answer.get('proposals', ()))} proposals, not {expected.proposals}"


def _query(expected: Expected, answer: Answer) -> Iterator[str]:
    if expected.query is None:
        return
    actual = answer.get("query") or {}
    for name, wanted in expected.query.items():
        if _plain(actual.get(name)) != _plain(wanted):
            yield f"the query's {name} is {_plain(actual.get(name))!r}, not {_plain(wanted)!r}"


def _plain(value: Any) -> Any:
    """A value for comparison: unordered lists of names sorted, empty the same as missing, numbers as text."""
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in sorted(value.items())}
    if isinstance(value, Sequence) and not isinstance(value, str):
        parts = [_plain(part) for part in value]
        return sorted(parts, key=repr) or None
    return None if value is None else str(value)


def _values(answer: Answer, run_query: RunQuery) -> Iterator[str]:
    query = answer.get("query")
    tables = answer.get("tables", ())
    if not query or not tables:
        yield "there is no query and table to check"
        return
    truth = run_query(query)
    wanted = [[_number(cell) for cell in row] for row in truth["rows"]]
    shown = [[_number(cell) for cell in row] for row in tables[0]["rows"]]
    if shown != wanted[: len(shown)] or (len(shown) < len(wanted) and not tables[0].get("cut")):
        yield "the table shown is not what the metrics API gives for the same query"


def _number(cell: Any) -> Any:
    try:
        return Decimal(str(cell)).normalize() if cell is not None else None
    except InvalidOperation:
        return str(cell)
