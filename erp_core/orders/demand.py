"""The daily demand projection, kept by whoever changes what was ordered."""

from __future__ import annotations

from datetime import date
from typing import Self
from uuid import UUID

from erp_core.gate.contract import Transaction
from erp_core.inventory import locks
from erp_core.master.feeds import Feeds
from erp_core.orders.model import demand_daily
from erp_core.storage.bulk import upsert_add

LIVE = UUID(int=0)


class DemandChanges:
    """A transaction's unit of work for demand that is added or taken back, summed by item, location, channel and day."""

    shared = True

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._sums: dict[tuple[UUID, UUID, UUID, date], list[int]] = {}

    @classmethod
    def of(cls, tx: Transaction) -> Self:
        """The transaction's changes of demand."""
        return tx.unit(cls, cls)

    def add(
        self,
        item_id: UUID,
        location_id: UUID,
        channel_id: UUID,
        day: date,
        units: int,
        unit_price: int,
        list_price: int,
        lines: int,
    ) -> None:
        """Count `units` (signed) at these prices, and `lines` order lines (signed)."""
        key = (item_id, location_id, channel_id, day)
        sums = self._sums.get(key)
        if sums is None:
            self._sums[key] = [units, units * unit_price, units * list_price, lines]
        else:
            sums[0] += units
            sums[1] += units * unit_price
            sums[2] += units * list_price
            sums[3] += lines

    def flush(self) -> None:
        """Add the sums to the projection, and note the days in the sales feed."""
        if not self._sums:
            return
        connection = self._tx.connection
        upsert_add(
            connection,
            demand_daily,
            [
                {
                    "item_id": key[0],
                    "location_id": key[1],
                    "channel_id": key[2],
                    "day": key[3],
                    "import_id": LIVE,
                    "units": sums[0],
                    "net_sales": sums[1],
                    "list_sales": sums[2],
                    "lines": sums[3],
                }
                for key, sums in locks.in_order(connection, self._sums.items(), lambda entry: entry[0])
            ],
            ["units", "net_sales", "list_sales", "lines"],
        )
        days = [key[3] for key in self._sums]
        Feeds.of(self._tx).touch("sales", min(days), max(days))
        self._sums = {}

    def discard(self) -> None:
        """Forget what is not written."""
        self._sums = {}
