"""Tables of cycle counts. A line keeps what the ledger had at the moment it was counted."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Date, ForeignKey, Index, Integer, String, Table, text

from erp_core.inventory.counts.rules import COUNT_STATUSES
from erp_core.storage.base import among, metadata
from erp_core.storage.types import Id, Quantity, UtcDateTime

stock_counts = Table(
    "stock_counts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("location_id", Id, ForeignKey("locations.id"), nullable=False, index=True),
    Column("status", String(10), nullable=False),
    Column("blind", Boolean, nullable=False, comment="whoever counts is not shown what is expected"),
    Column("opened_on", Date, nullable=False),
    Column("counted_at", UtcDateTime, comment="the last time it was counted"),
    Column("posted_on", Date),
    Column("counts", Integer, nullable=False, comment="how often it was counted"),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("status", tuple(COUNT_STATUSES)), name="status"),
)

stock_count_lines = Table(
    "stock_count_lines",
    metadata,
    Column("count_id", Id, ForeignKey("stock_counts.id"), primary_key=True),
    Column("item_id", Id, ForeignKey("items.id"), primary_key=True, index=True),
    Column("location_id", Id, nullable=False),
    Column("open", Boolean, nullable=False, comment="its count is neither posted nor cancelled"),
    Column("expected", Quantity, comment="available and reserved units when it was counted"),
    Column("counted", Quantity),
    CheckConstraint("counted >= 0", name="counted_not_below_zero"),
    CheckConstraint("(counted IS NULL) = (expected IS NULL)", name="counted_against_expected"),
    Index(
        "uq_stock_count_lines_open",
        "item_id",
        "location_id",
        unique=True,
        sqlite_where=text("open"),
        postgresql_where=text("open"),
    ),
    sqlite_with_rowid=False,
)

stock_count_lots = Table(
    "stock_count_lots",
    metadata,
    Column("count_id", Id, ForeignKey("stock_counts.id"), primary_key=True),
    Column("item_id", Id, primary_key=True),
    Column("lot_id", Id, ForeignKey("lots.id"), primary_key=True),
    Column("expected", Quantity, nullable=False, comment="available and reserved units when it was counted"),
    Column("counted", Quantity, nullable=False),
    CheckConstraint("counted >= 0", name="counted_not_below_zero"),
    sqlite_with_rowid=False,
    comment="What was found of each lot of the items that are tracked.",
)
