"""Tables of what service and customers are told when orders are late or short."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, Index, String, Table, Text, text

from erp_core.orders.rules.alerts import ALERT_KINDS, TEMPLATES
from erp_core.storage.base import among, metadata
from erp_core.storage.types import Id, Json, Quantity

order_alerts = Table(
    "order_alerts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("order_id", Id, ForeignKey("orders.id"), nullable=False, index=True),
    Column("line_id", Id, ForeignKey("order_lines.id"), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("units", Quantity, nullable=False, comment="that wait, when it was raised"),
    Column("promised_on", Date),
    Column("expected_on", Date, comment="NULL while nobody knows"),
    Column("raised_on", Date, nullable=False),
    Column("ended_on", Date, comment="since when it is no longer so; NULL while it is"),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("kind", ALERT_KINDS), name="kind"),
    CheckConstraint("units > 0", name="units"),
    Index(
        "uq_order_alerts_open",
        "line_id",
        unique=True,
        sqlite_where=text("ended_on IS NULL"),
        postgresql_where=text("ended_on IS NULL"),
    ),
    comment="A line has one open alert at most: what service knows of it now.",
)

customer_messages = Table(
    "customer_messages",
    metadata,
    Column("id", Id, primary_key=True),
    Column("order_id", Id, ForeignKey("orders.id"), nullable=False, index=True),
    Column("template", String(10), nullable=False),
    Column("lines", Json, nullable=False, comment="(line, units, expected on) of what it is about"),
    Column("subject", String(200), nullable=False),
    Column("body", Text, nullable=False),
    Column("sent_on", Date, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("template", TEMPLATES), name="template"),
    comment="What was handed to the outbox for customers; names and addresses are in none of it.",
)

message_templates = Table(
    "message_templates",
    metadata,
    Column("template", String(10), primary_key=True),
    Column("country", String(60), primary_key=True, comment="of the customer, casefolded; empty for every"),
    Column("subject", String(200), nullable=False),
    Column("body", Text, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("template", TEMPLATES), name="template"),
    comment="Texts that replace those a company starts with.",
)
