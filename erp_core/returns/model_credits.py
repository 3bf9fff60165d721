"""Tables of credits that customers are given without a return. Rows are only added."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, Integer, String, Table, UniqueConstraint

from erp_core.storage.base import metadata
from erp_core.storage.types import Id, Money, UtcDateTime

customer_credits = Table(
    "customer_credits",
    metadata,
    Column("id", Id, primary_key=True),
    Column("number", String(40), nullable=False, unique=True),
    Column("order_id", Id, ForeignKey("orders.id"), nullable=False, index=True),
    Column("reason", String(40), nullable=False),
    Column("amount", Money, nullable=False, comment="without tax"),
    Column("credited_on", Date, nullable=False, index=True),
    Column("occurred_at", UtcDateTime, nullable=False, index=True),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("amount > 0", name="amount"),
    comment="Money given back for which no goods come back: goodwill, late delivery, a price promise.",
)

customer_credit_lines = Table(
    "customer_credit_lines",
    metadata,
    Column("credit_id", Id, ForeignKey("customer_credits.id"), primary_key=True),
    Column("line_no", Integer, primary_key=True),
    Column("order_line_id", Id, ForeignKey("order_lines.id"), nullable=False),
    Column("amount", Money, nullable=False, comment="without tax"),
    Column("paid", Money, nullable=False, comment="for what was shipped of the line by then"),
    Column("refunded", Money, nullable=False, comment="of it by returns by then, those authorised included"),
    Column("credited_before", Money, nullable=False, comment="of it by earlier credits"),
    CheckConstraint("amount > 0 AND refunded >= 0 AND credited_before >= 0", name="amounts"),
    CheckConstraint("refunded + credited_before + amount <= paid", name="within_paid"),
    UniqueConstraint("order_line_id", "credited_before"),
    comment="Each credit of a line follows the one before: two at the same moment cannot both stand on it.",
)
