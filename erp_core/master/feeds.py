"""Which kinds of fact the company has, and over which days: what makes a metric have a value at all."""

from __future__ import annotations

from datetime import date
from typing import Literal

from sqlalchemy import case, select

from erp_core.gate.contract import Transaction
from erp_core.master.model import data_feeds
from erp_core.storage.bulk import insert_missing

FeedKind = Literal["sales", "stock", "cost", "purchasing", "returns"]


def touch_feeds(tx: Transaction, kind: FeedKind, first_on: date, last_on: date) -> None:
    """Note that facts of this kind exist from `first_on` to `last_on`; a feed only ever grows."""
    table, connection = data_feeds, tx.connection
    known = connection.execute(select(table).where(table.c.kind == kind)).one_or_none()
    if known is not None and known.first_on <= first_on and last_on <= known.last_on:
        return
    if known is None:
        row = {"kind": kind, "first_on": first_on, "last_on": last_on, "updated_at": tx.recorded_at}
        insert_missing(connection, table, [row])
    connection.execute(
        table.update()
        .where(table.c.kind == kind)
        .values(
            first_on=case((table.c.first_on > first_on, first_on), else_=table.c.first_on),
            last_on=case((table.c.last_on < last_on, last_on), else_=table.c.last_on),
            updated_at=tx.recorded_at,
        )
    )
