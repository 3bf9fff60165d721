"""The stock ledger: double entry over buckets. `Ledger.flush` is the one place that writes stock.

A balance is the sum of the moves into a bucket less those out of it, and never below zero. Moves,
balances and daily changes are written in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from erp_core.gate.contract import Transaction
from erp_core.inventory import locks
from erp_core.inventory.events import Arrival, GoodsAvailable
from erp_core.inventory.model import stock_balances, stock_daily, stock_moves
from erp_core.inventory.rules import VIRTUAL, Bucket, InsufficientStock, Move, check_move, net_changes
from erp_core.master.feeds import touch_feeds
from erp_core.master.queries import Names
from erp_core.storage.bulk import insert_rows, upsert_add, upsert_replace

__all__ = ["Bucket", "InsufficientStock", "Ledger", "Move"]


class Ledger:
    """A transaction's unit of work for stock: read balances in bulk, post moves in memory, write once.

    `quantity` sees what was posted before in the same transaction. Call `announce` after the last
    `post` of a handler that brought goods into `available`.
    """

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._balances: dict[Bucket, int] = {}
        self._changed: set[Bucket] = set()
        self._moves: list[dict[str, Any]] = []
        self._daily: dict[tuple[UUID, UUID, str, date], int] = {}
        self._arrivals: dict[tuple[UUID, UUID], Arrival] = {}

    @classmethod
    def of(cls, tx: Transaction) -> Ledger:
        """The transaction's ledger."""
        return tx.unit(cls, cls)

    def load(self, buckets: Iterable[Bucket]) -> None:
        """Read and lock the balances of these buckets; those already read stay as they are."""
        wanted = {bucket for bucket in buckets if bucket.state != VIRTUAL and bucket not in self._balances}
        if not wanted:
            return
        rows = locks.lock_balances(
            self._tx.connection, stock_balances, (bucket.key for bucket in wanted), {"quantity": 0}
        )
        self._balances.update(dict.fromkeys(wanted, 0))
        for row in rows:
            self._balances[Bucket(row.item_id, row.location_id, row.state, row.lot_id, row.owner)] = (
                row.quantity
            )

    def quantity(self, bucket: Bucket) -> int:
        """Units in the bucket now, moves posted in this transaction included."""
        if bucket not in self._balances:
            self.load([bucket])
        return self._balances[bucket]

    def post(self, moves: Sequence[Move]) -> None:
        """Post all the moves or none. Raises `InsufficientStock` or `MalformedMove`; nothing is posted then."""
        for move in moves:
            check_move(move)
        changes = net_changes(moves)
        self.load(changes)
        for bucket, change in changes.items():
            if self._balances[bucket] + change < 0:
                raise self._shortage(bucket, moves)
        for bucket, change in changes.items():
            if change:
                self._balances[bucket] += change
                self._changed.add(bucket)
        for move in moves:
            self._record(move)

    def _record(self, move: Move) -> None:
        source, target, day = move.source, move.target, move.occurred_at.date()
        self._moves.append(
            {
                "occurred_on": day,
                "id": self._tx.new_id(),
                "event": move.event,
                "item_id": source.item_id,
                "lot_id": source.lot_id,
                "owner": source.owner,
                "from_location_id": source.location_id,
                "from_state": source.state,
                "to_location_id": target.location_id,
                "to_state": target.state,
                "quantity": move.quantity,
                "document_kind": move.document_kind,
                "document_id": move.document_id,
                "reason": move.reason,
                "reverses_id": move.reverses_id,
                "occurred_at": move.occurred_at,
                "recorded_at": self._tx.recorded_at,
                "audit_id": move.audit_id,
            }
        )
        daily = self._daily
        if source.state != VIRTUAL:
            key = (source.item_id, source.location_id, source.state, day)
            daily[key] = daily.get(key, 0) - move.quantity
        if target.state != VIRTUAL:
            key = (target.item_id, target.location_id, target.state, day)
            daily[key] = daily.get(key, 0) + move.quantity
            if target.state == "available":
                self._arrivals[target.item_id, target.location_id] = Arrival(
                    target.item_id, target.location_id, move.occurred_at, move.audit_id
                )

    def _shortage(self, bucket: Bucket, moves: Sequence[Move]) -> InsufficientStock:
        held = self._balances[bucket]
        wanted = sum(move.quantity for move in moves if move.source == bucket)
        names = Names.read(self._tx.connection, items=[bucket.item_id], locations=[bucket.location_id])
        item, location = names.code(bucket.item_id), names.code(bucket.location_id)
        return InsufficientStock(
            f"{item} at {location}: {wanted} wanted, {held} {bucket.state}",
            field="quantity",
            remedy=f"ask for {held} or less, take another location, or wait for the next receipt",
            item=item,
            location=location,
            state=bucket.state,
            wanted=wanted,
            available=held,
        )

    def announce(self) -> None:
        """Publish `GoodsAvailable` for everything that came into `available` since the last call."""
        arrivals, self._arrivals = tuple(self._arrivals.values()), {}
        if arrivals:
            self._tx.publish(GoodsAvailable(arrivals))

    def flush(self) -> None:
        """Write the posted moves, the balances they made and the daily changes."""
        if not self._moves:
            return
        connection = self._tx.connection
        days = [row["occurred_on"] for row in self._moves]
        insert_rows(connection, stock_moves, self._moves)
        upsert_replace(connection, stock_balances, self._balance_rows(), ["quantity"])
        upsert_add(connection, stock_daily, self._daily_rows(), ["change"])
        touch_feeds(self._tx, "stock", min(days), max(days))
        self._moves, self._changed, self._daily = [], set(), {}

    def _balance_rows(self) -> list[dict[str, Any]]:
        return [
            {
                "item_id": bucket.item_id,
                "location_id": bucket.location_id,
                "state": bucket.state,
                "lot_id": bucket.lot_id,
                "owner": bucket.owner,
                "quantity": self._balances[bucket],
            }
            for bucket in sorted(self._changed, key=lambda bucket: bucket.key)
        ]

    def _daily_rows(self) -> list[dict[str, Any]]:
        return [
            {"item_id": item_id, "location_id": location_id, "state": state, "day": day, "change": change}
            for (item_id, location_id, state, day), change in sorted(self._daily.items())
            if change
        ]

    def discard(self) -> None:
        """Forget what was posted but not written, and every balance read."""
        self._balances, self._changed, self._moves = {}, set(), []
        self._daily, self._arrivals = {}, {}
