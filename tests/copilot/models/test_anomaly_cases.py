"""Cases of found anomalies: when they are due, and what they say without stock or cost."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from copilot.models.anomaly_drafts import anomaly_drafts
from copilot.models.evidence import Directory, Sources
from copilot.models.pricing import Terms

AS_OF = date(2026, 6, 30)


def found(last: str) -> Any:
    """One spike of one item, last seen that day."""
    return SimpleNamespace(
        series=np.array([0]),
        local=np.array([False]),
        upward=np.array([True]),
        score=np.array([5.0]),
        probability=np.array([0.9]),
        first=np.array(["2026-06-01"], dtype="datetime64[D]"),
        last=np.array([last], dtype="datetime64[D]"),
        expected=np.array([10.0]),
        actual=np.array([50.0]),
        largest_day=np.array([30.0]),
        nature=np.array([0]),
    )


@pytest.mark.parametrize(("last", "due"), [("2026-06-29", "2026-07-02"), ("2026-06-04", "2026-06-30")])
def test_a_spike_is_due_some_days_after_it_was_seen_and_never_before_the_day_of_the_scan(
    last: str, due: str
) -> None:
    terms = Terms(review_days=3)
    sources = Sources(Directory({}, {}, {}), "forecast", "delay", "anomaly")

    (case,) = anomaly_drafts(found(last), [(UUID(int=1), UUID(int=2))], None, terms, sources, AS_OF)

    assert case.deadline.date().isoformat() == due
    assert case.expected_loss == 0 and "not priced" in case.notes[0]
