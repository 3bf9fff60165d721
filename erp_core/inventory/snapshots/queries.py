"""Reads of snapshots: where what was reported and the ledger differ by more than the company tolerates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, and_, func, select

from erp_core.inventory.queries import positions
from erp_core.inventory.snapshots.model import stock_snapshot_lines, stock_snapshots
from erp_core.master.queries.parameters import parameters


@dataclass(frozen=True, slots=True)
class SnapshotDifference:
    """Units on hand of an item as reported and as the ledger had them at the end of that day."""

    snapshot_id: UUID
    source: str
    as_of: date
    location_id: UUID
    item_id: UUID
    reported: int
    in_ledger: int

    @property
    def units(self) -> int:
        """Reported less what the ledger has."""
        return self.reported - self.in_ledger


def beyond(reported: int, in_ledger: int, units: int, percent: int) -> bool:
    """Whether a difference is above both tolerances: so many units, and so many percent of what the ledger has."""
    gap = abs(reported - in_ledger)
    return gap > units and gap * 100 > percent * in_ledger


def snapshot_differences(
    connection: Connection, location_id: UUID | None = None, *, tolerated: bool = False
) -> list[SnapshotDifference]:
    """The differences of each location's latest snapshot, the largest first; with `tolerated` the small ones too.

    What the ledger has there and the snapshot leaves out counts as reported with 0. Goods in transit are at neither.
    The ledger is read as of the snapshot's day, so that what moved since is no difference.
    """
    limits = parameters(connection)
    units, percent = limits["snapshot_units"], limits["snapshot_percent"]
    found: list[SnapshotDifference] = []
    for snapshot in _latest(connection, location_id):
        line = stock_snapshot_lines.c
        reported = {
            item_id: int(there)
            for item_id, there in connection.execute(
                select(line.item_id, line.reported).where(line.snapshot_id == snapshot.id)
            )
        }
        ledger = {
            item_id: one.on_hand
            for (item_id, _), one in positions(
                connection, location_id=snapshot.location_id, as_of=snapshot.as_of
            ).items()
        }
        found += [
            SnapshotDifference(
                snapshot.id, snapshot.source, snapshot.as_of, snapshot.location_id, item_id, said, has
            )
            for item_id in reported.keys() | ledger.keys()
            if (said := reported.get(item_id, 0)) != (has := ledger.get(item_id, 0))
            and (tolerated or beyond(said, has, units, percent))
        ]
    return sorted(found, key=lambda one: (-abs(one.units), one.location_id, one.item_id))


def _latest(connection: Connection, location_id: UUID | None) -> list[_Snapshot]:
    table = stock_snapshots.c
    newest = select(table.location_id, func.max(table.as_of).label("as_of")).group_by(table.location_id)
    if location_id is not None:
        newest = newest.where(table.location_id == location_id)
    last = newest.subquery()
    rows = connection.execute(
        select(table.id, table.location_id, table.source, table.as_of)
        .join(last, and_(last.c.location_id == table.location_id, last.c.as_of == table.as_of))
        .order_by(table.location_id, table.audit_id)
    )
    by_place = {row.location_id: _Snapshot(*row) for row in rows}
    return list(by_place.values())


@dataclass(frozen=True, slots=True)
class _Snapshot:
    id: UUID
    location_id: UUID
    source: str
    as_of: date
