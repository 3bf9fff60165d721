"""Reads of cycle counts: what is due, the sheets, what was found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, case, func, select

from erp_core.inventory.counts.model import stock_count_lines, stock_counts
from erp_core.inventory.counts.rules import Countable, DueCount, due
from erp_core.inventory.model import stock_balances, stock_daily
from erp_core.inventory.rules import SELLABLE_STATES
from erp_core.master.model import items
from erp_core.master.queries.classes import selected_policies

VELOCITY_DAYS = 90


@dataclass(frozen=True, slots=True)
class SheetLine:
    """An item on a sheet. `expected` and `variance` are None before it is counted; so is `counted`."""

    item_id: UUID
    sku: str
    name: str
    base_unit: str
    expected: int | None
    counted: int | None

    @property
    def variance(self) -> int | None:
        """Counted less expected."""
        return None if self.counted is None or self.expected is None else self.counted - self.expected


@dataclass(frozen=True, slots=True)
class Count:
    """A count of some items at a location."""

    id: UUID
    location_id: UUID
    status: str
    blind: bool
    opened_on: date
    counted_at: datetime | None
    posted_on: date | None
    counts: int


_COUNT = select(*(stock_counts.c[name] for name in Count.__dataclass_fields__))


def list_counts(
    connection: Connection, *, location_id: UUID | None = None, status: str | None = None, limit: int = 100
) -> list[Count]:
    """Counts, latest first."""
    statement = _COUNT
    if location_id is not None:
        statement = statement.where(stock_counts.c.location_id == location_id)
    if status is not None:
        statement = statement.where(stock_counts.c.status == status)
    ordered = statement.order_by(stock_counts.c.opened_on.desc(), stock_counts.c.id.desc()).limit(limit)
    return [Count(*row) for row in connection.execute(ordered)]


def find_count(connection: Connection, count_id: UUID) -> Count | None:
    """One count."""
    row = connection.execute(_COUNT.where(stock_counts.c.id == count_id)).one_or_none()
    return None if row is None else Count(*row)


def sheet(connection: Connection, count_id: UUID) -> list[SheetLine]:
    """The lines of a count by SKU. What is expected is there only once it is counted: the sheet itself tells nobody."""
    line = stock_count_lines.c
    rows = connection.execute(
        select(line.item_id, items.c.sku, items.c.name, items.c.base_unit, line.expected, line.counted)
        .join(items, items.c.id == line.item_id)
        .where(line.count_id == count_id)
        .order_by(items.c.sku)
    )
    return [SheetLine(*row) for row in rows]


def expected_now(connection: Connection, location_id: UUID, item_ids: Iterable[UUID]) -> dict[UUID, int]:
    """Available and reserved units of these items at a location, where there are any."""
    table = stock_balances.c
    rows = connection.execute(
        select(table.item_id, func.sum(table.quantity))
        .where(
            table.location_id == location_id,
            table.item_id.in_(list(item_ids)),
            table.state.in_(SELLABLE_STATES),
        )
        .group_by(table.item_id)
    )
    return {item_id: int(units) for item_id, units in rows}


def due_counts(
    connection: Connection, today: date, *, location_id: UUID | None = None, limit: int = 100
) -> list[DueCount]:
    """What is to be counted now, most urgent first: by class, value, velocity and what was missing before.

    Stock on an open sheet is left out.
    """
    found = (due(one, today) for one in _countable(connection, today, location_id))
    wanted = sorted(
        (one for one in found if one is not None),
        key=lambda one: (*(-part for part in one.urgency), one.item_id, one.location_id),
    )
    return wanted[:limit]


def _countable(connection: Connection, today: date, location_id: UUID | None) -> list[Countable]:
    stock, daily, past = stock_balances.c, stock_daily.c, _past_counts()
    held = (
        select(stock.item_id, stock.location_id, func.sum(stock.quantity).label("units"))
        .where(stock.state.in_(SELLABLE_STATES), stock.quantity > 0)
        .group_by(stock.item_id, stock.location_id)
    )
    if location_id is not None:
        held = held.where(stock.location_id == location_id)
    here = held.subquery()
    lately = case((daily.day > today - timedelta(days=VELOCITY_DAYS), func.abs(daily.change)), else_=0)
    moved = (
        select(
            daily.item_id,
            daily.location_id,
            func.sum(lately).label("moved"),
            func.min(daily.day).label("first_on"),
        )
        .where(daily.state == "available")
        .group_by(daily.item_id, daily.location_id)
        .subquery()
    )
    rows = connection.execute(
        select(
            here.c.item_id,
            here.c.location_id,
            here.c.units,
            items.c.standard_cost,
            moved.c.moved,
            moved.c.first_on,
            past.c.counted,
            past.c.missing,
            past.c.last_on,
        )
        .select_from(
            here.join(items, items.c.id == here.c.item_id)
            .outerjoin(moved, _same_place(moved, here))
            .outerjoin(past, _same_place(past, here))
        )
        .where(func.coalesce(past.c.open_sheets, 0) == 0)
    ).all()
    selected = selected_policies(connection, {row.item_id for row in rows})
    return [
        Countable(
            row.item_id,
            row.location_id,
            int(row.units),
            None if row.standard_cost is None else int(row.units) * row.standard_cost,
            int(row.moved or 0),
            int(row.counted or 0),
            int(row.missing or 0),
            row.last_on,
            row.first_on or today,
            selected[row.item_id].count_days if row.item_id in selected else None,
        )
        for row in rows
    ]


def _past_counts() -> Any:
    line, count = stock_count_lines.c, stock_counts.c
    posted = count.status == "posted"
    short = case((line.expected > line.counted, line.expected - line.counted), else_=0)
    return (
        select(
            line.item_id,
            line.location_id,
            func.sum(case((posted, line.counted), else_=0)).label("counted"),
            func.sum(case((posted, short), else_=0)).label("missing"),
            func.max(count.posted_on).label("last_on"),
            func.sum(case((line.open, 1), else_=0)).label("open_sheets"),
        )
        .join(stock_counts, count.id == line.count_id)
        .group_by(line.item_id, line.location_id)
        .subquery()
    )


def _same_place(one: Any, other: Any) -> Any:
    return (one.c.item_id == other.c.item_id) & (one.c.location_id == other.c.location_id)
