"""Months that are closed: nothing happens in them any more."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, Table

from erp_core.storage.base import metadata
from erp_core.storage.types import Id, Json

closed_periods = Table(
    "closed_periods",
    metadata,
    Column("month", Date, primary_key=True, comment="its first day"),
    Column("closed_on", Date, nullable=False),
    Column("figures", Json, nullable=False, comment="what it was closed with"),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("closed_on > month", name="over"),
)
