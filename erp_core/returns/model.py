"""Tables of returns."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, Index, Integer, String, Table, Text

from erp_core.returns.rules import DISPOSITION_STEPS, RETURN_STEPS, UNDECIDED
from erp_core.storage.base import among, metadata
from erp_core.storage.types import Id, Json, Money, Quantity

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
    Column("disposition", String(20)),
    Column("disposed_on", Date),
    Column("refund", Money, nullable=False),
    Column("cost", Money, comment="value at which it came back into stock; NULL while unknown"),
    Column("recovered", Money, comment="value regained by the disposition"),
    Column("written_off", Money),
    Column("comment", Text, comment="untrusted text of the customer"),
    Column("lots", Json, comment="(lot id, units) pairs of what came back; NULL where the item has no lots"),
    Column("import_id", Id),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint(among("disposition", sorted(DISPOSITION_STEPS[UNDECIDED])), name="disposition"),
    Index("ix_return_lines_item_id_returned_on", "item_id", "returned_on"),
)
