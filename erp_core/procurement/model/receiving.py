"""Tables of receiving: what may come beyond an order, and what was decided about goods that are held."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, Integer, String, Table, Text

from erp_core.storage.base import among, metadata
from erp_core.storage.types import Id, Money, Quantity

DECISIONS = ("accept", "return", "correct")
"""Keep and pay for them; send them back; or the count was wrong, and they were never there."""
HELD_DECISIONS = (*DECISIONS, "quarantine")
"""Of what waits for inspection, what is in doubt stays held in quarantine."""
HELD_FOR = ("beyond", "inspection", "quarantine")
"""Why units of a line are held: more came than was ordered, nobody looked at them yet, or they are in doubt."""
UNORDERED = ("not_ordered", "substituted")

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
    Column("held_for", String(10), nullable=False, server_default="beyond"),
    Column("quantity", Quantity, nullable=False),
    Column("decided_on", Date, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("decision", HELD_DECISIONS), name="decision"),
    CheckConstraint(among("held_for", HELD_FOR), name="held_for"),
    CheckConstraint("quantity > 0", name="quantity"),
)

inspection_rules = Table(
    "inspection_rules",
    metadata,
    Column("scope", String(90), primary_key=True, comment="as of receipt tolerances"),
    Column("version", Integer, primary_key=True),
    Column(
        "required", Integer, nullable=False, comment="whether goods are looked at before they are put away"
    ),
    Column("audit_id", Id, nullable=False),
    sqlite_with_rowid=False,
)

receipt_reversals = Table(
    "receipt_reversals",
    metadata,
    Column("receipt_id", Id, ForeignKey("receipts.id"), primary_key=True),
    Column("reversed_on", Date, nullable=False),
    Column("reason_code", String(30), nullable=False),
    Column("comment", Text),
    Column("audit_id", Id, nullable=False),
    comment="Receipts that were taken back, each once and whole: they count until that day.",
)

unordered_goods = Table(
    "unordered_goods",
    metadata,
    Column("id", Id, primary_key=True),
    Column("receipt_id", Id, ForeignKey("receipts.id"), nullable=False, index=True),
    Column("po_id", Id, ForeignKey("purchase_orders.id"), nullable=False, index=True),
    Column("instead_of_id", Id, ForeignKey("po_lines.id"), comment="the ordered line that it stands in for"),
    Column("item_id", Id, ForeignKey("items.id"), nullable=False),
    Column("location_id", Id, ForeignKey("locations.id"), nullable=False),
    Column("reason", String(12), nullable=False),
    Column("quantity", Quantity, nullable=False, comment="as it came"),
    Column("held_quantity", Quantity, nullable=False, comment="not decided about yet"),
    Column("received_on", Date, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("reason", UNORDERED), name="reason"),
    CheckConstraint("quantity > 0 AND held_quantity >= 0 AND held_quantity <= quantity", name="quantities"),
    CheckConstraint("(reason = 'substituted') = (instead_of_id IS NOT NULL)", name="instead_of"),
    comment="Goods that came with an order that doesn't ask for them: held under their own item.",
)

unordered_decisions = Table(
    "unordered_decisions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("goods_id", Id, ForeignKey("unordered_goods.id"), nullable=False, index=True),
    Column("decision", String(10), nullable=False),
    Column("quantity", Quantity, nullable=False),
    Column("unit_price", Money, comment="agreed for what is kept"),
    Column("po_line_id", Id, ForeignKey("po_lines.id"), comment="the line that what is kept became"),
    Column("decided_on", Date, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("decision", DECISIONS), name="decision"),
    CheckConstraint("quantity > 0", name="quantity"),
)
