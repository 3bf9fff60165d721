"""The lot book: the lots a transaction works with, which of them may be promised, and what comes in as what.

An item that has no lots costs nothing here: nothing is read for it, and its stock is the ledger's one bucket.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Self
from uuid import UUID

from sqlalchemy import func, select, text

from erp_core.gate.contract import NotFound, Transaction
from erp_core.inventory import locks
from erp_core.inventory.ledger import Bucket, Ledger
from erp_core.inventory.lots.rules import (
    RELEASED,
    Lot,
    LotDiffers,
    LotHeld,
    Named,
    SerialTwice,
    first_expired,
    lot_differs,
)
from erp_core.inventory.model import LOTTED, lots, shelf_life_rules, stock_balances
from erp_core.inventory.rules import NO_LOT, OWN, State
from erp_core.storage.bulk import insert_rows
from erp_core.storage.lookup import fetch_in, fetch_in_pairs

_FIELDS = [one.name for one in fields(Lot)]
_LOTS = select(*(lots.c[name] for name in _FIELDS))
_AVAILABLE = (
    select(stock_balances.c.location_id, *(lots.c[name] for name in _FIELDS))
    .join(stock_balances, stock_balances.c.lot_id == lots.c.id)
    .where(
        text(f"stock_balances.{LOTTED}"),
        stock_balances.c.state == "available",
        stock_balances.c.owner == OWN,
        stock_balances.c.quantity > 0,
    )
)
_IN_STOCK = (
    select(stock_balances.c.lot_id, func.sum(stock_balances.c.quantity))
    .where(text(LOTTED))
    .group_by(stock_balances.c.lot_id)
)


@dataclass(frozen=True, slots=True)
class Source:
    """What units came in with, and who they came from."""

    kind: str
    id: UUID
    on: date
    audit_id: UUID
    supplier_id: UUID | None = None


class LotBook:
    """A transaction's unit of work for lots. New lots are written before the stock that is of them."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._ledger = Ledger.of(tx)
        self._ledger.rest_on(self)
        self._lots: dict[UUID, Lot] = {}
        self._codes: dict[tuple[UUID, bool, str], Lot] = {}
        self._stock: dict[UUID, dict[UUID, list[Lot]]] = {}
        self._shelf_life: dict[tuple[UUID, UUID], int] | None = None
        self._new: dict[UUID, UUID] = {}

    @classmethod
    def of(cls, tx: Transaction) -> Self:
        """The transaction's lot book."""
        return tx.unit(cls, cls)

    def read_stock(self, item_ids: Iterable[UUID], *, again: bool = False) -> None:
        """Read which lots of these tracked items are available where; `again` also where it was read before."""
        wanted = [id_ for id_ in item_ids if again or id_ not in self._stock]
        if not wanted:
            return
        self._ledger.flush()
        self._stock |= {item_id: {} for item_id in wanted}
        for location_id, *values in fetch_in(self._tx.connection, _AVAILABLE, lots.c.item_id, wanted):
            lot = self._know(Lot(*values))
            self._stock[lot.item_id].setdefault(location_id, []).append(lot)

    def _know(self, lot: Lot) -> Lot:
        self._codes[lot.item_id, lot.serial, lot.code] = lot
        return self._lots.setdefault(lot.id, lot)

    def tracks(self, item_id: UUID) -> bool:
        """Whether the item's lots were read: a tracked one's always are."""
        return item_id in self._stock

    def buckets(
        self, item_ids: Iterable[UUID], states: Sequence[State] = ("available", "reserved")
    ) -> set[Bucket]:
        """The buckets of the lots that are available, for loading the ledger in bulk."""
        return {
            Bucket.of(item_id, location_id, state, lot.id)
            for item_id in item_ids
            for location_id, found in self._stock.get(item_id, {}).items()
            for lot in found
            for state in states
        }

    def promisable(self, item_id: UUID, location_id: UUID, on: date, minimum_days: int = 0) -> int:
        """Units that may be promised: of a tracked item those whose lot is released and lasts so many days more."""
        if item_id not in self._stock:
            return self._ledger.quantity(Bucket.of(item_id, location_id))
        return sum(units for _, units in self._promisable(item_id, location_id, on, minimum_days))

    def _promisable(
        self, item_id: UUID, location_id: UUID, on: date, minimum_days: int
    ) -> list[tuple[Lot, int]]:
        return [
            (lot, self._ledger.quantity(Bucket.of(item_id, location_id, "available", lot.id)))
            for lot in self._stock[item_id].get(location_id, ())
            if lot.promisable(on, minimum_days)
        ]

    def choose(
        self,
        item_id: UUID,
        location_id: UUID,
        wanted: int,
        on: date,
        minimum_days: int = 0,
        taken: Mapping[UUID, int] | None = None,
    ) -> list[tuple[UUID, int]]:
        """Lots for `wanted` units, the first to expire first. Raises `InsufficientStock`.

        `taken` are units by lot that the caller chose before and has not posted yet. An item without lots gives
        its one bucket, and the ledger says whether so much is there.
        """
        if item_id not in self._stock:
            return [(NO_LOT, wanted)]
        stock = [
            (lot, units - (taken or {}).get(lot.id, 0))
            for lot, units in self._promisable(item_id, location_id, on, minimum_days)
        ]
        chosen = [(lot.id, units) for lot, units in first_expired(stock, wanted)]
        found = sum(units for _, units in chosen)
        if found < wanted:
            raise self._ledger.shortage(Bucket.of(item_id, location_id), wanted, found)
        return chosen

    def minimum_days(self, channel_id: UUID, item_id: UUID) -> int:
        """How long a lot of a tracked item must last yet when it is promised on a channel; 0 without a rule."""
        if item_id not in self._stock:
            return 0
        if self._shelf_life is None:
            table = shelf_life_rules
            rows = self._tx.connection.execute(
                select(table.c.channel_id, table.c.item_id, table.c.minimum_days)
            )
            self._shelf_life = {(channel, item): days for channel, item, days in rows}
        general = self._shelf_life.get((channel_id, NO_LOT), 0)
        return self._shelf_life.get((channel_id, item_id), general)

    def read(self, lot_ids: Iterable[UUID]) -> None:
        """Read these lots."""
        wanted = {id_ for id_ in lot_ids if id_ != NO_LOT and id_ not in self._lots}
        for row in fetch_in(self._tx.connection, _LOTS, lots.c.id, wanted):
            self._know(Lot(*row))

    def get(self, lot_id: UUID) -> Lot:
        """A lot. Raises `NotFound`."""
        self.read([lot_id])
        if lot_id not in self._lots:
            raise NotFound(f"there is no lot {lot_id}", field="lot_id", remedy="look the lot up by its code")
        return self._lots[lot_id]

    def find(self, named: Sequence[Named], *, field: str = "lines.lot_code") -> list[tuple[Lot, int]]:
        """The lots that units are said to be of, which must be there. Raises `NotFound` or `LotDiffers`."""
        self._read_codes((one.item_id, one.code) for one in named)
        found = []
        for one in named:
            lot = self._codes.get((one.item_id, one.serial, one.code))
            if lot is None:
                raise NotFound(
                    f"no {'unit' if one.serial else 'lot'} {one.code} of the item is known",
                    field=field,
                    remedy="check the label; what never came in cannot be moved",
                )
            _require_same(lot, one, None)
            found.append((lot, one.quantity))
        return found

    def take_in(self, named: Sequence[Named], source: Source) -> list[tuple[Lot, int, State]]:
        """The lots that units come in as, made where they are new, and the state their status allows.

        What is held, recalled or expired is quarantined at once. Raises `LotDiffers`, and `SerialTwice` for a
        numbered unit that lies somewhere already; nothing is made then.
        """
        connection = self._tx.connection
        pairs = {(one.item_id, code) for one in named for code in (one.code, one.batch) if code is not None}
        locks.lock_names(connection, (f"lot {item_id} {code}" for item_id, code in pairs))
        self._read_codes(pairs)
        _require_once(named)
        self.require_outside([one for one in named if one.serial])
        said: dict[tuple[UUID, str], Named] = {}
        for one in named:
            batch, lot = self._batch(one), self._codes.get((one.item_id, one.serial, one.code))
            if lot is not None:
                _require_same(lot, one, batch)
            if batch is not None:
                _require_same(batch, one, None)
            code = one.batch or one.code
            _require_alike(said.setdefault((one.item_id, code), one), one, code)
        taken: list[tuple[Lot, int, State]] = []
        for one in named:
            lot = self._codes.get((one.item_id, one.serial, one.code)) or self._make(one, source)
            taken.append((lot, one.quantity, lot.state_on(source.on)))
        return taken

    def _batch(self, one: Named) -> Lot | None:
        return None if one.batch is None else self._codes.get((one.item_id, False, one.batch))

    def _read_codes(self, pairs: Iterable[tuple[UUID, str]]) -> None:
        known = {(item_id, code) for item_id, _, code in self._codes}
        columns = (lots.c.item_id, lots.c.code)
        for row in fetch_in_pairs(
            self._tx.connection, _LOTS, columns, (pair for pair in pairs if pair not in known)
        ):
            self._know(Lot(*row))

    def require_outside(self, named: Sequence[Named]) -> None:
        """Raise `SerialTwice` where one of these numbered units lies in stock."""
        self._read_codes((one.item_id, one.code) for one in named)
        known = {lot.id: lot for one in named if (lot := self._codes.get((one.item_id, True, one.code)))}
        if not known:
            return
        self._ledger.flush()
        for lot_id, units in fetch_in(self._tx.connection, _IN_STOCK, stock_balances.c.lot_id, known):
            if units:
                raise SerialTwice(
                    f"unit {known[lot_id].code} lies in stock already",
                    field="lines.serials",
                    remedy="check the label: one serial number is in one place only",
                    serial=known[lot_id].code,
                )

    def _make(self, one: Named, source: Source) -> Lot:
        batch = None
        if one.batch is not None:
            batch = self._batch(one) or self._make(
                replace(one, code=one.batch, serial=False, batch=None), source
            )
        lot = Lot(
            self._tx.new_id(),
            one.item_id,
            one.code,
            one.serial,
            None if batch is None else batch.id,
            one.expires_on,
            source.on,
            source.supplier_id,
            source.kind,
            source.id,
            RELEASED if batch is None else batch.status,
        )
        self._new[lot.id] = source.audit_id
        return self._know(lot)

    def require_good(self, lot_ids: Iterable[UUID], on: date) -> None:
        """Raise `LotHeld` where one of the lots is held, recalled or expired."""
        wanted = [id_ for id_ in lot_ids if id_ != NO_LOT]
        self.read(wanted)
        for lot_id in wanted:
            lot = self._lots[lot_id]
            if not lot.promisable(on):
                why = f"expired on {lot.expires_on}" if lot.status == RELEASED else f"is {lot.status}"
                raise LotHeld(
                    f"lot {lot.code} {why}",
                    field="lot_code",
                    remedy="release the hold first, or take another lot",
                    lot=lot.code,
                    status=lot.status,
                    expires_on=lot.expires_on,
                )

    def mark(self, lot_ids: Iterable[UUID], status: str) -> None:
        """Note the new status of lots; whoever calls wrote it."""
        for lot_id in lot_ids:
            if lot_id in self._lots:
                lot = replace(self._lots[lot_id], status=status)
                self._lots[lot_id] = self._codes[lot.item_id, lot.serial, lot.code] = lot
        self._stock = {item_id: {} for item_id in self._stock}

    def flush(self) -> None:
        """Write the new lots, a unit's batch before the unit."""
        if not self._new:
            return
        new, self._new = self._new, {}
        rows = [
            {name: getattr(self._lots[id_], name) for name in _FIELDS} | {"audit_id": audit_id}
            for id_, audit_id in new.items()
        ]
        insert_rows(self._tx.connection, lots, sorted(rows, key=lambda row: row["batch_id"] is not None))

    def discard(self) -> None:
        """Forget what is not written and everything read."""
        self._lots, self._codes, self._stock, self._shelf_life, self._new = {}, {}, {}, None, {}


def _require_alike(first: Named, other: Named, code: str) -> None:
    if first.expires_on != other.expires_on:
        raise LotDiffers(
            f"{code} is said to last until {first.expires_on} and until {other.expires_on}",
            field="lines.expires_on",
            remedy="check the labels; a lot has one last day",
            lot=code,
        )


def _require_once(named: Sequence[Named]) -> None:
    numbered = Counter((one.item_id, one.code) for one in named if one.serial)
    for (_, code), times in numbered.items():
        if times > 1:
            raise SerialTwice(
                f"serial number {code} stands {times} times",
                field="lines.serials",
                remedy="scan each unit once",
                serial=code,
            )


def _require_same(lot: Lot, said: Named, batch: Lot | None) -> None:
    if said.expires_on is not None and said.expires_on != lot.expires_on:
        raise lot_differs(lot, said.expires_on, "expires_on", "the last day")
    if batch is not None and lot.batch_id != batch.id:
        raise lot_differs(lot, batch.id, "batch_id", "the lot")
