"""Tables of suppliers' invoices, what is found about them and what is paid. Lines, findings, steps and payments are only added."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    text,
)

from erp_core.procurement.invoices.rules import CHARGE_KINDS, FINDING_CODES, INVOICE_KINDS, INVOICE_STEPS
from erp_core.storage.base import among, metadata
from erp_core.storage.types import Id, Money, Quantity, UtcDateTime

supplier_invoices = Table(
    "supplier_invoices",
    metadata,
    Column("id", Id, primary_key=True),
    Column("supplier_id", Id, ForeignKey("suppliers.id"), nullable=False),
    Column("number", String(40), nullable=False, comment="as the supplier wrote it"),
    Column("number_key", String(40), nullable=False, comment="without case, signs and leading zeros"),
    Column("kind", String(12), nullable=False),
    Column(
        "credits_id",
        Id,
        ForeignKey("supplier_invoices.id"),
        comment="the invoice that a credit note is about",
    ),
    Column("currency", String(3), nullable=False),
    Column("tax", Money, nullable=False),
    Column("total", Money, nullable=False, comment="what it asks for, as written on it"),
    Column("invoiced_on", Date, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("recorded_on", Date, nullable=False),
    Column("status", String(10), nullable=False),
    Column("held_since", Date, comment="of the hold or dispute that stands"),
    Column("round", Integer, nullable=False, comment="how often it was matched"),
    Column("owner_role", String(20), comment="who is to resolve it"),
    Column("owner_id", Id),
    Column("reason_code", String(30)),
    Column("version", Integer, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("kind", INVOICE_KINDS), name="kind"),
    CheckConstraint(among("status", INVOICE_STEPS), name="status"),
    CheckConstraint("(kind = 'credit_note') = (credits_id IS NOT NULL)", name="credits"),
    CheckConstraint("(status = 'held' OR status = 'disputed') = (held_since IS NOT NULL)", name="held_since"),
    CheckConstraint("total >= 0 AND tax >= 0", name="amounts"),
    Index(
        "ix_supplier_invoices_number_once",
        "supplier_id",
        "number_key",
        unique=True,
        sqlite_where=text("status <> 'rejected'"),
        postgresql_where=text("status <> 'rejected'"),
    ),
    Index("ix_supplier_invoices_supplier_id_total", "supplier_id", "total"),
    Index("ix_supplier_invoices_status", "status"),
)

supplier_invoice_lines = Table(
    "supplier_invoice_lines",
    metadata,
    Column("invoice_id", Id, ForeignKey("supplier_invoices.id"), primary_key=True),
    Column("line_no", Integer, primary_key=True),
    Column("po_line_id", Id, ForeignKey("po_lines.id"), nullable=False, index=True),
    Column("quantity", Quantity, nullable=False),
    Column("unit_price", Money, nullable=False),
    Column("price_only", Integer, nullable=False, comment="1 where a credit note gives back no units"),
    CheckConstraint("quantity > 0 AND unit_price >= 0", name="amounts"),
    sqlite_with_rowid=False,
)

supplier_invoice_charges = Table(
    "supplier_invoice_charges",
    metadata,
    Column("invoice_id", Id, ForeignKey("supplier_invoices.id"), primary_key=True),
    Column("po_id", Id, ForeignKey("purchase_orders.id"), primary_key=True, index=True),
    Column("kind", String(12), primary_key=True),
    Column("amount", Money, nullable=False),
    CheckConstraint(among("kind", CHARGE_KINDS), name="kind"),
    CheckConstraint("amount > 0", name="amount"),
    sqlite_with_rowid=False,
)

invoice_findings = Table(
    "invoice_findings",
    metadata,
    Column("invoice_id", Id, ForeignKey("supplier_invoices.id"), primary_key=True),
    Column("round", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("code", String(20), nullable=False),
    Column("expected", Money, nullable=False, comment="units or money, as the code says"),
    Column("actual", Money, nullable=False),
    Column("allowed", Money, nullable=False),
    Column("po_line_id", Id),
    Column("po_id", Id),
    Column("other_id", Id, comment="the invoice that it may double"),
    CheckConstraint(among("code", FINDING_CODES), name="code"),
    sqlite_with_rowid=False,
)

invoice_steps = Table(
    "invoice_steps",
    metadata,
    Column("invoice_id", Id, ForeignKey("supplier_invoices.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("status", String(10), nullable=False),
    Column("booked", Integer, nullable=False, comment="1 when it became payable, -1 when it ceased to be"),
    Column("happened_on", Date, nullable=False),
    Column("happened_at", UtcDateTime, nullable=False),
    Column("user_id", Id, nullable=False),
    Column("reason_code", String(30)),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("booked BETWEEN -1 AND 1", name="booked"),
    sqlite_with_rowid=False,
)

supplier_payments = Table(
    "supplier_payments",
    metadata,
    Column("payment_id", Id, primary_key=True),
    Column("invoice_id", Id, ForeignKey("supplier_invoices.id"), primary_key=True),
    Column("supplier_id", Id, ForeignKey("suppliers.id"), nullable=False, index=True),
    Column("amount", Money, nullable=False, comment="below zero for a credit note"),
    Column("paid_on", Date, nullable=False),
    Column("audit_id", Id, nullable=False),
    UniqueConstraint("invoice_id"),
    sqlite_with_rowid=False,
)

match_tolerances = Table(
    "match_tolerances",
    metadata,
    Column("scope", String(80), primary_key=True, comment="company, category:NAME or supplier:ID"),
    Column("version", Integer, primary_key=True),
    Column("quantity_over", Integer, nullable=False),
    Column("price_over", Integer, nullable=False),
    Column("overcharge", Money, nullable=False),
    Column("price_under", Integer, nullable=False),
    Column("freight_over", Integer, nullable=False),
    Column("total_off", Money, nullable=False),
    Column("prepayment", Integer, nullable=False),
    Column("duplicate_days", Integer, nullable=False),
    Column("active", Integer, nullable=False),
    Column("audit_id", Id, nullable=False),
    sqlite_with_rowid=False,
)
