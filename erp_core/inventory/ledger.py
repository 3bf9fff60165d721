"""The stock ledger: double entry over buckets. `Ledger.flush` is the one place that writes stock.

A balance is the sum of the moves into a bucket less those out of it, and never below zero. Moves,
balances and daily changes are written in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from erp_core.gate.contract import Transaction, UnitOfWork
from erp_core.inventory import locks
from erp_core.inventory.events import Arrival, GoodsAvailable
from erp_core.inventory.model import stock_balances, stock_daily, stock_monthly, stock_moves
from erp_core.inventory.months import retired_until
from erp_core.inventory.rules import (
    KEPT,
    OWN,
    VIRTUAL,
    Bucket,
    InsufficientStock,
    MonthRetired,
    Move,
    check_move,
    net_changes,
)
from erp_core.master.feeds import Feeds
from erp_core.master.queries import Names
from erp_core.storage.bulk import PIECE, upsert_add, upsert_replace
from erp_core.storage.columnar import insert_columns
from erp_core.storage.together import together

__all__ = ["Bucket", "InsufficientStock", "Ledger", "Move"]


class Ledger:
    """A transaction's unit of work for stock: read balances in bulk, post moves in memory, write once.

    `quantity` sees what was posted before in the same transaction. Call `announce` after the last
    `post` of a handler that brought goods into `available`.
    """

    shared = True

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._balances: dict[Bucket, int] = {}
        self._unlocked: set[Bucket] = set()
        self._moves: list[tuple[UUID, Move]] = []
        self._daily: dict[date, dict[Bucket, int]] = {}
        self._arrivals: dict[Bucket, Arrival] = {}
        self._kept_from: date | None = None
        self._before: list[UnitOfWork] = []
        self._of_lots = False

    @classmethod
    def of(cls, tx: Transaction) -> Ledger:
        """The transaction's ledger."""
        return tx.unit(cls, cls)

    def rest_on(self, unit: UnitOfWork) -> None:
        """Write that unit of work first: stock is of its records."""
        self._before.append(unit)

    def load(self, buckets: Iterable[Bucket]) -> None:
        """Read and lock the balances of these buckets; those already read stay as they are."""
        balances, unlocked = self._balances, self._unlocked
        wanted = list(
            {
                bucket
                for bucket in buckets
                if (bucket not in balances or bucket in unlocked) and bucket.state != VIRTUAL
            }
        )
        if wanted:
            held = locks.lock_buckets(self._tx.connection, [bucket.key for bucket in wanted])
            balances.update(zip(wanted, held, strict=True))
            for bucket in unlocked.intersection(wanted):
                balances[bucket] += sum(day.get(bucket, 0) for day in self._daily.values())
            unlocked.difference_update(wanted)

    def load_plenty(self, wanted: Mapping[Bucket, int]) -> None:
        """Load buckets of which so many units are `wanted`, without locking them where all hold many times that.

        What they hold is then a good guess; `flush` changes what is there at that moment, and whoever writes them too
        waits no longer than from then to the end of the transaction. Where it was no good guess the database
        refuses, and the gate tries again, carefully: with locks.
        """
        held = None
        if not self._tx.careful and not self._balances:
            held = locks.plenty(self._tx.connection, {bucket.key: units for bucket, units in wanted.items()})
        if held is None:
            self.load(wanted)
        else:
            self._balances.update(zip(wanted, held, strict=True))
            self._unlocked.update(wanted)

    def quantity(self, bucket: Bucket) -> int:
        """Units in the bucket now, moves posted in this transaction included."""
        if bucket not in self._balances:
            self.load([bucket])
        return self._balances[bucket]

    def require(self, moves: Sequence[Move]) -> dict[Bucket, int]:
        """What the moves together do to each bucket.

        Raises `InsufficientStock`, `MalformedMove` or `MonthRetired` where they cannot be posted; posts nothing.
        """
        for move in moves:
            check_move(move)
        self.require_kept(min([move.occurred_at for move in moves], default=self._tx.business_now))
        changes, balances = net_changes(moves), self._balances
        if not changes.keys() <= balances.keys():
            self.load(changes)
        for bucket, change in changes.items():
            if change < 0 and balances[bucket] + change < 0:
                wanted = sum(move.quantity for move in moves if move.source == bucket)
                raise self.shortage(bucket, wanted, balances[bucket])
        return changes

    def require_kept(self, oldest: datetime) -> None:
        """Raises `MonthRetired` where the moves of that time were taken out of the ledger."""
        if oldest >= self._tx.business_now - KEPT:
            return
        if self._kept_from is None:
            self._kept_from = retired_until(self._tx.connection) or date.min
        if oldest.date() < self._kept_from:
            raise MonthRetired(
                f"the moves before {self._kept_from} were taken out of the ledger",
                field="occurred_at",
                remedy=f"date it {self._kept_from} or later",
            )

    def post(self, moves: Sequence[Move]) -> None:
        """Post all the moves or none, with the errors of `require`."""
        changes, balances = self.require(moves), self._balances
        for bucket, change in changes.items():
            balances[bucket] += change
        for move in moves:
            self._record(move)
        if len(self._moves) >= PIECE:
            for unit in self._before:
                unit.flush()
            self._send_moves()
        days = {move.occurred_at.date() for move in moves}
        for day in days:
            of_day = changes if len(days) == 1 else net_changes(_on(day, moves))
            daily = self._daily.setdefault(day, {})
            for bucket, change in of_day.items():
                daily[bucket] = daily.get(bucket, 0) + change

    def _record(self, move: Move) -> None:
        self._moves.append((self._tx.new_id(), move))
        target = move.target
        self._of_lots = self._of_lots or target.lot_id.int != 0
        if target.state == "available" and target.owner == OWN:
            self._arrivals[target] = Arrival(
                target.item_id, target.location_id, move.occurred_at, move.audit_id, target.lot_id
            )

    def shortage(self, bucket: Bucket, wanted: int, held: int) -> InsufficientStock:
        """The refusal of more than there is of an item at a location in a state."""
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
        """Write the posted moves, the balances they made and the changes by day and month."""
        if not self._daily:
            return
        connection, days = self._tx.connection, self._daily
        changed = sum(map(len, days.values()))
        for unit in self._before:
            unit.flush()
        with together(connection, max(changed, len(self._moves))):
            self._send_moves()
            locks.change_balances(connection, self._unlocked_changes())
            upsert_replace(connection, stock_balances, self._balance_rows(), ["quantity"])
            upsert_add(connection, stock_daily, self._change_rows("day"), ["change"])
            upsert_add(connection, stock_monthly, self._change_rows("month"), ["change"])
        Feeds.of(self._tx).touch("stock", min(days), max(days))
        self._daily = {}

    def _send_moves(self) -> None:
        """Write the moves alone: of a large batch piece by piece, while the next are decided."""
        if self._moves:
            insert_columns(self._tx.connection, stock_moves, self._move_columns())
        self._moves = []

    def _move_columns(self) -> dict[str, Any]:
        moves = [move for _, move in self._moves]
        sources, targets = [move.source for move in moves], [move.target for move in moves]
        return {
            "occurred_on": [move.occurred_at.date() for move in moves],
            "id": [id_ for id_, _ in self._moves],
            "event": [move.event for move in moves],
            "item_id": [source.item_id for source in sources],
            "lot_id": [source.lot_id for source in sources],
            "owner": [source.owner for source in sources],
            "from_location_id": [source.location_id for source in sources],
            "from_state": [source.state for source in sources],
            "to_location_id": [target.location_id for target in targets],
            "to_state": [target.state for target in targets],
            "quantity": [move.quantity for move in moves],
            "document_kind": [move.document_kind for move in moves],
            "document_id": [move.document_id for move in moves],
            "reason": [move.reason for move in moves],
            "reverses_id": [move.reverses_id for move in moves],
            "occurred_at": [move.occurred_at for move in moves],
            "recorded_at": self._tx.recorded_at,
            "audit_id": [move.audit_id for move in moves],
        }

    def _balance_rows(self) -> list[dict[str, Any]]:
        """The balances that changed. Those of lots that are empty now come first: a numbered unit leaves
        one place before it is in another, also to the database.
        """
        unlocked = self._unlocked
        changed: Iterable[Bucket] = dict.fromkeys(
            bucket for day in self._daily.values() for bucket in day if bucket not in unlocked
        )
        if self._of_lots:
            changed = sorted(changed, key=lambda bucket: self._balances[bucket] > 0)
        return [
            {
                "item_id": bucket.item_id,
                "location_id": bucket.location_id,
                "state": bucket.state,
                "lot_id": bucket.lot_id,
                "owner": bucket.owner,
                "quantity": self._balances[bucket],
            }
            for bucket in changed
        ]

    def _unlocked_changes(self) -> dict[locks.BucketKey, int]:
        if not self._unlocked:
            return {}
        changes: dict[locks.BucketKey, int] = {}
        for day in self._daily.values():
            for bucket in self._unlocked.intersection(day):
                changes[bucket.key] = changes.get(bucket.key, 0) + day[bucket]
        return changes

    def _change_rows(self, period: Literal["day", "month"]) -> list[dict[str, Any]]:
        """What the company's own stock changed by, a row for each item, location, state and period."""
        sums: dict[tuple[date, Bucket], int] = {}
        for day, changes in self._daily.items():
            first = day.replace(day=1) if period == "month" else day
            for bucket, change in changes.items():
                if bucket.owner != OWN:
                    continue
                total = (first, Bucket.of(bucket.item_id, bucket.location_id, bucket.state))
                sums[total] = sums.get(total, 0) + change
        ordered = locks.in_order(self._tx.connection, sums.items(), lambda sum_: (sum_[0][1].key, sum_[0][0]))
        return [
            {
                "item_id": bucket.item_id,
                "location_id": bucket.location_id,
                "state": bucket.state,
                period: first,
                "change": change,
            }
            for (first, bucket), change in ordered
            if change
        ]

    def discard(self) -> None:
        """Forget what was posted but not written, and every balance read."""
        self._balances, self._moves, self._daily, self._arrivals = {}, [], {}, {}
        self._unlocked = set()


def _on(day: date, moves: Iterable[Move]) -> list[Move]:
    return [move for move in moves if move.occurred_at.date() == day]
