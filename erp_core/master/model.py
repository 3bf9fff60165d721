"""Tables of the master data. Codes are what people type; ids are what documents quote."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Date, Float, ForeignKey, Integer, String, Table, Text

from erp_core.storage.base import metadata
from erp_core.storage.types import Id, Money, Quantity, UtcDateTime

items = Table(
    "items",
    metadata,
    Column("id", Id, primary_key=True),
    Column("sku", String(60), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("category", String(80), nullable=False, index=True),
    Column("brand", String(80), nullable=False),
    Column("abc_class", String(1)),
    Column("base_unit", String(20), nullable=False),
    Column("standard_cost", Money, comment="per base unit; unknown is NULL, never 0"),
    Column("list_price", Money),
    Column("status", String(12), nullable=False),
    Column("introduced_on", Date),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("status IN ('draft', 'active', 'discontinued')", name="status"),
    CheckConstraint("abc_class IN ('A', 'B', 'C')", name="abc_class"),
)

item_units = Table(
    "item_units",
    metadata,
    Column("item_id", Id, ForeignKey("items.id"), primary_key=True),
    Column("unit", String(20), primary_key=True),
    Column("factor", Quantity, nullable=False, comment="base units in one of this unit"),
    CheckConstraint("factor >= 1", name="factor"),
)

suppliers = Table(
    "suppliers",
    metadata,
    Column("id", Id, primary_key=True),
    Column("code", String(40), nullable=False, unique=True),
    Column("name", String(160), nullable=False),
    Column("country", String(60)),
    Column("currency", String(3), nullable=False),
    Column("payment_days", Integer),
    Column("delivery_terms", String(20)),
    Column("minimum_order", Money, nullable=False),
    Column("lead_time_days", Integer),
    Column("segment", String(20), nullable=False),
    Column("risk_class", String(10), nullable=False),
    Column("status", String(12), nullable=False),
    Column(
        "internal",
        Boolean,
        nullable=False,
        default=False,
        comment="a warehouse of our own that supplies: no supplier, so left out of supplier performance",
    ),
    Column("created_by", Id, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("status IN ('draft', 'active', 'blocked')", name="status"),
    CheckConstraint("risk_class IN ('low', 'medium', 'high')", name="risk_class"),
    CheckConstraint("segment IN ('strategic', 'long_tail', 'imported', 'domestic')", name="segment"),
)

supplier_items = Table(
    "supplier_items",
    metadata,
    Column("supplier_id", Id, ForeignKey("suppliers.id"), primary_key=True),
    Column("item_id", Id, ForeignKey("items.id"), primary_key=True, index=True),
    Column("supplier_sku", String(60)),
    Column("price", Money, nullable=False, comment="per base unit"),
    Column("minimum_quantity", Quantity, nullable=False),
    Column("order_multiple", Quantity, nullable=False),
    Column("lead_time_days", Integer),
    Column("rank", Integer, nullable=False, comment="1 is the preferred supplier"),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("minimum_quantity >= 1 AND order_multiple >= 1", name="quantities"),
)

locations = Table(
    "locations",
    metadata,
    Column("id", Id, primary_key=True),
    Column("code", String(40), nullable=False, unique=True),
    Column("name", String(120), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("country", String(60)),
    Column("physical", Boolean, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(
        "kind IN ('warehouse', 'store', 'third_party', 'supplier', 'customer', 'loss', 'kit_assembly')",
        name="kind",
    ),
)

channels = Table(
    "channels",
    metadata,
    Column("id", Id, primary_key=True),
    Column("code", String(40), nullable=False, unique=True),
    Column("name", String(120), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("kind IN ('web', 'marketplace', 'store', 'wholesale')", name="kind"),
)

planning_policies = Table(
    "planning_policies",
    metadata,
    Column("item_id", Id, ForeignKey("items.id"), primary_key=True),
    Column("location_id", Id, ForeignKey("locations.id"), primary_key=True),
    Column("service_level", Float, nullable=False),
    Column("review_days", Integer, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("service_level > 0.5 AND service_level < 1", name="service_level"),
    CheckConstraint("review_days >= 1", name="review_days"),
)

data_feeds = Table(
    "data_feeds",
    metadata,
    Column("kind", String(20), primary_key=True, comment="sales, stock, cost, purchasing, returns"),
    Column("first_on", Date, nullable=False),
    Column("last_on", Date, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    comment="Which kinds of fact the company has at all: without a stock feed no stock metric has a value.",
)

import_visibility = Table(
    "import_visibility",
    metadata,
    Column("import_id", Id, primary_key=True),
    Column("complete", Boolean, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("source", Text, nullable=False),
    comment="Rows that carry an import_id are seen by readers only when that import is complete.",
)
