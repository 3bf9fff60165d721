"""Tables of the ledger. Moves are the truth; balances and daily changes are kept in the same transaction."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, Index, String, Table

from erp_core.storage.base import among, metadata
from erp_core.storage.types import Id, Quantity, UtcDateTime

STATES = (
    "available",
    "reserved",
    "picked",
    "received_held",
    "quarantined",
    "return_pending",
    "refurbishing",
    "damaged",
    "in_transit",
)
EVENTS = (
    "reservation",
    "shipment",
    "release",
    "receipt",
    "return",
    "disposition",
    "transfer",
    "adjustment",
    "count",
    "kitting",
    "opening",
    "reversal",
)

stock_moves = Table(
    "stock_moves",
    metadata,
    Column("occurred_on", Date, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("event", String(20), nullable=False),
    Column("item_id", Id, ForeignKey("items.id"), nullable=False),
    Column("lot_id", Id, nullable=False, comment="the zero id where the item has no lots"),
    Column("owner", String(20), nullable=False),
    Column("from_location_id", Id, ForeignKey("locations.id"), nullable=False),
    Column("from_state", String(14), nullable=False, comment="'virtual' outside the company"),
    Column("to_location_id", Id, ForeignKey("locations.id"), nullable=False),
    Column("to_state", String(14), nullable=False),
    Column("quantity", Quantity, nullable=False),
    Column("document_kind", String(20), nullable=False),
    Column("document_id", Id, nullable=False, index=True),
    Column("reason", String(40)),
    Column("reverses_id", Id),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint(among("from_state", (*STATES, "virtual")), name="from_state"),
    CheckConstraint(among("to_state", ("virtual", *STATES)), name="to_state"),
    CheckConstraint(among("event", EVENTS), name="event"),
    CheckConstraint("from_location_id <> to_location_id OR from_state <> to_state", name="goes_somewhere"),
    Index("ix_stock_moves_item_id_occurred_on", "item_id", "occurred_on"),
)

stock_balances = Table(
    "stock_balances",
    metadata,
    Column("item_id", Id, ForeignKey("items.id"), primary_key=True),
    Column("location_id", Id, ForeignKey("locations.id"), primary_key=True, index=True),
    Column("state", String(14), primary_key=True),
    Column("lot_id", Id, primary_key=True),
    Column("owner", String(20), primary_key=True),
    Column("quantity", Quantity, nullable=False),
    CheckConstraint("quantity >= 0", name="quantity_not_below_zero"),
    sqlite_with_rowid=False,
)

stock_daily = Table(
    "stock_daily",
    metadata,
    Column("item_id", Id, primary_key=True),
    Column("location_id", Id, primary_key=True),
    Column("state", String(14), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("change", Quantity, nullable=False),
    comment="Net change per day; its running sum is the balance at the end of any past day.",
    sqlite_with_rowid=False,
)

reservations = Table(
    "reservations",
    metadata,
    Column("id", Id, primary_key=True),
    Column("document_kind", String(20), nullable=False),
    Column("document_id", Id, nullable=False, index=True),
    Column("line_id", Id, nullable=False, index=True),
    Column("item_id", Id, ForeignKey("items.id"), nullable=False),
    Column("location_id", Id, ForeignKey("locations.id"), nullable=False),
    Column("quantity", Quantity, nullable=False),
    Column("status", String(10), nullable=False),
    Column("expires_at", UtcDateTime),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint(among("status", ("pending", "posted", "voided", "expired")), name="status"),
)
