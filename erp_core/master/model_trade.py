"""Tables of trade: what is known of items for tax and customs, rules of tax and revenue, of documents that goods need."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Date, ForeignKey, Integer, String, Table, Text

from erp_core.master.rules.taxes import TREATMENTS
from erp_core.storage.base import among, metadata
from erp_core.storage.types import Id, Json, Money

item_trade = Table(
    "item_trade",
    metadata,
    Column("item_id", Id, ForeignKey("items.id"), primary_key=True),
    Column("tax_class", String(30), nullable=False),
    Column("hs_code", String(10), comment="of the Harmonized System: 6 to 10 digits"),
    Column("origin_country", String(2)),
    Column("trade_classes", Json, nullable=False, comment="what rules on documents may ask for"),
    Column("minimum_age", Integer),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("minimum_age >= 1", name="minimum_age"),
    comment="What tax and customs ask of an item; one without a row is of the standard tax class.",
)

tax_rules = Table(
    "tax_rules",
    metadata,
    Column("id", Id, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("name", String(120), nullable=False),
    Column("channel_id", Id, ForeignKey("channels.id")),
    Column("business", Boolean, comment="whether the customer has a tax id; NULL: either"),
    Column("customer_countries", Json, comment="codes of two letters; NULL: every country"),
    Column("tax_class", String(30)),
    Column("seller_country", String(2)),
    Column("treatment", String(30), nullable=False),
    Column("rate", Integer, nullable=False, comment="in millionths"),
    Column("reason", String(200), comment="why no tax is charged, as documents say it"),
    Column("rounding", String(10), nullable=False),
    Column("rounding_unit", Money, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date, comment="the first day it no longer holds; NULL without end"),
    Column("active", Boolean, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("treatment", TREATMENTS), name="treatment"),
    CheckConstraint(among("rounding", ("line", "document")), name="rounding"),
    CheckConstraint("(treatment = 'taxed') = (rate > 0)", name="rate_of_taxed"),
    CheckConstraint("(treatment = 'taxed') = (reason IS NULL)", name="reason_of_untaxed"),
    CheckConstraint("rounding_unit >= 1", name="rounding_unit"),
    CheckConstraint("valid_to > valid_from", name="period"),
    comment="The newest version of a rule counts; documents keep the one they were written by.",
)

revenue_rules = Table(
    "revenue_rules",
    metadata,
    Column("id", Id, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("channel_id", Id, ForeignKey("channels.id")),
    Column("customer_country", String(2)),
    Column("recognise_at", String(10), nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date, comment="the first day it no longer holds; NULL without end"),
    Column("active", Boolean, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("recognise_at", ("shipment", "delivery")), name="recognise_at"),
    CheckConstraint("valid_to > valid_from", name="period"),
)

trade_rules = Table(
    "trade_rules",
    metadata,
    Column("id", Id, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("name", String(120), nullable=False),
    Column("direction", String(10), nullable=False),
    Column("trade_class", String(30), comment="of the item"),
    Column("hs_prefix", String(10), comment="what the item's HS code begins with"),
    Column("country", String(2), comment="of the customer, or where an import comes from"),
    Column("channel_id", Id, ForeignKey("channels.id")),
    Column("document_kinds", Json, nullable=False, comment="every one is needed; none: forbidden"),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date, comment="the first day it no longer holds; NULL without end"),
    Column("active", Boolean, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("direction", ("sale", "import")), name="direction"),
    CheckConstraint("trade_class IS NOT NULL OR hs_prefix IS NOT NULL", name="goods"),
    CheckConstraint("direction = 'sale' OR channel_id IS NULL", name="channel_of_sales"),
    CheckConstraint("valid_to > valid_from", name="period"),
)

trade_documents = Table(
    "trade_documents",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(30), nullable=False),
    Column("number", String(60), nullable=False),
    Column("issuer", String(120), nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date, comment="the first day it is no longer valid; NULL without end"),
    Column("file_sha256", String(64), nullable=False),
    Column("subject_kind", String(20), nullable=False),
    Column("subject_id", Id, nullable=False, index=True),
    Column("withdrawn_on", Date, comment="from this day it counts no more"),
    Column("withdrawn_because", Text),
    Column("disposed_on", Date, comment="number, issuer and file are blanked since this day"),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("valid_to > valid_from", name="period"),
    CheckConstraint("(withdrawn_on IS NULL) = (withdrawn_because IS NULL)", name="withdrawn"),
    comment="Papers of import, export and licence, on an item, an order, a purchase order, a notice or a parcel.",
)

record_retention = Table(
    "record_retention",
    metadata,
    Column("record_class", String(30), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("valid_from", Date, nullable=False, comment="records from this day on are kept by it"),
    Column("years", Integer, nullable=False),
    Column("basis", String(10), nullable=False),
    Column("reason", Text, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("years >= 1", name="years"),
    CheckConstraint(among("basis", ("date", "year_end")), name="basis"),
)

legal_holds = Table(
    "legal_holds",
    metadata,
    Column("id", Id, primary_key=True),
    Column("record_class", String(30), comment="NULL: of every class"),
    Column("record_id", Id, comment="one record, or the customer whose records they are; NULL: all"),
    Column("from_day", Date, comment="records of this day and later; NULL: of any"),
    Column("to_day", Date, comment="records before this day; NULL: of any"),
    Column("reason", Text, nullable=False),
    Column("held_on", Date, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("to_day > from_day", name="period"),
)

legal_hold_ends = Table(
    "legal_hold_ends",
    metadata,
    Column("hold_id", Id, ForeignKey("legal_holds.id"), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("ended_on", Date, nullable=False),
    Column("audit_id", Id, nullable=False),
)
