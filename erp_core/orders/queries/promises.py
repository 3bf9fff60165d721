"""Reads of promises: which lines are expected on another day, because of what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.orders.model import order_lines, orders
from erp_core.orders.model_service import promise_changes


@dataclass(frozen=True, slots=True)
class PromiseChange:
    """A line that waits for goods is expected on another day; None: no confirmed supply covers it.

    `late` says whether what is expected after the change is later than what the customer was promised.
    """

    order_id: UUID
    order_number: str
    line_id: UUID
    item_id: UUID
    location_id: UUID
    channel_id: UUID
    promised_on: date | None
    expected_before: date | None
    expected_after: date | None
    cause_kind: str
    cause_id: UUID
    occurred_at: datetime

    @property
    def late(self) -> bool:
        """Whether the customer waits longer than promised."""
        promised, expected = self.promised_on, self.expected_after
        return promised is not None and (expected is None or expected > promised)


def list_promise_changes(
    connection: Connection,
    *,
    cause_id: UUID | None = None,
    order_id: UUID | None = None,
    since: datetime | None = None,
    limit: int = 500,
) -> list[PromiseChange]:
    """Changes of promises, the latest first: all that one document caused, of one order, or since a moment."""
    change = promise_changes.c
    columns: tuple[Any, ...] = (
        change.order_id,
        orders.c.number,
        change.line_id,
        order_lines.c.item_id,
        order_lines.c.location_id,
        order_lines.c.channel_id,
        order_lines.c.promised_on,
        change.expected_before,
        change.expected_after,
        change.cause_kind,
        change.cause_id,
        change.occurred_at,
    )
    statement = (
        select(*columns)
        .join(orders, orders.c.id == change.order_id)
        .join(order_lines, order_lines.c.id == change.line_id)
        .order_by(change.occurred_at.desc(), change.id.desc())
        .limit(limit)
    )
    if cause_id is not None:
        statement = statement.where(change.cause_id == cause_id)
    if order_id is not None:
        statement = statement.where(change.order_id == order_id)
    if since is not None:
        statement = statement.where(change.occurred_at >= since)
    return [PromiseChange(*row) for row in connection.execute(statement)]
