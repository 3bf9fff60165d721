"""Says in plain words how a question was read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from copilot.agents.interpreter import periods
from copilot.agents.interpreter.lexicon import Lexicon

_OPS = {
    "eq": "",
    "in": "",
    "ne": "without ",
    "not_in": "without ",
    "contains": "containing ",
    "gt": "above ",
    "ge": "at least ",
    "lt": "below ",
    "le": "at most ",
    "between": "between ",
}
_OF = {"mean": "the average", "median": "the median", "max": "the highest", "total": "the total"}


def listing(words: Iterable[str]) -> str:
    """Words joined with commas and "and"."""
    words = list(words)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


_NAMED = 4


def _some(names: Iterable[str]) -> list[str]:
    """The names, or the first few and how many more there are."""
    names = list(names)
    return names if len(names) <= _NAMED + 1 else [*names[:_NAMED], f"{len(names) - _NAMED} more"]


def period_text(period: Any, today: date) -> str:
    """A period in words, with its dates."""
    if period is None:
        return ""
    if isinstance(period, dict):
        return (
            f"{period['from']} to {period['to']}"
            if period["from"] != period["to"]
            else f"on {period['from']}"
        )
    if period == "all":
        return "over the whole history"
    span = periods.bounds(period, today)
    name = str(period).replace("_", " ")
    return f"{name} ({span[0].isoformat()} to {span[1].isoformat()})" if span else name


def query_text(query: Mapping[str, Any], lexicon: Lexicon, today: date) -> str:
    """How a metric query reads in words, from "I read this as" to the full stop."""

    def metric(name: str) -> str:
        return lexicon.metrics[name].label if name in lexicon.metrics else name

    def dimension(name: str) -> str:
        return lexicon.dimensions[name].label.lower() if name in lexicon.dimensions else name

    parts = [listing(metric(name) for name in query["metrics"])]
    if query.get("by"):
        parts.append("by " + listing(dimension(name) for name in query["by"]))
    for one in query.get("where", ()):
        values = listing(_some(lexicon.title(one["dim"], value) for value in one["values"]))
        op = _OPS.get(one["op"], "")
        parts.append(
            f"{op}{values}" if op.startswith("without") else f"for {dimension(one['dim'])} {op}{values}"
        )
    for one in query.get("having", ()):
        bounds = " and ".join(
            f"{value['times']} times {_OF[value['of']]}" if isinstance(value, dict) else str(value)
            for value in one["values"]
        )
        parts.append(f"where {metric(one['metric'])} is {_OPS[one['op']]}{bounds}")
    if query.get("as_of"):
        parts.append(f"as of {query['as_of']}")
    elif query.get("period"):
        parts.append(period_text(query["period"], today))
    if query.get("compare"):
        parts.append(
            "compared with "
            + ("the year before" if query["compare"] == "previous_year" else "the period before")
        )
    for show in query.get("show", ()):
        if show != "value":
            parts.append(
                {"share": "with shares of the total", "rank": "ranked", "running": "with running totals"}.get(
                    show, "with its parts"
                )
            )
    if query.get("order") and query["order"][0]["by"] in lexicon.metrics:
        direction = "highest" if query["order"][0]["dir"] == "desc" else "lowest"
        parts.append(f"{direction} {metric(query['order'][0]['by'])} first")
    if query.get("order") and query["order"][0]["by"].endswith("_change"):
        fallen = "fallen" if query["order"][0]["dir"] == "asc" else "risen"
        parts.append(f"what has {fallen} most first")
    if query.get("limit"):
        within = f" within each {dimension(query['per'])}" if query.get("per") else ""
        parts.append(f"the first {query['limit']}{within}")
    return f"I read this as: {', '.join(parts)}."
