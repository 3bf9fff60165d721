"""Tables of returns."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    text,
)

from erp_core.returns import model_credits as model_credits
from erp_core.returns.rules import DISPOSITION_STEPS, RESALE, RETURN_STEPS, UNDECIDED
from erp_core.storage.base import among, metadata
from erp_core.storage.types import Id, Json, Money, Quantity, UtcDateTime

_DISPOSITIONS = sorted(DISPOSITION_STEPS[UNDECIDED])

returns = Table(
    "returns",
    metadata,
    Column("id", Id, primary_key=True),
    Column("number", String(40), nullable=False, unique=True),
    Column(
        "order_id",
        Id,
        ForeignKey("orders.id"),
        comment="NULL where the sale is older than the imported history",
    ),
    Column("channel_id", Id, ForeignKey("channels.id"), nullable=False),
    Column("customer_country", String(60), nullable=False),
    Column("status", String(12), nullable=False, index=True),
    Column("returned_on", Date, nullable=False, index=True),
    Column("known_on", Date, nullable=False),
    Column("override_reason", String(40), comment="why it may come back against the terms"),
    Column("risk_score", Integer, comment="points for what looks like abuse; NULL for imported history"),
    Column("risk_reasons", Json, comment="code, points and sentence of each rule that held"),
    Column("version", Integer, nullable=False),
    Column("import_id", Id, index=True),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("status", RETURN_STEPS), name="status"),
)

return_lines = Table(
    "return_lines",
    metadata,
    Column("id", Id, primary_key=True),
    Column("return_id", Id, ForeignKey("returns.id"), nullable=False, index=True),
    Column("line_no", Integer, nullable=False),
    Column("order_line_id", Id, ForeignKey("order_lines.id"), index=True),
    Column("item_id", Id, ForeignKey("items.id"), nullable=False),
    Column("location_id", Id, ForeignKey("locations.id"), nullable=False),
    Column("channel_id", Id, nullable=False),
    Column("customer_country", String(60), nullable=False),
    Column("returned_on", Date, nullable=False),
    Column("shipped_on", Date, comment="of the line returned: the ship cohort"),
    Column("quantity", Quantity, nullable=False),
    Column("reason", String(30), nullable=False),
    Column("condition", String(20)),
    Column("packaging", String(20), comment="as found; NULL where the condition says it"),
    Column("resale_eligible", Boolean, comment="whether it may be sold again; NULL until inspected"),
    Column("rule", String(20), comment="the disposition that the rule gave at inspection"),
    Column("rule_because", String(30), comment="what decided it"),
    Column("disposition", String(20)),
    Column("disposed_on", Date),
    Column("refund", Money, nullable=False),
    Column("cost", Money, comment="value at which it came back into stock; NULL while unknown"),
    Column("recovered", Money, comment="value regained by the disposition"),
    Column("written_off", Money),
    Column("comment", Text, comment="untrusted text of the customer"),
    Column(
        "authorised",
        Json,
        comment="units, refund and cost as authorised, kept when goods came; NULL while nothing did",
    ),
    Column("lots", Json, comment="(lot id, units) pairs of what came back; NULL where the item has no lots"),
    Column("import_id", Id),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint("refund >= 0", name="refund"),
    CheckConstraint(among("disposition", _DISPOSITIONS), name="disposition"),
    Index("ix_return_lines_item_id_returned_on", "item_id", "returned_on"),
)

dispositions = Table(
    "dispositions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("return_id", Id, ForeignKey("returns.id"), nullable=False, index=True),
    Column("return_line_id", Id, ForeignKey("return_lines.id"), nullable=False, index=True),
    Column("order_id", Id),
    Column("disposition", String(20), nullable=False),
    Column("quantity", Quantity, nullable=False),
    Column("refund", Money, nullable=False, comment="asked to be paid out by this decision"),
    Column("written_off", Money, nullable=False),
    Column("against_rule", Boolean, nullable=False),
    Column("reason", String(40), comment="why another one than the rule's"),
    Column("occurred_at", UtcDateTime, nullable=False, index=True),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("refund >= 0", name="refund"),
    CheckConstraint(among("disposition", _DISPOSITIONS), name="disposition"),
    comment="Every decision about goods that came back: the refund request is part of the first.",
)
Index(
    "uq_dispositions_refund",
    dispositions.c.return_line_id,
    unique=True,
    sqlite_where=text("refund > 0"),
    postgresql_where=text("refund > 0"),
)

return_terms = Table(
    "return_terms",
    metadata,
    Column("id", Id, primary_key=True),
    Column("channel_id", Id, ForeignKey("channels.id"), comment="NULL: every channel"),
    Column("category", String(80), comment="NULL: every category"),
    Column("window_days", Integer, nullable=False),
    Column("fault_window_days", Integer, nullable=False),
    Column("reasons", Json, comment="codes accepted beside faults; NULL: every one"),
    Column("resale", String(10), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("resale", RESALE), name="resale"),
)
