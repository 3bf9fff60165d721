"""Tables of quotations: what was asked of whom, what each offered, and what was awarded. Answers are only added."""

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

from erp_core.procurement.quotations.rules import QUOTATION_STEPS
from erp_core.storage.base import among, metadata
from erp_core.storage.types import Id, Json, Money, Quantity

quotation_requests = Table(
    "quotation_requests",
    metadata,
    Column("id", Id, primary_key=True),
    Column("number", String(40), nullable=False, unique=True),
    Column("location_id", Id, ForeignKey("locations.id"), nullable=False),
    Column("deadline_on", Date, nullable=False, comment="the last day on which quotations are taken"),
    Column("status", String(14), nullable=False, index=True),
    Column("requisition_ids", Json, nullable=False, comment="the requisitions that its lines come from"),
    Column("requested_by", Id, nullable=False),
    Column("requested_on", Date, nullable=False),
    Column("version", Integer, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("status", QUOTATION_STEPS), name="status"),
)

quotation_request_lines = Table(
    "quotation_request_lines",
    metadata,
    Column("id", Id, primary_key=True),
    Column("request_id", Id, ForeignKey("quotation_requests.id"), nullable=False, index=True),
    Column("line_no", Integer, nullable=False),
    Column("item_id", Id, ForeignKey("items.id"), nullable=False),
    Column("quantity", Quantity, nullable=False),
    Column("need_by", Date),
    CheckConstraint("quantity > 0", name="quantity"),
    UniqueConstraint("request_id", "line_no"),
)

quotation_invitations = Table(
    "quotation_invitations",
    metadata,
    Column("request_id", Id, ForeignKey("quotation_requests.id"), primary_key=True),
    Column("supplier_id", Id, ForeignKey("suppliers.id"), primary_key=True, index=True),
    Column("audit_id", Id, nullable=False),
)

quotations = Table(
    "quotations",
    metadata,
    Column("id", Id, primary_key=True),
    Column("request_id", Id, ForeignKey("quotation_requests.id"), nullable=False),
    Column("supplier_id", Id, ForeignKey("suppliers.id"), nullable=False),
    Column("revision", Integer, nullable=False, comment="the supplier's last one counts"),
    Column("reference", String(60), comment="the supplier's number of it"),
    Column("currency", String(3), nullable=False),
    Column("valid_until", Date, comment="the last day on which it holds; none where the supplier declines"),
    Column("note", Text, comment="untrusted text: rendered as data, never shown to a language model"),
    Column("received_on", Date, nullable=False),
    Column("recorded_by", Id, nullable=False),
    Column("audit_id", Id, nullable=False),
    UniqueConstraint("request_id", "supplier_id", "revision"),
)

quotation_lines = Table(
    "quotation_lines",
    metadata,
    Column("quotation_id", Id, ForeignKey("quotations.id"), primary_key=True),
    Column("line_id", Id, ForeignKey("quotation_request_lines.id"), primary_key=True),
    Column("unit_price", Money, nullable=False),
    Column("breaks", Json, nullable=False, comment="(from quantity, price) pairs"),
    Column("minimum_quantity", Quantity, nullable=False),
    Column("order_multiple", Quantity, nullable=False),
    Column("lead_time_days", Integer),
    CheckConstraint("minimum_quantity >= 1 AND order_multiple >= 1", name="terms"),
)

quotation_awards = Table(
    "quotation_awards",
    metadata,
    Column("line_id", Id, ForeignKey("quotation_request_lines.id"), primary_key=True),
    Column("quotation_id", Id, ForeignKey("quotations.id"), nullable=False),
    Column("po_id", Id, ForeignKey("purchase_orders.id"), nullable=False, comment="the draft that it made"),
    Column("recommended_id", Id, ForeignKey("suppliers.id"), comment="whom the comparison recommended"),
    Column("reason_code", String(30), comment="why another one was chosen, or it was awarded early"),
    Column("comment", Text),
    Column("awarded_by", Id, nullable=False),
    Column("awarded_on", Date, nullable=False),
    Column("proposal_id", Id, comment="the proposal that was approved; none where nobody had to be asked"),
    Column("audit_id", Id, nullable=False),
)
