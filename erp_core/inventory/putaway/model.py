"""The table of putaway rules."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Integer, String, Table

from erp_core.storage.base import metadata
from erp_core.storage.types import Id, Quantity

putaway_rules = Table(
    "putaway_rules",
    metadata,
    Column("id", Id, primary_key=True),
    Column("site_id", Id, ForeignKey("locations.id"), nullable=False, index=True, comment="where it arrives"),
    Column("location_id", Id, ForeignKey("locations.id"), nullable=False, comment="where it is kept"),
    Column("priority", Integer, nullable=False, comment="the lowest that fits and has room is taken"),
    Column("item_id", Id, ForeignKey("items.id"), comment="NULL: every item"),
    Column("category", String(80), comment="NULL: every category"),
    Column("abc_class", String(1), comment="NULL: every class"),
    Column("expires_within_days", Integer, comment="only lots with a last day so near; NULL: all"),
    Column("capacity", Quantity, comment="units of all items that fit; NULL: without bound"),
    Column("active", Boolean, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("capacity >= 1", name="capacity"),
    CheckConstraint("expires_within_days >= 0", name="expires_within_days"),
    CheckConstraint("site_id <> location_id", name="two_places"),
    comment="Where goods go after they were received; a pick face below its minimum goes before every rule.",
)
