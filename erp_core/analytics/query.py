"""`MetricQuery`, the one way to ask for a number, and `MetricResult`, what comes back. Version 1.

Names are resolved against the catalogue in `metrics.py` and `dimensions.py`; an unknown one is an
error that offers the nearest names. Amounts in a result are `Decimal` in the company's currency.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Operator = Literal["eq", "ne", "in", "not_in", "lt", "le", "gt", "ge", "between", "contains"]
Show = Literal["value", "share", "rank", "running", "ratio"]
Grain = Literal["day", "week", "month", "quarter", "year"]
Compare = Literal["previous_period", "previous_year"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Relative(_Value):
    """A bound relative to all groups of the result: ``{"times": 2, "of": "mean"}``."""

    times: Decimal
    of: Literal["mean", "median", "max", "total"]


class Where(_Value):
    """A filter on a dimension, before aggregation. Values are codes or names of members."""

    dim: str
    op: Operator
    values: tuple[str, ...]


class Having(_Value):
    """A filter on a metric of the query, after aggregation."""

    metric: str
    op: Operator
    values: tuple[Decimal | Relative, ...]


class Order(_Value):
    """Sort by a metric or dimension of the query."""

    by: str
    dir: Literal["asc", "desc"] = "desc"


class Between(_Value):
    """Two inclusive dates."""

    start: date = Field(alias="from")
    end: date = Field(alias="to")


class MetricQuery(_Value):
    """A question to the semantic layer.

    `by`: dimensions to group by (time dimensions `day week month quarter year` included).
    `period`: two inclusive dates, or a named period resolved on the business date: `today yesterday
    this_week last_week this_month last_month this_quarter last_quarter this_year last_year
    last_7_days last_30_days last_90_days last_12_months last_N_days|weeks|months all`, or a month
    ``2026-05``, quarter ``2026-Q1`` or year ``2025``. `grain` adds that time dimension to `by`.
    `compare` adds, per metric, the value of the compared period and the change. `show` adds, per
    metric, share of total, rank, running total, or for ratio metrics their parts. `limit` cuts the
    ordered rows, within each member of `per` where given. `as_of` asks for stock as of a past day.
    """

    v: Literal[1] = 1
    metrics: tuple[str, ...] = Field(min_length=1, max_length=8)
    by: tuple[str, ...] = Field(default=(), max_length=4)
    where: tuple[Where, ...] = ()
    having: tuple[Having, ...] = ()
    period: Between | str | None = None
    grain: Grain | None = None
    compare: Compare | None = None
    show: tuple[Show, ...] = ("value",)
    order: tuple[Order, ...] = ()
    limit: int | None = Field(default=None, ge=1, le=10_000)
    per: str | None = None
    as_of: date | None = None


class ResultColumn(_Value):
    """One column: a dimension, a metric, or a figure derived from a metric (`show`, `compare`)."""

    name: str
    label: str
    kind: Literal["dimension", "metric", "derived"]
    unit: str | None = None
    metric: str | None = None
    currency: str | None = None


Cell = str | int | Annotated[Decimal, Field(allow_inf_nan=True)] | None


class MetricResult(_Value):
    """The answer to a `MetricQuery`. A missing value is None, never 0; an unbounded one is `Decimal("Infinity")`.

    `rows` are in column order. `total_rows` counts before `limit`; `cut` says whether rows are missing.
    `definitions` are the metrics' definitions with version. `freshness` is the last day each used feed
    has. `notes` are data-quality notes. `drill` gives, for `find_records`, the record kind and filters.
    """

    query: MetricQuery
    query_id: str
    period: Between | None
    columns: tuple[ResultColumn, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total_rows: int
    cut: bool
    definitions: dict[str, str]
    definitions_version: str
    as_of: date
    computed_at: datetime
    freshness: dict[str, date | None]
    notes: tuple[str, ...]
    drill: dict[str, Any]
