"""The table of forward pick: which item is picked where, and from which reserve it is refilled."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Table

from erp_core.storage.base import metadata
from erp_core.storage.types import Id, Quantity

pick_faces = Table(
    "pick_faces",
    metadata,
    Column("item_id", Id, ForeignKey("items.id"), primary_key=True),
    Column("location_id", Id, ForeignKey("locations.id"), primary_key=True, comment="where it is picked"),
    Column("reserve_id", Id, ForeignKey("locations.id"), nullable=False, comment="where the rest of it lies"),
    Column("minimum", Quantity, nullable=False, comment="below it the face is refilled"),
    Column("maximum", Quantity, nullable=False, comment="what the face holds"),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("location_id <> reserve_id", name="two_places"),
    CheckConstraint("minimum >= 1 AND maximum >= minimum", name="levels"),
    sqlite_with_rowid=False,
)
