"""Tables of finance. One cost balance per item; entries are only added."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, ForeignKey, Index, String, Table

from erp_core.finance.model_journal import journal_entries as journal_entries
from erp_core.finance.model_layers import cost_layer_entries as cost_layer_entries
from erp_core.finance.model_layers import cost_layers as cost_layers
from erp_core.finance.model_layers import cost_methods as cost_methods
from erp_core.storage.base import among, metadata
from erp_core.storage.types import Id, Money, Quantity

COST_EVENTS = (
    "opening",
    "receipt",
    "shipment",
    "return",
    "write_off",
    "adjustment",
    "reversal",
    "kitting",
    "landed_cost",
)

cost_balances = Table(
    "cost_balances",
    metadata,
    Column("item_id", Id, ForeignKey("items.id"), primary_key=True),
    Column("quantity", Quantity, nullable=False),
    Column("value", Money, nullable=False),
    CheckConstraint("quantity >= 0", name="quantity_not_below_zero"),
    CheckConstraint("quantity > 0 OR value = 0", name="nothing_has_no_value"),
)

cost_entries = Table(
    "cost_entries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("item_id", Id, ForeignKey("items.id"), nullable=False),
    Column("occurred_on", Date, nullable=False),
    Column("event", String(20), nullable=False),
    Column("quantity", Quantity, nullable=False, comment="signed: + into stock, - out of it"),
    Column("value", Money, nullable=False, comment="signed, same direction"),
    Column("document_kind", String(20), nullable=False),
    Column("document_id", Id, nullable=False),
    Column("line_id", Id),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(
        among("event", COST_EVENTS),
        name="event",
    ),
    Index("ix_cost_entries_item_id_occurred_on", "item_id", "occurred_on"),
)

budgets = Table(
    "budgets",
    metadata,
    Column("category", String(60), primary_key=True),
    Column("month", Date, primary_key=True, comment="its first day"),
    Column("amount", Money, nullable=False),
    Column("audit_id", Id, nullable=False),
)

exchange_rates = Table(
    "exchange_rates",
    metadata,
    Column("currency", String(3), primary_key=True),
    Column("valid_from", Date, primary_key=True),
    Column("rate", BigInteger, nullable=False, comment="company currency for one unit, in 10^-8"),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("rate > 0", name="rate"),
)
