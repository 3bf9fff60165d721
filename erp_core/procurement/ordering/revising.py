"""Numbers of an order's revisions."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection, func, select

from erp_core.procurement.model import po_revisions


def next_revision(connection: Connection, po_id: UUID) -> int:
    """The number of an order's next revision; 1 is the first change."""
    table = po_revisions.c
    last = connection.scalar(select(func.max(table.revision)).where(table.po_id == po_id))
    return int(last or 0) + 1
