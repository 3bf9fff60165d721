"""Charts: Vega-Lite specifications as SVG, drawn on the server in colours that suit light and dark pages."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

_INK = "#7c8783"
_CONFIG: dict[str, Any] = {
    "background": None,
    "view": {"stroke": None},
    "font": "sans-serif",
    "axis": {
        "labelColor": _INK,
        "titleColor": _INK,
        "titleFontWeight": 500,
        "labelFontSize": 11,
        "titleFontSize": 11,
        "gridColor": _INK,
        "gridOpacity": 0.18,
        "domainColor": _INK,
        "domainOpacity": 0.4,
        "ticks": False,
        "labelPadding": 6,
    },
    "legend": {"labelColor": _INK, "titleColor": _INK},
    "title": {"color": _INK, "anchor": "start", "fontSize": 13, "fontWeight": 600},
    "bar": {"color": "#2f8c7c", "cornerRadiusEnd": 3},
    "line": {"color": "#2f8c7c", "strokeWidth": 2},
    "area": {"color": "#2f8c7c", "opacity": 0.25},
    "range": {
        "category": [
            "#2f8c7c",
            "#c98a2b",
            "#6d7fc4",
            "#b8605a",
            "#7d9a4c",
            "#8a6da3",
            "#4aa3c7",
            "#8c6a4f",
            "#d1779b",
            "#6b7280",
            "#b3a33c",
            "#3f5d8a",
        ]
    },
}
_STYLE = re.compile(r'\sstyle="[^"]*"')


def svg(specification: Mapping[str, Any], label: str) -> str:
    """The chart as inline SVG with a text for those who cannot see it. Raises `ValueError` for no chart."""
    return _drawn(json.dumps(specification, sort_keys=True, default=str), label)


def prepare() -> None:
    """Start the engine that draws: what the first chart would otherwise wait for."""
    axis = {"field": "x", "type": "quantitative"}
    svg({"data": {"values": [{"x": 1}]}, "mark": "bar", "encoding": {"x": axis}}, "nothing")


@lru_cache(maxsize=64)
def _drawn(specification: str, label: str) -> str:
    import vl_convert
    from markupsafe import escape

    spec = json.loads(specification)
    config = spec.pop("config", {})
    drawn: str = vl_convert.vegalite_to_svg(spec | {"config": {**config, **_CONFIG}})
    drawn = _STYLE.sub("", drawn)
    return drawn.replace("<svg ", f'<svg role="img" aria-label="{escape(label)}" ', 1)
