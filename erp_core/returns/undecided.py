"""Goods of customers' returns that wait in quarantine: they are decided about with their return, and with nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.inventory.ledger import Bucket
from erp_core.inventory.rules import NO_LOT
from erp_core.returns.model import return_lines
from erp_core.storage.lookup import fetch_in

_QUARANTINED = select(
    return_lines.c.item_id, return_lines.c.location_id, return_lines.c.quantity, return_lines.c.lots
).where(return_lines.c.disposition == "quarantine", return_lines.c.import_id.is_(None))


def quarantined_returns(connection: Connection, item_ids: Iterable[UUID]) -> dict[Bucket, int]:
    """Units by bucket."""
    found: dict[Bucket, int] = {}
    for row in fetch_in(connection, _QUARANTINED, return_lines.c.item_id, item_ids):
        parts = [(NO_LOT, row.quantity)] if row.lots is None else [(UUID(id_), n) for id_, n in row.lots]
        for lot_id, units in parts:
            bucket = Bucket.of(row.item_id, row.location_id, "quarantined", lot_id)
            found[bucket] = found.get(bucket, 0) + units
    return found
