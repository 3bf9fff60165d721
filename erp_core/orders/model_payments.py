"""Tables of customers' money: payments and refunds, advances that invoices used, and payouts. Rows are only added."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, String, Table, UniqueConstraint

from erp_core.orders.rules.payments import PAYMENT_KINDS
from erp_core.storage.base import among, metadata
from erp_core.storage.types import Id, Money

customer_payments = Table(
    "customer_payments",
    metadata,
    Column("id", Id, primary_key=True),
    Column("report_id", Id, nullable=False, index=True, comment="the report of the provider it came with"),
    Column("order_id", Id, ForeignKey("orders.id"), nullable=False, index=True),
    Column("kind", String(15), nullable=False),
    Column("provider", String(60), nullable=False),
    Column("reference", String(60), nullable=False, comment="the provider's own, of this one payment"),
    Column("settled", Money, nullable=False, comment="of it against what is owed: invoices, or refunds due"),
    Column("in_advance", Money, nullable=False, comment="of it paid, or given back, before an invoice"),
    Column("paid_on", Date, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("kind", PAYMENT_KINDS), name="kind"),
    CheckConstraint("settled >= 0 AND in_advance >= 0 AND settled + in_advance > 0", name="amounts"),
    UniqueConstraint("provider", "reference"),
)

applied_prepayments = Table(
    "applied_prepayments",
    metadata,
    Column("document_id", Id, ForeignKey("sales_documents.id"), primary_key=True, comment="the invoice"),
    Column("order_id", Id, ForeignKey("orders.id"), nullable=False, index=True),
    Column("amount", Money, nullable=False),
    Column("applied_on", Date, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("amount > 0", name="amount"),
)

customer_set_offs = Table(
    "customer_set_offs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("order_id", Id, ForeignKey("orders.id"), nullable=False, index=True),
    Column("amount", Money, nullable=False),
    Column("set_off_on", Date, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("amount > 0", name="amount"),
    comment="What a customer is to get back, set off against what is still owed of the same order.",
)

provider_payouts = Table(
    "provider_payouts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("provider", String(60), nullable=False),
    Column("reference", String(60), nullable=False, comment="the provider's own"),
    Column("amount", Money, nullable=False, comment="what came to the bank"),
    Column("fee", Money, nullable=False, comment="what the provider kept"),
    Column("paid_on", Date, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("amount >= 0 AND fee >= 0 AND amount + fee > 0", name="amounts"),
    UniqueConstraint("provider", "reference"),
)
