"""Governance: what waits for people, and what exceptions cost."""

from __future__ import annotations

from erp_core.analytics.metrics.definition import Metric, ratio, total

METRICS = (
    Metric(
        "proposals_pending",
        "Pending proposals",
        "Proposals that wait for a decision now.",
        "count",
        total("proposals.pending"),
        "today",
        "governance",
        "down_good",
        (
            "pending proposals",
            "proposals waiting",
            "open proposals",
            "waiting approvals",
            "pending approvals",
            "open approvals",
        ),
        kind="position",
    ),
    Metric(
        "exceptions_open",
        "Open exceptions",
        "Cases that are neither resolved nor expired, now. A case about several items, locations or suppliers counts in each.",
        "count",
        total("open_cases.cases"),
        "today",
        "planning",
        "down_good",
        (
            "exceptions",
            "open exceptions",
            "open cases",
            "number of exceptions",
            "cases",
            "alerts",
            "how many exceptions",
        ),
        kind="position",
        distinct=True,
    ),
    Metric(
        "expected_loss",
        "Expected loss",
        "Money that open cases lose by their deadlines if nothing is done. Only the root of a loss carries it; a case about "
        "several subjects is shared equally over them.",
        "money",
        total("open_cases.expected_loss"),
        "today",
        "planning",
        "down_good",
        ("money at risk", "loss at risk", "exposure", "value at risk", "risk in money", "expected losses"),
        right="see_cost",
        kind="position",
    ),
    Metric(
        "exception_resolution_hours",
        "Exception resolution time",
        "Mean clock hours from opening to resolution of cases that people resolved; cases that expired by themselves are apart.",
        "hours",
        ratio("resolved_cases.hours", "resolved_cases.cases"),
        "day of resolution",
        "planning",
        "down_good",
        (
            "resolution time",
            "time to resolve",
            "exception resolution time",
            "hours to resolve",
            "how fast are exceptions resolved",
        ),
    ),
)
