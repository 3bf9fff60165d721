"""Charts as Vega-Lite specifications: plain dictionaries that the console, reports and evals share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from copilot.agents.answer import AnswerTable

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_TIME = ("day", "week", "month", "quarter", "year")
_MOST_BARS = 40
_FORMATS = {"percent": ".1%", "money": ",.0f"}


def chart(table: AnswerTable) -> dict[str, Any] | None:
    """A line over time or bars by group for the first figure; None where a chart would say nothing."""
    columns = list(table.columns)
    measures = [c for c in columns if c.get("kind") == "metric"]
    dims = [
        c
        for c in columns
        if c.get("kind") == "dimension" and not (c["name"].endswith("_name") and _base(c, columns))
    ]
    if not measures or not dims or len(dims) > 2 or len(table.rows) < 2:
        return None
    time = next((c for c in dims if c["name"] in _TIME), None)
    if time is None and len(table.rows) > _MOST_BARS * (3 if len(dims) == 2 else 1):
        return None
    measure = measures[0]
    rows = [
        {str(c["name"]): _plain(cell) for c, cell in zip(columns, row, strict=True)}
        for row in table.rows[:2_000]
    ]
    group = next((c for c in dims if c is not time), None)
    value = {
        "field": measure["name"],
        "type": "quantitative",
        "title": _title(measure),
        "axis": {"format": _FORMATS.get(str(measure.get("unit")), ",.4~g")},
    }
    encoding: dict[str, Any]
    if time is not None:
        encoding = {"x": {"field": time["name"], "type": "ordinal", "title": time["label"]}, "y": value}
        if group is not None:
            encoding["color"] = {"field": group["name"], "type": "nominal", "title": group["label"]}
        mark: dict[str, Any] = {"type": "line", "point": True}
    else:
        first = dims[0]
        encoding = {
            "y": {"field": first["name"], "type": "nominal", "title": first["label"], "sort": None},
            "x": value,
        }
        if len(dims) == 2:
            encoding["color"] = {"field": dims[1]["name"], "type": "nominal", "title": dims[1]["label"]}
        mark = {"type": "bar"}
    encoding["tooltip"] = [{"field": c["name"], "title": c["label"]} for c in columns]
    return {
        "$schema": SCHEMA,
        "title": table.title,
        "width": "container",
        "data": {"values": rows},
        "mark": mark,
        "encoding": encoding,
    }


def _base(column: Mapping[str, Any], columns: list[dict[str, Any]]) -> bool:
    return any(one["name"] == column["name"].removesuffix("_name") for one in columns)


def _title(column: Mapping[str, Any]) -> str:
    unit = column.get("currency") or column.get("unit")
    return (
        f"{column['label']} ({unit})" if unit and unit not in ("count", "percent") else str(column["label"])
    )


def _plain(cell: Any) -> Any:
    return cell if cell is None or isinstance(cell, str | int) else float(cell)
