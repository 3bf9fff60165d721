"""Counting items that are tracked: each lot and each numbered unit against the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from sqlalchemy import Connection, delete, func, select, text

from erp_core.gate.contract import Transaction
from erp_core.inventory.counts.model import stock_count_lots
from erp_core.inventory.ledger import Ledger
from erp_core.inventory.lots.book import LotBook
from erp_core.inventory.lots.rules import LotFields, Named, Tracking, named_lots
from erp_core.inventory.model import LOTTED, stock_balances
from erp_core.inventory.rules import OWN, SELLABLE_STATES
from erp_core.storage.bulk import insert_rows
from erp_core.storage.lookup import fetch_in


class Found(Protocol):
    """What was found of a lot; the lot, or the numbers of the units, stand in its fields."""

    @property
    def item_id(self) -> UUID:
        """The item."""

    @property
    def quantity(self) -> int:
        """Units, 0 where nothing of the item was found."""

    @property
    def said(self) -> LotFields:
        """The lot and the numbers."""


def count_lots(
    tx: Transaction,
    count_id: UUID,
    location_id: UUID,
    found: Sequence[Found],
    tracking: Mapping[UUID, Tracking],
) -> dict[UUID, tuple[int, int]]:
    """Write what was found of each lot beside what the ledger has. Gives (expected, counted) units by item.

    A lot of a counted item that nobody named was not found. Raises `LotRequired`, `NotFound` for a lot that never came
    in, and `SerialTwice` for a unit that lies elsewhere.
    """
    named = [
        one
        for line in found
        if line.quantity
        for one in named_lots(line.item_id, tracking[line.item_id], line.quantity, line.said, arriving=False)
    ]
    item_ids = {line.item_id for line in found}
    expected = _in_ledger(tx, location_id, item_ids)
    lots = LotBook.of(tx)
    counted: dict[tuple[UUID, UUID], int] = {}
    strange: list[Named] = []
    for one, (lot, units) in zip(named, lots.find(named), strict=True):
        counted[lot.item_id, lot.id] = counted.get((lot.item_id, lot.id), 0) + units
        if lot.serial and (lot.item_id, lot.id) not in expected:
            strange.append(one)
    lots.require_outside(strange)
    table = stock_count_lots
    tx.connection.execute(delete(table).where(table.c.count_id == count_id, table.c.item_id.in_(item_ids)))
    sums = dict.fromkeys(item_ids, (0, 0))
    rows = []
    for item_id, lot_id in sorted(expected.keys() | counted.keys()):
        had, has = expected.get((item_id, lot_id), 0), counted.get((item_id, lot_id), 0)
        sums[item_id] = sums[item_id][0] + had, sums[item_id][1] + has
        key = {"count_id": count_id, "item_id": item_id, "lot_id": lot_id}
        rows.append(key | {"expected": had, "counted": has})
    insert_rows(tx.connection, table, rows)
    return sums


def _in_ledger(tx: Transaction, location_id: UUID, item_ids: set[UUID]) -> dict[tuple[UUID, UUID], int]:
    """Available and reserved units by item and lot at the place."""
    Ledger.of(tx).flush()
    balance = stock_balances.c
    statement = (
        select(balance.item_id, balance.lot_id, func.sum(balance.quantity))
        .where(
            text(f"stock_balances.{LOTTED}"),
            balance.location_id == location_id,
            balance.owner == OWN,
            balance.state.in_(SELLABLE_STATES),
            balance.quantity > 0,
        )
        .group_by(balance.item_id, balance.lot_id)
    )
    rows = fetch_in(tx.connection, statement, balance.item_id, item_ids)
    return {(item_id, lot_id): int(units) for item_id, lot_id, units in rows}


def lot_variances(connection: Connection, count_id: UUID) -> dict[tuple[UUID, UUID], int]:
    """Counted less expected of each lot where they differ, by item and lot."""
    table = stock_count_lots.c
    rows = connection.execute(
        select(table.item_id, table.lot_id, table.counted - table.expected)
        .where(table.count_id == count_id, table.counted != table.expected)
        .order_by(table.item_id, table.lot_id)
    )
    return {(item_id, lot_id): units for item_id, lot_id, units in rows}
