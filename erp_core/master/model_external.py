"""What others call our items."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, String, Table

from erp_core.storage.base import among, metadata
from erp_core.storage.types import Id

PARTIES = ("channel", "supplier", "location")

external_skus = Table(
    "external_skus",
    metadata,
    Column("party_id", Id, primary_key=True, comment="a channel, a supplier, or a third party's warehouse"),
    Column("code_key", String(60), primary_key=True, comment="the code, casefolded: one item for each"),
    Column("party", String(10), nullable=False),
    Column("code", String(60), nullable=False),
    Column("item_id", Id, ForeignKey("items.id"), nullable=False, index=True),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("party", PARTIES), name="party"),
    comment="The SKUs of channels, suppliers and third parties, each for one of our items.",
)
