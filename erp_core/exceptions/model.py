"""Tables of the inbox: cases, the subjects they speak of, and what people did with them."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from erp_core.exceptions.rules import CASE_STEPS
from erp_core.storage.base import among, metadata
from erp_core.storage.types import Id, Json, Money, UtcDateTime

cases = Table(
    "cases",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(30), nullable=False, index=True),
    Column("subject_key", String(160), nullable=False, comment="what makes a case the same at the next scan"),
    Column("title", String(200), nullable=False),
    Column("status", String(10), nullable=False, index=True),
    Column("probability", Float, nullable=False),
    Column("deadline", UtcDateTime, nullable=False),
    Column("expected_loss", Money, nullable=False),
    Column("residual_loss", Money, nullable=False),
    Column("action_cost", Money, nullable=False),
    Column("net_benefit", Money, nullable=False, index=True, comment="expected - residual - cost: the rank"),
    Column("evidence", Json, nullable=False),
    Column("action", Json, comment="the best action, ready to propose"),
    Column("caused_by", Id, ForeignKey("cases.id"), comment="the root case that carries the money"),
    Column("owner_id", Id),
    Column("proposal_id", Id),
    Column("resolution", String(30), comment="code; what was written about it stands in case_events"),
    Column("dismissed", Boolean, nullable=False, comment="closed by a person while still detected"),
    Column("snoozed_until", UtcDateTime),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("version", Integer, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("status", CASE_STEPS), name="status"),
    CheckConstraint("probability >= 0 AND probability <= 1", name="probability"),
    Index("ix_cases_kind_subject_key", "kind", "subject_key"),
)

case_subjects = Table(
    "case_subjects",
    metadata,
    Column("case_id", Id, ForeignKey("cases.id"), primary_key=True),
    Column(
        "subject_kind", String(20), primary_key=True, comment="item, location, supplier, po_line, order, ..."
    ),
    Column("subject_id", Id, primary_key=True, index=True),
)

case_events = Table(
    "case_events",
    metadata,
    Column("id", Id, primary_key=True),
    Column("case_id", Id, ForeignKey("cases.id"), nullable=False, index=True),
    Column("status", String(10), nullable=False),
    Column("user_id", Id),
    Column("note", Text, nullable=False),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("audit_id", Id, nullable=False),
)

withheld = Table(
    "withheld_detections",
    metadata,
    Column("kind", String(30), primary_key=True),
    Column("reason", String(200), primary_key=True),
    Column("subjects", Integer, nullable=False),
    Column("scanned_at", UtcDateTime, nullable=False),
    comment="What the last scan could not judge, and why.",
)
