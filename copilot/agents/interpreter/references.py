"""What "there", "their", "it" and "the second one" stand for: the question with the names put in their place.

Only what the last answer was about is meant, and only where that is one thing. Everything else stays as said.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from copilot.agents.interpreter.lexicon import TIME_DIMENSIONS
from copilot.agents.interpreter.numbers import ORDINALS
from copilot.agents.interpreter.readings import Call

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """What the last answer showed first: a table's title and its rows by column."""

    title: str = ""
    rows: tuple[Row, ...] = ()


_DIMS = ("item", "supplier", "warehouse", "channel", "category", "brand", "customer_country")
_NOUNS = {
    "item": r"(?:items?|products?|articles?|skus?)",
    "supplier": r"(?:suppliers?|vendors?)",
    "warehouse": r"(?:warehouses?|sites?|locations?|places?|depots?)",
    "channel": r"channels?",
    "category": r"categor(?:y|ies)",
    "brand": r"brands?",
    "customer_country": r"(?:countr(?:y|ies)|markets?)",
}
_THERE = re.compile(
    r"(?<!\bis )(?<!\bare )(?<!\bwas )(?<!\bwere )(?:\b(?:in|at|from|over) )?\bthere\b(?! (?:is|are|was|were|any|be|a|an|some|will|has|have)\b)",
    re.I,
)
_THEY = re.compile(r"\b(?:(?:of|from|with|for|by|to|about) )?(?P<said>their|theirs|them|they)\b", re.I)
_IT = re.compile(
    r"\b(?P<lead>of|for|about|does|did|will|is|was|has|can|should|do we have|what's) it\b(?! take)|\b(?P<own>its)\b",
    re.I,
)
_PLACED = re.compile(r"\b(?:in|at|from|by|per|each|every) (?!\d|q\d|may\b)\w+|\bwhere\b", re.I)
_PLACE = ("warehouse", "channel", "customer_country")
_THING = ("item", "supplier", "category", "brand")
_OWNER = ("supplier", "item", "brand", "category")
_CASE = re.compile(r"\((?P<item>[A-Z0-9-]+)\) at (?P<place>[A-Z0-9-]+)\b")
_QUANTITY = re.compile(
    r"^\W*(?:and |so |but )*how (?:many|much)\b(?!.*\b(?:by|per|which|items?|products?|articles?)\b)", re.I
)
_ROW = re.compile(
    rf"\b(?:the )?(?:(?P<nth>{'|'.join(ORDINALS)}|last|top|bottom)|(?:number|no\.?|#) ?(?P<n>\d{{1,2}}))"
    r"(?: (?:one|row|entry|of (?:them|these|those)|item|supplier|category|brand|channel|warehouse|country|order|po))\b|\b(?:the )?(?:number|no\.?|#) ?(?P<m>\d{1,2})\b",
    re.I,
)


def resolved(text: str, last: Call | None, shown: Shown) -> str:
    """The question with what it points at named by code."""
    if last is None:
        return text
    text = _row_named(text, last, shown.rows)
    subjects = about(last)
    if last.tool == "explain_exception" and (case := _CASE.search(shown.title)):
        subjects = {**subjects, "item": case["item"], "warehouse": case["place"]}
    if not subjects:
        return text
    for dim, noun in _NOUNS.items():
        if dim in subjects:
            text = re.sub(rf"\b(?:that|this|the same) {noun}\b", subjects[dim], text, flags=re.I)
    place = next((subjects[dim] for dim in _PLACE if dim in subjects), None)
    if place and _THERE.search(text):
        text = _THERE.sub(f"in {place}", text, count=1)
        if "item" in subjects and _QUANTITY.search(text):
            text = f"{text.rstrip(' ?.!')} of {subjects['item']}"
    owner = next((subjects[dim] for dim in _OWNER if dim in subjects), None)
    if owner and (match := _THEY.search(text)):
        start, end = match.span("said")
        text = f"{text[:start]}{owner}{text[end:]}"
    thing = next((subjects[dim] for dim in _THING if dim in subjects), None)
    if thing and (match := _IT.search(text)):
        lead = f"{match['lead']} " if match["lead"] else ""
        thing = f"the forecast for {thing}" if last.tool == "forecast_demand" else thing
        text = f"{text[: match.start()]}{lead}{thing}{text[match.end() :]}"
        if place and place not in text and not _PLACED.search(text):
            text = f"{text.rstrip(' ?.!')} in {place}"
    return text


def about(call: Call) -> dict[str, str]:
    """The one member of each dimension that a call was about."""
    if call.tool == "query_metrics":
        return {
            one["dim"]: str(one["values"][0])
            for one in call.args.get("where", ())
            if one["op"] in ("eq", "in") and len(one["values"]) == 1 and one["dim"] in _DIMS
        }
    if call.tool == "propose_purchase_order":
        lines = call.args.get("lines", ())
        return {"item": str(lines[0]["item"])} if len(lines) == 1 else {}
    return {dim: str(call.args[dim]) for dim in _DIMS if isinstance(call.args.get(dim), str)}


def _row_named(text: str, last: Call, rows: Sequence[Row]) -> str:
    match = _ROW.search(text)
    if match is None or not rows:
        return text
    said = (match["nth"] or match["n"] or match["m"]).casefold()
    place = {"top": 1, "last": len(rows), "bottom": len(rows)}.get(said) or ORDINALS.get(said)
    row = (place or (int(said) if said.isdigit() else 0)) - 1
    if not 0 <= row < len(rows):
        return text
    if last.tool == "query_metrics":
        dims = [dim for dim in last.args.get("by", ()) if dim not in TIME_DIMENSIONS]
        title = rows[row].get(f"{dims[0]}_name") if dims and dims[0] in _PLACE else None
        name = (title or rows[row].get(dims[0])) if len(dims) == 1 else None
    else:
        name = rows[row].get("number") if last.tool == "find_records" else None
    return f"{text[: match.start()]}{name}{text[match.end() :]}" if name else text


def shown_in(content: str) -> Shown:
    """The first table in what a model read of a result, which may be cut short."""
    title = re.search(r'"title": "((?:[^"\\\\]|\\\\.)*)"', content)
    columns = re.search(r'"columns": (\[[^\]]*\])', content)
    start = content.find('"rows": [')
    if columns is None or start < 0:
        return Shown()
    names = [str(name).partition(" (")[0] for name in json.loads(columns[1])]
    decoder, at, rows = json.JSONDecoder(), start + len('"rows": ['), []
    while content[at : at + 1] == "[":
        try:
            row, at = decoder.raw_decode(content, at)
        except json.JSONDecodeError:
            break
        rows.append(dict(zip(names, (_plain(cell) for cell in row), strict=False)))
        at += 2 if content[at : at + 2] == ", " else 0
    return Shown(title[1] if title else "", tuple(rows))


def _plain(cell: Any) -> Any:
    return cell.get("value") if isinstance(cell, Mapping) else cell
