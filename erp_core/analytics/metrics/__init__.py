"""The catalogue: every metric once, as data, a file per domain."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

from erp_core.analytics.dimensions import DIMENSIONS, Dimension
from erp_core.analytics.metrics import (
    governance,
    inventory,
    lead_times,
    payables,
    planning,
    procurement,
    returns,
    sales,
)
from erp_core.analytics.metrics.definition import Formula, Metric, Quantile, Ratio, Spread, Total

__all__ = ["Catalogue", "Formula", "Metric", "Quantile", "Ratio", "Spread", "Total", "catalogue"]

_DOMAINS = {
    "inventory": inventory.METRICS,
    "sales": sales.METRICS,
    "procurement": (*procurement.METRICS, *lead_times.METRICS),
    "payables": payables.METRICS,
    "returns": returns.METRICS,
    "planning": planning.METRICS,
    "governance": governance.METRICS,
}


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All metrics and dimensions by name. `domains` names the metrics of each domain in reading order.

    `version` changes whenever a definition or formula does.
    """

    metrics: dict[str, Metric]
    dimensions: dict[str, Dimension]
    domains: dict[str, tuple[str, ...]]
    version: str


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """The governed vocabulary; the same object every time, to be read only."""
    metrics = [metric for domain in _DOMAINS.values() for metric in domain]
    text = "\n".join(f"{metric.name}|{metric.definition}|{metric.formula}" for metric in metrics)
    return Catalogue(
        metrics={metric.name: metric for metric in metrics},
        dimensions={dimension.name: dimension for dimension in DIMENSIONS},
        domains={domain: tuple(metric.name for metric in group) for domain, group in _DOMAINS.items()},
        version=hashlib.sha256(text.encode()).hexdigest()[:12],
    )
