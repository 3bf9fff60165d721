"""Row locks of the core, in one place and one order, so that writers wait for each other and never in a circle.

The order is: names, orders by id, their reservations, stock buckets by key, cost balances by item. SQLite needs none
of it: `BEGIN IMMEDIATE` lets one writer in at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

import orjson
from sqlalchemy import Column, Connection, Select, text

from erp_core.inventory.model import stock_balances
from erp_core.storage.bulk import insert_missing
from erp_core.storage.locks import lock_names, locks_rows
from erp_core.storage.lookup import AnyRow, fetch_in

BucketKey = tuple[UUID, UUID, str, UUID, str]
T = TypeVar("T")
_PLENTY = 20

__all__ = [
    "BucketKey",
    "change_balances",
    "in_order",
    "lock_buckets",
    "lock_documents",
    "lock_names",
    "locks_rows",
    "plenty",
]

_KEY = ("item_id", "location_id", "state", "lot_id", "owner")
_JOINED = " AND ".join(f"b.{name} = k.{name}" for name in _KEY)
_SQLITE_BALANCES = text(
    "SELECT k.key, b.quantity FROM json_each(:keys) AS k CROSS JOIN stock_balances AS b WHERE "
    + " AND ".join(f"b.{name} = json_extract(k.value, '$[{index}]')" for index, name in enumerate(_KEY))
)
_POSTGRES_KEYS = (
    "unnest(CAST(:item_id AS uuid[]), CAST(:location_id AS uuid[]), CAST(:state AS text[]),"
    f" CAST(:lot_id AS uuid[]), CAST(:owner AS text[])) WITH ORDINALITY AS k({', '.join(_KEY)}, position)"
)
_POSTGRES_READ = (
    f"SELECT k.position - 1, b.quantity FROM {_POSTGRES_KEYS} JOIN stock_balances AS b ON {_JOINED}"
)
_POSTGRES_ORDER = ", ".join(f"b.{name}" for name in _KEY)
_POSTGRES_LOCKED = text(f"{_POSTGRES_READ} ORDER BY {_POSTGRES_ORDER} FOR UPDATE OF b")
_POSTGRES_UNLOCKED = text(_POSTGRES_READ)
_POSTGRES_CHANGE = text(
    "WITH held AS ("
    f"SELECT {_POSTGRES_ORDER}, c.change FROM {_POSTGRES_KEYS} JOIN stock_balances AS b ON {_JOINED}"
    " JOIN unnest(CAST(:change AS bigint[])) WITH ORDINALITY AS c(change, position) ON c.position = k.position"
    f" ORDER BY {_POSTGRES_ORDER} FOR UPDATE OF b)"
    " UPDATE stock_balances AS b SET quantity = b.quantity + k.change FROM held AS k WHERE " + _JOINED
)


def in_order(connection: Connection, rows: Iterable[T], key: Callable[[T], Any]) -> list[T]:
    """The rows in the order in which an upsert may lock them."""
    return sorted(rows, key=key) if locks_rows(connection) else list(rows)


def lock_documents(
    connection: Connection,
    statement: Select[Any],
    key: Column[Any],
    ids: Iterable[UUID],
    *,
    skip_busy: bool = False,
) -> Sequence[AnyRow]:
    """The statement's rows with these ids, locked in the order of their ids.

    `skip_busy` leaves out rows that another writer holds instead of waiting for it.
    """
    if locks_rows(connection):
        statement = statement.order_by(key).with_for_update(of=key.table, skip_locked=skip_busy)
    return fetch_in(connection, statement, key, ids)


def lock_buckets(connection: Connection, keys: Sequence[BucketKey]) -> list[int]:
    """What the buckets with these keys hold, in the order given; locked in key order.

    Where rows can be locked, one that is missing is made first: otherwise two writers could both find
    nothing and both go on.
    """
    held = _held(connection, keys)
    if locks_rows(connection) and len(held) < len(keys):
        missing = sorted(key for position, key in enumerate(keys) if position not in held)
        insert_missing(
            connection,
            stock_balances,
            [dict(zip(_KEY, key, strict=True)) | {"quantity": 0} for key in missing],
        )
        held = _held(connection, keys)
    return [held.get(position, 0) for position in range(len(keys))]


def plenty(connection: Connection, wanted: Mapping[BucketKey, int]) -> list[int] | None:
    """What these buckets hold, without a lock; None where one has less than many times what is `wanted` of it.

    None also where there is nothing to lock: then `lock_buckets` costs the same.
    """
    if not locks_rows(connection) or not wanted:
        return None
    held = {
        position: quantity for position, quantity in connection.execute(_POSTGRES_UNLOCKED, _columns(wanted))
    }
    enough = all(held.get(position, -1) >= _PLENTY * units for position, units in enumerate(wanted.values()))
    return [held[position] for position in range(len(wanted))] if enough else None


def change_balances(connection: Connection, changes: Mapping[BucketKey, int]) -> None:
    """Add to what the buckets hold, which must be there; in key order, as `lock_buckets` locks them.

    The database refuses what would take one below zero.
    """
    if changes:
        connection.execute(_POSTGRES_CHANGE, {**_columns(changes), "change": list(changes.values())})


def _columns(keys: Iterable[BucketKey]) -> dict[str, list[Any]]:
    return dict(zip(_KEY, map(list, zip(*keys, strict=True)), strict=True))


def _held(connection: Connection, keys: Sequence[BucketKey]) -> dict[int, int]:
    if locks_rows(connection):
        rows = connection.execute(_POSTGRES_LOCKED, _columns(keys))
    else:
        plain = [(item.hex, place.hex, state, lot.hex, owner) for item, place, state, lot, owner in keys]
        rows = connection.execute(_SQLITE_BALANCES, {"keys": orjson.dumps(plain).decode()})
    return {position: quantity for position, quantity in rows}
