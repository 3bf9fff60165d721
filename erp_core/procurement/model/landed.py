"""Tables of landed cost. What was shared stays as it was shared: rows are only added."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, String, Table

from erp_core.storage.base import metadata
from erp_core.storage.types import Id, Money, Quantity

landed_charges = Table(
    "landed_charges",
    metadata,
    Column("id", Id, primary_key=True),
    Column("po_id", Id, ForeignKey("purchase_orders.id"), nullable=False, index=True),
    Column("receipt_id", Id, ForeignKey("receipts.id"), comment="NULL: all receipts of the order so far"),
    Column("component", String(30), nullable=False),
    Column("amount", Money, nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("amount > 0", name="amount"),
)

landed_shares = Table(
    "landed_shares",
    metadata,
    Column("charge_id", Id, ForeignKey("landed_charges.id"), primary_key=True),
    Column("po_line_id", Id, ForeignKey("po_lines.id"), primary_key=True),
    Column("units", Quantity, nullable=False, comment="received, less what went back to suppliers"),
    Column("to_stock", Money, nullable=False, comment="raises the value of what is still there"),
    Column("to_sold", Money, nullable=False, comment="lowers the margin of what was sold"),
    Column("to_other", Money, nullable=False, comment="of what was lost or used otherwise"),
    CheckConstraint("to_stock >= 0 AND to_sold >= 0 AND to_other >= 0", name="parts"),
    sqlite_with_rowid=False,
)

landed_reversals = Table(
    "landed_reversals",
    metadata,
    Column("id", Id, primary_key=True),
    Column("charge_id", Id, ForeignKey("landed_charges.id"), nullable=False, unique=True),
    Column("reason", String(30), nullable=False),
    Column("to_stock", Money, nullable=False, comment="taken out of the value of what is still there"),
    Column("to_sold", Money, nullable=False, comment="given back to the margin of what was sold"),
    Column("to_other", Money, nullable=False, comment="the rest"),
    Column("reversed_on", Date, nullable=False),
    Column("audit_id", Id, nullable=False),
)
