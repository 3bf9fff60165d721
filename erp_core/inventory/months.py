"""The ledger by month on PostgreSQL: partitions that are opened ahead, and retired when nobody needs their moves any more.

Moves lie in the schema `ledger`, a partition for each month that was opened and one for the rest; the application's role
has no right there and reaches them through `stock_moves` alone. Opening and retiring are the table owner's work. A retired month leaves
its sums behind (`stock_carried`), so that balances, past days by month and the rebuild still agree, and its moves in the schema
`retired`, for a dump and, when the law allows, for `DROP TABLE`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, func, select, text

from erp_core.inventory.model import LOTTED, stock_moves, stock_retirements
from erp_core.inventory.rules import KEPT, VIRTUAL
from erp_core.master.queries.retention import read_retention

_REST = "ledger.stock_moves_rest"
_BUCKET = "item_id, location_id, state, lot_id, owner"


class NotPartitioned(ValueError):
    """The database keeps its moves in one table (SQLite)."""


class MonthInUse(ValueError):
    """A month whose moves somebody may still need."""


@dataclass(frozen=True, slots=True)
class Retired:
    """Months that were retired, first to last, and how many moves they held."""

    months: tuple[date, ...]
    moves: int


def open_months(connection: Connection, first: date, last: date) -> list[date]:
    """Give every month from that of `first` to that of `last` its partition; gives the months that had none.

    Moves of these months that lie with the rest go to their partition; nobody else can read or write the ledger until the
    transaction ends. Raises `NotPartitioned`.
    """
    there = set(opened_months(connection))
    new = [month for month in _months(first, last) if month not in there]
    if not new:
        return []
    connection.execute(text("LOCK TABLE stock_moves IN ACCESS EXCLUSIVE MODE"))
    connection.execute(text(f"ALTER TABLE stock_moves DETACH PARTITION {_REST}"))
    connection.execute(text(f"ALTER TABLE {_REST} RENAME TO stock_moves_before"))
    connection.execute(text(f"CREATE TABLE {_REST} PARTITION OF stock_moves DEFAULT"))
    for month in new:
        connection.execute(
            text(
                f"CREATE TABLE {_name(month)} PARTITION OF stock_moves"
                f" FOR VALUES FROM ('{month}') TO ('{_next(month)}')"
            )
        )
    connection.execute(text("INSERT INTO stock_moves SELECT * FROM ledger.stock_moves_before"))
    connection.execute(text("DROP TABLE ledger.stock_moves_before"))
    return new


def opened_months(connection: Connection) -> list[date]:
    """The months that have a partition, in order. Raises `NotPartitioned`."""
    if connection.dialect.name != "postgresql":
        raise NotPartitioned("SQLite keeps the ledger in one table: months are PostgreSQL's")
    names = connection.scalars(
        text(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = 'stock_moves'::regclass ORDER BY c.relname"
        )
    )
    return [
        date.fromisoformat(f"{name[-7:].replace('_', '-')}-01") for name in names if name[-7:-5].isdigit()
    ]


def retire_months(connection: Connection, before: date, now: datetime) -> Retired:
    """Take the moves of all months before the month of `before` out of the ledger, and carry their sums.

    Raises `MonthInUse` for months of the last year, where moves before it lie with the rest, or where they belong to a lot
    that is still in stock, whose way would no longer be found, or where a retention rule or a legal hold keeps them; `NotPartitioned`.
    """
    limit = before.replace(day=1)
    if limit > (now - KEPT).date():
        raise MonthInUse(f"moves stay for {KEPT.days} days at least")
    months = [month for month in opened_months(connection) if month < limit]
    connection.execute(text("LOCK TABLE stock_moves IN ACCESS EXCLUSIVE MODE"))
    _require_unused(connection, limit)
    _require_free(connection, months, now.date())
    retired = 0
    for month in months:
        source = _name(month)
        moves = connection.scalar(text(f"SELECT count(*) FROM {source}")) or 0
        connection.execute(text(_CARRY.format(source=source)))
        connection.execute(text(f"ALTER TABLE stock_moves DETACH PARTITION {source}"))
        connection.execute(text("CREATE SCHEMA IF NOT EXISTS retired"))
        connection.execute(text(f"ALTER TABLE {source} SET SCHEMA retired"))
        connection.execute(
            text("INSERT INTO stock_retirements (month, moves, retired_at) VALUES (:month, :moves, :now)"),
            {"month": month, "moves": moves, "now": now},
        )
        retired += moves
    return Retired(tuple(months), retired)


_CARRY = f"""
INSERT INTO stock_carried ({_BUCKET}, quantity)
SELECT {_BUCKET}, sum(units) FROM (
    SELECT item_id, from_location_id AS location_id, from_state AS state, lot_id, owner, -quantity AS units FROM {{source}}
    UNION ALL SELECT item_id, to_location_id, to_state, lot_id, owner, quantity FROM {{source}}
) AS sides WHERE state <> '{VIRTUAL}' GROUP BY {_BUCKET}
ON CONFLICT ({_BUCKET}) DO UPDATE SET quantity = stock_carried.quantity + excluded.quantity
"""


def _require_unused(connection: Connection, limit: date) -> None:
    unopened = connection.scalar(
        text(f"SELECT min(occurred_on) FROM {_REST} WHERE occurred_on < :limit"), {"limit": limit}
    )
    if unopened is not None:
        raise MonthInUse(f"moves from {unopened} on lie in no month of their own: open the months first")
    lots = connection.scalar(
        text(
            f"SELECT count(DISTINCT m.lot_id) FROM stock_moves m JOIN stock_balances b ON b.lot_id = m.lot_id AND b.quantity > 0"
            f" WHERE m.occurred_on < :limit AND m.{LOTTED} AND b.{LOTTED}"
        ),
        {"limit": limit},
    )
    if lots:
        raise MonthInUse(f"{lots} lots of that time are still in stock: a recall must find where they went")


def _require_free(connection: Connection, months: list[date], today: date) -> None:
    retention = read_retention(connection)
    for month in months:
        last = _next(month) - timedelta(days=1)
        hold = retention.hold_on("stock_move", (), month, last)
        if hold is not None:
            raise MonthInUse(f"a legal hold keeps {month:%Y-%m}: {hold.reason}")
        free_on = retention.free_on("stock_move", last)
        if free_on is not None and today < free_on:
            raise MonthInUse(f"moves of {month:%Y-%m} are kept up to {free_on}")


def retired_until(connection: Connection) -> date | None:
    """The first month whose moves are there; None while none was retired."""
    last = connection.scalar(select(func.max(stock_retirements.c.month)))
    return None if last is None else _next(last)


def _months(first: date, last: date) -> Iterator[date]:
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = _next(month)


def _next(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _name(month: date) -> str:
    return f"ledger.{stock_moves.name}_{month:%Y_%m}"
