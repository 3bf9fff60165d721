"""Table of working calendars. Who has none works every day."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, String, Table

from erp_core.storage.base import among, metadata
from erp_core.storage.types import Id, Json

PARTIES = ("supplier", "location")

work_calendars = Table(
    "work_calendars",
    metadata,
    Column("party_kind", String(10), primary_key=True),
    Column("party_id", Id, primary_key=True),
    Column("weekdays", Json, nullable=False, comment="the weekdays that are worked; Monday is 0"),
    Column(
        "closed", Json, nullable=False, comment="the days that are not, by day with the name of the holiday"
    ),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("party_kind", PARTIES), name="party_kind"),
)
