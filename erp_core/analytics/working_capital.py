"""What capital stock and commitments bind, part by part, by category, supplier or warehouse."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sqlalchemy import Connection

from erp_core.analytics.metrics import catalogue
from erp_core.analytics.plan import dimensions_of
from erp_core.analytics.query import MetricQuery, MetricResult, Order, Where
from erp_core.analytics.run import run

By = Literal["category", "supplier", "warehouse", "item"]
_IN_STOCK = ("inventory_value", "payables_value")
_TODAY = (*_IN_STOCK, "open_po_value", "working_capital_exposure")
_IN_TRANSIT = Where(dim="stock_state", op="eq", values=("in_transit",))


@dataclass(frozen=True, slots=True)
class WorkingCapital:
    """The parts by group, most first, the whole, and what of the stock is in transit between places.

    What is prepaid is a part of the open commitments, shown where it can be told by the group. On a past day the open
    commitments are not known any more, and so neither is the exposure: `notes` say so.
    """

    groups: MetricResult
    whole: MetricResult
    in_transit: MetricResult
    notes: tuple[str, ...]


def working_capital(
    connection: Connection,
    by: By,
    *,
    today: date,
    as_of: date | None,
    rights: Collection[str],
    computed_at: datetime,
    limit: int,
) -> WorkingCapital:
    """Inventory value plus open commitments less payables. Raises a `QueryError` without the right, or for a day to come."""
    past = as_of is not None and as_of < today
    metrics = _IN_STOCK if past else _TODAY

    def ask(names: tuple[str, ...], **parts: object) -> MetricResult:
        query = MetricQuery.model_validate({"metrics": names, "as_of": as_of if past else None, **parts})
        return run(connection, query, today=today, rights=rights, computed_at=computed_at)

    if as_of is not None and as_of > today:
        ask(metrics[:1], as_of=as_of)
    carried = "prepaid_value"
    told = (*metrics, carried) if by in dimensions_of(catalogue().metrics[carried]) else metrics
    groups = ask(told, by=(by,), order=(Order(by=metrics[-1] if not past else metrics[0]),), limit=limit)
    return WorkingCapital(
        groups,
        ask((*metrics, carried)),
        ask(("inventory_value",), by=(by,), where=(_IN_TRANSIT,)),
        ("what was on order is kept as of today only: neither it nor the exposure is known for the day",)
        if past
        else (),
    )
