"""The journal. A row is one balanced entry, so that an unbalanced journal cannot be written down."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, Index, String, Table, text

from erp_core.storage.base import metadata
from erp_core.storage.types import Id, Money

journal_entries = Table(
    "journal_entries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("occurred_on", Date, nullable=False, index=True),
    Column("event", String(30), nullable=False),
    Column("document_kind", String(20), nullable=False),
    Column("document_id", Id, nullable=False, index=True),
    Column("debit", String(30), nullable=False),
    Column("debit_of", Id, comment="the open item that is debited: an order line, an order, an invoice, …"),
    Column("credit", String(30), nullable=False),
    Column("credit_of", Id, comment="the open item that is credited"),
    Column("currency", String(3), nullable=False),
    Column("amount", Money, nullable=False, comment="in the currency; 0 for an exchange difference"),
    Column("value", Money, nullable=False, comment="in company currency"),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("debit <> credit", name="two_accounts"),
    CheckConstraint("amount >= 0 AND value >= 0 AND amount + value > 0", name="amounts"),
    *(
        Index(
            f"ix_journal_entries_{side}",
            side,
            sqlite_where=text(f"{side} IS NOT NULL"),
            postgresql_where=text(f"{side} IS NOT NULL"),
        )
        for side in ("debit_of", "credit_of")
    ),
)
