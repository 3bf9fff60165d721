"""What items are variants of, and how categories lie within each other."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, String, Table

from erp_core.storage.base import metadata
from erp_core.storage.types import Id, Json

categories = Table(
    "categories",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("parent", String(80), ForeignKey("categories.name"), index=True, comment="NULL at the top"),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("parent <> name", name="not_within_itself"),
    comment="Where a category lies. One that is not named here is at the top.",
)

products = Table(
    "products",
    metadata,
    Column("id", Id, primary_key=True),
    Column("code", String(40), nullable=False, unique=True),
    Column("name", String(120), nullable=False),
    Column("category", String(80), nullable=False, index=True, comment="that of all its variants"),
    Column("axes", Json, nullable=False, comment="what its variants differ in, in order"),
    Column("audit_id", Id, nullable=False),
    comment="Products, also called styles: their variants are items.",
)
