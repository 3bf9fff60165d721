"""The questions asked most of a company with 726,000 imported order lines: seconds by query, to its last row."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from typing import Any

QUERIES: tuple[tuple[str, str], ...] = (
    ("net_sales", ""),
    ("net_sales", "month"),
    ("net_sales", "week"),
    ("net_sales", "category"),
    ("net_sales", "item"),
    ("net_sales", "customer_country"),
    ("net_sales", "month category"),
    ("net_sales", "month customer_country"),
    ("net_sales", "category customer_country"),
    ("net_sales", "item month"),
    ("net_sales", "channel quarter"),
    ("ordered_units", "month"),
    ("ordered_units", "item"),
    ("ordered_units", "category"),
    ("ordered_units", "month category"),
    ("ordered_units", "item month"),
    ("order_count", "month"),
    ("order_count", "customer_country"),
    ("order_count", "month customer_country"),
    ("average_order_value", "month"),
    ("return_rate", "month"),
    ("return_rate", "category"),
    ("return_rate", "item"),
    ("returned_units", "item month"),
    ("refund_value", "month customer_country"),
)


def timed(engine: Any, today: date) -> list[tuple[float, str]]:
    """Seconds and name of each query, slowest first; each is run twice and the better time counts."""
    from erp_core.analytics.query import MetricQuery
    from erp_core.analytics.run import run
    from erp_core.storage.engine import reading

    found = []
    with reading(engine) as connection:
        for metric, by in QUERIES:
            query = MetricQuery(metrics=[metric], by=by.split())
            seconds = []
            for _ in range(2):
                started = time.perf_counter()
                run(connection, query, today=today, rights={"see_cost"}, computed_at=datetime.now(UTC))
                seconds.append(time.perf_counter() - started)
            found.append((min(seconds), f"{metric} by {by or 'nothing'}"))
    return sorted(found, reverse=True)
