"""Tables of blanket contracts. What was called off is never kept: it is the sum of the orders' lines."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, Index, Integer, String, Table, Text

from erp_core.procurement.contracts.rules import CONTRACT_STEPS
from erp_core.storage.base import among, metadata
from erp_core.storage.types import Id, Json, Money, Quantity

supplier_contracts = Table(
    "supplier_contracts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("number", String(40), nullable=False, unique=True),
    Column("supplier_id", Id, ForeignKey("suppliers.id"), nullable=False, index=True),
    Column("currency", String(3), nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date, nullable=False, comment="it runs up to and not on this day"),
    Column("agreed_value", Money, comment="what may be called off in all; none where quantities are agreed"),
    Column("status", String(10), nullable=False),
    Column("ended_on", Date, comment="the day from which it holds no more, where it was ended early"),
    Column("reason", Text, nullable=False),
    Column("agreed_by", Id, nullable=False),
    Column("agreed_on", Date, nullable=False),
    Column("proposal_id", Id),
    Column("version", Integer, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("status", CONTRACT_STEPS), name="status"),
    CheckConstraint("valid_to > valid_from", name="period"),
    CheckConstraint("(status = 'ended') = (ended_on IS NOT NULL)", name="ended"),
)

contract_lines = Table(
    "contract_lines",
    metadata,
    Column("contract_id", Id, ForeignKey("supplier_contracts.id"), primary_key=True),
    Column("item_id", Id, ForeignKey("items.id"), primary_key=True),
    Column("price", Money, nullable=False),
    Column("breaks", Json, nullable=False, comment="(from quantity, price) pairs"),
    Column("agreed_quantity", Quantity, comment="what may be called off; none where a value is agreed"),
    CheckConstraint("agreed_quantity > 0", name="quantity"),
    Index("ix_contract_lines_item_id", "item_id"),
)
