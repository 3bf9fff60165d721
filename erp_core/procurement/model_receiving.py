"""Tables of receiving: what may come beyond an order, and what was decided about goods that are held."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, Integer, String, Table

from erp_core.storage.base import among, metadata
from erp_core.storage.types import Id, Quantity

DECISIONS = ("accept", "return", "correct")
"""Keep and pay for them; send them back; or the count was wrong, and they were never there."""

receipt_tolerances = Table(
    "receipt_tolerances",
    metadata,
    Column(
        "scope", String(90), primary_key=True, comment="company, supplier, item, or an item of a supplier"
    ),
    Column("version", Integer, primary_key=True),
    Column("over", Integer, nullable=False, comment="hundredths of a percent of the ordered quantity"),
    Column("active", Integer, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("over >= 0", name="over"),
    sqlite_with_rowid=False,
)

held_decisions = Table(
    "held_decisions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("po_line_id", Id, ForeignKey("po_lines.id"), nullable=False, index=True),
    Column("decision", String(10), nullable=False),
    Column("quantity", Quantity, nullable=False),
    Column("decided_on", Date, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("decision", DECISIONS), name="decision"),
    CheckConstraint("quantity > 0", name="quantity"),
)
