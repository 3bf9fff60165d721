"""How far ahead a question looks: "the next 6 weeks", "3 months out"."""

from __future__ import annotations

import re

from copilot.agents.interpreter import numbers
from copilot.agents.interpreter.dates import COUNT

_HORIZON = re.compile(
    rf"\b(?:(?:over|in|for|during|within|through) )?(?:the )?(?:next|coming|following|upcoming|ahead)(?: (?P<n1>{COUNT}))? (?P<u1>day|week|month|quarter|year)s?\b"
    rf"|\b(?P<n2>{COUNT}) (?P<u2>day|week|month|quarter|year)s? (?:ahead|out|forward)\b"
    rf"|\b(?:for|over|in) (?P<n3>{COUNT}) (?P<u3>day|week|month|quarter|year)s?\b"
)


def find_horizon(text: str) -> tuple[int, int, int] | None:
    """Weeks ahead that the question names, and where; a month counts as 4, a quarter as 13 weeks."""
    match = _HORIZON.search(text.casefold())
    if not match:
        return None
    unit = match["u1"] or match["u2"] or match["u3"]
    said = match["n1"] or match["n2"] or match["n3"]
    count = (numbers.small(said) if said else 1) or 1
    weeks = {
        "day": count / 7,
        "week": count,
        "month": {1: 4, 2: 9, 3: 13}.get(count, round(count * 4.345)),
        "quarter": 13 * count,
        "year": 52 * count,
    }[unit]
    return max(1, -(-int(weeks * 7) // 7)), match.start(), match.end()
