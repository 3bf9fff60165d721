"""Tables of what a segment or class selects: workflows of suppliers, policies of inventory classes, landed cost."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Integer, String, Table

from erp_core.storage.base import among, metadata
from erp_core.storage.types import Id, Json

SEGMENTS = ("strategic", "long_tail", "imported", "domestic")

segment_workflows = Table(
    "segment_workflows",
    metadata,
    Column("segment", String(20), primary_key=True),
    Column("confirm_days", Integer, comment="from sent to confirmed; NULL where no confirmation is required"),
    Column("every_line", Boolean, nullable=False, comment="a confirmation names every line"),
    Column("milestones", Json, nullable=False, comment="(name, days after sent) pairs"),
    Column("supplier_steps", Json, nullable=False, comment="what the supplier does in its own channel"),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("segment", SEGMENTS), name="segment"),
    CheckConstraint("confirm_days >= 0", name="confirm_days"),
    comment="Workflows that replace those a company starts with.",
)
