"""Tables of the ledger. Moves are the truth; balances and daily changes are kept in the same transaction."""

from __future__ import annotations

from uuid import UUID

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
    UniqueConstraint,
    text,
)

from erp_core.inventory.counts.model import stock_counts as stock_counts
from erp_core.inventory.pick_faces.model import pick_faces as pick_faces
from erp_core.inventory.putaway.model import putaway_rules as putaway_rules
from erp_core.inventory.snapshots.model import stock_snapshots as stock_snapshots
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
    "hold",
    "ownership",
    "pick",
    "reversal",
)
LOTTED = "lot_id <> '00000000000000000000000000000000'"
"""A condition in words, so that the indexes of moves and balances of lots are found. Plain stock is in none of them."""
LOT_STATUSES = ("released", "held", "recalled")
OWNERS = ("own", "consigned")

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
    Index("ix_stock_moves_lot_id", "lot_id", sqlite_where=text(LOTTED), postgresql_where=text(LOTTED)),
    postgresql_partition_by="RANGE (occurred_on)",
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
    CheckConstraint(among("owner", OWNERS), name="owner"),
    Index("ix_stock_balances_lot_id", "lot_id", sqlite_where=text(LOTTED), postgresql_where=text(LOTTED)),
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
    comment="Net change per day of the company's own stock; its running sum is the stock at the end of any past day.",
    sqlite_with_rowid=False,
)

stock_monthly = Table(
    "stock_monthly",
    metadata,
    Column("item_id", Id, primary_key=True),
    Column("location_id", Id, primary_key=True),
    Column("state", String(14), primary_key=True),
    Column("month", Date, primary_key=True, comment="its first day"),
    Column("change", Quantity, nullable=False),
    comment="The daily changes by month: the stock of a past day reads whole months and the days of the last.",
    sqlite_with_rowid=False,
)

stock_carried = Table(
    "stock_carried",
    metadata,
    Column("item_id", Id, primary_key=True),
    Column("location_id", Id, primary_key=True),
    Column("state", String(14), primary_key=True),
    Column("lot_id", Id, primary_key=True),
    Column("owner", String(20), primary_key=True),
    Column("quantity", Quantity, nullable=False),
    comment="What the moves of retired months add up to: a balance is this and the moves that are there.",
    sqlite_with_rowid=False,
)

stock_retirements = Table(
    "stock_retirements",
    metadata,
    Column("month", Date, primary_key=True, comment="its first day"),
    Column("moves", Quantity, nullable=False),
    Column("retired_at", UtcDateTime, nullable=False),
    comment="Months whose moves were taken out of the ledger by the owner of the database.",
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
    Column(
        "lot_id", Id, nullable=False, default=UUID(int=0), comment="the zero id where the item has no lots"
    ),
    Column("quantity", Quantity, nullable=False),
    Column("status", String(10), nullable=False),
    Column("expires_at", UtcDateTime),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint(among("status", ("pending", "posted", "voided", "expired", "picked")), name="status"),
    Index("ix_reservations_lot_id", "lot_id", sqlite_where=text(LOTTED), postgresql_where=text(LOTTED)),
)

lots = Table(
    "lots",
    metadata,
    Column("id", Id, primary_key=True),
    Column("item_id", Id, ForeignKey("items.id"), nullable=False),
    Column("code", String(40), nullable=False, comment="the maker's lot code or serial number"),
    Column("serial", Boolean, nullable=False, comment="one numbered unit"),
    Column("batch_id", Id, ForeignKey("lots.id"), index=True, comment="the lot that a numbered unit is of"),
    Column("expires_on", Date, comment="the last day it may be used"),
    Column("received_on", Date, nullable=False, comment="the day it first came in"),
    Column("supplier_id", Id, ForeignKey("suppliers.id"), comment="who it first came from"),
    Column("source_kind", String(20), nullable=False, comment="what it first came in with"),
    Column("source_id", Id, nullable=False),
    Column("status", String(10), nullable=False),
    Column("audit_id", Id, nullable=False),
    UniqueConstraint("item_id", "serial", "code"),
    CheckConstraint(among("status", LOT_STATUSES), name="status"),
    CheckConstraint("serial OR batch_id IS NULL", name="batch_of_a_serial"),
    comment="Lots of items, and numbered units: a serial number is a lot of one.",
)

quality_holds = Table(
    "quality_holds",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("item_id", Id, ForeignKey("items.id"), nullable=False, index=True),
    Column("lot_id", Id, nullable=False, comment="the zero id where the item has no lots"),
    Column("location_id", Id, ForeignKey("locations.id"), comment="NULL: the whole lot, wherever it is"),
    Column("reason", String(30), nullable=False),
    Column("comment", String(300)),
    Column("status", String(10), nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("decided_at", UtcDateTime),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("kind IN ('quality', 'recall', 'expiry')", name="kind"),
    CheckConstraint("status IN ('open', 'released', 'rejected')", name="status"),
    Index("ix_quality_holds_lot_id", "lot_id"),
)

shelf_life_rules = Table(
    "shelf_life_rules",
    metadata,
    Column("channel_id", Id, ForeignKey("channels.id"), primary_key=True),
    Column("item_id", Id, primary_key=True, comment="the zero id for every item"),
    Column("minimum_days", Integer, nullable=False, comment="left before the last day when it is promised"),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("minimum_days >= 0", name="minimum_days"),
)

stock_authorities = Table(
    "stock_authorities",
    metadata,
    Column("location_id", Id, ForeignKey("locations.id"), primary_key=True),
    Column("owner", String(20), primary_key=True),
    Column("system", String(40), nullable=False, comment="whose count of this stock is believed"),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("owner", OWNERS), name="owner"),
    comment="Which system is right about the stock of an owner at a location. Without a row, this ledger.",
)
