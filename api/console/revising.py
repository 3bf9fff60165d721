"""A plan with other quantities: which of its numbers a person may restate, and the plan that comes of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from api.plans import PlannedCommand, PlannedField
from api.problems import invalid

MOST_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number of a plan that can be restated. `name` is its field in the form, `text` what stands there."""

    name: str
    command: int
    line: int | None
    label: str
    before: int
    text: str


def quantities_of(
    payload: Sequence[Mapping[str, Any]],
    plan: Sequence[PlannedCommand],
    typed: Mapping[str, str] | None = None,
) -> list[Quantity]:
    """The quantities of the plan's own commands and lines, named by what they are of; `typed` is shown instead.

    What stands in a document that the plan only names is not among them.
    """
    found: list[tuple[int, int | None, str, int]] = []
    for place, (one, told) in enumerate(zip(payload, plan, strict=True)):
        own = one["payload"]
        if isinstance(own.get("quantity"), int):
            found.append((place, None, _what(told.fields), own["quantity"]))
        for number, line in enumerate(own.get("lines") or ()):
            if isinstance(line, Mapping) and isinstance(line.get("quantity"), int):
                label = _what(told.lines[number]) if number < len(told.lines) else ""
                found.append((place, number, label or f"line {number + 1}", line["quantity"]))
    return [
        Quantity(name, place, line, label or "units", before, (typed or {}).get(name, str(before)))
        for place, line, label, before in found
        for name in [f"quantity.{place}" + ("" if line is None else f".{line}")]
    ]


def _what(fields: Sequence[PlannedField]) -> str:
    return next((str(one.label) for one in fields if one.name == "item" and one.label), "")


def changed_payload(
    payload: Sequence[Mapping[str, Any]], quantities: Sequence[Quantity]
) -> list[dict[str, Any]]:
    """The payload with the quantities as typed. A line of none is left out. Raises 422 naming what is no number."""
    errors = [
        {"field": f"Quantity of {one.label}", "reason": reason, "remedy": "give a whole number"}
        for one in quantities
        if (reason := _wrong(one)) is not None
    ]
    if errors:
        raise invalid(errors)
    changed: list[dict[str, Any]] = deepcopy([dict(one) for one in payload])
    for one in quantities:
        own = changed[one.command]["payload"]
        (own if one.line is None else own["lines"][one.line])["quantity"] = int(one.text)
    for step in {one.command for one in quantities if one.line is not None}:
        lines = [line for line in changed[step]["payload"]["lines"] if line["quantity"]]
        if not lines:
            raise invalid(
                [
                    {
                        "field": "quantity",
                        "reason": "nothing is left of the plan",
                        "remedy": "keep a line, or withdraw the proposal",
                    }
                ]
            )
        changed[step]["payload"]["lines"] = lines
    return changed


def _wrong(one: Quantity) -> str | None:
    text = one.text.strip()
    if not re.fullmatch(rf"-?[0-9]{{1,{MOST_DIGITS}}}", text):
        return f"{text[:20]!r} is no whole number" if text else "is missing"
    if one.line is not None and int(text) < 0:
        return "is below nothing"
    return None


def restated(
    payload: Sequence[Mapping[str, Any]], reason: str, before: frozenset[str] | None
) -> list[dict[str, Any]]:
    """The payload with this reason where a command repeats one of the texts `before`; None: wherever it has one.

    Commands take 500 characters of it; the whole stands with the proposal.
    """
    return [
        {**one, "payload": {**one["payload"], "reason": reason[:500]}}
        if isinstance(said := one["payload"].get("reason"), str) and (before is None or said in before)
        else dict(one)
        for one in payload
    ]


def changed_title(title: str, quantities: Sequence[Quantity]) -> str:
    """The title with the new quantity, where it names the old one and nothing else changed; else none."""
    moved = [one for one in quantities if int(one.text) != one.before]
    if not moved:
        return title
    if len(moved) > 1:
        return ""
    pattern = rf"(?<![\w-]){abs(moved[0].before)}(?![\w-])"
    if len(re.findall(pattern, title)) != 1 or int(moved[0].text) * moved[0].before <= 0:
        return ""
    return re.sub(pattern, str(abs(int(moved[0].text))), title)
