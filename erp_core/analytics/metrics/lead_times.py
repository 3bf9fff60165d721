"""How long suppliers take, how evenly, and how near to what they confirmed."""

from __future__ import annotations

from erp_core.analytics.metrics.definition import Metric, Quantile, Spread, ratio, total

_PURCHASING = ("purchasing",)
_RECEIVED = "receipt day"

METRICS = (
    Metric(
        "lead_time_days",
        "Lead time",
        "Mean days from PO sent to accepted receipt, weighted by units, in the period of the receipt. Units still owed on late "
        "lines count at their age today, as at least that long.",
        "days",
        ratio("lead_times.unit_days", "lead_times.units"),
        _RECEIVED,
        "procurement",
        "down_good",
        (
            "lead time",
            "supplier lead time",
            "delivery time",
            "lead times",
            "replenishment time",
            "average lead time",
            "how long do deliveries take",
        ),
        _PURCHASING,
    ),
    Metric(
        "lead_time_std",
        "Lead-time spread",
        "Standard deviation of the lead time, weighted by units like the lead time itself; no value below two receipts.",
        "days",
        Spread(
            "lead_times.units", "lead_times.unit_days", "lead_times.unit_days_squared", "lead_times.records"
        ),
        _RECEIVED,
        "procurement",
        "down_good",
        (
            "lead time variability",
            "lead-time variability",
            "lead time spread",
            "lead time standard deviation",
            "lead time deviation",
        ),
        _PURCHASING,
    ),
    Metric(
        "lead_time_median_days",
        "Median lead time",
        "Days from PO sent to accepted receipt within which half of the units came; units still owed on late lines count at their "
        "age today, as at least that long.",
        "days",
        Quantile("lead_times.units", "lead_times.days", 50),
        _RECEIVED,
        "procurement",
        "down_good",
        ("median of the lead time", "typical lead time", "median delivery time", "lead time median"),
        _PURCHASING,
    ),
    Metric(
        "lead_time_p90_days",
        "Lead time, 90th percentile",
        "Days from PO sent to accepted receipt within which nine in ten units came; units still owed on late lines count at their "
        "age today, as at least that long.",
        "days",
        Quantile("lead_times.units", "lead_times.days", 90),
        _RECEIVED,
        "procurement",
        "down_good",
        ("p90 lead time", "lead time p90", "90th percentile of lead time", "90th percentile lead time"),
        _PURCHASING,
    ),
    Metric(
        "adherence_days",
        "Lead-time adherence",
        "Mean days between the first confirmed day and the accepted receipt, weighted by units; what comes early counts less than "
        "zero. Units still owed on late lines count as late as they are today. Units without a confirmed day count nothing: no "
        "value where there are no others.",
        "days",
        ratio("adherence.unit_days", "adherence.confirmed_units"),
        _RECEIVED,
        "procurement",
        "down_good",
        (
            "lead time adherence",
            "adherence to lead times",
            "days after the confirmed day",
            "days behind the confirmed day",
            "days against the confirmed day",
        ),
        _PURCHASING,
    ),
    Metric(
        "adherence_units",
        "Units by delay class",
        "Units accepted from suppliers by the days between the first confirmed day and the receipt, in classes; units still owed on "
        "late lines count as late as they are today. Without a confirmation they are in a class of their own.",
        "units",
        total("adherence.units"),
        _RECEIVED,
        "procurement",
        "neutral",
        (
            "distribution of delays",
            "delay distribution",
            "distribution of lead-time adherence",
            "adherence distribution",
            "units by delay",
        ),
        _PURCHASING,
    ),
)
