"""Tables of goods that go back to suppliers, of what suppliers owe for them, and of the credit notes that cover it."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, Integer, String, Table, Text

from erp_core.procurement.claims.rules import CLAIM_STEPS, DEFECTS, RETURNED_FROM
from erp_core.storage.base import among, metadata
from erp_core.storage.types import Id, Json, Money, Quantity, UtcDateTime

vendor_returns = Table(
    "vendor_returns",
    metadata,
    Column("id", Id, primary_key=True),
    Column("po_id", Id, ForeignKey("purchase_orders.id"), nullable=False, index=True),
    Column("po_line_id", Id, ForeignKey("po_lines.id"), nullable=False, index=True),
    Column("location_id", Id, ForeignKey("locations.id"), nullable=False),
    Column("state", String(12), nullable=False, comment="where the goods lay"),
    Column("quantity", Quantity, nullable=False),
    Column("lots", Json, comment="(lot id, units) pairs; NULL where the item has no lots"),
    Column("reason_code", String(40), nullable=False),
    Column("defect", String(20), comment="what is wrong with them; NULL where they go back by agreement"),
    Column(
        "new_defects", Quantity, nullable=False, comment="units that were not counted as defective before"
    ),
    Column("comment", Text),
    Column("returned_on", Date, nullable=False),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint("new_defects >= 0 AND new_defects <= quantity", name="new_defects"),
    CheckConstraint(among("state", RETURNED_FROM), name="state"),
    CheckConstraint(among("defect", DEFECTS), name="defect"),
    comment="Goods of a purchase order line that went back from stock. One that is taken back has a withdrawn claim.",
)

vendor_claims = Table(
    "vendor_claims",
    metadata,
    Column("id", Id, primary_key=True),
    Column(
        "return_line_id",
        Id,
        ForeignKey("return_lines.id"),
        unique=True,
        comment="the line of a customer's return whose goods went back; NULL where they went from stock",
    ),
    Column("vendor_return_id", Id, ForeignKey("vendor_returns.id"), unique=True),
    Column(
        "po_line_id",
        Id,
        ForeignKey("po_lines.id"),
        index=True,
        comment="the line that brought the goods; NULL where nobody knows",
    ),
    Column("supplier_id", Id, ForeignKey("suppliers.id"), index=True, comment="NULL where nobody is known"),
    Column("item_id", Id, ForeignKey("items.id"), nullable=False),
    Column("quantity", Quantity, nullable=False),
    Column("expected", Money, comment="what the goods cost; NULL while unknown"),
    Column("status", String(10), nullable=False, index=True),
    Column("credited", Money),
    Column("credit_note", String(40)),
    Column("opened_on", Date, nullable=False),
    Column("settled_on", Date),
    Column("version", Integer, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint("(return_line_id IS NULL) <> (vendor_return_id IS NULL)", name="one_source"),
    CheckConstraint("(status = 'open') = (credited IS NULL)", name="settled_with_an_amount"),
    CheckConstraint(among("status", CLAIM_STEPS), name="status"),
    comment="What a supplier owes for goods that went back to it.",
)

credited_returns = Table(
    "credited_returns",
    metadata,
    Column("invoice_id", Id, ForeignKey("supplier_invoices.id"), primary_key=True),
    Column("po_line_id", Id, ForeignKey("po_lines.id"), primary_key=True, index=True),
    Column("claim_id", Id, ForeignKey("vendor_claims.id"), primary_key=True, index=True),
    Column("quantity", Quantity, nullable=False),
    Column("amount", Money, nullable=False, comment="what the note gives for them, in its currency"),
    Column(
        "value", Money, nullable=False, comment="the amount in company currency, when it was payable first"
    ),
    CheckConstraint("quantity > 0", name="quantity"),
    comment="Units of credit notes that are for goods a claim covers: they leave what is not invoiced alone.",
    sqlite_with_rowid=False,
)
