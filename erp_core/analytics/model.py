"""The calendar, so that weeks, months and quarters group the same way on both databases."""

from __future__ import annotations

from sqlalchemy import Column, Date, String, Table

from erp_core.storage.base import metadata

calendar = Table(
    "calendar",
    metadata,
    Column("day", Date, primary_key=True),
    Column("week", Date, nullable=False, comment="Monday of the ISO week"),
    Column("month", String(7), nullable=False, comment="2026-06"),
    Column("quarter", String(7), nullable=False, comment="2026-Q2"),
    Column("year", String(4), nullable=False),
)
