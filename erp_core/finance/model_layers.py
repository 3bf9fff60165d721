"""Tables of cost layers: the method of the books, and under FIFO the layers with the entries that moved each."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    String,
    Table,
    text,
)

from erp_core.storage.base import among, metadata
from erp_core.storage.types import Id, Money, Quantity

COST_METHODS = ("average", "fifo")

cost_methods = Table(
    "cost_methods",
    metadata,
    Column("valid_from", Date, primary_key=True),
    Column("method", String(10), nullable=False),
    Column("change_id", Id, nullable=False, unique=True),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("method", COST_METHODS), name="method"),
)

cost_layers = Table(
    "cost_layers",
    metadata,
    Column("id", Id, primary_key=True),
    Column("item_id", Id, ForeignKey("items.id"), nullable=False),
    Column("came_on", Date, nullable=False),
    Column(
        "number", BigInteger, nullable=False, comment="orders the layers of a day that are there together"
    ),
    Column("quantity", Quantity, nullable=False, comment="what is left"),
    Column("value", Money, nullable=False, comment="what that is worth"),
    Column("document_kind", String(20), nullable=False),
    Column("document_id", Id, nullable=False),
    Column("line_id", Id),
    Column("audit_id", Id, nullable=False, comment="what made the layer"),
    CheckConstraint("quantity >= 0 AND value >= 0", name="not_below_zero"),
    CheckConstraint("quantity > 0 OR value = 0", name="nothing_has_no_value"),
    Index(
        "ix_cost_layers_open",
        "item_id",
        "came_on",
        "number",
        sqlite_where=text("quantity > 0"),
        postgresql_where=text("quantity > 0"),
    ),
)

cost_layer_entries = Table(
    "cost_layer_entries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("layer_id", Id, ForeignKey("cost_layers.id"), nullable=False),
    Column("item_id", Id, ForeignKey("items.id"), nullable=False),
    Column("occurred_on", Date, nullable=False),
    Column("quantity", Quantity, nullable=False, comment="signed: + into the layer, - out of it"),
    Column("value", Money, nullable=False, comment="signed, same direction"),
    Column("entry_id", Id, comment="the cost entry it is a part of; NULL at a change of method"),
    Column("audit_id", Id, nullable=False),
    Index("ix_cost_layer_entries_item_id_occurred_on", "item_id", "occurred_on"),
)
