"""Reads of what was decided about short stock, and of what waits for a buyer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.orders.model import order_lines, orders
from erp_core.orders.model_service import shortages
from erp_core.orders.rules import WAITING


@dataclass(frozen=True, slots=True)
class Shortage:
    """A decision on units that were short. `missing` is what the line lacks now; `other_line_id` the line that was
    added in its place, or that gave its stock.
    """

    order_id: UUID
    order_number: str
    line_id: UUID
    item_id: UUID
    location_id: UUID
    channel_id: UUID
    action: str
    units: int
    missing: int
    other_line_id: UUID | None
    occurred_at: datetime


def list_shortages(
    connection: Connection,
    *,
    action: str | None = None,
    order_id: UUID | None = None,
    still_missing: bool = False,
    limit: int = 500,
) -> list[Shortage]:
    """Decisions, the latest first; `still_missing`: those whose line waits for goods yet."""
    line, short = order_lines.c, shortages.c
    missing = line.quantity - line.reserved_quantity - line.shipped_quantity - line.cancelled_quantity
    columns: tuple[Any, ...] = (
        short.order_id,
        orders.c.number,
        short.line_id,
        short.item_id,
        short.location_id,
        orders.c.channel_id,
        short.action,
        short.units,
        missing,
        short.other_line_id,
        short.occurred_at,
    )
    statement = (
        select(*columns)
        .join(orders, orders.c.id == short.order_id)
        .join(order_lines, line.id == short.line_id)
        .order_by(short.occurred_at.desc(), short.id.desc())
        .limit(limit)
    )
    if action is not None:
        statement = statement.where(short.action == action)
    if order_id is not None:
        statement = statement.where(short.order_id == order_id)
    if still_missing:
        statement = statement.where(missing > 0, orders.c.status.in_(WAITING))
    return [Shortage(*row) for row in connection.execute(statement)]
