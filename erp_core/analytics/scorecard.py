"""Scorecards of suppliers: figures of the semantic layer side by side, so that both say the same to the last digit."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from erp_core.analytics.errors import QueryError
from erp_core.analytics.query import Between, Cell, MetricQuery, Where
from erp_core.analytics.run import run

SCORES = (
    "supplier_fill_rate",
    "on_time_rate",
    "on_time_latest_rate",
    "adherence_days",
    "lead_time_days",
    "lead_time_std",
    "defect_rate",
)
COSTS = ("price_variance",)
"""Figures that need the right `see_cost`."""
BY = ("supplier", "category", "warehouse", "item", "month")


class NoScorecard(QueryError):
    """A scorecard is by one to four of supplier, category, warehouse, item and month."""

    code = "no_scorecard"


@dataclass(frozen=True, slots=True)
class Scorecard:
    """`rows` in the order of `columns`: what it is by, then the figures. No data is None, never 0 and never 100 %."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    definitions: dict[str, str]
    notes: Sequence[str]


def scorecard(
    connection: Connection,
    *,
    by: Sequence[str],
    period: Between | str | None,
    today: date,
    rights: Collection[str],
    computed_at: datetime,
    supplier: str | None = None,
) -> Scorecard:
    """The figures by these dimensions, for those who may see them. Raises `QueryError`.

    How partial deliveries, second promises, over-delivery and no data count stands in each figure's definition.
    """
    unknown = [name for name in by if name not in BY]
    if unknown or not by or len(set(by)) < len(by) or len(by) > 4:
        raise NoScorecard(
            f"a scorecard is not by {', '.join(unknown or by) or 'nothing'}",
            field="by",
            remedy=f"choose one to four of {', '.join(BY)}",
        )
    where = () if supplier is None else (Where(dim="supplier", op="eq", values=(supplier,)),)
    query = MetricQuery(
        metrics=(*SCORES, *(COSTS if "see_cost" in rights else ())), by=tuple(by), period=period, where=where
    )
    found = run(connection, query, today=today, rights=rights, computed_at=computed_at)
    return Scorecard(
        [column.name for column in found.columns], found.rows, found.definitions, [*map(str, found.notes)]
    )
