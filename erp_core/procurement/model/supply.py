"""Tables of what passes between buyer and supplier after an order was placed: changes, chases, shipping notices."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from erp_core.procurement.rules import REQUISITION_STEPS
from erp_core.storage.base import among, metadata
from erp_core.storage.types import Id, Json, Money, Quantity

po_revisions = Table(
    "po_revisions",
    metadata,
    Column("po_id", Id, ForeignKey("purchase_orders.id"), primary_key=True),
    Column("revision", Integer, primary_key=True, comment="1 is the first change"),
    Column("changed_on", Date, nullable=False),
    Column("author_id", Id, nullable=False, comment="who asked for the change"),
    Column("reason_code", String(30), nullable=False),
    Column("comment", Text),
    Column("changes", Json, nullable=False, comment="by line number: each field before and after"),
    Column("total_before", Money, nullable=False),
    Column("total_after", Money, nullable=False),
    Column("proposal_id", Id, comment="the proposal that was approved; none where nobody had to be asked"),
    Column("audit_id", Id, nullable=False),
)

confirmation_chases = Table(
    "confirmation_chases",
    metadata,
    Column("po_id", Id, ForeignKey("purchase_orders.id"), primary_key=True),
    Column("chase_no", Integer, primary_key=True),
    Column("chased_on", Date, nullable=False),
    Column("due_on", Date, nullable=False, comment="the day by which the confirmation was due"),
    Column("audit_id", Id, nullable=False),
)

shipping_notices = Table(
    "shipping_notices",
    metadata,
    Column("id", Id, primary_key=True),
    Column("po_id", Id, ForeignKey("purchase_orders.id"), nullable=False, index=True),
    Column("supplier_id", Id, ForeignKey("suppliers.id"), nullable=False),
    Column(
        "reference",
        String(40),
        nullable=False,
        comment="the supplier's number of the notice, once for each order",
    ),
    Column("shipped_on", Date, nullable=False),
    Column("expected_on", Date, nullable=False),
    Column("cartons", Integer, nullable=False),
    Column("audit_id", Id, nullable=False),
    UniqueConstraint("supplier_id", "reference", "po_id"),
)

shipping_notice_lines = Table(
    "shipping_notice_lines",
    metadata,
    Column("notice_id", Id, ForeignKey("shipping_notices.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("po_line_id", Id, ForeignKey("po_lines.id"), nullable=False, index=True),
    Column("carton", String(40), nullable=False, comment="the label of the carton"),
    Column("quantity", Quantity, nullable=False),
    Column("substitute_item_id", Id, ForeignKey("items.id"), comment="in place of the item ordered"),
    CheckConstraint("quantity > 0", name="quantity"),
)

requisitions = Table(
    "requisitions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("number", String(40), nullable=False, unique=True),
    Column("item_id", Id, ForeignKey("items.id"), nullable=False),
    Column("location_id", Id, ForeignKey("locations.id"), nullable=False),
    Column("quantity", Quantity, nullable=False),
    Column("need_by", Date),
    Column("reason", Text, nullable=False),
    Column("requested_by", Id, nullable=False),
    Column("requested_on", Date, nullable=False),
    Column("status", String(10), nullable=False, index=True),
    Column("po_id", Id, ForeignKey("purchase_orders.id"), comment="the order that it became part of"),
    Column("proposal_id", Id, comment="the proposal that was approved; none where nobody had to be asked"),
    Column("version", Integer, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("status", REQUISITION_STEPS), name="status"),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint("(status = 'ordered') = (po_id IS NOT NULL)", name="ordered_with_order"),
)
