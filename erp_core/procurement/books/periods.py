"""The months of the books: those that are closed, with what they were closed with, and those that are open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from erp_core.finance.model_journal import journal_entries
from erp_core.gate.model_periods import closed_periods
from erp_core.procurement.commands.closing import last_day


@dataclass(frozen=True, slots=True)
class Period:
    """A month: closed on a day with figures, or open; `over` when its last day is past, so that it can be closed."""

    month: date
    last_day: date
    over: bool
    closed_on: date | None
    figures: Mapping[str, Any] | None


def list_periods(connection: Connection, today: date) -> list[Period]:
    """Every month from the first that is closed or has entries to today's, the newest first."""
    closed = {
        row.month: row for row in connection.execute(select(closed_periods).order_by(closed_periods.c.month))
    }
    first_entry: date | None = connection.scalar(select(func.min(journal_entries.c.occurred_on)))
    starts = [*closed, today.replace(day=1)]
    if first_entry is not None:
        starts.append(first_entry.replace(day=1))
    month, found = min(starts), list[Period]()
    while month <= today:
        end, row = last_day(month), closed.get(month)
        found.append(
            Period(
                month,
                end,
                end < today,
                None if row is None else row.closed_on,
                None if row is None else dict(row.figures),
            )
        )
        month = end + timedelta(days=1)
    return found[::-1]
