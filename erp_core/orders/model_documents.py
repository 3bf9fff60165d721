"""Tables of customer invoices and credit notes, of when their revenue counts, and of deliveries. Rows are only added."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from erp_core.master.rules.taxes import TREATMENTS
from erp_core.storage.base import among, metadata
from erp_core.storage.types import Id, Money, Quantity

DOCUMENT_KINDS = ("invoice", "credit_note")

document_series = Table(
    "document_series",
    metadata,
    Column("seller_id", Id, primary_key=True),
    Column("kind", String(12), primary_key=True),
    Column("last", BigInteger, nullable=False, comment="the last number given"),
    CheckConstraint(among("kind", DOCUMENT_KINDS), name="kind"),
    comment="Numbers are given in the transaction that writes the document, so that none is left out.",
)

sales_documents = Table(
    "sales_documents",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(12), nullable=False),
    Column("seller_id", Id, nullable=False, comment="the legal entity; the zero id for the company itself"),
    Column("sequence", BigInteger, nullable=False, comment="within seller and kind, without a gap"),
    Column("number", String(60), nullable=False, unique=True),
    Column("order_id", Id, ForeignKey("orders.id"), nullable=False, index=True),
    Column("shipment_id", Id, unique=True, comment="what an invoice is for"),
    Column("return_id", Id, comment="what a credit note is for"),
    Column("credit_id", Id, comment="what it is for where nothing comes back"),
    Column("issued_on", Date, nullable=False, index=True),
    Column("supplied_on", Date, nullable=False, comment="the day that decides about tax"),
    Column("customer_country", String(60), nullable=False),
    Column("customer_tax_id", String(20), comment="where reverse charge asks for it"),
    Column("recognise_at", String(10), nullable=False),
    Column("net", Money, nullable=False),
    Column("tax", Money, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("kind", DOCUMENT_KINDS), name="kind"),
    CheckConstraint(
        "(kind = 'invoice') = (shipment_id IS NOT NULL)"
        " AND (kind = 'credit_note') = (return_id IS NOT NULL OR credit_id IS NOT NULL)"
        " AND (return_id IS NULL OR credit_id IS NULL)",
        name="what_for",
    ),
    CheckConstraint("net >= 0 AND tax >= 0", name="amounts"),
    CheckConstraint(among("recognise_at", ("shipment", "delivery")), name="recognise_at"),
    UniqueConstraint("seller_id", "kind", "sequence"),
)

sales_document_lines = Table(
    "sales_document_lines",
    metadata,
    Column("document_id", Id, ForeignKey("sales_documents.id"), primary_key=True),
    Column("line_no", Integer, primary_key=True),
    Column("order_line_id", Id, ForeignKey("order_lines.id"), nullable=False, index=True),
    Column("quantity", Quantity, nullable=False),
    Column("net", Money, nullable=False),
    Column("tax", Money, nullable=False),
    Column("tax_class", String(30), nullable=False),
    Column("treatment", String(30), nullable=False),
    Column("rate", Integer, nullable=False, comment="in millionths"),
    Column("reason", String(200)),
    Column("rule_id", Id, nullable=False),
    Column("rule_version", Integer, nullable=False),
    Column("invoice_id", Id, comment="the invoice whose line a credit gives back"),
    Column("invoice_line_no", Integer),
    Column("return_line_id", Id),
    CheckConstraint(among("treatment", TREATMENTS), name="treatment"),
    CheckConstraint("net >= 0 AND tax >= 0", name="amounts"),
    CheckConstraint("(invoice_id IS NULL) = (invoice_line_no IS NULL)", name="credited_line"),
    sqlite_with_rowid=False,
)

revenue_entries = Table(
    "revenue_entries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("document_id", Id, ForeignKey("sales_documents.id"), nullable=False, index=True),
    Column("booked_on", Date, nullable=False, index=True),
    Column("recognised", Money, nullable=False, comment="signed"),
    Column("deferred", Money, nullable=False, comment="signed: what is deferred grows or shrinks by it"),
    Column("audit_id", Id, nullable=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("shipment_id", Id, ForeignKey("shipments.id"), primary_key=True),
    Column("delivered_on", Date, nullable=False),
    Column("audit_id", Id, nullable=False),
)

gross_prices = Table(
    "gross_prices",
    metadata,
    Column("order_line_id", Id, ForeignKey("order_lines.id"), primary_key=True),
    Column("unit_price", Money, nullable=False, comment="as the customer saw it, with tax"),
    Column("audit_id", Id, nullable=False),
    comment="Prices of orders that were sold with tax; the lines keep what is left without it.",
)
