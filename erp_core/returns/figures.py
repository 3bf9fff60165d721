"""Figures of returns that sums cannot give: spread of times, what became of every unit, and what items give back.

No data is no value: None, never 0 and never 100 %.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from statistics import quantiles
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, case, func, select

from erp_core.master.queries import visible
from erp_core.orders.model import order_lines
from erp_core.returns.model import return_lines, returns
from erp_core.returns.rules import NOTHING_BACK, STRANDED_AFTER_DAYS

HISTORY = timedelta(days=365)
YOUNG = timedelta(days=60)
LEAST_DECIDED = 10
LEAST_SHIPPED = 100


@dataclass(frozen=True, slots=True)
class TimeToStock:
    """Days from return to sellable of the units restocked in a period; the others are counted apart.

    Each unit counts; None where nothing was restocked.
    """

    restocked_units: int
    median_days: float | None
    p90_days: float | None
    elsewhere_units: int
    stranded_units: int


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What became of the units that came back of own sales. The parts add up to `returned`."""

    returned: int
    pending: int
    restocked: int
    refurbishing: int
    quarantined: int
    to_vendor: int
    written_off: int


class Yield(NamedTuple):
    """What comes back of an item and can be sold again; None where there is too little to say.

    `of_decided` is the share of units decided on, `of_shipped` that of the units shipped.
    """

    of_decided: float | None
    of_shipped: float | None


def time_to_stock(connection: Connection, start: date, end: date, today: date) -> TimeToStock:
    """Median and 90th percentile by unit, of what was decided on between two days, both inclusive."""
    line = return_lines.c
    rows = connection.execute(
        select(line.returned_on, line.disposed_on, line.disposition, line.quantity)
        .join(returns, returns.c.id == line.return_id)
        .where(line.disposed_on.between(start, end), visible(returns.c.import_id))
    ).all()
    days = sorted(
        (row.disposed_on - row.returned_on).days
        for row in rows
        if row.disposition == "restock"
        for _ in range(row.quantity)
    )
    cut = quantiles(days, n=10, method="inclusive") if len(days) > 1 else days * 9
    stranded = connection.scalar(
        select(func.sum(line.quantity))
        .join(returns, returns.c.id == line.return_id)
        .where(
            returns.c.status.in_(("received", "inspected")),
            returns.c.import_id.is_(None),
            line.returned_on < today - timedelta(days=STRANDED_AFTER_DAYS),
        )
    )
    return TimeToStock(
        restocked_units=len(days),
        median_days=float(cut[4]) if days else None,
        p90_days=float(cut[8]) if days else None,
        elsewhere_units=sum(row.quantity for row in rows if row.disposition != "restock"),
        stranded_units=int(stranded or 0),
    )


def whereabouts(connection: Connection, item_id: UUID | None = None) -> Whereabouts:
    """Where all units are that ever came back; of one item, or of all."""
    line = return_lines.c
    own = [returns.c.import_id.is_(None), returns.c.status.not_in(NOTHING_BACK)]
    statement = (
        select(line.disposition, func.sum(line.quantity))
        .join(returns, returns.c.id == line.return_id)
        .where(*own, *([] if item_id is None else [line.item_id == item_id]))
        .group_by(line.disposition)
    )
    units = {way: int(count) for way, count in connection.execute(statement)}
    return Whereabouts(
        returned=sum(units.values()),
        pending=units.get(None, 0),
        restocked=units.get("restock", 0),
        refurbishing=units.get("refurbish", 0),
        quarantined=units.get("quarantine", 0),
        to_vendor=units.get("vendor_return", 0),
        written_off=units.get("write_off", 0),
    )


def yields(connection: Connection, as_of: date) -> dict[UUID, Yield]:
    """What items gave back in the last year as far as a day knows, by item.

    Shares of shipped units leave out the last sixty days, whose returns are still on their way. Imported returns
    without a disposition say nothing of what can be sold again.
    """
    line, sold = return_lines.c, order_lines.c
    restocked = case((line.disposition == "restock", line.quantity), else_=0)
    mature = case(
        (line.shipped_on.between(as_of - HISTORY, as_of - YOUNG), restocked),
        else_=0,
    )
    back = connection.execute(
        select(line.item_id, func.sum(line.quantity), func.sum(restocked), func.sum(mature))
        .where(
            line.disposed_on.between(as_of - HISTORY, as_of),
            line.disposition.in_(("restock", "vendor_return", "write_off")),
            visible(line.import_id),
        )
        .group_by(line.item_id)
    ).all()
    if not back:
        return {}
    shipped = connection.execute(
        select(sold.item_id, func.sum(sold.shipped_quantity))
        .where(sold.shipped_on.between(as_of - HISTORY, as_of - YOUNG), visible(sold.import_id))
        .group_by(sold.item_id)
    )
    out = {item_id: int(units) for item_id, units in shipped}
    return {
        item_id: Yield(
            int(good) / int(decided) if decided >= LEAST_DECIDED else None,
            min(int(old) / out[item_id], 1.0) if out.get(item_id, 0) >= LEAST_SHIPPED else None,
        )
        for item_id, decided, good, old in back
    }
