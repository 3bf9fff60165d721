"""The interpreter against tables of wordings: what it calls, asks back or refuses.

`heldout.jsonl` was written before the interpreter and is never used to develop it; only the share it
reads right is checked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from copilot.agents.interpreter.periods import bounds
from copilot.agents.interpreter.reading import Memory, read
from copilot.agents.interpreter.readings import Reading
from tests.copilot.agents.company import TODAY, lexicon

TABLES = Path(__file__).parent / "questions"
DEVELOPED = ("metrics", "actions", "followups", "limits", "wordings", "abilities", "plain")
HELD_OUT_FLOOR = 0.80


def cases(table: str) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for line in (TABLES / f"{table}.jsonl").read_text("utf-8").splitlines()
        if line.strip()
    ]


def ask(case: Mapping[str, Any]) -> Reading:
    memory = Memory()
    for earlier in case.get("after", ()):
        calls = read(earlier, lexicon(), TODAY, memory).calls
        memory = Memory(calls or memory.calls, earlier, "" if calls else earlier)
    return read(case["q"], lexicon(), TODAY, memory)


def _values(values: Any) -> Any:
    if isinstance(values, str):
        return tuple(sorted(values.split("|")))
    if isinstance(values, Mapping):
        return (f"{Decimal(values['times'])} x {values['of']}",)
    return tuple(
        sorted(f"{Decimal(v['times'])} x {v['of']}" if isinstance(v, Mapping) else str(v) for v in values)
    )


def _days(period: Any) -> Any:
    """First and last day until today, so that "2026-Q1" and its dates are the same period."""
    span = bounds(period, TODAY)
    return (span[0], min(span[1], TODAY) if span[0] <= TODAY else span[1]) if span else period


def expected_query(case: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "metrics": case["m"],
        "by": set(case.get("by", ())),
        "where": {(dim, op, _values(values)) for dim, op, values in case.get("where", ())},
        "having": {(metric, op, _values(values)) for metric, op, values in case.get("having", ())},
        "order": [tuple(one) for one in case.get("order", ())],
        "show": set(case.get("show", ("value",))),
        **{name: case.get(name) for name in ("compare", "limit", "per", "as_of")},
        "period": _days(case.get("period")),
    }


def read_query(args: Mapping[str, Any]) -> dict[str, Any]:
    grain = [args["grain"]] if args.get("grain") else []
    return {
        "metrics": list(args["metrics"]),
        "by": {*args.get("by", ()), *grain},
        "where": {(one["dim"], one["op"], _values(one["values"])) for one in args.get("where", ())},
        "having": {(one["metric"], one["op"], _values(one["values"])) for one in args.get("having", ())},
        "order": [(one["by"], one["dir"]) for one in args.get("order", ())],
        "show": set(args.get("show", ("value",))),
        **{name: args.get(name) for name in ("compare", "limit", "per", "as_of")},
        "period": _days(args.get("period")),
    }


def differences(case: Mapping[str, Any]) -> list[str]:
    """What was read otherwise than expected; nothing where it was read right."""
    reading = ask(case)
    if "status" in case:
        found = {"status": reading.status, "reason": reading.reason}
        wanted = {"status": case["status"], "reason": case["reason"]}
        if "word" in case:
            found["word"], wanted["word"] = str(reading.details.get("word")), case["word"]
        return [f"{name}: {found[name]} not {wanted[name]}" for name in wanted if found[name] != wanted[name]]
    if reading.status != "call":
        return [f"{reading.status} {reading.reason}: {reading.text}"]
    call = reading.calls[0]
    tool = case.get("tool", "query_metrics")
    if call.tool != tool:
        return [f"called {call.tool} {dict(call.args)} not {tool}"]
    if tool == "query_metrics":
        got, want = read_query(call.args), expected_query(case)
        return [f"{name}: {got[name]} not {want[name]}" for name in want if got[name] != want[name]]
    if case.get("then") != reading.then:
        if "then" in case:
            return [f"then {reading.then}"]
    if "args" not in case or tool == "search_knowledge":
        return []
    got = dict(call.args)
    if "lines" in got:
        got["lines"] = [
            [line["item"], line["quantity"], *([line["unit"]] if "unit" in line else [])]
            for line in got["lines"]
        ]
    return [] if got == case["args"] else [f"{got} not {case['args']}"]


@pytest.mark.capability("S231")
@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{table}: {case['q']}") for table in DEVELOPED for case in cases(table)]
)
def test_a_question_is_read_as_the_planner_means_it(case: dict[str, Any]) -> None:
    assert differences(case) == []


@pytest.mark.capability("S231")
def test_wordings_never_used_in_development_are_mostly_read_right() -> None:
    held_out = cases("heldout")
    right = sum(1 for case in held_out if not differences(case))
    assert len(held_out) >= 60
    assert right / len(held_out) >= HELD_OUT_FLOOR


def test_there_are_at_least_two_hundred_wordings() -> None:
    assert sum(len(cases(table)) for table in (*DEVELOPED, "heldout")) >= 200
