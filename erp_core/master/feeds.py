"""Which kinds of fact the company has, and over which days: what makes a metric have a value at all."""

from __future__ import annotations

from datetime import date
from typing import Literal, Self

from sqlalchemy import case, select

from erp_core.gate.contract import Transaction
from erp_core.master.model import data_feeds
from erp_core.storage.bulk import insert_missing

_ALL = select(data_feeds.c.kind, data_feeds.c.first_on, data_feeds.c.last_on)
FeedKind = Literal["sales", "stock", "cost", "purchasing", "returns"]


class Feeds:
    """What a transaction knows of the company's feeds: read once, written when one grows."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._spans: dict[str, tuple[date, date]] | None = None

    @classmethod
    def of(cls, tx: Transaction) -> Self:
        """The transaction's feeds."""
        return tx.unit(cls, cls)

    def load(self) -> dict[str, tuple[date, date]]:
        """The feeds' first and last days, read once: called before writes that travel together, it leaves no read among them."""
        if self._spans is None:
            rows = self._tx.connection.execute(_ALL)
            self._spans = {kind: (first_on, last_on) for kind, first_on, last_on in rows}
        return self._spans

    def touch(self, kind: FeedKind, first_on: date, last_on: date) -> None:
        """Note that facts of this kind exist from `first_on` to `last_on`; a feed only ever grows."""
        spans = self.load()
        known = spans.get(kind)
        if known is not None and known[0] <= first_on and last_on <= known[1]:
            return
        if known is None:
            row = {
                "kind": kind,
                "first_on": first_on,
                "last_on": last_on,
                "updated_at": self._tx.recorded_at,
            }
            insert_missing(self._tx.connection, data_feeds, [row])
            known = (first_on, last_on)
        spans[kind] = (min(known[0], first_on), max(known[1], last_on))
        self._widen(kind, first_on, last_on)

    def _widen(self, kind: FeedKind, first_on: date, last_on: date) -> None:
        table = data_feeds
        self._tx.connection.execute(
            table.update()
            .where(table.c.kind == kind)
            .values(
                first_on=case((table.c.first_on > first_on, first_on), else_=table.c.first_on),
                last_on=case((table.c.last_on < last_on, last_on), else_=table.c.last_on),
                updated_at=self._tx.recorded_at,
            )
        )

    def flush(self) -> None:
        """Nothing waits: a feed is written when it grows."""

    def discard(self) -> None:
        """Forget what was read."""
        self._spans = None
