"""Reads of requisitions."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.procurement.model import requisitions


@dataclass(frozen=True, slots=True)
class Requisition:
    """Goods that somebody asked for; `po_id` is the order that they became part of."""

    id: UUID
    number: str
    item_id: UUID
    location_id: UUID
    quantity: int
    need_by: date | None
    reason: str
    requested_by: UUID
    requested_on: date
    status: str
    po_id: UUID | None


def list_requisitions(
    connection: Connection, *, statuses: Collection[str] | None = None, limit: int = 200
) -> list[Requisition]:
    """Requisitions, the earliest needed first; those whose approval is pending are proposals still."""
    table = requisitions.c
    statement = (
        select(*(table[part.name] for part in fields(Requisition)))
        .order_by(table.need_by.is_(None), table.need_by, table.number)
        .limit(limit)
    )
    if statuses is not None:
        statement = statement.where(table.status.in_(list(statuses)))
    return [Requisition(*row) for row in connection.execute(statement)]
