"""Tables of the master data. Codes are what people type; ids are what documents quote."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from erp_core.master import model_fulfilment as model_fulfilment
from erp_core.master import model_selection as model_selection
from erp_core.master import model_trade as model_trade
from erp_core.master.model_calendars import work_calendars as work_calendars
from erp_core.master.model_external import external_skus as external_skus
from erp_core.master.model_products import categories as categories
from erp_core.master.model_products import products as products
from erp_core.master.rules import SUPPLIER_STATUSES
from erp_core.storage.base import among, metadata
from erp_core.storage.types import Id, Json, Money, Quantity, UtcDateTime

items = Table(
    "items",
    metadata,
    Column("id", Id, primary_key=True),
    Column("sku", String(60), nullable=False, unique=True),
    Column("sku_key", String(60), index=True, comment="the SKU without separators and case"),
    Column("gtin", String(14), index=True),
    Column("name", String(200), nullable=False),
    Column("category", String(80), nullable=False, index=True),
    Column("brand", String(80), nullable=False),
    Column("abc_class", String(1)),
    Column("base_unit", String(20), nullable=False),
    Column("standard_cost", Money, comment="per base unit; unknown is NULL, never 0"),
    Column("list_price", Money),
    Column("status", String(12), nullable=False),
    Column("introduced_on", Date),
    Column("lot_tracked", Boolean, nullable=False, default=False, comment="every unit belongs to a lot"),
    Column("serial_tracked", Boolean, nullable=False, default=False, comment="every unit has a number"),
    Column("expiry_tracked", Boolean, nullable=False, default=False, comment="every lot has a last day"),
    Column(
        "kit", String(10), comment="sold as a set: from its parts, or assembled ahead; NULL for a plain item"
    ),
    Column("product_id", Id, ForeignKey("products.id"), comment="what it is a variant of; NULL for none"),
    Column("variant", Json, comment="its values by axis of the product"),
    Column("variant_key", String(600), comment="all its values in normal form; NULL while one is missing"),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("status IN ('draft', 'active', 'discontinued')", name="status"),
    CheckConstraint("abc_class IN ('A', 'B', 'C')", name="abc_class"),
    CheckConstraint("lot_tracked OR serial_tracked OR NOT expiry_tracked", name="expiry_of_a_lot"),
    CheckConstraint("kit IN ('parts', 'assembled')", name="kit"),
    CheckConstraint("product_id IS NOT NULL OR variant_key IS NULL", name="variant_of_a_product"),
    CheckConstraint(
        "product_id IS NULL OR variant_key IS NOT NULL OR status = 'draft'", name="variant_complete"
    ),
    UniqueConstraint("product_id", "variant_key"),
)

kit_components = Table(
    "kit_components",
    metadata,
    Column("kit_item_id", Id, ForeignKey("items.id"), primary_key=True),
    Column("component_item_id", Id, ForeignKey("items.id"), primary_key=True, index=True),
    Column("quantity", Quantity, nullable=False, comment="base units in one kit"),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("quantity >= 1", name="quantity"),
    CheckConstraint("kit_item_id <> component_item_id", name="no_kit_of_itself"),
    sqlite_with_rowid=False,
)

item_units = Table(
    "item_units",
    metadata,
    Column("item_id", Id, ForeignKey("items.id"), primary_key=True),
    Column("unit", String(20), primary_key=True),
    Column("factor", Quantity, nullable=False, comment="base units in one of this unit"),
    Column("weight_grams", Integer, comment="of one, packed; unknown is NULL"),
    Column("length_mm", Integer),
    Column("width_mm", Integer),
    Column("height_mm", Integer),
    CheckConstraint("factor >= 1", name="factor"),
    CheckConstraint("weight_grams >= 1 AND length_mm >= 1 AND width_mm >= 1 AND height_mm >= 1", name="size"),
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
    Column("tax_id_hash", String(64), comment="SHA-256; the id itself is not kept"),
    Column("tax_id_last", String(4), comment="its last characters, to tell ids apart"),
    Column("bank_hash", String(64), comment="SHA-256 of the account; the account itself is not kept"),
    Column("bank_last", String(4)),
    Column("created_by", Id, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("status", SUPPLIER_STATUSES), name="status"),
    CheckConstraint("risk_class IN ('low', 'medium', 'high')", name="risk_class"),
    CheckConstraint("segment IN ('strategic', 'long_tail', 'imported', 'domestic')", name="segment"),
)

document_kinds = Table(
    "document_kinds",
    metadata,
    Column("kind", String(30), primary_key=True),
    Column("label", String(80), nullable=False),
    Column("required_for", Json, nullable=False, comment="supplier segments that must have one"),
    Column("blocks_orders", Boolean, nullable=False),
    Column("warn_days", Integer, nullable=False),
    Column("audit_id", Id, nullable=False),
    comment="Kinds of compliance document that replace or add to those a company starts with.",
)

supplier_documents = Table(
    "supplier_documents",
    metadata,
    Column("id", Id, primary_key=True),
    Column("supplier_id", Id, ForeignKey("suppliers.id"), nullable=False, index=True),
    Column("kind", String(30), nullable=False),
    Column("number", String(60), nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date, comment="the first day it is no longer valid; NULL without end"),
    Column("file_sha256", String(64)),
    Column("reference", String(200)),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("valid_to > valid_from", name="period"),
)

supplier_items = Table(
    "supplier_items",
    metadata,
    Column("supplier_id", Id, ForeignKey("suppliers.id"), primary_key=True),
    Column("item_id", Id, ForeignKey("items.id"), primary_key=True, index=True),
    Column("supplier_sku", String(60)),
    Column("minimum_quantity", Quantity, nullable=False),
    Column("order_multiple", Quantity, nullable=False),
    Column("lead_time_days", Integer),
    Column("rank", Integer, nullable=False, comment="1 is the preferred supplier"),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("minimum_quantity >= 1 AND order_multiple >= 1", name="quantities"),
    CheckConstraint("rank >= 1", name="rank"),
)
Index(
    "uq_supplier_items_preferred",
    supplier_items.c.item_id,
    unique=True,
    sqlite_where=text("rank = 1"),
    postgresql_where=text("rank = 1"),
)

supplier_prices = Table(
    "supplier_prices",
    metadata,
    Column("supplier_id", Id, ForeignKey("suppliers.id"), primary_key=True),
    Column("item_id", Id, ForeignKey("items.id"), primary_key=True, index=True),
    Column("valid_from", Date, primary_key=True),
    Column("version", Integer, primary_key=True, comment="a later version corrects an earlier one"),
    Column("valid_to", Date, comment="the first day it no longer counts; NULL until another price begins"),
    Column("price", Money, nullable=False, comment="per base unit"),
    Column("currency", String(3), nullable=False),
    Column("breaks", Json, nullable=False, comment="(from quantity, price) pairs"),
    Column("contract_reference", String(60)),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("price >= 0", name="price"),
    CheckConstraint("valid_to >= valid_from", name="period"),
)

legal_entities = Table(
    "legal_entities",
    metadata,
    Column("id", Id, primary_key=True),
    Column("code", String(40), nullable=False, unique=True),
    Column("name", String(120), nullable=False),
    Column("country", String(60), nullable=False),
    Column("audit_id", Id, nullable=False),
    comment="The companies in law that own places and sell through channels.",
)

locations = Table(
    "locations",
    metadata,
    Column("id", Id, primary_key=True),
    Column("code", String(40), nullable=False, unique=True),
    Column("name", String(120), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("country", String(60)),
    Column("legal_entity_id", Id, ForeignKey("legal_entities.id"), index=True),
    Column(
        "within_id",
        Id,
        ForeignKey("locations.id"),
        index=True,
        comment="the site of a zone, the zone of a bin; NULL for a site",
    ),
    Column("supplier_id", Id, ForeignKey("suppliers.id"), comment="who sends from there to customers"),
    Column("fallback_id", Id, ForeignKey("locations.id"), comment="takes its orders during an outage"),
    Column(
        "outage_percent",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="of its last known stock that channels are told during an outage",
    ),
    Column("rerouted_to", Id, ForeignKey("locations.id"), comment="during an outage; else NULL"),
    Column("physical", Boolean, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(
        "kind IN ('warehouse', 'store', 'third_party', 'supplier', 'customer', 'loss', 'kit_assembly',"
        " 'showroom', 'hub', 'drop_ship', 'quarantine', 'non_pickable', 'forward_pick', 'reserve')",
        name="kind",
    ),
    CheckConstraint("within_id <> id", name="within_another"),
    CheckConstraint("fallback_id <> id AND rerouted_to <> id", name="another_place"),
    CheckConstraint("outage_percent >= 0 AND outage_percent <= 100", name="outage_percent"),
    CheckConstraint("(kind = 'drop_ship') = (supplier_id IS NOT NULL)", name="drop_ship"),
)

channels = Table(
    "channels",
    metadata,
    Column("id", Id, primary_key=True),
    Column("code", String(40), nullable=False, unique=True),
    Column("name", String(120), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("legal_entity_id", Id, ForeignKey("legal_entities.id"), index=True),
    Column(
        "service_level", Float, comment="share of units to ship by the promised day; NULL without a target"
    ),
    Column("dispatch_hours", Integer, comment="from accepted to shipped; NULL without a target"),
    Column(
        "buffer_units",
        Quantity,
        nullable=False,
        server_default=text("0"),
        comment="of each item and place, never published",
    ),
    Column(
        "buffer_percent", Integer, nullable=False, server_default=text("0"), comment="of what is available"
    ),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(
        "kind IN ('web', 'marketplace', 'store', 'wholesale', 'b2b', 'subscription')", name="kind"
    ),
    CheckConstraint("service_level > 0.5 AND service_level < 1", name="service_level"),
    CheckConstraint("dispatch_hours >= 1", name="dispatch_hours"),
    CheckConstraint("buffer_units >= 0", name="buffer_units"),
    CheckConstraint("buffer_percent >= 0 AND buffer_percent <= 100", name="buffer_percent"),
)

planning_policies = Table(
    "planning_policies",
    metadata,
    Column("item_id", Id, ForeignKey("items.id"), primary_key=True),
    Column("location_id", Id, ForeignKey("locations.id"), primary_key=True),
    Column("channel_id", Id, primary_key=True, comment="the zero id for every channel"),
    Column("valid_from", Date, primary_key=True),
    Column("valid_to", Date, comment="the day after its last; NULL: until the next begins"),
    Column("service_level", Float, nullable=False),
    Column("review_days", Integer, nullable=False),
    Column("source", String(40), nullable=False, comment="the system that set it"),
    Column("source_reason", String(80), nullable=False, comment="why it was that one's to set"),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("service_level > 0.5 AND service_level < 1", name="service_level"),
    CheckConstraint("review_days >= 1", name="review_days"),
    CheckConstraint("valid_to >= valid_from", name="period"),
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

reason_codes = Table(
    "reason_codes",
    metadata,
    Column("kind", String(40), primary_key=True),
    Column("code", String(30), primary_key=True),
    Column("label", String(80), nullable=False),
    Column("effect", String(20)),
    Column("active", Boolean, nullable=False),
    Column("audit_id", Id, nullable=False),
    comment="Reason codes that replace or add to those a company starts with.",
)

data_owners = Table(
    "data_owners",
    metadata,
    Column("domain", String(30), primary_key=True),
    Column("record_id", Id, primary_key=True, comment="all zeros for the whole domain"),
    Column("user_id", Id, nullable=False),
    Column("audit_id", Id, nullable=False),
)

master_parameters = Table(
    "master_parameters",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("value", Integer, nullable=False),
    Column("audit_id", Id, nullable=False),
    comment="Thresholds and deductions that replace those a company starts with.",
)

data_quality = Table(
    "data_quality",
    metadata,
    Column("kind", String(20), primary_key=True),
    Column("record_id", Id, primary_key=True),
    Column("score", Integer, nullable=False),
    Column("problems", Json, nullable=False, comment="named deductions"),
    Column("scored_on", Date, nullable=False, comment="the day since which this is so"),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("score >= 0 AND score <= 100", name="score"),
    Index("ix_data_quality_kind_score", "kind", "score"),
)

sale_restrictions = Table(
    "sale_restrictions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(80), nullable=False),
    Column("item_id", Id, ForeignKey("items.id")),
    Column("category", String(80)),
    Column("channel_id", Id, ForeignKey("channels.id")),
    Column("country", String(60)),
    Column("location_id", Id, ForeignKey("locations.id")),
    Column("most_per_order", Quantity, comment="without any most it is forbidden"),
    Column("most_per_day", Quantity),
    Column("active", Boolean, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("(item_id IS NULL) <> (category IS NULL)", name="product"),
    CheckConstraint("most_per_order >= 1 AND most_per_day >= 1", name="most"),
    comment="Which products may not be sold, or only so many of, by channel, country of the customer and location.",
)

rule_owners = Table(
    "rule_owners",
    metadata,
    Column("rule", String(20), primary_key=True),
    Column("item_id", Id, primary_key=True, comment="the zero id for every item"),
    Column("location_id", Id, primary_key=True, comment="the zero id for every location"),
    Column("source", String(40), nullable=False),
    Column("reason", Text, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("rule", ("reorder_point", "planning_policy")), name="rule"),
    comment="Which system owns a planning rule. Without a row, the one that set it first.",
)

rule_precedence = Table(
    "rule_precedence",
    metadata,
    Column("rule", String(20), primary_key=True),
    Column("winner", String(40), primary_key=True),
    Column("loser", String(40), primary_key=True),
    Column("active", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("winner <> loser", name="sides"),
    comment="Which source may write over which other one's planning rule.",
)

residency_rules = Table(
    "residency_rules",
    metadata,
    Column("country", String(60), primary_key=True, comment="of the customer; empty for every country"),
    Column("channel", String(10), primary_key=True, comment="how data leaves: export, events or model"),
    Column("destinations", Json, nullable=False, comment="where it may go; none: nowhere"),
    Column("reason", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("channel", ("export", "events", "model")), name="channel"),
)

retention_rules = Table(
    "retention_rules",
    metadata,
    Column("country", String(60), primary_key=True, comment="of the customer; empty for every country"),
    Column("days", Integer, nullable=False, comment="after the customer's last order"),
    Column("reason", Text, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("days >= 1", name="days"),
)
