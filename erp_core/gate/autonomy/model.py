"""Tables of autonomy. Rows are only ever added: the newest version of a scope, the limits or the switch is in force."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Date, Index, Integer, String, Table, Text

from erp_core.gate.autonomy.rules import LEVELS, SCOPES
from erp_core.storage.base import among, metadata
from erp_core.storage.types import Id, Money, UtcDateTime

autonomy_levels = Table(
    "autonomy_levels",
    metadata,
    Column("scope_kind", String(16), primary_key=True),
    Column("scope", String(80), primary_key=True, comment="category, or a code; empty for the company"),
    Column("version", Integer, primary_key=True),
    Column("level", String(10), nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("scope_kind", SCOPES), name="scope_kind"),
    CheckConstraint(among("level", LEVELS), name="level"),
    CheckConstraint("(scope_kind = 'company') = (scope = '')", name="scope"),
)

automation_limits = Table(
    "automation_limits",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("order_amount", Money, nullable=False),
    Column("category_day_amount", Money, nullable=False),
    Column("day_orders", Integer, nullable=False),
    Column("day_amount", Money, nullable=False),
    Column("minimum_decided", Integer, nullable=False, comment="recommendations before a scope may act"),
    Column("accepted_percent", Integer, nullable=False),
    Column("minimum_judged", Integer, nullable=False, comment="outcomes before a scope may act"),
    Column("good_percent", Integer, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(
        "order_amount >= 0 AND category_day_amount >= 0 AND day_orders >= 0 AND day_amount >= 0", name="caps"
    ),
    CheckConstraint("minimum_decided >= 1 AND minimum_judged >= 1", name="minimum_numbers"),
)

automation_switch = Table(
    "automation_switch",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("stopped", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("audit_id", Id, nullable=False),
)

automation_uses = Table(
    "automation_uses",
    metadata,
    Column("document_id", Id, primary_key=True),
    Column("category", String(80), primary_key=True),
    Column("day", Date, nullable=False),
    Column("amount", Money, nullable=False),
    Column("rule", String(80), nullable=False, comment="which stored rule, and as of which day"),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("amount >= 0", name="amount"),
    Index("ix_automation_uses_day", "day"),
    comment="What automation bought by itself, by category: the caps of a day are counted over these rows.",
)
