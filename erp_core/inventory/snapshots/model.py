"""Tables of snapshots. They are only added: what somebody reported stays as it was reported."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, Index, String, Table

from erp_core.storage.base import metadata
from erp_core.storage.types import Id, Quantity

stock_snapshots = Table(
    "stock_snapshots",
    metadata,
    Column("id", Id, primary_key=True),
    Column("location_id", Id, ForeignKey("locations.id"), nullable=False),
    Column("source", String(60), nullable=False, comment="who reported it"),
    Column("as_of", Date, nullable=False, comment="the end of this day"),
    Column("audit_id", Id, nullable=False),
    Index("ix_stock_snapshots_location_id_as_of", "location_id", "as_of"),
)

stock_snapshot_lines = Table(
    "stock_snapshot_lines",
    metadata,
    Column("snapshot_id", Id, ForeignKey("stock_snapshots.id"), primary_key=True),
    Column("item_id", Id, ForeignKey("items.id"), primary_key=True),
    Column("reported", Quantity, nullable=False, comment="units physically there, as reported"),
    CheckConstraint("reported >= 0", name="reported_not_below_zero"),
    sqlite_with_rowid=False,
)
