"""Tables of what a segment or class selects: workflows of suppliers, policies of inventory classes, landed cost."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Date, Float, ForeignKey, Integer, String, Table

from erp_core.master.rules.classes import ITEM_CLASSES
from erp_core.master.rules.landed_costs import BASES
from erp_core.storage.base import among, metadata
from erp_core.storage.types import Id, Json, Money, Quantity

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

brands = Table(
    "brands",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("private_label", Boolean, nullable=False),
    Column("legal_entity_id", Id, ForeignKey("legal_entities.id")),
    Column("audit_id", Id, nullable=False),
    comment="What is known of a brand beside its name, which items carry.",
)

item_classes = Table(
    "item_classes",
    metadata,
    Column("item_id", Id, ForeignKey("items.id"), primary_key=True),
    Column("classes", Json, nullable=False, comment="every class the item belongs to, in order"),
    Column("abc", String(1)),
    Column("net_sales", Money, nullable=False, comment="in the days looked at"),
    Column("units", Quantity, nullable=False),
    Column("classified_on", Date, nullable=False, comment="the day since which this is so"),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("abc IN ('A', 'B', 'C')", name="abc"),
)

class_policies = Table(
    "class_policies",
    metadata,
    Column("class", String(20), primary_key=True),
    Column("rank", Integer, nullable=False, comment="1 is asked first"),
    Column("service_level", Float),
    Column("review_days", Integer),
    Column("count_days", Integer, comment="the longest time between two counts"),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("class", ITEM_CLASSES), name="class"),
    CheckConstraint("rank >= 1", name="rank"),
    CheckConstraint("service_level > 0.5 AND service_level < 1", name="service_level"),
    CheckConstraint("review_days >= 1 AND count_days >= 1", name="days"),
    comment="Policies that replace those a company starts with.",
)

landed_cost_components = Table(
    "landed_cost_components",
    metadata,
    Column("code", String(30), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("basis", String(10), nullable=False, comment="what its amount is shared by among the goods"),
    Column("active", Boolean, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("basis", BASES), name="basis"),
    comment="Components that replace or add to those a company starts with.",
)
