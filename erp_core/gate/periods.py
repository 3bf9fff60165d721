"""A closed month stays closed: no command may say that it happened there, whoever submits it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import Connection, func, select

from erp_core.gate.contract import Command, DomainError, Outcome, Refused
from erp_core.gate.keys import Pending
from erp_core.gate.model_periods import closed_periods


class PeriodClosed(DomainError):
    """It would happen in a month that is closed."""

    code = "period_closed"


def closed_until(connection: Connection) -> date | None:
    """The first day of the last closed month; None while none is."""
    found: date | None = connection.scalar(select(func.max(closed_periods.c.month)))
    return found


def refuse_in_closed(
    fresh: Sequence[Pending], outcomes: dict[int, Outcome], now: datetime, connection: Connection
) -> list[Pending]:
    """Those of the batch that happen in an open month; the others are refused. Nothing is read where all happen now."""
    earliest = min((month for one in fresh for month in _months(one.wish.commands)), default=None)
    if earliest is None or earliest >= now.date().replace(day=1):
        return list(fresh)
    closed = closed_until(connection)
    if closed is None or earliest > closed:
        return list(fresh)
    kept = []
    for one in fresh:
        if min(_months(one.wish.commands), default=date.max) > closed:
            kept.append(one)
            continue
        outcomes[one.position] = Refused(
            PeriodClosed(
                f"{closed:%B %Y} and what was before it are closed",
                field="occurred_at",
                remedy="post it in an open month",
                closed=closed.isoformat(),
            )
        )
    return kept


def _months(commands: Iterable[Command]) -> list[date]:
    return [one.occurred_at.date().replace(day=1) for one in commands if one.occurred_at is not None]
