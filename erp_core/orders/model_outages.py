"""Tables of outages, and of the order lines that went elsewhere because of them."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, String, Table, text

from erp_core.storage.base import metadata
from erp_core.storage.types import Id, UtcDateTime

outages = Table(
    "outages",
    metadata,
    Column("id", Id, primary_key=True),
    Column("location_id", Id, ForeignKey("locations.id"), nullable=False),
    Column("reason", String(30), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("audit_id", Id, nullable=False),
    Index(
        "uq_outages_open",
        "location_id",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)

rerouted_lines = Table(
    "rerouted_lines",
    metadata,
    Column("line_id", Id, ForeignKey("order_lines.id"), primary_key=True),
    Column("outage_id", Id, ForeignKey("outages.id"), nullable=False, index=True),
    Column("from_location_id", Id, ForeignKey("locations.id"), nullable=False),
    Column("returned", Boolean, nullable=False, comment="it came back when the outage was over"),
    Column("audit_id", Id, nullable=False),
    comment="The place that the order named; its line has the place that it was sent to.",
)
