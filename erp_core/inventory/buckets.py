"""The position in every dimension of a bucket, now or at the end of a past day, and the moves behind each figure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, Select, func, select, union_all

from erp_core.inventory.model import stock_balances, stock_carried, stock_moves
from erp_core.inventory.months import retired_until
from erp_core.inventory.rules import VIRTUAL

_KEY = ("item_id", "location_id", "state", "lot_id", "owner")


@dataclass(frozen=True, slots=True)
class BucketStock:
    """Units in one bucket; `lot_id` is the zero id where the item has no lots."""

    item_id: UUID
    location_id: UUID
    state: str
    lot_id: UUID
    owner: str
    units: int


def bucket_stock(
    connection: Connection,
    item_id: UUID,
    *,
    location_id: UUID | None = None,
    state: str | None = None,
    lot_id: UUID | None = None,
    as_of: date | None = None,
) -> list[BucketStock]:
    """The buckets of an item that hold something, now or at the end of the day `as_of`.

    A past day is added up from the item's moves up to it, so that every figure is what the drill-down lists; what
    retired months carried stands for theirs. Of a day in a retired month nothing is known by bucket.
    """
    narrowed = {"location_id": location_id, "state": state, "lot_id": lot_id}
    if as_of is None:
        table = stock_balances.c
        statement = select(*(table[name] for name in _KEY), table.quantity).where(
            table.item_id == item_id, table.quantity > 0
        )
        for name, value in narrowed.items():
            if value is not None:
                statement = statement.where(table[name] == value)
    else:
        parts = [_side(item_id, as_of, "from", -1), _side(item_id, as_of, "to", 1)]
        if (retired_until(connection) or date.max) <= as_of:
            carried = stock_carried.c
            keys = (carried[name] for name in _KEY)
            parts.append(select(*keys, carried.quantity.label("units")).where(carried.item_id == item_id))
        both = union_all(*parts).subquery()
        units = func.sum(both.c.units)
        statement = select(*(both.c[name] for name in _KEY), units).group_by(*(both.c[name] for name in _KEY))
        statement = statement.having(units != 0)
        for name, value in narrowed.items():
            if value is not None:
                statement = statement.where(both.c[name] == value)
    rows = [BucketStock(*row[:5], int(row[5])) for row in connection.execute(statement)]
    return sorted(rows, key=lambda one: (one.location_id, one.state, one.lot_id, one.owner))


def _side(item_id: UUID, as_of: date, side: str, sign: int) -> Select[tuple[object, ...]]:
    moves = stock_moves.c
    return select(
        moves.item_id,
        moves[f"{side}_location_id"].label("location_id"),
        moves[f"{side}_state"].label("state"),
        moves.lot_id,
        moves.owner,
        (moves.quantity * sign).label("units"),
    ).where(moves.item_id == item_id, moves.occurred_on <= as_of, moves[f"{side}_state"] != VIRTUAL)
